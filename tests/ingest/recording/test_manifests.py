"""What a recording lacks, and what a clip of it takes."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ingest.recording.manifest import LOST, NOT_MADE, Gap, Nothing
from tests.ingest.recording.takes import AUDIO, NOW_S, RUNG, SEGMENT_S, kept, recording, track


def test_a_recording_with_everything_is_complete() -> None:
    manifest = recording(track(kept(0), kept(1))).completed()
    assert (manifest.complete, manifest.gaps) == (True, ())
    assert (manifest.started_at_s, manifest.duration_s, manifest.size) == (NOW_S, 4.0, 2000)


def test_what_the_recorder_lost_makes_it_partial_and_is_listed_as_one_gap() -> None:
    manifest = recording(track(kept(0), *(kept(n, gap="disk_full", size=0) for n in (1, 2)), kept(3)))
    assert not manifest.complete
    assert manifest.gaps == (Gap("source", 1, 2, NOW_S + 2, 4.0, "disk_full"),)


def test_gaps_with_different_reasons_are_told_apart() -> None:
    manifest = recording(track(kept(0, gap="busy", size=0), kept(1, gap="disk_full", size=0)))
    assert [gap.reason for gap in manifest.gaps] == ["busy", "disk_full"]


def test_a_rung_that_was_shed_for_a_while_leaves_the_recording_complete() -> None:
    manifest = recording(track(kept(0), kept(1), kept(2)), track(kept(2), rendition=RUNG)).completed()
    assert manifest.complete
    assert [segment.gap for segment in manifest.tracks[1].segments] == [NOT_MADE, NOT_MADE, ""]
    assert manifest.tracks[1].segments[0].starts_at_s == NOW_S


def test_numbers_that_nobody_kept_are_gaps_over_the_time_between() -> None:
    manifest = recording(track(kept(0), kept(3)), track(kept(0), kept(3), rendition=AUDIO)).completed()
    assert not manifest.complete
    assert [gap.reason for gap in manifest.gaps] == [LOST, LOST]
    assert manifest.gaps[0] == Gap("source", 1, 2, NOW_S + SEGMENT_S, 2 * SEGMENT_S, LOST)
    assert manifest.duration_s == 4 * SEGMENT_S


def test_a_stretch_of_media_time_begins_at_the_keyframe_before_it_and_ends_after_it() -> None:
    manifest = recording(track(*(kept(number) for number in range(10))))
    assert manifest.between_offsets(5.0, 9.5) == (2, 4)
    assert manifest.between_offsets(4.0, 10.0) == (2, 4)
    assert manifest.offset_of(2) == 4.0


def test_a_stretch_that_begins_in_a_segment_without_a_keyframe_goes_back_to_one() -> None:
    manifest = recording(track(kept(0), kept(1), kept(2, keyframe=False), kept(3, keyframe=False), kept(4)))
    assert manifest.between_offsets(7.0, 9.0) == (1, 4)


def test_a_stretch_of_the_clock_knows_that_nobody_published_for_a_while() -> None:
    later = NOW_S + 100
    manifest = recording(track(kept(0), kept(1), kept(2, discontinuity=True, starts_at_s=later)))
    assert manifest.between_times(later - 5, later + 1) == (2, 2)
    assert manifest.between_times(NOW_S + 3, later + 1) == (1, 2)


@pytest.mark.parametrize("stretch", [(NOW_S - 20, NOW_S), (NOW_S + 4, NOW_S + 30), (NOW_S + 2, NOW_S + 4)])
def test_a_stretch_without_media_holds_nothing(stretch: tuple[float, float]) -> None:
    manifest = recording(track(kept(0), kept(1, gap="busy", size=0)))
    with pytest.raises(Nothing):
        manifest.between_times(*stretch)


def test_a_clip_is_a_recording_of_its_own() -> None:
    manifest = recording(
        track(kept(0), kept(1, init=1, discontinuity=True), kept(2, init=1)),
        track(*(kept(number, gap=NOT_MADE, size=0) for number in range(3)), rendition=RUNG),
    )
    clip = manifest.cut("clip", 1, 2)
    assert (clip.id, clip.stream_id, clip.channel_id) == ("clip", "stream", "channel")
    assert [track.name for track in clip.tracks] == ["source"]
    assert [segment.number for segment in clip.timeline] == [1, 2]
    assert not clip.timeline[0].discontinuity, "nothing comes before it"


@settings(deadline=None)
@given(
    st.lists(st.booleans(), min_size=1, max_size=40),
    st.floats(0, 60, allow_nan=False),
    st.floats(5, 60, allow_nan=False),
)
def test_any_clip_covers_what_was_asked_for_and_begins_at_a_keyframe(
    keyframes: list[bool], start_s: float, lasting_s: float
) -> None:
    segments = [kept(number, keyframe=keyframe or not number) for number, keyframe in enumerate(keyframes)]
    manifest = recording(track(*segments))
    try:
        first, last = manifest.between_offsets(start_s, start_s + lasting_s)
    except Nothing:
        assert start_s >= manifest.duration_s
        return
    assert segments[first].keyframe
    assert manifest.offset_of(first) <= start_s
    assert manifest.offset_of(last) + SEGMENT_S >= min(start_s + lasting_s, manifest.duration_s)
    assert manifest.offset_of(last) < start_s + lasting_s
