"""What a stranger may send: nothing grows without a bound, and nothing but RefusedMedia comes out."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ingest.hls.registry import Registry
from ingest.media.became import RefusedMedia
from ingest.media.live import LiveStream
from ingest.media.settings import MediaSettings
from ingest.media.tag import MediaTag
from tests.ingest.media.footage import NOW_S, is_frame, is_keyframe, push_all, record, source

HEADERS = [tag for tag in record(audio=False) if not is_frame(tag) and tag.payload[1:2] != b"\x02"]
KEYFRAME = next(tag for tag in record(audio=False) if is_keyframe(tag))


def live_stream(directory: Path, limits: MediaSettings | None = None) -> LiveStream:
    return LiveStream("stream", "channel", limits or MediaSettings(), Registry(directory))


def test_more_bytes_a_second_than_allowed_are_refused(tmp_path: Path) -> None:
    live = live_stream(tmp_path, MediaSettings(rate_max=100_000))
    with pytest.raises(RefusedMedia) as refused:
        push_all(live, [tag._replace(payload=tag.payload + bytes(20_000 * is_frame(tag))) for tag in record()])
    assert refused.value.code == "bitrate_too_high"


def padded(tags: Iterable[MediaTag], size: int, which: Callable[[MediaTag], bool]) -> list[MediaTag]:
    """With so many bytes of filler (NAL unit type 12) in these pictures."""
    filler = (size + 1).to_bytes(4, "big") + b"\x0c" + bytes(size)
    return [tag._replace(payload=tag.payload + filler * which(tag)) for tag in tags]


def test_a_little_more_than_allowed_is_refused_after_a_while(tmp_path: Path) -> None:
    """Each segment by itself is within twice the rate, which is what a burst may be."""
    registry = Registry(tmp_path)
    live = LiveStream("stream", "channel", MediaSettings(rate_max=500_000), registry)
    tags = padded(record(20), 20_000, lambda tag: tag.kind == "video" and is_frame(tag))
    with pytest.raises(RefusedMedia, match="at most 4 Mbit/s") as refused:
        push_all(live, tags)
    assert refused.value.code == "bitrate_too_high"
    playback = registry.find("stream")
    assert playback
    assert source(playback).entries()[-1].number >= 2, "not at once"


def test_bursts_are_taken_when_the_rate_is_not_over_the_limit(tmp_path: Path) -> None:
    live = live_stream(tmp_path, MediaSettings(rate_max=500_000))
    push_all(live, padded(record(20), 700_000, is_keyframe))


def test_a_flood_whose_time_stands_still_is_refused(tmp_path: Path) -> None:
    live = live_stream(tmp_path)
    push_all(live, HEADERS)
    flood = MediaTag("video", 0, b"\x17\x01\x00\x00\x00" + b"\x00\x00\x00\x01x")
    with pytest.raises(RefusedMedia) as refused:
        for _ in range(100_000):
            live.push(flood, NOW_S)
    assert refused.value.code == "bitrate_too_high"


def test_a_flood_of_audio_that_waits_for_its_video_is_refused(tmp_path: Path) -> None:
    live = live_stream(tmp_path)
    push_all(live, [tag for tag in record() if tag.timestamp_ms < 100])
    with pytest.raises(RefusedMedia) as refused:
        for _ in range(100_000):
            live.push(MediaTag("audio", 100, b"\xaf\x01xxxx"), NOW_S)
    assert refused.value.code == "bitrate_too_high"


def test_timestamps_that_jump_all_the_time_are_refused(tmp_path: Path) -> None:
    live = live_stream(tmp_path)
    push_all(live, HEADERS)
    with pytest.raises(RefusedMedia) as refused:
        for index in range(1000):
            live.push(KEYFRAME._replace(timestamp_ms=index // 10 * 100_000 + index * 33), NOW_S + index * 0.033)
    assert refused.value.code == "unstable_media"


def test_a_damaged_sequence_header_is_refused_with_its_reason(tmp_path: Path) -> None:
    with pytest.raises(RefusedMedia, match="sequence parameter set") as refused:
        live_stream(tmp_path).push(
            MediaTag("video", 0, b"\x17\x00\x00\x00\x00\x01\x64\x00\x1f\xff\xe1\x00\x00\x00"), NOW_S
        )
    assert refused.value.code == "bad_sequence_header"


def test_closing_twice_or_without_media_does_no_harm(tmp_path: Path) -> None:
    live = live_stream(tmp_path)
    live.interrupt()
    live.close()
    live.close()


payloads = st.one_of(
    st.binary(max_size=12),
    st.binary(max_size=8).map(lambda rest: b"\x17\x01\x00\x00\x00" + rest),
    st.binary(max_size=8).map(lambda rest: b"\x27\x01\x00\x00\x10" + rest),
    st.binary(max_size=8).map(lambda rest: b"\xaf\x01" + rest),
    st.sampled_from([tag.payload for tag in record() if not is_frame(tag)]),
)
times = st.one_of(st.integers(0, 500), st.integers(-10_000, 0x1FFFFFFFF))
tags = st.builds(MediaTag, st.sampled_from(["audio", "video", "data"]), times, payloads)


@settings(max_examples=150, deadline=None)
@given(st.lists(st.tuples(tags, st.sampled_from(["push", "push", "push", "interrupt"])), max_size=60), st.booleans())
def test_any_tags_at_any_times_are_taken_or_refused(script: list[tuple[MediaTag, str]], headers_first: bool) -> None:
    with TemporaryDirectory() as directory:
        live = live_stream(Path(directory))
        now_s = NOW_S
        try:
            if headers_first:
                push_all(live, [tag for tag in record() if not is_frame(tag)])
            for tag, what in script:
                now_s += 0.02
                if what == "interrupt":
                    live.interrupt()
                live.push(tag, now_s)
        except RefusedMedia as refused:
            assert refused.code
        live.close()
