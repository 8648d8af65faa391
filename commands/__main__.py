"""`python -m commands`: every decider in one process, a thread each; `--aggregate NAME` for some of them only."""

from __future__ import annotations

import argparse
import signal
import sys
import threading
from collections.abc import Sequence
from contextlib import closing

import structlog

from commands.aggregate import aggregates
from commands.runner import Runner
from schemas.wire import Codec
from topology.readiness import announce_ready
from topology.settings import Settings
from topology.subject_keys.keyring import open_keyring
from topology.telemetry import configure_logging
from topology.topics import AGGREGATES

PROCESS = "deciders"
RETRY_S = 1.0
WATCH_S = 0.1

log = structlog.get_logger()


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m commands", description="Decide commands.")
    parser.add_argument("--aggregate", action="append", choices=AGGREGATES, help="Only this one; may be repeated.")
    chosen = parser.parse_args().aggregate or AGGREGATES
    settings = Settings()
    configure_logging(PROCESS, settings.log_level)
    stopping = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: stopping.set())
    return serve(settings, chosen, stopping)


def serve(settings: Settings, chosen: Sequence[str], stopping: threading.Event) -> int:
    """Run the deciders until `stopping` is set; the exit status."""
    with closing(Codec(settings.schema_registry_url, open_keyring(settings))) as codec:
        _register(codec, stopping)
        table = aggregates(settings)
        runners = {name: Runner(table[name], settings, codec, stopping) for name in chosen}
        threads = [threading.Thread(target=runner.run, name=name) for name, runner in runners.items()]
        for thread in threads:
            thread.start()
        announced = False
        while not stopping.wait(WATCH_S) and all(thread.is_alive() for thread in threads):
            if not announced and all(runner.ready.is_set() for runner in runners.values()):
                announce_ready(settings, PROCESS)
                log.info("ready", aggregates=list(chosen))
                announced = True
        asked_to_stop = stopping.is_set()
        stopping.set()
        for thread in threads:
            thread.join()
    return 0 if asked_to_stop else 1


def _register(codec: Codec, stopping: threading.Event) -> None:
    """Make every schema known; waits for the registry."""
    while not stopping.is_set():
        try:
            codec.register_all()
            return
        except Exception as error:
            log.warning("the schema registry does not answer yet", error=str(error))
            stopping.wait(RETRY_S)


if __name__ == "__main__":
    sys.exit(main())
