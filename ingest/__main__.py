"""`python -m ingest`: the RTMP server and the LL-HLS origin, in one process on one loop."""

from __future__ import annotations

import asyncio
import gc
import signal
import sys
from collections.abc import Iterator
from contextlib import closing, contextmanager, suppress
from pathlib import Path

import structlog
import uvicorn
import uvloop
from starlette.types import ASGIApp

from commands.client import CommandClient
from ingest.cmcd.middleware import CmcdMiddleware
from ingest.cmcd.viewers import Viewers
from ingest.connection import ConnectionLimits
from ingest.health.probe import Probe
from ingest.hls.gate import Gate, PrivateStreams
from ingest.hls.live_edge import LiveEdge
from ingest.hls.live_http import LiveHttp, live_http
from ingest.hls.origin import create_origin
from ingest.hls.registry import Registry
from ingest.ladder.ladders import ladders
from ingest.media.live import LiveStream, OpenLadder
from ingest.media.profiles import media_settings, window_limits
from ingest.publishing.desk import StreamDesk
from ingest.publishing.holding import Tools
from ingest.publishing.journal import Entry, Journal
from ingest.publishing.reports import HealthReports
from ingest.publishing.revocations import Revocations
from ingest.recording.service import running_recordings
from ingest.server import RtmpServer
from ingest.thumbnails.studio import running_studio
from schemas.wire import Codec
from topology.settings import Settings
from topology.subject_keys.keyring import open_keyring
from topology.telemetry import configure_logging
from topology.tls import Certificates

PROCESS = "ingest"
RETRY_S = 1.0
PLAYERS_LEAVE_S = 2

_log = structlog.get_logger(__name__)


class _OriginServer(uvicorn.Server):
    """uvicorn without its own idea of signals: publishers are told first, players last."""

    @contextmanager
    def capture_signals(self) -> Iterator[None]:
        yield


async def serve(settings: Settings, open_ladder: OpenLadder | None) -> None:
    """Run until cancelled. The origin answers, and with it `/health/ready`, once publishers can come."""
    with (
        closing(Codec(settings.schema_registry_url, open_keyring(settings))) as codec,
        closing(Probe(settings.health_probe_share)) as probe,
    ):
        await _register_schemas(codec)
        async with (
            CommandClient(settings, codec, ["streams"]) as client,
            HealthReports(settings, codec) as reports,
            running_recordings(settings, codec, client) as recordings,
        ):
            limits = window_limits(settings.hls_profile, settings.dvr_window_s)
            registry = Registry(settings.data_dir / "live", limits)
            journal = Journal(settings.data_dir / "ingest")
            tools = Tools(client, journal, reports, settings.node, settings.resume_grace_s, settings.primary_settle_s)
            media = media_settings(settings.hls_profile)
            private = PrivateStreams(lambda stream_id: registry.find(stream_id) is not None)

            def open_live(entry: Entry) -> LiveStream:
                private.note(entry.stream_id, entry.playback_policy)
                recording = recordings.sink(entry)
                sinks = [studio.gallery.open(entry.stream_id, recording.pictures()), recording]
                looker = probe.looker()
                live = LiveStream(entry.stream_id, entry.channel_id, media, registry, sinks, looker, open_ladder)
                recording.listen(live.meter)
                return live

            desk = StreamDesk(tools, open_live)
            viewers = Viewers(settings, codec, desk.channel_of)
            async with (
                running_studio(settings.thumbnail_interval_s, settings.dvr_window_s, desk.pictured) as studio,
                Revocations(settings, codec, desk.revoke),
                viewers.running(),
            ):
                desk.recover()
                beside = [*studio.routes, *recordings.routes(studio.printing)]
                edge = LiveEdge(registry)
                origin = create_origin(edge, beside=beside, public_url=settings.playback_url)
                counted = CmcdMiddleware(origin, viewers, settings.cmcd_reports_per_minute)
                await _listen(settings, desk, Gate(counted, private, settings), live_http(edge, private))


async def _listen(settings: Settings, desk: StreamDesk, app: ASGIApp, http: type[LiveHttp]) -> None:
    rtmp = RtmpServer(
        desk,
        connections=settings.rtmp_connections,
        per_address=settings.rtmp_connections_per_address,
        limits=ConnectionLimits(idle_s=settings.rtmp_idle_s),
    )
    await rtmp.start(settings.host, settings.rtmp_port)
    if settings.rtmps_port:
        certificates = Certificates(Path(settings.rtmps_certificate_file), Path(settings.rtmps_key_file))
        rtmp.start_tls(certificates, settings.host, settings.rtmps_port)
    origin = _OriginServer(
        uvicorn.Config(
            app,
            host=settings.host,
            port=settings.playback_port,
            http=http,
            log_config=None,
            access_log=False,
            timeout_graceful_shutdown=PLAYERS_LEAVE_S,
        )
    )
    # What is loaded by now stays: a full collection that walked all of it would hold every stream up.
    gc.freeze()
    playing = asyncio.create_task(origin.serve())
    try:
        await asyncio.wait([playing])
    finally:
        await rtmp.stop()
        await desk.stop()
        origin.should_exit = True
        await playing


async def _register_schemas(codec: Codec) -> None:
    while True:
        try:
            await asyncio.to_thread(codec.register_all)
        except Exception as error:
            _log.warning("the schema registry does not answer yet", error=str(error))
            await asyncio.sleep(RETRY_S)
        else:
            return


async def _main(settings: Settings, open_ladder: OpenLadder | None) -> int:
    serving = asyncio.create_task(serve(settings, open_ladder))
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, serving.cancel)
    with suppress(asyncio.CancelledError):
        await serving
        _log.error("the origin stopped by itself")
        return 1
    return 0


def main() -> int:
    settings = Settings()
    configure_logging(PROCESS, settings.log_level)
    try:
        open_ladder = ladders(settings)
    except ValueError as error:
        _log.error("the ladder's settings cannot be met", reason=str(error))
        return 2
    return uvloop.run(_main(settings, open_ladder))


if __name__ == "__main__":
    sys.exit(main())
