"""The ingest process on a real broker, with real deciders and a real encoder."""

from __future__ import annotations

import asyncio
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

import httpx
import pytest

from commands import identity
from commands.client import CommandClient
from schemas.commands.accounts import IssueStreamKey, RevokeStreamKey
from schemas.message import Command
from schemas.wire import Codec, Decoded
from tests.authority import Authority
from tests.commands.system import PATIENCE_S, Log, deciding, eventually, new_login, now, registration
from tests.engines import answers, free_ports, wait_until
from tests.ingest.rtmp.house import AAC, H264, PICTURE, TONE, Raw, encoder, ffmpeg
from topology.child import Launch, start, stop
from topology.settings import Settings

pytestmark = pytest.mark.stack

GRACE_S = 12.0
"""Long enough for an encoder to start on a busy machine."""

LIFECYCLE = (
    "PublishAuthorised",
    "StandbyAuthorised",
    "StreamStarted",
    "IngestSwitched",
    "StandbyDisconnected",
    "PublisherDisconnected",
    "StreamEnded",
)
"""What recordings and thumbnails say comes between, at times of their own."""


class Ingest:
    """An ingest process and what Kafka knows of its streams."""

    def __init__(self, settings: Settings, codec: Codec, log_file: Path) -> None:
        self.settings = settings
        self.log_file = log_file
        self._codec = codec
        self._log = Log(settings, codec)
        self.process = self._start()

    def ready(self) -> None:
        url = f"{self.settings.playback_url}/health/ready"
        wait_until(lambda: answers(url), self.process, self.log_file)

    def kill(self) -> None:
        self.process.kill()
        self.process.wait()

    def restart(self) -> None:
        self.process = self._start()
        self.ready()

    def stop(self) -> int:
        return stop(self.process, Launch(()))

    def submit(self, *commands: Command) -> list[dict[str, str]]:
        async def submit() -> list[dict[str, str]]:
            async with CommandClient(self.settings, self._codec, ["accounts"]) as client:
                return [(await client.submit(command, PATIENCE_S)).reply for command in commands]

        return asyncio.run(submit())

    def new_key(self) -> tuple[str, str]:
        """A stream key of a new channel, and the key's id."""
        register = registration(new_login())
        key = identity.new_stream_key(register.user_id)
        issue = now(
            IssueStreamKey,
            register.user_id,
            user_id=register.user_id,
            key_id=identity.new_id(),
            key_hash=identity.secret_hash(key),
        )
        self.submit(register, issue)
        return key, issue.key_id

    def events(self, topic: str, key: str) -> list[Decoded]:
        channel = identity.channel_of_key(key)
        return [placed.record for placed in self._log.read(topic) if placed.record.fields["channel_id"] == channel]

    def story(self, key: str) -> list[str]:
        """The events of the life of the channel's streams by name, with the reason where there is one."""
        return [
            f"{event.type}:{event.fields['reason']}" if "reason" in event.fields else event.type
            for event in self.events("streams", key)
            if event.type in LIFECYCLE
        ]

    def comes_to(self, key: str, *expected: str) -> None:
        eventually(lambda: self.story(key)[-len(expected) :] == list(expected), f"{expected}")

    @contextmanager
    def publishing(self, key: str, query: str = "") -> Iterator[subprocess.Popen[bytes]]:
        """A real encoder whose stream has started; ended, whatever became of it."""
        with encoder(self.settings.rtmp_port, key + query) as process:
            try:
                yield process
            finally:
                process.kill()

    def _start(self) -> subprocess.Popen[bytes]:
        return start(Launch((sys.executable, "-m", "ingest"), env=self.settings.environment()), self.log_file)


@pytest.fixture(scope="module")
def ingest(registry: Settings, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Ingest]:
    directory = tmp_path_factory.mktemp("ingest")
    rtmp_port, rtmps_port, playback_port = free_ports(3)
    files = Authority(directory).issue(serial=1)
    settings = registry.model_copy(
        update={
            "data_dir": directory,
            "rtmp_port": rtmp_port,
            "rtmps_port": rtmps_port,
            "rtmps_certificate_file": str(files.certificate),
            "rtmps_key_file": str(files.key),
            "playback_port": playback_port,
            "ladder": "off",
            "playback_url": f"http://127.0.0.1:{playback_port}",
            "resume_grace_s": GRACE_S,
            "node": directory.name,
        }
    )
    with closing(Codec(registry.schema_registry_url)) as codec, deciding(settings, directory):
        codec.register_all()
        running = Ingest(settings, codec, directory / "ingest.log")
        try:
            running.ready()
            yield running
        finally:
            assert running.stop() == 0


def test_a_real_encoders_stream_is_played_sampled_and_ended(ingest: Ingest) -> None:
    key, _ = ingest.new_key()
    with ingest.publishing(key) as process:
        ingest.comes_to(key, "PublishAuthorised", "StreamStarted")
        started = next(event for event in ingest.events("streams", key) if event.type == "StreamStarted").fields
        assert (started["video_codec"][:4], started["audio_codec"], started["width"]) == ("avc1", "mp4a.40.2", 64)
        playlist = httpx.get(ingest.settings.playback_url + started["playback_path"])
        assert playlist.is_success
        assert playlist.text.startswith("#EXTM3U")
        eventually(lambda: len(ingest.events("stream-health", key)) > 1, "health samples")
        process.terminate()
        process.wait()
    ingest.comes_to(key, "StreamStarted", "StreamEnded:unpublished")
    sample = next(event for event in ingest.events("stream-health", key) if event.type == "HealthSampled")
    assert sample.fields["stream_id"] == started["stream_id"]


def test_a_wrong_key_is_refused_by_the_real_deciders(ingest: Ingest) -> None:
    key, _ = ingest.new_key()
    client = Raw(ingest.settings.rtmp_port)
    client.publish(f"{key[:-1]}{'a' if key[-1] != 'a' else 'b'}")
    assert client.statuses()[-1][0] == "NetStream.Publish.BadName"
    assert ingest.story(key) == []
    assert key[-32:-1] not in ingest.log_file.read_text()


def test_revoking_the_key_ends_the_stream(ingest: Ingest) -> None:
    key, key_id = ingest.new_key()
    user_id = identity.channel_of_key(key)
    with ingest.publishing(key) as process:
        ingest.comes_to(key, "PublishAuthorised", "StreamStarted")
        ingest.submit(now(RevokeStreamKey, user_id, user_id=user_id, key_id=key_id))
        ingest.comes_to(key, "StreamStarted", "StreamEnded:key_revoked")
        assert process.wait() != 0


def test_an_encoder_publishes_over_tls(ingest: Ingest) -> None:
    key, _ = ingest.new_key()
    url = f"rtmps://localhost:{ingest.settings.rtmps_port}/live/{key}"
    trust = ("-tls_verify", "1", "-ca_file", str(ingest.settings.data_dir / "authority.pem"))
    with ffmpeg("-re", *PICTURE, "-re", *TONE, *H264, *AAC, "-t", "3", *trust, "-f", "flv", url) as process:
        complaint = process.communicate()[1]
    assert process.returncode == 0, complaint
    ingest.comes_to(key, "PublishAuthorised", "StreamStarted", "StreamEnded:unpublished")


def test_a_backup_takes_the_stream_over_from_a_killed_primary(ingest: Ingest) -> None:
    key, _ = ingest.new_key()
    with ingest.publishing(key) as primary:
        ingest.comes_to(key, "PublishAuthorised", "StreamStarted")
        with ingest.publishing(key, "?backup=1") as backup:
            ingest.comes_to(key, "StreamStarted", "StandbyAuthorised")
            primary.kill()
            ingest.comes_to(key, "StandbyAuthorised", "IngestSwitched:lost", "StandbyDisconnected:connection_lost")
            backup.terminate()
            backup.wait()
    ingest.comes_to(key, "StandbyDisconnected:connection_lost", "StreamEnded:unpublished")
    assert len({event.fields["stream_id"] for event in ingest.events("streams", key)}) == 1


@pytest.mark.faults
def test_a_killed_ingest_ends_or_resumes_what_it_had(ingest: Ingest) -> None:
    lost, resumed = ingest.new_key()[0], ingest.new_key()[0]
    with ingest.publishing(lost), ingest.publishing(resumed):
        for key in (lost, resumed):
            ingest.comes_to(key, "PublishAuthorised", "StreamStarted")
        ingest.kill()
    ingest.restart()
    with ingest.publishing(resumed) as process:
        ingest.comes_to(resumed, "StreamStarted", "PublisherDisconnected:ingest_lost", "PublishAuthorised")
        ingest.comes_to(lost, "StreamStarted", "PublisherDisconnected:ingest_lost", "StreamEnded:ingest_lost")
        streams = {event.fields["stream_id"] for event in ingest.events("streams", resumed)}
        assert len(streams) == 1
        process.send_signal(signal.SIGINT)
        process.wait()
    ingest.comes_to(resumed, "PublishAuthorised", "StreamEnded:unpublished")


def test_an_orderly_stop_says_that_its_publishers_are_gone(ingest: Ingest) -> None:
    key, _ = ingest.new_key()
    with ingest.publishing(key) as process:
        ingest.comes_to(key, "PublishAuthorised", "StreamStarted")
        assert ingest.stop() == 0
        process.wait()
    ingest.comes_to(key, "StreamStarted", "PublisherDisconnected:server_stopping")
    ingest.restart()
