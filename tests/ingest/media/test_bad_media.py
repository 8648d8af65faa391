"""What encoders do to a stream in the middle of it. Real encodes, damaged or put together as happens in the field."""

from __future__ import annotations

import io
from fractions import Fraction
from pathlib import Path

import av
import pytest

from ingest.hls.playback import Playback
from ingest.hls.registry import Registry
from ingest.media.became import Became, HealthBecame, RefusedMedia, SegmentClosed
from ingest.media.flv import VideoConfig, read_video
from ingest.media.inspection import DAMAGED_MAX, NAL_UNITS_MAX
from ingest.media.live import LiveStream
from ingest.media.settings import MediaSettings
from ingest.media.tag import MediaTag
from ingest.rtmp.client import ClientSession
from ingest.rtmp.handshake import RANDOM_SIZE
from ingest.rtmp.session import ServerSession
from tests.ingest.media.footage import (
    NO_DISK,
    audio,
    decode_times,
    decoded,
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
from tests.ingest.media.noise import noise

EIGHT_HOURS_MS = 8 * 3_600_000


def video_frames(tags: tuple[MediaTag, ...] | list[MediaTag]) -> list[MediaTag]:
    return [tag for tag in tags if tag.kind == "video" and is_frame(tag)]


def running(tags: tuple[MediaTag, ...], by_ms: int = 0) -> list[MediaTag]:
    """Without the end of sequence that a file has, later by so much."""
    return shifted([tag for tag in tags if tag.payload[:2] != b"\x17\x02"], by_ms)


def discontinuities(playback: Playback) -> int:
    return source(playback).playlist(skip=False, gzip=False).count(b"#EXT-X-DISCONTINUITY\n")


def taken(
    directory: Path, tags: list[MediaTag], settings: MediaSettings | None = None
) -> tuple[Playback, list[Became]]:
    """The closed playback of one stream, and what it said."""
    registry = Registry(directory, NO_DISK)
    live = LiveStream("stream", "channel", settings or MediaSettings(), registry)
    became = push_all(live, tags)
    live.close()
    playback = registry.find("stream")
    assert playback
    return playback, became


def codes(became: list[Became]) -> set[str]:
    return {code for each in became if isinstance(each, HealthBecame) for code in each.codes}


class TestDamage:
    def cut_short(self, tag: MediaTag) -> MediaTag:
        return tag._replace(payload=tag.payload[: len(tag.payload) * 2 // 3])

    @pytest.mark.parametrize("video", ["libx264", "libx265"])
    def test_a_truncated_nal_unit_costs_its_frame_and_no_other(self, tmp_path: Path, video: str) -> None:
        tags = list(record(video=video))
        hurt = [40, 41, 100]
        for index in hurt:
            damaged = video_frames(tags)[index]
            tags[tags.index(damaged)] = self.cut_short(damaged)
        playback, _ = taken(tmp_path, tags)
        assert discontinuities(playback) == 0
        data = whole(source(playback))
        assert len(packets(data, "video")) == 180 - len(hurt)
        # Decoders may wait for the next keyframe where a frame is missing; here that is at most 40 frames away.
        assert len(pictures(data)) >= 180 - 20 - 20 - len(hurt)

    def test_dropped_frames_count_as_gaps(self, tmp_path: Path) -> None:
        tags = list(record())
        for index in (40, 100):
            damaged = video_frames(tags)[index]
            tags[tags.index(damaged)] = self.cut_short(damaged)
        _, became = taken(tmp_path, tags)
        assert [each.sample.dts_gaps for each in became if isinstance(each, SegmentClosed)][:2] == [1, 1]

    def test_a_damaged_keyframe_is_waited_out(self, tmp_path: Path) -> None:
        tags = list(record())
        first = next(tag for tag in tags if is_keyframe(tag))
        tags[tags.index(first)] = self.cut_short(first)
        playback, _ = taken(tmp_path, tags)
        data = whole(source(playback))
        assert packets(data, "video")[0].is_keyframe
        assert len(packets(data, "video")) == 120

    def test_start_codes_instead_of_lengths_are_refused_in_the_end(self, tmp_path: Path) -> None:
        frames = [
            tag._replace(payload=tag.payload[:5] + b"\x00\x00\x00\x01" + tag.payload[9:])
            for tag in video_frames(record())
        ]
        with pytest.raises(RefusedMedia, match="NAL units") as refused:
            taken(tmp_path, [*[tag for tag in record() if not is_frame(tag)], *frames])
        assert refused.value.code == "damaged_video"
        assert len(frames) > DAMAGED_MAX

    def test_a_frame_of_empty_nal_units_is_damage(self, tmp_path: Path) -> None:
        flood = MediaTag("video", 2000, b"\x27\x01\x00\x00\x00" + bytes(4 * NAL_UNITS_MAX + 4))
        tags = list(record())
        at = next(index for index, tag in enumerate(tags) if tag.timestamp_ms > 2000)
        playback, _ = taken(tmp_path, [*tags[:at], flood, *tags[at:]])
        assert len(packets(whole(source(playback)), "video")) == 180


class TestChangesWithinTheStream:
    def test_another_resolution_with_a_new_header_gives_a_discontinuity_and_an_init(self, tmp_path: Path) -> None:
        small, large = record(4.0), record(4.0, size=(640, 360))
        playback, _ = taken(tmp_path, [*running(small), *running(large, 4000)])
        assert discontinuities(playback) == 1
        assert "RESOLUTION=640x360" in playback.multivariant()
        assert sizes(whole(source(playback), 0)) == {(320, 180)}
        assert sizes(whole(source(playback), 1)) == {(640, 360)}

    @pytest.mark.parametrize("video", ["libx264", "libx265"])
    def test_another_resolution_with_parameter_sets_in_band_alone_does_so_too(self, tmp_path: Path, video: str) -> None:
        small, large = record(4.0, video=video), record(4.0, size=(640, 360), video=video)
        playback, _ = taken(tmp_path, [*running(small), *shifted(in_band(large), 4000)])
        assert discontinuities(playback) == 1
        assert "RESOLUTION=640x360" in playback.multivariant()
        assert decoded(whole(source(playback), 0), "video") == 120
        assert sizes(whole(source(playback), 1)) == {(640, 360)}
        assert decoded(whole(source(playback), 1), "video") == 120

    @pytest.mark.parametrize("video", ["libx264", "libx265"])
    def test_the_same_parameter_sets_in_band_change_nothing(self, tmp_path: Path, video: str) -> None:
        tags = record(4.0, video=video)
        playback, _ = taken(tmp_path, [*[tag for tag in tags if not is_frame(tag)], *in_band(tags)])
        assert discontinuities(playback) == 0
        assert decoded(whole(source(playback)), "video") == 120

    def test_another_codec_gives_a_discontinuity_and_an_init(self, tmp_path: Path) -> None:
        order = ["libx264", "libx265", "libsvtav1", "libx264"]
        tags = [tag for turn, video in enumerate(order) for tag in running(record(4.0, video=video), 4000 * turn)]
        playback, _ = taken(tmp_path, tags)
        assert discontinuities(playback) == 3
        found = [codec_of(whole(source(playback), init)) for init in range(4)]
        assert found == ["h264", "hevc", "av1", "h264"]
        assert all(decoded(whole(source(playback), init), "video") == 120 for init in range(4))

    def test_another_sound_gives_a_discontinuity(self, tmp_path: Path) -> None:
        mono = MediaTag("audio", 4000, b"\xaf\x00\x11\x88")
        playback, _ = taken(tmp_path, [*running(record(4.0)), mono, *running(record(4.0), 4000)[3:]])
        assert discontinuities(playback) >= 1


class TestSoundThatComesAndGoes:
    def test_sound_that_appears_late_joins_at_a_keyframe_and_no_picture_is_lost(self, tmp_path: Path) -> None:
        late = [tag for tag in running(record(10.0)) if tag.kind != "audio" or tag.timestamp_ms > 3_300]
        header = next(tag for tag in record() if tag.kind == "audio" and not is_frame(tag))
        at = next(index for index, tag in enumerate(late) if tag.kind == "audio")
        playback, _ = taken(tmp_path, [*late[:at], header, *late[at:]])
        assert discontinuities(playback) == 1
        before, after = whole(source(playback), 0), whole(source(playback), 1)
        assert len(packets(before, "video")) + len(packets(after, "video")) == 300
        assert len(packets(before, "video")) == 120
        assert heard(playback) > 47 * 5
        assert "mp4a" in playback.multivariant()

    def test_sound_that_vanishes_leaves_the_picture_and_is_said(self, tmp_path: Path) -> None:
        gone = [tag for tag in running(record(12.0)) if tag.kind != "audio" or tag.timestamp_ms < 3_000]
        playback, became = taken(tmp_path, gone)
        assert len(packets(whole(source(playback)), "video")) == 360
        assert "noAudioStream" in codes(became)

    def test_sound_that_comes_back_is_heard_again(self, tmp_path: Path) -> None:
        away = [tag for tag in running(record(16.0)) if tag.kind != "audio" or not 3_000 < tag.timestamp_ms < 9_000]
        playback, _ = taken(tmp_path, away)
        assert discontinuities(playback) <= 1
        assert heard(playback) > 47 * 7


class TestTimestamps:
    def via_rtmp(self, tags: list[MediaTag]) -> list[MediaTag]:
        """As the server has them after a real client wrote them to the wire."""
        client = ClientSession("live", "k", "rtmp://example.test/live", bytes(RANDOM_SIZE))
        server = ServerSession("live", bytes(RANDOM_SIZE))
        while sent := client.data_to_send():
            server.receive_data(sent)
            client.receive_data(server.data_to_send())
        server.accept_publish()
        arrived = []
        for tag in tags:
            client.send_media(tag)
            arrived += [event for event in server.receive_data(client.data_to_send()) if isinstance(event, MediaTag)]
        return arrived

    @pytest.mark.parametrize(
        "start_ms",
        [EIGHT_HOURS_MS, 0xFFFFFF - 3_000, 0xFFFFFFFF - 3_000, 0x7FFFFFFF - 3_000],
        ids=["8 h", "over 24 bits", "over 32 bits", "over 31 bits"],
    )
    def test_media_runs_on_over_every_boundary(self, tmp_path: Path, start_ms: int) -> None:
        arrived = self.via_rtmp(shifted(running(record(6.0)), start_ms))
        playback = publish(tmp_path, shifted(arrived, -start_ms))  # the wall clock of the test starts at 0
        data = whole(source(playback))
        assert discontinuities(playback) == 0
        assert len(packets(data, "video")) == 180
        assert decode_times(data, "video") == [3000 * index for index in range(180)]
        assert decoded(data, "video") == 180

    def test_a_publisher_that_starts_at_8_hours_is_played_from_the_start(self, tmp_path: Path) -> None:
        playback = publish(tmp_path, shifted(running(record(6.0)), EIGHT_HOURS_MS))
        assert decode_times(whole(source(playback)), "video")[0] == 0
        assert discontinuities(playback) == 0


class TestRates:
    def test_one_frame_a_second(self, tmp_path: Path) -> None:
        playback, became = taken(tmp_path, running(record(20.0, Fraction(1), 2, size=(64, 48))))
        data = whole(source(playback))
        assert len(packets(data, "video")) == 20
        assert decoded(data, "video") == 20
        assert playback.timeline.part_target_s == pytest.approx(1.0)
        assert "timestampGaps" not in codes(became)

    def test_a_hundred_and_twenty_frames_a_second(self, tmp_path: Path) -> None:
        playback, became = taken(tmp_path, running(record(6.0, Fraction(120), 240, size=(64, 48))))
        data = whole(source(playback))
        assert len(packets(data, "video")) == 720
        assert {packet.duration for packet in packets(data, "video")} == {750}
        assert "FRAME-RATE=120.000" in playback.multivariant()
        assert "timestampGaps" not in codes(became)
        assert "frameRateMismatch" not in codes(became)

    def test_a_gop_of_30_seconds_is_cut_and_plays_whole(self, tmp_path: Path) -> None:
        playback, became = taken(tmp_path, running(record(64.0, Fraction(10), 300, size=(64, 48))))
        data = whole(source(playback))
        assert len(packets(data, "video")) == 640
        assert decoded(data, "video") == 640
        assert discontinuities(playback) == 0
        assert all(round(entry.duration_s) <= playback.timeline.target_s for entry in source(playback).entries())
        assert {"gopSizeLong", "gopSizeOver"} & codes(became)

    def test_50_megabits_a_second(self, tmp_path: Path) -> None:
        rate = sum(len(tag.payload) for tag in noise()) * 8 / 3
        assert 50e6 < rate < 60e6
        playback, became = taken(tmp_path, list(noise()))
        assert decoded(whole(source(playback)), "video") == 90
        samples = [each.sample for each in became if isinstance(each, SegmentClosed)]
        assert samples[0].bitrate_kbps > 50_000

    def test_far_over_64_megabits_a_second_is_refused_by_name(self, tmp_path: Path) -> None:
        hasty = [tag._replace(timestamp_ms=tag.timestamp_ms // 4) for tag in noise()]
        later = [tag for turn in range(1, 6) for tag in shifted(hasty, 750 * turn) if is_frame(tag)]
        with pytest.raises(RefusedMedia) as refused:
            taken(tmp_path, [*hasty, *later])
        assert refused.value.code == "bitrate_too_high"


def heard(playback: Playback) -> int:
    """Frames of sound in all segments that are no gap."""
    window, count = audio(playback), 0
    for init in range(2):
        found = [window.segment(entry.number) for entry in window.entries() if entry.init == init]
        there = [media_bytes(segment) for segment in found if segment is not None]
        count += len(packets(b"".join([window.init(init) or b"", *there]), "audio")) if there else 0
    return count


def pictures(data: bytes) -> list[tuple[int, int]]:
    """The sizes of the pictures that come out of a decoder that conceals what it lacks, as players' do."""
    with av.open(io.BytesIO(data), "r") as container:
        return [(frame.width, frame.height) for frame in container.decode(video=0)]


def sizes(data: bytes) -> set[tuple[int, int]]:
    return set(pictures(data))


def codec_of(data: bytes) -> str:
    with av.open(io.BytesIO(data), "r") as container:
        return str(container.streams.video[0].codec_context.codec.canonical_name)


def in_band(tags: tuple[MediaTag, ...]) -> list[MediaTag]:
    """The frames, each keyframe with the parameter sets in front, and no sequence header for the video."""
    config = next(
        unit for tag in tags if tag.kind == "video" and isinstance(unit := read_video(tag.payload), VideoConfig)
    )
    sets = parameter_sets(config)
    out = []
    for tag in tags:
        if is_frame(tag) and is_keyframe(tag):
            at = len(tag.payload) - len(read_video(tag.payload).data)  # type: ignore[union-attr]
            out.append(tag._replace(payload=tag.payload[:at] + sets + tag.payload[at:]))
        elif is_frame(tag):
            out.append(tag)
    return out


def parameter_sets(config: VideoConfig) -> bytes:
    """The record's NAL units with lengths of four bytes."""
    record_, units = config.record, []
    if config.codec == "avc1":
        at = 6
        for _ in range(2):
            size = int.from_bytes(record_[at : at + 2], "big")
            units.append(record_[at + 2 : at + 2 + size])
            at += 2 + size + 1
    else:
        at = 23
        for _ in range(record_[22]):
            size = int.from_bytes(record_[at + 3 : at + 5], "big")
            units.append(record_[at + 5 : at + 5 + size])
            at += 5 + size
    return b"".join(len(unit).to_bytes(4, "big") + unit for unit in units)
