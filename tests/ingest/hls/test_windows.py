"""The rolling window: what is listed, what can be fetched, what is in memory and what on disk."""

from __future__ import annotations

import asyncio
import re
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ingest.hls.backlog import WindowLimits
from ingest.hls.playback import Playback
from ingest.hls.registry import Registry
from ingest.hls.shelf import FILE_SIZE, Slice, remove_all
from ingest.hls.window import Window
from tests.ingest.hls.stage import PART_S, Stage, window_of

LIMITS = WindowLimits(listed_s=19.0, unlisted_s=7.0, unstored_s=7.0)


def open_stage(directory: Path) -> tuple[Stage, Window]:
    playback = Playback("stream", directory, LIMITS)
    return Stage(playback), window_of(playback)


def listed(window: Window) -> list[int]:
    return [int(number) for number in re.findall(rb"^segment(\d+)", window.playlist(False, False), re.MULTILINE)]


def files(directory: Path) -> set[str]:
    return {path.relative_to(directory).as_posix() for path in directory.rglob("*") if path.is_file()}


def test_old_segments_leave_the_playlist_then_can_be_fetched_for_a_while(tmp_path: Path) -> None:
    stage, window = open_stage(tmp_path)
    stage.add_segments(30)
    assert listed(window) == list(range(20, 30))
    assert window.segment(16) is not None
    assert window.segment(15) is None


def test_the_disk_holds_not_much_more_than_what_can_be_fetched(tmp_path: Path) -> None:
    stage, window = open_stage(tmp_path)
    for _ in range(24):
        stage.add_parts(1, close=True, fill=b"x" * (FILE_SIZE // 4), part_s=2.0)
    assert window.segment(9) is None
    assert window.segment(10) is not None
    held = {path for path in files(tmp_path) if path.startswith("segments")}
    assert held == {f"segments0.{number}" for number in (2, 3, 4, 5)}, "of four segments each"


def test_only_the_newest_segments_stay_in_memory_and_all_bytes_stay_the_same(tmp_path: Path) -> None:
    stage, window = open_stage(tmp_path)
    stage.add_segments(5)
    oldest, newest = window.segment(0), window.segment(4)
    assert isinstance(oldest, Slice)
    assert isinstance(newest, bytes)
    assert oldest.read() == newest == b"x" * 100
    part = window.part(0, 3)
    assert isinstance(part, Slice)
    assert part.read() == b"x" * 10


def test_parts_far_from_the_live_edge_are_forgotten(tmp_path: Path) -> None:
    stage = Stage(Playback("stream", tmp_path))
    stage.add_segments(30)
    window = window_of(stage.playback)
    assert all(entry.parts for entry in window.entries()[-12:]), "six target durations of two segments each"
    assert not any(entry.parts for entry in window.entries()[:-13])
    assert window.part(16, 0) is None
    assert window.part(18, 0) is not None
    assert window.has(16, 0)


def test_a_disk_that_takes_nothing_shortens_the_window_and_is_said(tmp_path: Path) -> None:
    blocked = tmp_path / "file"
    blocked.write_text("a file where the directory should be")
    stage, window = open_stage(blocked / "s")
    said = [stage.add_parts(1, close=True, fill=b"xx", part_s=2.0) for _ in range(20)]
    assert said == [True] + [False] * 19
    assert listed(window) == [16, 17, 18, 19]
    assert window.segment(16) == b"xx"
    assert window.segment(15) is None


def test_what_the_disk_did_not_take_is_written_when_it_takes_again(tmp_path: Path) -> None:
    blocked = tmp_path / "file"
    blocked.write_text("a file where the directory should be")
    stage, window = open_stage(blocked / "s")
    for _ in range(3):
        stage.add_parts(1, close=True, fill=b"xx")
    blocked.unlink()
    for _ in range(3):
        stage.add_parts(1, close=True, fill=b"yy")
    oldest = window.segment(0)
    assert isinstance(oldest, Slice)
    assert oldest.read() == b"xx"
    assert listed(window) == list(range(6))


def test_a_disk_that_hangs_for_a_while_costs_nothing(tmp_path: Path) -> None:
    stage, window = open_stage(tmp_path)
    stage.add_segments(5)
    stage.disk_hangs = True
    stage.add_segments(2)
    assert listed(window) == list(range(7))
    assert window.segment(5) == window.segment(6) == b"x" * 100
    stage.disk_hangs = False
    stage.add_segments(3)
    assert isinstance(window.segment(5), Slice)
    assert listed(window) == list(range(10))


def test_discontinuities_give_up_their_init_with_their_last_segment(tmp_path: Path) -> None:
    stage, window = open_stage(tmp_path)
    stage.add_segments(2)
    stage.begin(b"init two")
    stage.add_segments(2)
    assert (window.init(0), window.init(1)) == (b"the init", b"init two")
    stage.add_segments(20)
    assert window.init(0) is None
    assert b"#EXT-X-DISCONTINUITY-SEQUENCE:1\n" in window.playlist(False, False)


def test_a_stream_that_a_killed_process_left_goes_on_counting(tmp_path: Path) -> None:
    Stage(Playback("stream", tmp_path / "stream")).add_segments(5)
    playback = Registry(tmp_path).open("stream")
    Stage(playback).add_segments(1)
    text = window_of(playback).playlist(False, False).decode()
    assert "#EXT-X-MEDIA-SEQUENCE:5\n" in text
    assert "#EXT-X-DISCONTINUITY\n" in text
    assert 'URI="init1.mp4"' in text
    assert files(tmp_path / "stream") == {"numbers", "segments5.0"}


def test_a_number_that_was_shown_before_the_process_was_killed_is_not_used_again(tmp_path: Path) -> None:
    killed = Stage(Playback("stream", tmp_path / "stream"))
    killed.add_segments(5)
    killed.add_parts(1)
    playback = Registry(tmp_path).open("stream")
    Stage(playback).add_parts(1)
    assert window_of(playback).last == (6, 0)


def test_a_stream_is_found_after_two_killed_processes_of_which_one_had_no_media(tmp_path: Path) -> None:
    Stage(Playback("stream", tmp_path)).add_segments(2)
    Playback("stream", tmp_path)
    assert Playback("stream", tmp_path).timeline.next_number == 2


def test_leftovers_and_ended_streams_are_removed_after_a_while(tmp_path: Path) -> None:
    Stage(Playback("left", tmp_path / "left")).add_segments(1)
    registry = Registry(tmp_path, linger_s=60)
    ended, running = registry.open("ended"), registry.open("running")
    for playback in (ended, running):
        Stage(playback).add_segments(1)
    ended.end()
    assert registry.sweep(1000.0) == []
    assert registry.sweep(1059.0) == []
    gone = registry.sweep(1061.0)
    assert {path.name for path in gone} == {"left", "ended"}
    for directory in gone:
        remove_all(directory)
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
    stage, window = open_stage(tmp_path)
    stage.add_segments(1)
    waiting = [asyncio.create_task(window.wait_for(lambda: window.has(1, 0), 30)) for _ in range(100)]
    await asyncio.sleep(0)
    stage.add_parts(1)
    assert all(await asyncio.gather(*waiting))


async def test_waiting_ends_with_the_stream(tmp_path: Path) -> None:
    stage, window = open_stage(tmp_path)
    stage.add_segments(1)
    waiting = asyncio.create_task(window.wait_for(lambda: window.has(1, 0), 30))
    await asyncio.sleep(0)
    stage.playback.end()
    assert await waiting


def test_a_playlist_is_rendered_once_a_change(tmp_path: Path) -> None:
    stage, window = open_stage(tmp_path)
    stage.add_segments(1)
    first = window.playlist(False, False)
    assert window.playlist(False, False) is first
    stage.add_parts(1)
    assert window.playlist(False, False) != first


def test_the_bandwidth_is_measured(tmp_path: Path) -> None:
    stage, window = open_stage(tmp_path)
    stage.add_parts(10, fill=b"x" * 1000, close=True)
    stage.add_parts(10, fill=b"x" * 3000, close=True)
    assert window.measured().peak == pytest.approx(120_000)
    assert window.measured().average == pytest.approx(80_000)


@given(st.lists(st.tuples(st.integers(1, 20), st.integers(1, 900)), min_size=1, max_size=40))
def test_the_peak_is_that_of_any_run_of_half_a_target_to_one_and_a_half(shape: list[tuple[int, int]]) -> None:
    with TemporaryDirectory() as directory:
        stage, window = open_stage(Path(directory))
        for parts, size in shape:
            stage.add_parts(parts, fill=b"x" * size, close=True)
        measured = window.measured()
    runs = [shape[start:end] for end in range(len(shape) + 1) for start in range(end)]
    rates = [
        sum(parts * size for parts, size in run) * 8 / (sum(parts for parts, _ in run) * PART_S)
        for run in runs
        if 0.5 * 4 - 1e-6 <= sum(parts for parts, _ in run) * PART_S <= 1.5 * 4 + 1e-6
    ]
    assert measured.peak == pytest.approx(max([*rates, measured.average]))


def test_a_short_stream_says_the_bandwidth_that_it_had(tmp_path: Path) -> None:
    stage, window = open_stage(tmp_path)
    stage.add_parts(2, fill=b"x" * 1000, close=True)
    stage.playback.end()
    assert window.measured().peak == pytest.approx(40_000)


def test_a_segment_without_a_keyframe_at_its_start_is_remembered_while_it_is_listed(tmp_path: Path) -> None:
    stage, window = open_stage(tmp_path)
    said = []
    stage.add_parts(10, close=True, keyframe=False)
    for _ in range(10):
        said.append(window.independent)
        stage.add_segments(1)
    said.append(window.independent)
    assert said == [False] * 10 + [True]
