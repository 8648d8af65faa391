"""What players get: real encodes in, files that libavformat and ffmpeg read without a complaint out."""

from __future__ import annotations

import shutil
from fractions import Fraction
from itertools import pairwise
from pathlib import Path
from typing import Literal

import pytest

from ingest.hls.playback import Playback
from ingest.hls.registry import Registry
from ingest.hls.window import Window
from ingest.media.became import Became, HealthBecame, MediaReady, RefusedMedia, SegmentClosed
from ingest.media.live import LiveStream
from ingest.media.settings import MediaSettings
from ingest.media.tag import MediaTag
from tests.ingest.media.footage import (
    NO_DISK,
    NOW_S,
    audio,
    decode_times,
    decoded,
    ffmpeg_complaints,
    is_frame,
    is_keyframe,
    media_bytes,
    packets,
    publish,
    push_all,
    record,
    shifted,
    source,
    whole,
)


def live_stream(directory: Path, settings: MediaSettings | None = None) -> tuple[LiveStream, Registry]:
    registry = Registry(directory, NO_DISK)
    return LiveStream("stream", "channel", settings or MediaSettings(), registry), registry


def ready_in(became: list[Became]) -> list[MediaReady]:
    return [each for each in became if isinstance(each, MediaReady)]


def test_every_frame_comes_out_once_in_order_and_decodes(tmp_path: Path) -> None:
    tags = record()
    playback = publish(tmp_path, tags)
    kinds: tuple[Literal["video", "audio"], ...] = ("video", "audio")
    for kind in kinds:
        data = whole(source(playback) if kind == "video" else audio(playback))
        sent = sum(tag.kind == kind and is_frame(tag) for tag in tags)
        times = decode_times(data, kind)
        early_audio = 1 if kind == "audio" else 0  # from before the first keyframe
        assert len(times) == sent - early_audio
        assert times == sorted(set(times))
        assert decoded(data, kind) >= len(times) - 1


@pytest.mark.peer
@pytest.mark.skipif(not shutil.which("ffmpeg"), reason="needs the ffmpeg program")
@pytest.mark.parametrize("b_frames", [0, 2])
def test_ffmpeg_decodes_the_stream_without_a_complaint(tmp_path: Path, b_frames: int) -> None:
    playback = publish(tmp_path, record(b_frames=b_frames))
    assert ffmpeg_complaints(whole(source(playback))) == ""
    assert ffmpeg_complaints(whole(audio(playback))) == ""


def test_video_has_the_exact_durations_that_milliseconds_blur(tmp_path: Path) -> None:
    durations = {packet.duration for packet in packets(whole(source(publish(tmp_path, record()))), "video")}
    assert durations == {3000}


def test_audio_runs_without_a_gap_of_a_sample(tmp_path: Path) -> None:
    times = decode_times(whole(audio(publish(tmp_path, record()))), "audio")
    assert {later - earlier for earlier, later in pairwise(times)} == {1024}


def test_parts_put_together_are_the_segment(tmp_path: Path) -> None:
    playback = publish(tmp_path, record())
    for window in (source(playback), audio(playback)):
        for entry in window.entries():
            parts = [media_bytes(window.part(entry.number, index)) for index in range(len(entry.parts))]
            assert b"".join(parts) == media_bytes(window.segment(entry.number))


@pytest.mark.parametrize(
    ("rate", "part_s"), [(Fraction(30), 0.2), (Fraction(25), 0.2), (Fraction(60), 0.2), (Fraction(24), 5 / 24)]
)
def test_parts_last_the_target_whatever_the_frame_rate(tmp_path: Path, rate: Fraction, part_s: float) -> None:
    playback = publish(tmp_path, record(4.2, rate, int(rate) * 2))
    assert playback.timeline.part_target_s == pytest.approx(part_s, abs=0.00002)
    whole_segments = source(playback).entries()[:2]
    for entry in whole_segments:
        assert entry.duration_s == pytest.approx(2.0)
        assert {round(part.duration_s, 4) for part in entry.parts[:-1]} == {round(part_s, 4)}


def test_each_segment_starts_with_a_keyframe(tmp_path: Path) -> None:
    playback = publish(tmp_path, record())
    for entry in source(playback).entries():
        data = (source(playback).init(0) or b"") + media_bytes(source(playback).segment(entry.number))
        assert packets(data, "video")[0].is_keyframe
        assert entry.parts[0].independent


def test_media_is_ready_with_the_first_part_and_said_once(tmp_path: Path) -> None:
    live, registry = live_stream(tmp_path)
    tags = record()
    until_first_part = [tag for tag in tags if tag.timestamp_ms < 250]
    (ready,) = ready_in(push_all(live, until_first_part))
    assert (ready.video_codec, ready.audio_codec) == ("avc1.42c00d", "mp4a.40.2")
    assert (ready.width, ready.height, ready.frame_rate) == (320, 180, 30.0)
    playback = registry.find("stream")
    assert playback and source(playback).has(0, 0)
    assert not ready_in(push_all(live, tags[len(until_first_part) :]))


@pytest.mark.parametrize("rate", [Fraction(30), Fraction(60), Fraction(24)])
def test_sound_is_cut_where_the_picture_is_to_within_a_frame(tmp_path: Path, rate: Fraction) -> None:
    playback = publish(tmp_path, record(6, rate, int(rate) * 2))
    for picture, sound in zip(source(playback).entries(), audio(playback).entries(), strict=True):
        assert (picture.number, picture.duration_s, picture.starts_at_s, len(picture.parts)) == (
            sound.number, sound.duration_s, sound.starts_at_s, len(sound.parts)
        )  # fmt: skip
        for index in range(len(picture.parts)):
            starts_s = [first_s(window, picture.number, index) for window in (source(playback), audio(playback))]
            assert 0 <= starts_s[1] - starts_s[0] <= 1024 / 48_000 + 1e-6


def first_s(window: Window, number: int, index: int) -> float:
    """When a part begins, in the output's time."""
    kind: Literal["video", "audio"] = "video" if window.rendition.width else "audio"
    data = (window.init(0) or b"") + media_bytes(window.part(number, index))
    timescale = 90_000 if kind == "video" else 48_000
    return decode_times(data, kind)[0] / timescale


def test_sound_that_vanishes_is_a_gap_and_the_picture_goes_on(tmp_path: Path) -> None:
    tags = record(12)
    kept = [tag for tag in tags if tag.kind != "audio" or not is_frame(tag) or not 3_000 < tag.timestamp_ms < 9_000]
    live, registry = live_stream(tmp_path, MediaSettings(gap_max_s=10))
    push_all(live, kept)
    live.close()
    playback = registry.find("stream")
    assert playback
    assert [entry.number for entry in audio(playback).entries() if entry.gap] == [2, 3]
    partly = [
        entry.number
        for entry in audio(playback).entries()
        if {bool(part.size) for part in entry.parts} == {True, False}
    ]
    assert partly == [1, 4]
    assert len(packets(whole(source(playback)), "video")) == 360
    assert b"#EXT-X-DISCONTINUITY\n" not in source(playback).playlist(skip=False, gzip=False)


def test_sound_that_comes_late_begins_behind_a_discontinuity_with_gaps_before(tmp_path: Path) -> None:
    tags = record(6)
    late = [tag for tag in tags if tag.kind != "audio" or tag.timestamp_ms > 3_000]
    late += [tag for tag in tags if tag.kind == "audio" and not is_frame(tag)]
    playback = publish(tmp_path, sorted(late, key=lambda tag: max(tag.timestamp_ms, 3_000 * (tag.kind == "audio"))))
    assert [entry.number for entry in audio(playback).entries() if entry.gap] == [0, 1]
    assert len(audio(playback).entries()) == len(source(playback).entries())


def test_video_alone_and_audio_alone_play(tmp_path: Path) -> None:
    video_only = publish(tmp_path / "video", record(audio=False))
    assert len(packets(whole(source(video_only)), "video")) == 180
    assert 'CODECS="avc1.42c00d"' in video_only.multivariant()

    audio_only = publish(tmp_path / "audio", record(video=""))
    assert len(packets(whole(audio(audio_only)), "audio")) > 270
    assert 'CODECS="mp4a.40.2"' in audio_only.multivariant()
    assert all(entry.duration_s < 2.2 for entry in audio(audio_only).entries())


def targets(playback: Playback) -> set[str]:
    """What the playlists say as EXT-X-TARGETDURATION."""
    texts = [window.playlist(skip=False, gzip=False).decode() for window in (source(playback), audio(playback))]
    return {line for text in texts for line in text.splitlines() if line.startswith("#EXT-X-TARGETDURATION")}


def test_groups_of_pictures_that_become_long_are_cut_and_leave_the_target_duration(tmp_path: Path) -> None:
    live, registry = live_stream(tmp_path)
    became = push_all(live, record(6))
    playback = registry.find("stream")
    assert playback
    assert targets(playback) == {"#EXT-X-TARGETDURATION:4"}
    assert not any(isinstance(each, HealthBecame) for each in became)
    became = push_all(live, shifted(record(14, gop=210), 6_000))
    live.close()
    assert targets(playback) == {"#EXT-X-TARGETDURATION:4"}
    durations = [round(entry.duration_s, 3) for entry in source(playback).entries()]
    assert durations == [2.0, 2.0, 2.0, 4.4, 2.6, 4.4, 2.6]
    assert any(isinstance(each, HealthBecame) and "gopSizeOver" in each.codes for each in became)
    assert decoded(whole(source(playback)), "video") == 20 * 30


def test_groups_of_pictures_as_long_as_the_target_duration_are_not_cut(tmp_path: Path) -> None:
    live, registry = live_stream(tmp_path)
    became = push_all(live, record(9, Fraction(30_000, 1001), gop=120))
    live.close()
    playback = registry.find("stream")
    assert playback
    assert [round(entry.duration_s, 3) for entry in source(playback).entries()[:2]] == [4.004, 4.004]
    assert not any(isinstance(each, HealthBecame) for each in became)


def test_a_frame_that_lasts_too_long_for_its_segment_opens_the_next(tmp_path: Path) -> None:
    """As when the network holds a publisher up for a while: the picture before that stands still."""
    kept = [
        tag
        for tag in record(12, gop=120)
        if tag.kind != "video" or not is_frame(tag) or not 3_000 < tag.timestamp_ms < 5_900
    ]
    playback = publish(tmp_path, kept)
    for window in (source(playback), audio(playback)):
        assert all(entry.duration_s < 4.5 for entry in window.entries())
        assert sum(entry.duration_s for entry in window.entries()) == pytest.approx(12, abs=0.05)
        assert len(window.entries()) == len({entry.number for entry in window.entries()}) > 3
    assert all(part.size for entry in audio(playback).entries() for part in entry.parts)
    gaps = [part.duration_s for entry in source(playback).entries() for part in entry.parts if not part.size]
    assert sum(gaps) == pytest.approx(2.9 - playback.timeline.part_target_s, abs=playback.timeline.part_target_s)
    assert decoded(whole(source(playback)), "video") == sum(tag.kind == "video" and is_frame(tag) for tag in kept)


def test_without_a_keyframe_nothing_is_published_and_the_stream_is_refused(tmp_path: Path) -> None:
    live, registry = live_stream(tmp_path)
    headless = [tag for tag in record() if not is_keyframe(tag)]
    with pytest.raises(RefusedMedia, match="no keyframe") as refused:
        for repeat in range(10):
            push_all(live, shifted(headless, repeat * 6000))
    assert refused.value.code == "no_keyframe"
    playback = registry.find("stream")
    assert playback and not playback.ready


def test_frames_before_any_sequence_header_are_refused_in_the_end(tmp_path: Path) -> None:
    live, _ = live_stream(tmp_path)
    with pytest.raises(RefusedMedia) as refused:
        push_all(live, [MediaTag("audio", 20 * index, b"\xaf\x01\x00\x00") for index in range(1000)])
    assert refused.value.code == "no_media"


@pytest.mark.parametrize("jump_ms", [-4_000, 3_600_000, 0xFFFFFF])
def test_a_jump_of_the_timestamps_is_a_discontinuity(tmp_path: Path, jump_ms: int) -> None:
    live, registry = live_stream(tmp_path)
    tags = record()
    push_all(live, tags)
    push_all(live, shifted([tag for tag in tags if is_frame(tag)], 6_000 + jump_ms), NOW_S - jump_ms / 1000)
    live.close()
    playback = registry.find("stream")
    assert playback
    assert source(playback).playlist(skip=False, gzip=False).count(b"#EXT-X-DISCONTINUITY\n") == 1
    assert len(packets(whole(source(playback), init=1), "video")) == 180
    before, after = (decode_times(whole(source(playback), init), "video") for init in (0, 1))
    assert after[0] >= before[-1] + 3000


def test_a_resumed_stream_goes_on_behind_a_discontinuity_with_a_new_init(tmp_path: Path) -> None:
    live, registry = live_stream(tmp_path)
    push_all(live, record())
    live.interrupt()
    became = push_all(live, record(size=(640, 360)), NOW_S + 15)
    live.close()
    assert not ready_in(became)
    playback = registry.find("stream")
    assert playback
    assert source(playback).init(0) != source(playback).init(1)
    assert b"#EXT-X-DISCONTINUITY\n" in source(playback).playlist(skip=False, gzip=False)
    assert "RESOLUTION=640x360" in playback.multivariant()
    assert decoded(whole(source(playback), init=1), "video") == 180


@pytest.mark.parametrize("until_ms", range(2_900, 3_300, 33))
def test_a_publisher_that_vanishes_leaves_no_segment_open(tmp_path: Path, until_ms: int) -> None:
    live, registry = live_stream(tmp_path)
    push_all(live, [tag for tag in record() if tag.timestamp_ms < until_ms])
    live.interrupt()
    playback = registry.find("stream")
    assert playback
    listed = [window.playlist(skip=False, gzip=False) for window in (source(playback), audio(playback))]
    assert all(b"\nsegment1.m4s\n#EXT-X-PRELOAD-HINT" in text for text in listed)


def test_a_new_sequence_header_gives_a_new_init_and_the_same_one_does_not(tmp_path: Path) -> None:
    live, registry = live_stream(tmp_path)
    push_all(live, record())
    push_all(live, shifted(record(), 6_000))
    push_all(live, shifted(record(size=(640, 360)), 12_000))
    live.close()
    playback = registry.find("stream")
    assert playback
    assert source(playback).init(1) is not None
    assert source(playback).init(2) is None


def test_a_video_that_stops_does_not_let_audio_pile_up(tmp_path: Path) -> None:
    live, registry = live_stream(tmp_path)
    tags = record(20)
    push_all(
        live, [tag for tag in tags if tag.kind != "video" or tag.timestamp_ms < 3_000 or tag.timestamp_ms > 15_000]
    )
    live.close()
    playback = registry.find("stream")
    assert playback
    assert source(playback).playlist(skip=False, gzip=False).count(b"#EXT-X-DISCONTINUITY\n") == 1
    assert len(packets(whole(audio(playback)), "audio")) < 47 * 7


def test_dropped_frames_stretch_the_frame_before_them(tmp_path: Path) -> None:
    kept = [tag for tag in record() if tag.kind != "video" or not is_frame(tag) or not 500 < tag.timestamp_ms < 900]
    playback = publish(tmp_path, kept)
    durations = [packet.duration or 0 for packet in packets(whole(source(playback)), "video")]
    assert max(durations) > 30_000
    assert sum(durations) == pytest.approx(6 * 90_000, abs=90)
    for entry in source(playback).entries():
        assert max(part.duration_s for part in entry.parts) <= playback.timeline.part_target_s + 1e-9
        assert sum(part.duration_s for part in entry.parts) == pytest.approx(entry.duration_s)


def test_each_segment_is_measured(tmp_path: Path) -> None:
    live, _ = live_stream(tmp_path)
    samples = [each.sample for each in push_all(live, record()) if isinstance(each, SegmentClosed)]
    assert [sample.sequence for sample in samples] == [0, 1]
    for sample in samples:
        assert (sample.duration_ms, sample.gop_ms, sample.frame_rate) == (2000, 2000, 30.0)
        assert sample.bitrate_kbps > 50
        assert abs(sample.av_skew_ms) < 50
        assert abs(sample.drift_ms) < 50
        assert sample.dts_gaps == 0


def test_hevc_in_its_enhanced_form_plays(tmp_path: Path) -> None:
    playback = publish(tmp_path, record(video="libx265"))
    assert 'CODECS="hvc1.1.6.L60.90,mp4a.40.2"' in playback.multivariant()
    assert "RESOLUTION=320x180" in playback.multivariant()
    assert decoded(whole(source(playback)), "video") == 180


def test_av1_in_its_enhanced_form_plays(tmp_path: Path) -> None:
    playback = publish(tmp_path, record(video="libsvtav1"))
    assert 'CODECS="av01.0.00M.08,mp4a.40.2"' in playback.multivariant()
    assert "RESOLUTION=320x180" in playback.multivariant()
    data = whole(source(playback))
    assert decoded(data, "video") == 180
    assert all(bytes(packet)[:2] != b"\x12\x00" for packet in packets(data, "video")), "a temporal delimiter"
    assert [packet.is_keyframe for packet in packets(data, "video")][::60] == [True] * 3
