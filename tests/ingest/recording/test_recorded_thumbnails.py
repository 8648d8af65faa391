"""A recording keeps the pictures of its stream: a cover, sheets, and a WebVTT whose times are its own."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import httpx
import pytest
from starlette.applications import Starlette

from ingest.hls.registry import Registry
from ingest.media.live import LiveStream
from ingest.media.settings import MediaSettings
from ingest.recording import pictures
from ingest.recording.recording import Recording
from ingest.thumbnails.gallery import Gallery
from tests.ingest.media.footage import push_all, record, shifted
from tests.ingest.recording.takes import becomes
from tests.ingest.recording.workshop import Workshop, begin, feed, routes_of, workshop
from tests.ingest.rtmp.house import LocalDeciders
from tests.ingest.thumbnails.film import Here, opened
from tests.ingest.thumbnails.test_sprites import assert_gapless, read_vtt


class Studio:
    """A gallery that draws, and streams whose segments go to it and into a recording."""

    def __init__(self, directory: Path) -> None:
        self._registry = Registry(directory / "live")
        self.gallery = Gallery(Here(), interval_s=2, window_s=7200, announce=lambda stream_id: None)

    def live(self, recording: Recording) -> LiveStream:
        sinks = [self.gallery.open("stream", recording.pictures()), recording]
        return LiveStream("stream", "channel", MediaSettings(), self._registry, sinks)

    async def push(self, live: LiveStream, segments: int, at_s: int, size: tuple[int, int] = (320, 180)) -> None:
        """Segments of two seconds, each drawn before the next: a stream has one picture waiting at most.

        An interruption closes the last one.
        """
        footage = shifted(record(2 * segments, gop=60, size=size), at_s * 1000)
        drawn = self._drawn()
        for closed in range(segments):
            begins = at_s * 1000 + closed * 2000
            push_all(live, [tag for tag in footage if begins <= tag.timestamp_ms < begins + 2000])
            await self._drew(drawn + closed)
        live.interrupt()
        await self._drew(drawn + segments)

    def _drawn(self) -> int:
        album = self.gallery.find("stream")
        assert album
        return album.pictures

    async def _drew(self, count: int) -> None:
        await becomes(lambda: self._drawn() == count)


@asynccontextmanager
async def studio(directory: Path) -> AsyncIterator[Studio]:
    made = Studio(directory)
    running = asyncio.create_task(made.gallery.run())
    yield made
    running.cancel()
    await asyncio.wait([running])


async def cues_of(at: Workshop) -> list[tuple[int, int, str]]:
    """Whole seconds, and the sheet, of each cue; every tile lies on its sheet."""
    blob = await at.store.get("stream/thumbnails.vtt")
    assert blob
    _, cues = read_vtt(blob.data)
    assert_gapless(cues)
    for cue in cues:
        sheet = await at.store.get(f"stream/{cue.url}")
        assert sheet
        image, (x, y, width, height) = opened(sheet.data), cue.box
        assert x + width <= image.width
        assert y + height <= image.height
    return [(round(cue.start_s), round(cue.end_s), cue.url) for cue in cues]


async def test_a_recording_has_the_sheets_of_its_stream_over_an_interruption(tmp_path: Path) -> None:
    async with workshop(tmp_path) as at, studio(tmp_path) as drawing:
        live = drawing.live(at.open())
        await drawing.push(live, 3, at_s=0)
        await drawing.push(live, 1, at_s=60, size=(180, 320))
        live.close()
        await at.published()

        first, second = "thumbnails/sprite0.jpg", "thumbnails/sprite1.jpg"
        assert await cues_of(at) == [(0, 2, first), (2, 4, first), (4, 6, first), (6, 8, second)]
        assert at.event("RecordingPublished").thumbnail_path == "/vod/stream/thumbnail-{width}x{height}.jpg"
        transport = httpx.ASGITransport(Starlette(routes=routes_of(at.store)))
        async with httpx.AsyncClient(transport=transport, base_url="http://origin") as client:
            shown = await client.get("/vod/stream/thumbnail-160x90.jpg")
        assert opened(shown.content).size == (160, 90)


async def test_the_sheets_go_on_when_a_stream_comes_back_after_a_restart(tmp_path: Path) -> None:
    deciders = LocalDeciders(20.0)
    async with workshop(tmp_path, deciders=deciders) as at, studio(tmp_path) as drawing:
        live = drawing.live(at.open())
        await drawing.push(live, 2, at_s=0)
        await drawing.push(live, 1, at_s=60, size=(180, 320))
        await becomes(lambda: (tmp_path / "store/stream/thumbnails/sprite0.jpg").exists())
    async with workshop(tmp_path, deciders=deciders) as at, studio(tmp_path) as drawing:
        live = drawing.live(at.open())
        await drawing.push(live, 2, at_s=120)
        live.close()
        await at.published()
        # The sheet that was open when the process ended is lost: the tile before stands for its time.
        first, second = "thumbnails/sprite0.jpg", "thumbnails/sprite1.jpg"
        assert await cues_of(at) == [(0, 2, first), (2, 6, first), (6, 8, second), (8, 10, second)]
        assert (await at.manifest()).cover


async def test_a_recording_waits_for_its_last_pictures_and_not_for_ever(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with workshop(tmp_path) as at:
        recording = at.open()
        late = recording.pictures()
        begin(recording)
        feed(recording, range(2))
        recording.finish()
        assert recording.ended
        await becomes(lambda: not recording._inbox)
        assert not recording._spool.story.finished
        late.done()
        await at.published()
    monkeypatch.setattr(pictures, "LAST_S", 0.01)
    async with workshop(tmp_path) as at:
        recording = at.open("other")
        recording.pictures()
        begin(recording)
        feed(recording, range(2))
        recording.finish()
        await at.published("other")
        assert at.event("RecordingPublished").thumbnail_path == ""


async def test_a_picture_that_comes_after_the_end_is_passed_over(tmp_path: Path) -> None:
    async with workshop(tmp_path) as at:
        recording = at.open()
        late = recording.pictures()
        begin(recording)
        feed(recording, range(2))
        recording.finish()
        late.done()
        late.cover(b"too late")
        await at.published()
        assert await at.store.get("stream/thumbnails/cover.jpg") is None


async def test_a_picture_that_the_spool_has_no_room_for_makes_no_gap(tmp_path: Path) -> None:
    async with workshop(tmp_path, disk=1_000) as at:
        recording = at.open()
        shown = recording.pictures()
        begin(recording)
        shown.cover(bytes(1_001))
        feed(recording, range(2))
        recording.finish()
        shown.done()
        await at.published()
        event = at.event("RecordingPublished")
        assert (event.complete, event.thumbnail_path) == (True, "")
