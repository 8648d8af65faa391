"""The parent's hold of one worker process."""

from __future__ import annotations

import asyncio
import sys
from collections.abc import Callable
from contextlib import suppress

import structlog

from ingest.ladder.wire import Message, Reader, encode

_READ = 1 << 18
_WAITING_MAX = 32 << 20
"""Bytes that may wait for a worker that does not take them; then it counts as dead."""
_GOODBYE_S = 3.0

_log = structlog.get_logger(__name__)


class Worker:
    """`heard` gets each of its messages, and `ended` is called once, when there will be no more."""

    def __init__(self, heard: Callable[[Message], None], ended: Callable[[], None]) -> None:
        self._heard = heard
        self._ended = ended
        self._process: asyncio.subprocess.Process | None = None
        self._waiting: list[bytes] = []
        self._waiting_size = 0
        self._stopping = False
        self._task = asyncio.get_running_loop().create_task(self._run())

    @property
    def pid(self) -> int | None:
        return self._process.pid if self._process else None

    def say(self, message: Message) -> None:
        """Never waits."""
        if self._stopping:
            return
        data = encode(message)
        stdin = self._process.stdin if self._process else None
        if stdin is None:
            self._waiting.append(data)
            self._waiting_size += len(data)
            waiting = self._waiting_size
        else:
            _write(stdin, data)
            waiting = stdin.transport.get_write_buffer_size()
        if waiting > _WAITING_MAX:
            self.kill()

    def kill(self) -> None:
        """It does not do its work; `ended` will be called."""
        if self._process and self._process.returncode is None:
            self._process.kill()

    def stop(self) -> None:
        """Nothing more comes: it gives out what it has, for which it has a while, and ends."""
        self._stopping = True
        if self._process and self._process.stdin:
            self._process.stdin.close()
        killing = asyncio.get_running_loop().call_later(_GOODBYE_S, self.kill)
        self._task.add_done_callback(lambda _: killing.cancel())

    async def gone(self) -> None:
        """Returns when the process has ended."""
        await asyncio.wait([self._task])

    async def _run(self) -> None:
        try:
            self._process = process = await asyncio.create_subprocess_exec(
                sys.executable, "-m", "ingest.ladder", stdin=asyncio.subprocess.PIPE, stdout=asyncio.subprocess.PIPE
            )
            await self._converse(process)
        except OSError as error:
            _log.error("the ladder's worker does not start", reason=str(error))
        except ValueError as error:
            _log.error("the ladder's worker talks nonsense", reason=str(error))
            self.kill()
        finally:
            self._stopping = True
            self._ended()

    async def _converse(self, process: asyncio.subprocess.Process) -> None:
        assert process.stdin and process.stdout  # noqa: S101  # both are pipes
        _write(process.stdin, b"".join(self._waiting))
        self._waiting.clear()
        if self._stopping:
            process.stdin.close()
        reader = Reader()
        while data := await process.stdout.read(_READ):
            for message in reader.feed(data):
                self._heard(message)
        with suppress(ProcessLookupError):
            process.kill()
        code = await process.wait()
        if not self._stopping:
            _log.warning("the ladder's worker ended", pid=process.pid, code=code)


def _write(stdin: asyncio.StreamWriter, data: bytes) -> None:
    """To a worker that has died too, which its end tells: uvloop raises where its pipe is closed already."""
    if not stdin.is_closing():
        stdin.write(data)
