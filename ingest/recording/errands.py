"""Work that events ask of this node, on disk until it is done: neither a death nor an absent store loses any."""

from __future__ import annotations

import asyncio
from collections import defaultdict, deque
from collections.abc import Awaitable, Callable
from datetime import datetime
from pathlib import Path

import structlog
from pydantic import BaseModel, ConfigDict, ValidationError

from ingest.files import replace_file
from ingest.storage.contract import StoreAway

AT_ONCE = 16
FIRST_WAIT_S = 0.5
LONGEST_WAIT_S = 30.0

_log = structlog.get_logger(__name__)


class Errand(BaseModel):
    """An event and what of it matters here. `name` sorts as the events do on their partition."""

    model_config = ConfigDict(frozen=True)

    name: str
    type: str
    stream_id: str
    channel_id: str
    occurred_at: datetime
    clip_id: str = ""
    duration_ms: int = 0
    live: bool = False
    vod_offset_ms: int = 0


class Errands:
    """A file an errand. Those of one stream are done in order, those of different streams beside each other."""

    def __init__(self, directory: Path, do: Callable[[Errand], Awaitable[None]]) -> None:
        """`do` must bear to be repeated; it is, after StoreAway and after a death."""
        self._directory = directory
        self._do = do
        self._waiting: dict[str, deque[Errand]] = defaultdict(deque)
        self._tasks: set[asyncio.Task[None]] = set()
        self._places = asyncio.Semaphore(AT_ONCE)

    def recover(self) -> None:
        """Take up what an earlier process left."""
        self._directory.mkdir(parents=True, exist_ok=True)
        for path in sorted(self._directory.glob("*.json")):
            try:
                self._enqueue(Errand.model_validate_json(path.read_bytes()))
            except ValidationError as error:
                _log.error("errand unreadable", path=str(path), error=str(error))

    def add(self, errand: Errand) -> None:
        """It will be done, whatever happens, once this returns. Raises OSError."""
        path = self._path(errand)
        if path.exists():
            return
        replace_file(path, errand.model_dump_json().encode())
        self._enqueue(errand)

    async def stop(self) -> None:
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    def _path(self, errand: Errand) -> Path:
        return self._directory / f"{errand.name}.json"

    def _enqueue(self, errand: Errand) -> None:
        waiting = self._waiting[errand.stream_id]
        waiting.append(errand)
        if len(waiting) == 1:
            task = asyncio.create_task(self._run(errand.stream_id))
            self._tasks.add(task)
            task.add_done_callback(self._tasks.discard)

    async def _run(self, stream_id: str) -> None:
        waiting = self._waiting[stream_id]
        while waiting:
            await self._see_to(waiting[0])
            self._path(waiting.popleft()).unlink(missing_ok=True)
        del self._waiting[stream_id]

    async def _see_to(self, errand: Errand) -> None:
        wait_s = FIRST_WAIT_S
        while True:
            try:
                async with self._places:
                    await self._do(errand)
            except StoreAway as away:
                _log.warning("errand not done, trying again", errand=errand.type, reason=str(away), wait_s=wait_s)
            except Exception:
                # It would fail again, and hold up those behind it.
                _log.exception("errand given up", errand=errand.type, stream_id=errand.stream_id)
                return
            else:
                return
            await asyncio.sleep(wait_s)
            wait_s = min(wait_s * 2, LONGEST_WAIT_S)
