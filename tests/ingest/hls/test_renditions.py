"""A stream's renditions side by side: one time, gaps where one has nothing, one list of what there is."""

from __future__ import annotations

from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ingest.hls.entries import Rendition, SegmentEntry
from ingest.hls.playback import Playback
from ingest.hls.registry import Registry
from tests.ingest.hls.stage import RENDITIONS, Stage, gaps_of, window_of


def times_of(playback: Playback, name: str) -> list[tuple[int, float, int]]:
    return [
        (entry.number, round(entry.duration_s, 6), entry.discontinuities)
        for entry in window_of(playback, name).entries()
    ]


def test_a_rung_that_joins_late_has_gaps_for_what_was_before(tmp_path: Path) -> None:
    stage = Stage(Playback("stream", tmp_path), ["source", "audio"])
    stage.add_segments(3)
    rung = stage.join("360p")
    stage.add_segments(2)
    assert gaps_of(rung.entries()) == [0, 1, 2]
    assert times_of(stage.playback, "360p") == times_of(stage.playback, "source")
    assert rung.segment(2) is None
    assert rung.segment(3) is not None


def test_a_rung_that_dies_goes_on_with_gaps_and_leaves_the_multivariant_playlist(tmp_path: Path) -> None:
    stage = Stage(Playback("stream", tmp_path), ["source", "audio", "360p"])
    stage.add_segments(1)
    stage.add_parts(3)
    stage.leave("360p")
    assert "360p" not in stage.playback.multivariant()
    stage.add_parts(1)
    rung = window_of(stage.playback, "360p")
    assert [part.size for part in rung.entries()[-1].parts] == [7, 7, 7, 0]
    stage.add_parts(6, close=True)
    stage.add_segments(1)
    assert gaps_of(rung.entries()) == [2], "a segment of which there is some is none"
    assert rung.segment(1) == b"part 0;part 1;part 2;"
    assert times_of(stage.playback, "360p") == times_of(stage.playback, "source")


def test_a_rendition_that_is_absent_is_still_reported_on(tmp_path: Path) -> None:
    stage = Stage(Playback("stream", tmp_path), ["source", "360p"])
    stage.add_segments(1)
    stage.leave("360p")
    stage.add_parts(3)
    report = '#EXT-X-RENDITION-REPORT:URI="../360p/media.m3u8",LAST-MSN=1,LAST-PART=2,X-ABSENT=YES\n'
    assert report in window_of(stage.playback).playlist(False, False).decode()


def test_the_parts_of_a_segment_that_breaks_off_last_as_long_as_it(tmp_path: Path) -> None:
    stage = Stage(Playback("stream", tmp_path), ["source", "360p"])
    stage.add_parts(3)
    stage.names.remove("360p")
    stage.add_parts(7, close=True)
    stage.names.append("360p")
    stage.add_parts(1)
    closed = window_of(stage.playback, "360p").entries()[0]
    assert sum(part.duration_s for part in closed.parts) == pytest.approx(closed.duration_s)
    assert max(part.duration_s for part in closed.parts) == pytest.approx(0.2)


def test_a_rung_that_comes_back_is_listed_again_and_needs_no_discontinuity(tmp_path: Path) -> None:
    stage = Stage(Playback("stream", tmp_path), ["source", "360p"])
    stage.add_segments(1)
    stage.leave("360p")
    stage.add_segments(2)
    rung = stage.join("360p", b"another init")
    stage.add_segments(1)
    assert gaps_of(rung.entries()) == [1, 2]
    text = rung.playlist(False, False).decode()
    assert "#EXT-X-DISCONTINUITY\n" not in text
    assert 'URI="init0.mp4"' in text
    assert 'URI="init1.mp4"' in text
    assert "360p/media.m3u8" in stage.playback.multivariant()


def test_a_rung_that_comes_back_as_it_was_keeps_its_init(tmp_path: Path) -> None:
    stage = Stage(Playback("stream", tmp_path), ["source", "360p"])
    stage.add_segments(1)
    stage.leave("360p")
    stage.add_segments(1)
    rung = stage.join("360p")
    stage.add_segments(1)
    assert rung.init(1) is None


def test_a_discontinuity_while_a_rung_is_away_is_in_its_playlist_too(tmp_path: Path) -> None:
    stage = Stage(Playback("stream", tmp_path), ["source", "360p"])
    stage.add_segments(1)
    stage.leave("360p")
    stage.begin(b"init two")
    stage.add_segments(1)
    rung = stage.join("360p")
    stage.add_segments(1)
    assert times_of(stage.playback, "360p") == times_of(stage.playback, "source")
    assert rung.playlist(False, False).decode().count("#EXT-X-DISCONTINUITY\n") == 1


def test_a_segment_that_is_closed_after_a_return_keeps_the_init_it_was_written_for(tmp_path: Path) -> None:
    stage = Stage(Playback("stream", tmp_path), ["source", "360p"])
    stage.add_segments(1)
    stage.add_parts(3)
    stage.names.remove("360p")
    stage.close()
    stage.names.append("360p")
    stage.begin(b"init two")
    stage.add_segments(1)
    rung = window_of(stage.playback, "360p")
    assert [(entry.init, entry.discontinuity) for entry in rung.entries()] == [(0, False), (0, False), (1, True)]


def test_the_stream_is_ready_once_each_rendition_has_something(tmp_path: Path) -> None:
    playback = Playback("stream", tmp_path)
    stage = Stage(playback, ["source"])
    playback.begin(RENDITIONS["audio"], b"init")
    stage.add_parts(1)
    assert not playback.ready
    stage.names.append("audio")
    stage.add_parts(1)
    assert playback.ready


class Recorder:
    """A sink that remembers what it was told."""

    def __init__(self) -> None:
        self.begun: list[tuple[str, int, bytes]] = []
        self.segments: list[tuple[str, int, bool, bytes]] = []
        self.finished = 0

    def begin(self, rendition: Rendition, init_number: int, init: bytes) -> None:
        self.begun.append((rendition.name, init_number, init))

    def segment(self, rendition_name: str, entry: SegmentEntry, data: bytes) -> None:
        self.segments.append((rendition_name, entry.number, entry.gap, data))

    def finish(self) -> None:
        self.finished += 1


def test_a_rung_that_has_begun_and_has_no_part_yet_holds_nobody_up(tmp_path: Path) -> None:
    stage = Stage(Playback("stream", tmp_path), ["source", "audio"])
    stage.add_parts(3)
    stage.join("360p")
    assert stage.playback.ready
    assert "360p" not in stage.playback.multivariant()
    assert "360p" not in window_of(stage.playback).playlist(False, False).decode()
    stage.add_parts(1)
    assert "360p" in stage.playback.multivariant()


def test_sinks_get_every_closed_segment_once_and_the_end(tmp_path: Path) -> None:
    recorder = Recorder()
    stage = Stage(Registry(tmp_path).open("stream", [recorder]), ["source", "audio"])
    stage.add_parts(2, close=True)
    stage.leave("audio")
    stage.add_parts(1, close=True, fill=b"x")
    stage.playback.end()
    assert recorder.begun == [("source", 0, b"the init"), ("audio", 0, b"the init")]
    assert recorder.segments == [
        ("source", 0, False, b"part 0;part 1;"),
        ("audio", 0, False, b"part 0;part 1;"),
        ("source", 1, False, b"x"),
        ("audio", 1, True, b""),
    ]
    assert recorder.finished == 1


steps = st.lists(
    st.tuples(st.sampled_from(["parts", "segment", "join", "leave", "begin"]), st.integers(1, 4)), max_size=40
)


@settings(deadline=None)
@given(steps)
def test_whoever_comes_and_goes_all_playlists_tell_the_same_time(script: list[tuple[str, int]]) -> None:
    with TemporaryDirectory() as directory:
        stage = Stage(Playback("stream", Path(directory)), ["source"])
        at_start = True
        for step, count in script:
            if step == "join" and "360p" not in stage.names and at_start:
                stage.join("360p")
            elif step == "leave" and "360p" in stage.names:
                stage.leave("360p")
            elif step == "begin" and at_start:
                stage.begin(b"init %d" % count)
            elif step in ("parts", "segment"):
                at_start = step == "segment"
                stage.add_parts(count, close=at_start)
        rung = stage.playback.window("360p")
        if rung is None or not rung.ready:
            return
        stage.playback.announce()
        assert times_of(stage.playback, "360p") == times_of(stage.playback, "source")
        assert window_of(stage.playback).last[0] == rung.last[0]
