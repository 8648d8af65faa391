"""The rolling window: what is listed, what can be fetched, what is in memory and what on disk."""

from __future__ import annotations

import asyncio
import re
from pathlib import Path

from ingest.hls.entries import Rendition
from ingest.hls.playback import Playback, WindowLimits
from ingest.hls.registry import Registry
from ingest.hls.shelf import Shelf, Slice

NOW_S = 1_790_000_000.0
LIMITS = WindowLimits(listed_s=19.0, unlisted_s=7.0, unstored_s=7.0)


def open_playback(directory: Path) -> Playback:
    playback = Playback("stream", Shelf(directory), LIMITS)
    playback.begin(b"init", Rendition("source", "avc1.64001f"), 0.2)
    return playback


def add_segments(playback: Playback, count: int, fill: bytes = b"x") -> None:
    for _ in range(count):
        for index in range(10):
            playback.add_part(fill * 10, 0.2, 0.2, index == 0, NOW_S)
        playback.close_segment()
        playback.announce()


def listed(playback: Playback) -> list[int]:
    return [int(number) for number in re.findall(rb"^segment(\d+)", playback.playlist(False, False), re.MULTILINE)]


def test_old_segments_leave_the_playlist_then_the_disk(tmp_path: Path) -> None:
    playback = open_playback(tmp_path / "s")
    add_segments(playback, 30)
    assert listed(playback) == list(range(20, 30))
    assert playback.segment(16) is not None
    assert playback.segment(15) is None
    on_disk = {path.name for path in (tmp_path / "s").iterdir()}
    assert on_disk == {"init0.mp4", *(f"segment{number}.m4s" for number in range(16, 30))}


def test_only_the_newest_segments_stay_in_memory_and_all_bytes_stay_the_same(tmp_path: Path) -> None:
    playback = open_playback(tmp_path / "s")
    add_segments(playback, 5)
    oldest, newest = playback.segment(0), playback.segment(4)
    assert isinstance(oldest, Slice)
    assert isinstance(newest, bytes)
    assert oldest.read() == newest == b"x" * 100
    part = playback.part(0, 3)
    assert isinstance(part, Slice)
    assert part.read() == b"x" * 10


def test_a_disk_that_takes_nothing_shortens_the_window_and_is_said(tmp_path: Path) -> None:
    blocked = tmp_path / "file"
    blocked.write_text("a file where the directory should be")
    playback = open_playback(blocked / "s")
    for _ in range(20):
        playback.add_part(b"xx", 0.2, 2.0, True, NOW_S)
        _, stored = playback.close_segment()
        assert not stored
    assert listed(playback) == [16, 17, 18, 19]
    assert playback.segment(16) == b"xx"
    assert playback.segment(15) is None


def test_discontinuities_give_up_their_init_with_their_last_segment(tmp_path: Path) -> None:
    playback = open_playback(tmp_path / "s")
    add_segments(playback, 2)
    playback.begin(b"init two", Rendition("source", "avc1.64001f"), 0.2)
    add_segments(playback, 2)
    assert (playback.init(0), playback.init(1)) == (b"init", b"init two")
    add_segments(playback, 20)
    assert playback.init(0) is None
    assert b"#EXT-X-DISCONTINUITY-SEQUENCE:1\n" in playback.playlist(False, False)


def test_a_long_segment_raises_the_target_duration(tmp_path: Path) -> None:
    playback = open_playback(tmp_path / "s")
    add_segments(playback, 1)
    assert playback.target_s == 4
    for _ in range(4):
        playback.add_part(b"x", 0.2, 2.0, False, NOW_S)
    assert playback.target_s == 8


def test_a_stream_that_a_killed_process_left_goes_on_counting(tmp_path: Path) -> None:
    add_segments(open_playback(tmp_path / "stream"), 5)
    registry = Registry(tmp_path)
    playback = registry.open("stream")
    playback.begin(b"init", Rendition("source", "avc1.64001f"), 0.2)
    add_segments(playback, 1)
    text = playback.playlist(False, False).decode()
    assert "#EXT-X-MEDIA-SEQUENCE:5\n" in text
    assert "#EXT-X-DISCONTINUITY\n" in text
    assert 'URI="init1.mp4"' in text
    assert {path.name for path in (tmp_path / "stream").iterdir()} == {"init1.mp4", "segment5.m4s"}


def test_leftovers_and_ended_streams_are_removed_after_a_while(tmp_path: Path) -> None:
    add_segments(open_playback(tmp_path / "left"), 1)
    registry = Registry(tmp_path, linger_s=60)
    ended, running = registry.open("ended"), registry.open("running")
    for playback in (ended, running):
        playback.begin(b"init", Rendition("source", "avc1.64001f"), 0.2)
        add_segments(playback, 1)
    ended.end()
    registry.sweep(1000.0)
    registry.sweep(1059.0)
    assert {path.name for path in tmp_path.iterdir()} == {"left", "ended", "running"}
    registry.sweep(1061.0)
    assert {path.name for path in tmp_path.iterdir()} == {"running"}
    assert registry.find("ended") is None
    assert registry.find("running") is running


def test_opening_a_stream_again_lets_go_of_who_waited_for_the_first(tmp_path: Path) -> None:
    registry = Registry(tmp_path)
    first = registry.open("stream")
    second = registry.open("stream")
    assert first.ended
    assert registry.find("stream") is second


async def test_one_part_wakes_everyone_who_waits_for_it(tmp_path: Path) -> None:
    playback = open_playback(tmp_path / "s")
    add_segments(playback, 1)
    waiting = [asyncio.create_task(playback.wait_for(lambda: playback.has(1, 0), 30)) for _ in range(100)]
    await asyncio.sleep(0)
    playback.add_part(b"x", 0.2, 0.2, True, NOW_S)
    playback.announce()
    assert all(await asyncio.gather(*waiting))


async def test_waiting_ends_with_the_stream(tmp_path: Path) -> None:
    playback = open_playback(tmp_path / "s")
    add_segments(playback, 1)
    waiting = asyncio.create_task(playback.wait_for(lambda: playback.has(1, 0), 30))
    await asyncio.sleep(0)
    playback.end()
    assert await waiting


def test_a_playlist_is_rendered_once_a_change(tmp_path: Path) -> None:
    playback = open_playback(tmp_path / "s")
    add_segments(playback, 1)
    first = playback.playlist(False, False)
    assert playback.playlist(False, False) is first
    playback.add_part(b"x", 0.2, 0.2, True, NOW_S)
    playback.announce()
    assert playback.playlist(False, False) != first
