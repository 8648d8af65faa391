"""`python -m query_api.chat`: the chat process."""

from __future__ import annotations

import asyncio
import gc
import logging
import signal
from contextlib import suppress

import uvloop

from query_api.chat.process import running
from topology.settings import Settings
from topology.telemetry import configure_logging


async def serve(settings: Settings) -> None:
    """Until SIGINT or SIGTERM, which also end the waiting for Kafka."""
    this = asyncio.current_task()
    assert this is not None  # noqa: S101  # within a coroutine
    for number in (signal.SIGINT, signal.SIGTERM):
        asyncio.get_running_loop().add_signal_handler(number, this.cancel)
    with suppress(asyncio.CancelledError):
        async with running(settings):
            # What lives as long as the process need not be looked at again and again.
            gc.freeze()
            await asyncio.Event().wait()


def main() -> None:
    settings = Settings()
    configure_logging("chat", settings.log_level)
    logging.getLogger("websockets.server").setLevel(logging.WARNING)  # else two lines a connection
    uvloop.run(serve(settings))


if __name__ == "__main__":
    main()
