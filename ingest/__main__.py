"""`python -m ingest`: the RTMP server and the LL-HLS origin, in one process on one loop."""

from __future__ import annotations

import asyncio
import gc
import signal
import sys
from collections.abc import Iterator
from contextlib import closing, contextmanager, suppress

import structlog
import uvicorn
import uvloop

from commands.client import CommandClient
from ingest.cmcd.middleware import CmcdMiddleware
from ingest.cmcd.viewers import Viewers
from ingest.connection import ConnectionLimits
from ingest.hls.backlog import WindowLimits
from ingest.hls.origin import create_origin
from ingest.hls.registry import Registry
from ingest.media.live import LiveStream
from ingest.media.settings import MediaSettings
from ingest.publishing.desk import StreamDesk
from ingest.publishing.holding import Tools
from ingest.publishing.journal import Journal
from ingest.publishing.reports import HealthReports
from ingest.publishing.revocations import Revocations
from ingest.server import RtmpServer
from schemas.wire import Codec
from topology.settings import Settings
from topology.telemetry import configure_logging

PROCESS = "ingest"
RETRY_S = 1.0
PLAYERS_LEAVE_S = 2

_log = structlog.get_logger(__name__)


class _OriginServer(uvicorn.Server):
    """uvicorn without its own idea of signals: publishers are told first, players last."""

    @contextmanager
    def capture_signals(self) -> Iterator[None]:
        yield


async def serve(settings: Settings) -> None:
    """Run until cancelled. The origin answers, and with it `/health/ready`, once publishers can come."""
    with closing(Codec(settings.schema_registry_url)) as codec:
        await _register_schemas(codec)
        async with CommandClient(settings, codec, ["streams"]) as client, HealthReports(settings, codec) as reports:
            registry = Registry(settings.data_dir / "live", WindowLimits(listed_s=settings.dvr_window_s))
            journal = Journal(settings.data_dir / "ingest")
            tools = Tools(client, journal, reports, settings.node, settings.resume_grace_s)
            media = MediaSettings()
            desk = StreamDesk(tools, lambda stream_id, channel_id: LiveStream(stream_id, channel_id, media, registry))
            viewers = Viewers(settings, codec, desk.channel_of)
            async with Revocations(settings, codec, desk.revoke), viewers.running():
                desk.recover()
                await _listen(settings, desk, registry, viewers)


async def _listen(settings: Settings, desk: StreamDesk, registry: Registry, viewers: Viewers) -> None:
    rtmp = RtmpServer(
        desk,
        connections=settings.rtmp_connections,
        per_address=settings.rtmp_connections_per_address,
        limits=ConnectionLimits(idle_s=settings.rtmp_idle_s),
    )
    await rtmp.start(settings.host, settings.rtmp_port)
    origin = _OriginServer(
        uvicorn.Config(
            CmcdMiddleware(
                create_origin(registry, public_url=settings.playback_url), viewers, settings.cmcd_reports_per_minute
            ),
            host=settings.host,
            port=settings.playback_port,
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


async def _main(settings: Settings) -> int:
    serving = asyncio.create_task(serve(settings))
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
    return uvloop.run(_main(settings))


if __name__ == "__main__":
    sys.exit(main())
