"""Every setting, from `TALLY_*` environment variables. `./tally up` sets them for its children."""

from __future__ import annotations

import os
import socket
from enum import StrEnum
from pathlib import Path
from typing import Self

from pydantic import Field, SecretStr, model_validator
from pydantic_settings import BaseSettings, SettingsConfigDict


class HlsProfile(StrEnum):
    """How streams are cut for players."""

    FAST = "fast"
    STRICT = "strict"


class Settings(BaseSettings):
    """Defaults are the embedded stack's; point the URLs elsewhere to run against real clusters."""

    model_config = SettingsConfigDict(env_prefix="TALLY_", frozen=True, extra="ignore")

    data_dir: Path = Field(default=Path(".tally"), description="Where the embedded engines, segments and logs live.")
    cache_dir: Path = Field(
        default=Path("~/.cache/tally"), description="Where downloaded jars are kept, shared by every data directory."
    )
    host: str = Field(default="127.0.0.1", description="The address our servers bind.")

    kafka_bootstrap: str = Field(default="127.0.0.1:9092", description="Kafka's bootstrap servers.")
    kafka_controller_port: int = Field(
        default=9093, description="Where the embedded broker's KRaft controller listens."
    )
    kafka_security_protocol: str = Field(default="PLAINTEXT", description="PLAINTEXT, SSL, SASL_PLAINTEXT or SASL_SSL.")
    kafka_sasl_mechanism: str = Field(
        default="PLAIN", description="PLAIN, SCRAM-SHA-256 or SCRAM-SHA-512, with SASL only."
    )
    kafka_username: str = Field(default="", description="SASL user, with SASL only.")
    kafka_password: SecretStr = Field(default=SecretStr(""), description="SASL password, with SASL only.")
    replication_factor: int = Field(
        default=1, ge=1, description="Of topics; 3 in production, which sets min.insync.replicas to 2."
    )
    schema_registry_url: str = Field(default="http://127.0.0.1:8085", description="Any Confluent-compatible registry.")
    schema_registry_port: int = Field(default=8085, description="Where our own registry listens.")

    postgres_dsn: SecretStr = Field(
        default=SecretStr("postgresql://tally@127.0.0.1:5432/tally"), description="The read models' database."
    )
    postgres_port: int = Field(default=5432, description="Where the embedded Postgres listens.")
    clickhouse_url: str = Field(default="http://127.0.0.1:8123", description="ClickHouse's HTTP interface.")
    clickhouse_user: str = Field(default="tally", description="The account the projections write with.")
    clickhouse_password: SecretStr = Field(default=SecretStr(""), description="Its password.")
    clickhouse_analyst: str = Field(default="analyst", description="The read-only account's name.")
    clickhouse_analyst_password: SecretStr = Field(default=SecretStr(""), description="Its password.")
    clickhouse_analyst_timeout_s: int = Field(
        default=30, gt=0, description="How long one of its statements may run in the embedded ClickHouse, seconds."
    )

    rtmp_port: int = Field(default=1935, description="Where streamers publish.")
    rtmps_port: int = Field(default=0, ge=0, description="The same over TLS (RTMPS); 0 turns it off.")
    rtmps_certificate_file: str = Field(
        default="", description="PEM certificate chain for RTMPS; looked at anew for each connection."
    )
    rtmps_key_file: str = Field(default="", description="Its private key, PEM.")
    edge_port: int = Field(default=8080, description="REST, docs and the watch page.")
    chat_port: int = Field(default=8082, description="The chat socket, and IRC over WebSocket.")
    chat_url: str = Field(default="ws://127.0.0.1:8082/ws", description="The chat socket's address as browsers see it.")
    chat_processes: str = Field(
        default="",
        description="Addresses of all chat processes, separated by commas, such as `http://chat-1:8082`: the edge asks "
        "each who is there. Empty is the one on this machine, at `TALLY_CHAT_PORT`.",
    )
    chat_origins: str = Field(
        default="",
        description="Origins whose pages may use the chat socket besides the edge's, separated by commas; * is any.",
    )
    chat_proxies: str = Field(
        default="127.0.0.1",
        description="Addresses of proxies, separated by commas, whose `X-Forwarded-For` the chat socket believes.",
    )
    chat_connections: int = Field(default=10_000, gt=0, description="Connections to a chat process at a time.")
    chat_connections_per_address: int = Field(default=200, gt=0, description="The same, from one address.")
    chat_joins_per_minute: int = Field(
        default=600, gt=0, description="Joins and sign-ins that a chat process takes from one address."
    )
    irc_port: int = Field(default=6667, description="IRC in Twitch's dialect.")
    ircs_port: int = Field(default=0, ge=0, description="The same over TLS, by custom 6697; 0 turns it off.")
    ircs_certificate_file: str = Field(
        default="", description="PEM certificate chain for IRC over TLS; looked at anew for each connection."
    )
    ircs_key_file: str = Field(default="", description="Its private key, PEM.")
    playback_port: int = Field(default=8081, description="The LL-HLS origin.")
    playback_url: str = Field(
        default="http://127.0.0.1:8081", description="The origin's (or CDN's) address as players see it."
    )
    edge_url: str = Field(default="http://127.0.0.1:8080", description="The edge's address as browsers see it.")
    node: str = Field(default_factory=socket.gethostname, description="This ingest node's name; stable over restarts.")
    resume_grace_s: float = Field(
        default=20.0, ge=0, description="How long a vanished publisher may resume its stream, seconds."
    )
    primary_settle_s: float = Field(
        default=10.0,
        ge=5,
        description="How long a primary publisher that came back must send steadily before it takes over from its "
        "backup, seconds.",
    )

    thumbnail_interval_s: float = Field(
        default=10.0, ge=1, description="Media time between two pictures of a live stream, seconds."
    )
    dvr_window_s: float = Field(
        default=7200.0,
        ge=60,
        description="How far back a live playlist reaches, on the ingest node's disk, seconds; 60 hold the six "
        "segments of either profile that players count on.",
    )

    hls_profile: HlsProfile = Field(
        default=HlsProfile.FAST,
        description="How streams are cut: `fast` into parts of about 0.2 s and segments of 2 to 4 s, or `strict`, as "
        "Apple's authoring specification asks, into parts of 1 s and segments of 6 s. Players stay three parts behind.",
    )
    ladder: str = Field(
        default="auto",
        description="Which smaller renditions streams get: off, auto, or some of 240p, 360p, 480p, 720p, 1080p, 1440p "
        "and 2160p, with commas. None is larger than the source.",
    )
    ladder_cores: float = Field(
        default_factory=lambda: (os.cpu_count() or 1) * 0.75,
        ge=0,
        description="How many cores of the ingest node all ladders may take; streams beyond get fewer rungs.",
    )
    ladder_encoder: str = Field(
        default="libx264", description="libx264, or h264_nvenc where this machine has it. `./tally doctor` tries it."
    )

    rtmp_connections: int = Field(default=512, gt=0, description="RTMP connections at a time, publishing or not.")
    rtmp_connections_per_address: int = Field(default=128, gt=0, description="The same, from one address.")
    rtmp_idle_s: float = Field(
        default=15.0, gt=0, description="A connection that sends no media for this long is closed, seconds."
    )
    health_probe_share: float = Field(
        default=0.02,
        ge=0,
        le=1,
        description="Part of a core for decoding a keyframe and some sound of each stream now and then, "
        "which finds silent, black and frozen streams; 0 turns it off.",
    )

    recordings: bool = Field(default=True, description="Whether streams are recorded; without it no clips either.")
    recordings_store: str = Field(
        default="",
        description="Where recordings go: a directory or s3://bucket/prefix; empty for one in the data directory.",
    )
    recordings_s3_endpoint: str = Field(default="", description="URL of an S3-compatible service; empty for AWS's own.")
    recordings_s3_region: str = Field(default="", description="Its region; empty for what AWS's tools would take.")
    recordings_s3_access_key: str = Field(
        default="", description="Access key id; empty to look for credentials as AWS's tools do."
    )
    recordings_s3_secret_key: SecretStr = Field(default=SecretStr(""), description="The secret that belongs to it.")
    recordings_retention_days: float = Field(
        default=14.0, ge=0, description="A recording is deleted this long after it was published, days; 0 never."
    )
    recordings_spool_mb: int = Field(
        default=20_000, gt=0, description="What may wait on disk for the store to take it, MB; beyond it are gaps."
    )

    viewer_heartbeat_s: float = Field(
        default=10.0, ge=1, le=15, description="Between two samples of a viewer's playback by CMCD, seconds."
    )
    viewer_silence_s: float = Field(
        default=30.0, ge=15, description="A player that says nothing for this long has left, seconds."
    )
    viewer_sessions: int = Field(
        default=20_000,
        ge=16,
        description="Viewers an origin follows by CMCD at a time; of more it samples every second, fourth, ...",
    )
    cmcd_reports_per_minute: int = Field(
        default=6000, gt=0, description="CMCD reports the origin takes from one address, such as a CDN's edge."
    )
    cloudfront_log_fields: str = Field(
        default="",
        description="What CloudFront's real-time log holds, in its order, separated by commas; every field when empty.",
    )

    pepper: SecretStr = Field(
        default=SecretStr(""),
        description="Secret mixed into password verifiers; the same on every edge, never changed.",
    )
    privacy_master_key: SecretStr = Field(
        default=SecretStr(""),
        description="Wraps the users' keys, under which personal texts are sealed in Kafka; the same in every process, "
        "never changed. Nothing is sealed when empty.",
    )
    session_lifetime_s: int = Field(default=14_400, gt=0, description="How long a bearer token works, seconds.")
    requests_per_minute: int = Field(
        default=6000, gt=0, description="What one user, or one address without a token, may ask of the edge."
    )
    playback_keys_file: str = Field(
        default="",
        description="The keys of playback tokens; `playback-keys.json` in the data directory when empty. "
        "An edge makes it on first use.",
    )
    playback_token_longest_s: int = Field(
        default=3600, ge=10, description="The longest that a playback token may work, seconds."
    )
    playback_country_header: str = Field(
        default="",
        description="The header in which the CDN tells the origin the viewer's country, such as "
        "CloudFront-Viewer-Country. Only where every request comes through the CDN.",
    )
    playback_viewer_header: str = Field(
        default="", description="The same, for the user id of a viewer whom the CDN has signed in itself."
    )
    playback_edge_secret: SecretStr = Field(
        default=SecretStr(""),
        description="A CDN that shows this in `Tally-Edge-Secret` checks tokens itself and gets private streams "
        "without one. Nobody is trusted when empty.",
    )
    cloudfront_base_url: str = Field(
        default="", description="A CloudFront distribution's address; private streams are then signed for it."
    )
    cloudfront_key_pair_id: str = Field(default="", description="The id of its public key, such as K2JCJMDEHXQW5F.")
    cloudfront_private_key_file: str = Field(default="", description="The RSA private key to it, a PEM file.")
    log_level: str = Field(default="INFO", description="DEBUG, INFO, WARNING or ERROR.")

    @model_validator(mode="after")
    def _tls_is_whole(self) -> Self:
        for door in ("rtmps", "ircs"):
            certificate, key = f"{door}_certificate_file", f"{door}_key_file"
            if getattr(self, f"{door}_port") and not (getattr(self, certificate) and getattr(self, key)):
                raise ValueError(f"{door}_port needs {certificate} and {key}")
        return self

    def environment(self) -> dict[str, str]:
        """These settings as the `TALLY_*` variables that give a child process the same ones. Holds secrets."""
        values = ((name, getattr(self, name)) for name in type(self).model_fields)
        return {
            f"TALLY_{name.upper()}": value.get_secret_value() if isinstance(value, SecretStr) else str(value)
            for name, value in values
        }

    def kafka_security(self) -> dict[str, str]:
        """librdkafka's security options; empty on PLAINTEXT."""
        if self.kafka_security_protocol == "PLAINTEXT":
            return {}
        options = {"security.protocol": self.kafka_security_protocol}
        if self.kafka_security_protocol.startswith("SASL"):
            options |= {
                "sasl.mechanism": self.kafka_sasl_mechanism,
                "sasl.username": self.kafka_username,
                "sasl.password": self.kafka_password.get_secret_value(),
            }
        return options
