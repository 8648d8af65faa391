"""Sheets and their WebVTT."""

from __future__ import annotations

import re
from datetime import UTC, datetime
from typing import NamedTuple

from hypothesis import given
from hypothesis import strategies as st

from ingest.thumbnails.sprites import SHEET_TILES, Sprites
from tests.ingest.thumbnails.film import NOW_S

INTERVAL_S = 10.0
WIDE, TALL = (160, 90), (90, 160)


class Cue(NamedTuple):
    start_s: float
    end_s: float
    url: str
    box: tuple[int, ...]


def read_vtt(data: bytes) -> tuple[str, list[Cue]]:
    """The note and the cues, read as the grammar says (WebVTT 4.1): blocks between blank lines."""
    head, *blocks = data.decode().rstrip("\n").split("\n\n")
    assert head == "WEBVTT"
    notes = [block for block in blocks if block.startswith("NOTE ")]
    cues = []
    for block in blocks[len(notes) :]:
        timing, payload = block.split("\n")
        start, end = timing.split(" --> ")
        url, box = payload.split("#xywh=")
        cues.append(Cue(_seconds(start), _seconds(end), url, tuple(map(int, box.split(",")))))
    return "".join(notes), cues


def _seconds(text: str) -> float:
    match = re.fullmatch(r"(\d{2,}):([0-5]\d):([0-5]\d\.\d{3})", text)
    assert match, text
    return int(match[1]) * 3600 + int(match[2]) * 60 + float(match[3])


def filled(count: int, window_s: float = 7200.0, size: tuple[int, int] = WIDE) -> Sprites:
    sprites = Sprites(INTERVAL_S, window_s)
    for index in range(count):
        sprites.add(NOW_S + index * INTERVAL_S, b"tile", size)
    return sprites


def assert_gapless(cues: list[Cue]) -> None:
    assert cues[0].start_s == 0
    assert [cue.end_s for cue in cues[:-1]] == [cue.start_s for cue in cues[1:]]
    assert all(cue.start_s < cue.end_s for cue in cues)


def test_live_cues_are_counted_from_a_moment_that_is_told() -> None:
    note, cues = read_vtt(filled(5).live_vtt())
    assert note == f"NOTE PROGRAM-DATE-TIME:{datetime.fromtimestamp(NOW_S, UTC):%Y-%m-%dT%H:%M:%S}.000Z"
    assert_gapless(cues)
    assert cues[-1].end_s == 50.0


def test_a_break_of_the_stream_is_in_live_cues() -> None:
    sprites = filled(2)
    sprites.add(NOW_S + 500, b"tile", WIDE)
    assert [cue.start_s for cue in read_vtt(sprites.live_vtt())[1]] == [0, 10, 500]


def test_a_clock_that_went_back_leaves_no_cue_that_ends_before_it_starts() -> None:
    sprites = filled(3)
    sprites.add(NOW_S + 5, b"tile", WIDE)
    cues = read_vtt(sprites.live_vtt())[1]
    assert all(cue.start_s < cue.end_s for cue in cues)


def test_a_growing_sheet_has_another_url_with_each_tile_and_a_closed_one_keeps_its() -> None:
    urls = [cue.url for cue in read_vtt(filled(SHEET_TILES + 3).live_vtt())[1]]
    assert set(urls[:SHEET_TILES]) == {"sprite0.jpg"}
    assert set(urls[SHEET_TILES:]) == {"sprite1.jpg?tiles=3"}


def test_a_full_sheet_is_handed_out_when_it_is_full() -> None:
    sprites = Sprites(INTERVAL_S, 7200)
    closed = [sprites.add(NOW_S + index * INTERVAL_S, b"tile", WIDE) for index in range(2 * SHEET_TILES)]
    assert [index for index, sheet in enumerate(closed) if sheet] == [99, 199]
    assert sprites.close() is None


def test_tiles_of_another_size_go_into_another_sheet() -> None:
    sprites = filled(3)
    closed = sprites.add(NOW_S + 30, b"tile", TALL)
    assert closed is not None
    assert (closed.number, len(closed.tiles), closed.closed) == (0, 3, True)
    cues = read_vtt(sprites.live_vtt())[1]
    assert [cue.box for cue in cues] == [(0, 0, 160, 90), (160, 0, 160, 90), (320, 0, 160, 90), (0, 0, 90, 160)]
    assert cues[-1].url == "sprite1.jpg?tiles=1"


def test_sheets_go_when_nothing_of_them_is_in_the_window_any_more() -> None:
    sprites = filled(10 * SHEET_TILES, window_s=1500.0)
    assert [number for number in range(12) if sprites.find(number)] == [8, 9]
    note, cues = read_vtt(sprites.live_vtt())
    assert_gapless(cues)
    assert cues[-1].end_s >= 1500.0
    assert f"{datetime.fromtimestamp(NOW_S + 8000, UTC):%H:%M:%S}.000Z" in note


def test_before_the_first_tile_there_are_no_cues() -> None:
    assert read_vtt(Sprites(INTERVAL_S, 60).live_vtt()) == ("", [])


@given(st.lists(st.tuples(st.floats(1.0, 100.0), st.sampled_from([WIDE, TALL])), min_size=1, max_size=250))
def test_every_time_of_the_window_has_one_tile_that_lies_within_its_sheet(
    pictures: list[tuple[float, tuple[int, int]]],
) -> None:
    sprites, at_s = Sprites(INTERVAL_S, 1e9), NOW_S
    for lasts_s, size in pictures:
        sprites.add(at_s, b"tile", size)
        at_s += lasts_s
    _, cues = read_vtt(sprites.live_vtt())
    assert_gapless(cues)
    assert len({(cue.url, cue.box) for cue in cues}) == len(pictures)
    for cue, (_, size) in zip(cues, pictures, strict=True):
        x, y, width, height = cue.box
        assert (width, height) == size
        assert x + width <= 10 * width
        assert y + height <= 10 * height
