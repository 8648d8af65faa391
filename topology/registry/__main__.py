"""`python -m topology.registry`: serve the schema registry until SIGTERM."""

from __future__ import annotations

import signal

import uvicorn

from topology.registry.app import create_app
from topology.registry.log import SchemaLog
from topology.settings import Settings
from topology.telemetry import configure_logging


def main() -> None:
    settings = Settings()
    configure_logging("schema-registry", settings.log_level)
    signal.signal(signal.SIGTERM, signal.default_int_handler)  # uvicorn repeats the signal once it has shut down
    uvicorn.run(
        create_app(SchemaLog(settings)),
        host=settings.host,
        port=settings.schema_registry_port,
        log_config=None,
        access_log=False,
        limit_concurrency=256,
        timeout_graceful_shutdown=5,
    )


if __name__ == "__main__":
    main()
