"""Waiting for what other processes do; the test's own timeout is the limit."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable


async def eventually(holds: Callable[[], Awaitable[bool]]) -> None:
    """Return once it holds."""
    while True:
        if await holds():
            return
        await asyncio.sleep(0.05)
