"""`python -m topology.registry`: serve the schema registry until SIGTERM."""

from __future__ import annotations

import uvicorn

from topology.registry.app import create_app
from topology.registry.log import SchemaLog
from topology.settings import Settings
from topology.telemetry import configure_logging


def main() -> None:
    settings = Settings()
    configure_logging("schema-registry", settings.log_level)
    uvicorn.run(
        create_app(SchemaLog(settings)),
        host=settings.host,
        port=settings.schema_registry_port,
        log_config=None,
        access_log=False,
        limit_concurrency=256,
    )


if __name__ == "__main__":
    main()
