"""`python -m query_api`: the public edge."""

from __future__ import annotations

import uvicorn

from query_api.app import create_app
from topology.settings import Settings
from topology.telemetry import configure_logging

CONNECTIONS = 4096
KEEP_ALIVE_S = 30
DRAIN_S = 5


def main() -> None:
    settings = Settings()
    configure_logging("edge", settings.log_level)
    uvicorn.run(
        create_app(settings),
        host=settings.host,
        port=settings.edge_port,
        loop="uvloop",
        http="httptools",
        ws="none",
        log_config=None,
        access_log=False,
        server_header=False,
        limit_concurrency=CONNECTIONS,
        timeout_keep_alive=KEEP_ALIVE_S,
        timeout_graceful_shutdown=DRAIN_S,
    )


if __name__ == "__main__":
    main()
