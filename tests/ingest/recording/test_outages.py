"""A store that dies, a way to it that is cut, and a recorder that is killed: what the recording is in the end."""

from __future__ import annotations

import asyncio
import signal
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from pathlib import Path

import pytest

from tests.ingest.recording.takes import becomes, data_of
from tests.ingest.recording.workshop import Workshop, begin, feed, workshop
from tests.ingest.storage.services import S3Service, s3_service

pytestmark = pytest.mark.faults

ROOT = Path(__file__).parents[3]


class Wire:
    """A way to a server that can be cut and mended: its objects stay, what is under way does not."""

    def __init__(self, to_port: int) -> None:
        self._to_port = to_port
        self._server: asyncio.Server | None = None
        self._pipes: set[asyncio.Task[None]] = set()
        self.port = 0

    async def mend(self) -> None:
        self._server = await asyncio.start_server(self._carry, "127.0.0.1", self.port)
        self.port = self._server.sockets[0].getsockname()[1]

    async def cut(self) -> None:
        if self._server is not None:
            self._server.close()
        for pipe in self._pipes:
            pipe.cancel()
        await asyncio.gather(*self._pipes, return_exceptions=True)

    async def _carry(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        self._pipes.add(task)
        there, back = await asyncio.open_connection("127.0.0.1", self._to_port)
        try:
            await asyncio.gather(_pump(reader, back), _pump(there, writer))
        except (asyncio.CancelledError, OSError):
            pass
        finally:
            self._pipes.discard(task)
            for end in (writer, back):
                end.transport.abort()


async def _pump(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    while data := await reader.read(65_536):
        writer.write(data)
        await writer.drain()
    with suppress(OSError):
        writer.write_eof()


async def assert_whole(at: Workshop, segments: int) -> None:
    """Every segment lies in the store as it was closed, and the recording says so."""
    await at.published()
    assert at.event("RecordingPublished").complete
    manifest = await at.manifest()
    assert [segment.number for segment in manifest.timeline] == list(range(segments))
    for track in manifest.tracks:
        for number in range(segments):
            blob = await at.store.get(f"stream/{track.name}/segment{number}.m4s")
            assert blob, number
            assert blob.data == data_of(track.name, number)


async def test_nothing_is_lost_while_the_way_to_s3_is_cut(tmp_path: Path) -> None:
    with s3_service() as service:
        wire = Wire(service.port)
        await wire.mend()
        async with S3Service(wire.port).store() as store, workshop(tmp_path, store) as at:
            recording = at.open()
            begin(recording)
            feed(recording, range(10))
            await becomes(lambda: len(recording._outbox) < 10)
            await wire.cut()
            feed(recording, range(10, 40))
            await becomes(lambda: recording._spool.story.last_number == 39)
            assert "RecordingPublished" not in at.happened()
            await wire.mend()
            feed(recording, range(40, 50))
            recording.finish()
            await assert_whole(at, 50)
        await wire.cut()


async def test_nothing_is_lost_when_s3_is_killed_and_comes_back_after_the_stream(tmp_path: Path) -> None:
    with s3_service() as service:
        async with service.store() as store, workshop(tmp_path, store) as at:
            service.kill()
            recording = at.open()
            begin(recording)
            feed(recording, range(20))
            recording.finish()
            await becomes(lambda: recording._spool.story.finished)
            await asyncio.to_thread(service.start)
            await assert_whole(at, 20)


CHILD = """
import asyncio, sys
from pathlib import Path
from tests.ingest.recording.test_outages import record_until_killed
asyncio.run(record_until_killed(Path(sys.argv[1])))
"""


async def record_until_killed(directory: Path) -> None:
    """Say each segment's number once it is on disk; nothing reaches the store."""
    (directory / "store").write_text("in the way")
    async with workshop(directory) as at:
        recording = at.open()
        begin(recording)
        for number in range(10_000):
            feed(recording, [number])
            await becomes(lambda: not recording._inbox)
            print(number, flush=True)  # noqa: T201


@asynccontextmanager
async def killed_recorder(directory: Path, after: int) -> AsyncIterator[int]:
    """The last segment that a recorder said it had when it was killed with SIGKILL."""
    child = await asyncio.create_subprocess_exec(
        sys.executable, "-c", CHILD, str(directory), cwd=ROOT, stdout=asyncio.subprocess.PIPE
    )
    assert child.stdout
    said = -1
    while said < after:
        line = await child.stdout.readline()
        if line.strip().isdigit():
            said = int(line)
    child.send_signal(signal.SIGKILL)
    rest = await child.stdout.read()
    await child.wait()
    yield max([said, *(int(line) for line in rest.splitlines() if line.isdigit())])


async def test_what_a_killed_recorder_had_on_disk_is_published_by_the_next(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("ingest.recording.recorder.LATE_S", 0.0)
    async with killed_recorder(tmp_path, after=25) as said:
        (tmp_path / "store").unlink()
        async with workshop(tmp_path, grace_s=0.0) as at:
            await at.published()
            manifest = await at.manifest()
            numbers = [segment.number for segment in manifest.timeline]
            assert numbers == list(range(len(numbers)))
            assert len(numbers) >= said + 1
            for track in manifest.tracks:
                for segment in track.segments[: said + 1]:
                    assert not segment.gap
                    blob = await at.store.get(f"stream/{track.name}/segment{segment.number}.m4s")
                    assert blob
                    assert blob.data == data_of(track.name, segment.number)
