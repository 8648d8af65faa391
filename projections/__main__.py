"""`python -m projections postgres|clickhouse`: keep a store's projections up to date until SIGTERM."""

from __future__ import annotations

import argparse
import asyncio
import importlib
import logging
import signal
import sys

import structlog
import uvloop

from projections.live.runner import Runner
from topology.settings import Settings
from topology.telemetry import configure_logging

log = structlog.get_logger()


async def _serve(settings: Settings, name: str) -> None:
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for signum in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(signum, stop.set)
    store = importlib.import_module(f"projections.{name}.sink").create_store(settings)
    await Runner(settings, store).run(stop)


def main() -> int:
    """The exit code: 1 when the projections could not go on."""
    parser = argparse.ArgumentParser(prog="python -m projections", description=__doc__)
    parser.add_argument("store", choices=("postgres", "clickhouse"))
    name = parser.parse_args().store
    settings = Settings()
    configure_logging(f"projections-{name}", settings.log_level)
    for library in ("faust", "mode", "aiokafka", "httpx2", "topology.faust_app"):
        logging.getLogger(library).setLevel(max(logging.WARNING, logging.getLogger().level))
    try:
        uvloop.run(_serve(settings, name))
    except Exception as error:
        log.exception("stopped", reason=f"{type(error).__name__}: {error}")
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
