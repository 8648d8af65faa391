"""`python -m topology.embedded.clickhouse`: serve the engine in `<data>/clickhouse` until SIGTERM."""

from __future__ import annotations

import signal
import sys
from urllib.parse import urlsplit

import structlog
import uvicorn

from topology.embedded.clickhouse.access import accounts_of
from topology.embedded.clickhouse.engine import DirectoryTakenError, Engine
from topology.embedded.clickhouse.server import create_app
from topology.settings import Settings
from topology.telemetry import configure_logging


def main() -> int:
    """The exit status: 1 when the directory is another process's."""
    settings = Settings()
    configure_logging("clickhouse", settings.log_level)
    try:
        engine = Engine(settings.data_dir / "clickhouse", settings.clickhouse_analyst_timeout_s)
    except DirectoryTakenError as error:
        structlog.get_logger().error("clickhouse.directory_taken", reason=str(error))
        return 1
    signal.signal(signal.SIGTERM, signal.default_int_handler)  # uvicorn repeats the signal once it has shut down
    try:
        uvicorn.run(
            create_app(engine, accounts_of(settings)),
            host=settings.host,
            port=urlsplit(settings.clickhouse_url).port or 8123,
            log_config=None,
            access_log=False,
            limit_concurrency=256,
            timeout_graceful_shutdown=5,
        )
    finally:
        engine.close()
    return 0


if __name__ == "__main__":
    sys.exit(main())
