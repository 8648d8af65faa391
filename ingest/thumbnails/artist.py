"""Draws pictures in a process of its own, one at a time."""

from __future__ import annotations

import asyncio
import sys
from asyncio.subprocess import PIPE, Process
from contextlib import suppress
from typing import Protocol

import structlog

from ingest.thumbnails.drawing import Format, Picture, Unreadable
from ingest.thumbnails.frames import HEAD, count_of, lengths_of, pack

DRAWING_S = 10.0
"""A drawing that takes longer is given up, and the process with it."""

_log = structlog.get_logger(__name__)


class Drawing(Protocol):
    """What a stream's thumbnails need. Each raises Unreadable."""

    async def picture(self, media: bytes) -> Picture: ...

    async def resized(self, master: bytes, width: int, height: int, form: Format) -> bytes: ...

    async def sheet(self, tiles: list[bytes], tile_size: tuple[int, int]) -> bytes: ...


class Artist:
    """The process starts with the first drawing, and again after one that killed it. Call `close` at the end.

    Who draws waits for its turn without a limit: bound how many ask.
    """

    def __init__(self, drawing_s: float = DRAWING_S) -> None:
        self._drawing_s = drawing_s
        self._process: Process | None = None
        self._turn = asyncio.Lock()

    async def picture(self, media: bytes) -> Picture:
        master, tile, width, height = await self._draw([b"picture", media])
        return Picture(master, tile, (int(width), int(height)))

    async def resized(self, master: bytes, width: int, height: int, form: Format) -> bytes:
        (image,) = await self._draw([b"resized", master, str(width).encode(), str(height).encode(), form.encode()])
        return image

    async def sheet(self, tiles: list[bytes], tile_size: tuple[int, int]) -> bytes:
        (sheet,) = await self._draw([b"sheet", *(str(side).encode() for side in tile_size), *tiles])
        return sheet

    async def close(self) -> None:
        """Nothing is drawn after it."""
        async with self._turn:
            await self._stop()

    async def _draw(self, request: list[bytes]) -> list[bytes]:
        async with self._turn:
            said, *answer = await self._ask(request)
        if said != b"drawn":
            raise Unreadable(answer[0].decode(errors="replace"))
        return answer

    async def _ask(self, request: list[bytes]) -> list[bytes]:
        whole = False
        try:
            self._process = self._process or await _start()
            async with asyncio.timeout(self._drawing_s):
                answer = await _converse(self._process, request)
            whole = True
        except (OSError, EOFError, ValueError, TimeoutError) as error:
            _log.warning("a drawing failed and took its process along", asked=request[0].decode(), reason=repr(error))
            raise Unreadable(f"drawing failed: {error!r}") from error
        finally:
            if not whole:
                # Also for who stopped waiting: half an answer must not be read as the next one.
                await self._stop(kill=True)
        return answer

    async def _stop(self, kill: bool = False) -> None:
        process, self._process = self._process, None
        if process is None:
            return
        if kill:
            with suppress(ProcessLookupError):
                process.kill()
        if process.stdin:
            process.stdin.close()
        await process.wait()


async def _start() -> Process:
    return await asyncio.create_subprocess_exec(
        sys.executable, "-m", "ingest.thumbnails.worker", stdin=PIPE, stdout=PIPE, limit=2**20
    )


async def _converse(process: Process, request: list[bytes]) -> list[bytes]:
    asked, answers = process.stdin, process.stdout
    assert asked is not None  # noqa: S101  # both are pipes
    assert answers is not None  # noqa: S101
    if asked.is_closing():  # uvloop raises no OSError for it
        raise BrokenPipeError("the process has ended")
    asked.write(pack(request))
    await asked.drain()
    count = count_of(await answers.readexactly(HEAD.size))
    lengths = lengths_of(await answers.readexactly(count * HEAD.size))
    return [await answers.readexactly(length) for length in lengths]
