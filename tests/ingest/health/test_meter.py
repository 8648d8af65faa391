"""From real encodes to samples and codes, as a live stream measures them."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import closing
from pathlib import Path
from typing import TypeVar

import pytest

from ingest.health.metadata import Announced
from ingest.health.probe import Probe
from ingest.health.sample import HealthSample
from ingest.hls.registry import Registry
from ingest.media.became import (
    Became,
    EncoderSaid,
    HealthBecame,
    SegmentClosed,
    StarvationBegan,
    StarvationOver,
)
from ingest.media.live import LiveStream
from ingest.media.settings import MediaSettings
from ingest.media.tag import MediaTag
from ingest.rtmp import amf0
from tests.ingest.health.scenes import scene
from tests.ingest.media.footage import NOW_S, is_frame, push_all, record, shifted

Kind = TypeVar("Kind", bound=Became)


@pytest.fixture
def probe() -> Iterator[Probe]:
    with closing(Probe(0.5)) as made:
        yield made


def live_stream(directory: Path, probe: Probe | None = None) -> LiveStream:
    registry = Registry(directory)
    return LiveStream("stream", "channel", MediaSettings(), registry, looker=probe.looker() if probe else None)


def those(kind: type[Kind], became: Iterable[Became]) -> list[Kind]:
    return [each for each in became if isinstance(each, kind)]


def samples(became: Iterable[Became]) -> list[HealthSample]:
    return [each.sample for each in those(SegmentClosed, became)]


def codes(became: Iterable[Became]) -> set[str]:
    """All that were ever said."""
    return {code for change in those(HealthBecame, became) for code in change.codes}


def metadata(**values: amf0.Value) -> MediaTag:
    return MediaTag("data", 0, amf0.encode(["onMetaData", values]))


def test_a_stream_that_is_well_is_measured_and_nothing_is_said(tmp_path: Path) -> None:
    became = push_all(live_stream(tmp_path), record(12))
    assert codes(became) == set()
    sample = samples(became)[-1]
    assert (sample.width, sample.height, sample.gop_ms, sample.gop_min_ms) == (320, 180, 2000, 2000)
    assert sample.frame_rate == pytest.approx(30, abs=0.5)
    assert sample.video_kbps + sample.audio_kbps == pytest.approx(sample.bitrate_kbps, abs=0.2)
    assert sample.bitrate_10s_kbps == pytest.approx(sample.bitrate_kbps, rel=0.3)
    assert (sample.b_frames, sample.starved_ms, sample.brightness) == (0, 0, None)


@pytest.mark.parametrize("b_frames", [1, 3])
def test_b_frames_are_counted_from_their_composition_times(tmp_path: Path, b_frames: int) -> None:
    became = push_all(live_stream(tmp_path), record(8, b_frames=b_frames))
    assert max(sample.b_frames for sample in samples(became)) == b_frames
    assert "bFramesPresent" in codes(became)
    assert {change.status for change in those(HealthBecame, became) if change.codes == ("bFramesPresent",)} == {"ok"}


def test_a_long_gop_is_measured_across_the_segments_it_is_cut_into(tmp_path: Path) -> None:
    became = push_all(live_stream(tmp_path), record(24, gop=1000))
    assert [sample.gop_ms for sample in samples(became)] == pytest.approx([10_000, 20_000], abs=300)
    assert {"gopSizeLong", "gopSizeOver"} <= codes(became)


def test_what_the_encoder_says_is_told_once_and_held_against_what_it_sends(tmp_path: Path) -> None:
    live = live_stream(tmp_path)
    frames = [tag for tag in record(12) if tag.kind != "data"]
    said = metadata(width=1920.0, height=1080.0, framerate=60.0, videodatarate=6000.0, encoder="Encoder 1")
    became = push_all(live, [said, *frames[:100], said, *frames[100:]])
    assert [each.announced for each in those(EncoderSaid, became)] == [
        Announced(encoder="Encoder 1", width=1920, height=1080, frame_rate=60.0, video_kbps=6000.0)
    ]
    assert {
        "configuredResolutionMismatch",
        "configuredFrameRateMismatch",
        "configuredBitrateMismatch",
    } <= codes(became)


def test_metadata_that_change_all_the_time_are_told_once_a_segment(tmp_path: Path) -> None:
    live = live_stream(tmp_path)
    frames = [tag for tag in record(6) if tag.kind != "data"]
    flood = [tag for number, frame in enumerate(frames) for tag in (metadata(width=1.0 + number), frame)]
    became = push_all(live, flood)
    assert len(those(EncoderSaid, became)) <= len(samples(became))


def test_a_stall_is_told_while_it_lasts_and_when_it_is_over(tmp_path: Path) -> None:
    live = live_stream(tmp_path)
    tags = list(record(8))
    before = [tag for tag in tags if tag.timestamp_ms < 4000]
    push_all(live, before)
    during = [became for second in range(1, 4) for became in live.tick(NOW_S + 4 + second)]
    (began,) = those(StarvationBegan, during)
    assert 1900 <= began.behind_ms <= 3500
    assert [change.codes for change in those(HealthBecame, during)] == [("videoIngestionStarved",)]
    held_up = [tag for tag in tags[len(before) :] if tag.timestamp_ms < 7000]
    late = [became for tag in held_up for became in live.push(tag, NOW_S + 7.1)]
    late += push_all(live, tags[len(before) + len(held_up) :], NOW_S + 0.2)
    late += live.tick(NOW_S + 8.2)
    (over,) = those(StarvationOver, late)
    assert 2500 <= over.lasted_ms <= 4500
    assert max(sample.starved_ms for sample in samples(late)) > 2000


def test_a_publisher_that_goes_while_starving_ends_the_starvation(tmp_path: Path) -> None:
    live = live_stream(tmp_path)
    push_all(live, record(3))
    for second in range(1, 6):
        live.tick(NOW_S + 3 + second)
    (over,) = those(StarvationOver, live.interrupt())
    assert over.lasted_ms > 3000
    assert those(StarvationBegan, live.tick(NOW_S + 60)) == []


def test_the_last_segment_is_sampled_too(tmp_path: Path) -> None:
    live = live_stream(tmp_path)
    early = push_all(live, record(3))
    late = live.close()
    assert len(samples(early)) == len(samples(late)) == 1
    assert live.close() == []


def test_what_others_raise_is_told_with_the_next_second(tmp_path: Path) -> None:
    live = live_stream(tmp_path)
    live.meter.raise_code("ladderOverloaded")
    live.meter.raise_code("ladderOverloaded")
    assert live.tick(NOW_S) == [HealthBecame("ok", "warning", ("ladderOverloaded",), ("warning",))]
    live.meter.clear_code("ladderOverloaded")
    became = push_all(live, record(8))
    assert those(HealthBecame, became)[-1].codes == ()


@pytest.mark.parametrize(
    ("picture", "sound", "expected"),
    [
        ("camera", "tone", set()),
        ("clock", "whisper", set()),
        ("still", "tone", {"frozenPicture"}),
        ("black", "tone", {"blackPicture"}),
        ("camera", "silence", {"silentAudio"}),
    ],
)
def test_what_is_to_be_seen_and_heard_is_looked_into(
    tmp_path: Path, probe: Probe, picture: str, sound: str, expected: set[str]
) -> None:
    live = live_stream(tmp_path, probe)
    tags = scene(picture, sound)
    became: list[Became] = []
    for round_ in range(6):
        for tag in shifted([tag for tag in tags if round_ == 0 or is_frame(tag)], round_ * 8000):
            more = live.push(tag, NOW_S + tag.timestamp_ms / 1000)
            became += more
            if samples(more):
                wait_for(probe)
    assert codes(became) & {"frozenPicture", "blackPicture", "silentAudio"} == expected
    assert any(sample.brightness is not None for sample in samples(became))


def wait_for(probe: Probe) -> None:
    """Until all looks are done, as they would be long before the next segment of a real stream."""
    probe._worker.submit(lambda: None).result(20)
