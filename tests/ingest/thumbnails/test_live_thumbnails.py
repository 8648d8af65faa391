"""From a publisher's frames to thumbnails, through the packager."""

from __future__ import annotations

import asyncio
from functools import partial
from pathlib import Path

from ingest.hls.registry import Registry
from ingest.media.live import LiveStream
from ingest.media.settings import MediaSettings
from ingest.thumbnails.gallery import Gallery
from tests.ingest.media.footage import push_all, record, shifted
from tests.ingest.thumbnails.film import Here, Kept, opened, until
from tests.ingest.thumbnails.test_sprites import read_vtt


async def test_a_published_stream_has_thumbnails_over_an_interruption(tmp_path: Path) -> None:
    kept = Kept()
    gallery = Gallery(Here(), interval_s=2, window_s=7200, announce=lambda stream_id: None)
    running = asyncio.create_task(gallery.run())
    sink = gallery.open("stream", kept)
    live = LiveStream("stream", "channel", MediaSettings(), Registry(tmp_path), [sink])
    album = gallery.find("stream")
    assert album

    def drew(count: int) -> bool:
        return album.pictures == count

    footage = record(6, gop=60)
    for closed in range(3):
        push_all(live, [tag for tag in footage if closed * 2000 <= tag.timestamp_ms < (closed + 1) * 2000])
        await until(partial(drew, closed))
    live.interrupt()
    await until(partial(drew, 3))
    push_all(live, shifted(record(2, gop=60, size=(180, 320)), 60_000))
    live.close()
    await until(lambda: kept.over)

    assert [len(sheet.starts_at_s) for sheet, _ in kept.sheets] == [3, 1]
    _, live_cues = read_vtt(album.sprites.live_vtt())
    assert [round(cue.start_s) for cue in live_cues] == [0, 2, 4, 60]
    assert album.latest
    assert opened(album.latest).size == (180, 320)
    running.cancel()
    await asyncio.wait([running])
