"""Playlists say what RFC 8216bis asks of a low-latency stream."""

from __future__ import annotations

import re
import zlib
from dataclasses import replace

from hypothesis import given, settings
from hypothesis import strategies as st

from ingest.hls.entries import PartEntry, Rendition, SegmentEntry
from ingest.hls.multivariant import Measured, multivariant_playlist
from ingest.hls.playlist import MediaState, media_playlist
from ingest.hls.rendered import Rendered

GOLDEN = """\
#EXTM3U
#EXT-X-VERSION:9
#EXT-X-TARGETDURATION:4
#EXT-X-SERVER-CONTROL:CAN-BLOCK-RELOAD=YES,PART-HOLD-BACK=0.60000,CAN-SKIP-UNTIL=24.0
#EXT-X-PART-INF:PART-TARGET=0.20000
#EXT-X-MEDIA-SEQUENCE:7
#EXT-X-DISCONTINUITY-SEQUENCE:0
#EXT-X-MAP:URI="init0.mp4"
#EXT-X-PROGRAM-DATE-TIME:2026-11-25T12:00:00.000Z
#EXT-X-PART:DURATION=0.20000,URI="part7.0.m4s",INDEPENDENT=YES
#EXT-X-PART:DURATION=0.20000,URI="part7.1.m4s"
#EXTINF:0.40000,
segment7.m4s
#EXT-X-DISCONTINUITY
#EXT-X-MAP:URI="init1.mp4"
#EXT-X-PROGRAM-DATE-TIME:2026-11-25T12:00:00.400Z
#EXT-X-PART:DURATION=0.20000,URI="part8.0.m4s",INDEPENDENT=YES
#EXT-X-PRELOAD-HINT:TYPE=PART,URI="part8.1.m4s"
"""
NOON_S = 1_795_608_000.0


def segment(
    number: int, parts: int = 10, init: int = 0, discontinuity: bool = False, gap: bool = False
) -> SegmentEntry:
    listed = tuple(PartEntry(0.2, index == 0, index * 1000, 0 if gap else 1000) for index in range(parts))
    return SegmentEntry(
        number=number,
        init=init,
        new_init=discontinuity,
        discontinuities=init,
        discontinuity=discontinuity,
        starts_at_s=NOON_S + (number - 7) * 0.4,
        media_s=0.0,
        duration_s=parts * 0.2,
        size=parts * 1000,
        parts=listed,
        gap=gap,
    )


def state(closed: list[SegmentEntry], open_: SegmentEntry | None = None, ended: bool = False) -> MediaState:
    following = closed[-1].number + 1 if closed else 0
    return MediaState(target_s=4, part_target_s=0.2, closed=closed, open=open_, next_number=following, ended=ended)


def test_a_media_playlist_word_for_word() -> None:
    assert media_playlist(state([segment(7, 2)], segment(8, 1, init=1, discontinuity=True))) == GOLDEN


def test_parts_are_listed_only_near_the_live_edge() -> None:
    text = media_playlist(state([segment(number) for number in range(20)]))
    with_parts = {int(number) for number in re.findall(r'URI="part(\d+)\.0', text)}
    assert with_parts == {13, 14, 15, 16, 17, 18, 19, 20}  # their ends are 3 x 4 s from the edge at most; and the hint


def test_parts_stay_until_their_segments_end_is_too_far_from_the_edge() -> None:
    """The edge is where the open segment's parts end."""
    closed = [segment(number) for number in range(20)]
    with_parts = [
        min(
            int(number)
            for number in re.findall(r'URI="part(\d+)\.0', media_playlist(state(closed, segment(20, parts))))
        )
        for parts in (1, 5, 10)
    ]
    assert with_parts == [14, 14, 14]


def test_a_delta_update_skips_what_lies_beyond_the_boundary() -> None:
    closed = [segment(number) for number in range(20)]
    text = media_playlist(state(closed), skip=True)
    assert "#EXT-X-SKIP:SKIPPED-SEGMENTS=9\n" in text
    assert "#EXT-X-MEDIA-SEQUENCE:0\n" in text
    assert "segment8.m4s" not in text
    assert "segment9.m4s" in text


@given(st.lists(st.integers(1, 22), min_size=1, max_size=40), st.integers(0, 22))
def test_no_skipped_segment_begins_nearer_to_the_last_whole_ones_end_than_the_boundary(
    shape: list[int], opened: int
) -> None:
    """And none that ends further than that from it stays."""
    closed = [segment(number, parts) for number, parts in enumerate(shape)]
    open_ = segment(len(closed), opened) if opened else None
    found = re.search(r"SKIPPED-SEGMENTS=(\d+)", media_playlist(state(closed, open_), skip=True))
    skipped = int(found[1]) if found else 0
    assert not skipped or sum(shape[skipped - 1 :]) * 0.2 > 24 - 0.001
    assert sum(shape[skipped + 1 :]) * 0.2 < 24 + 0.001


def test_a_delta_update_with_nothing_to_skip_is_the_whole_playlist() -> None:
    closed = [segment(number) for number in range(5)]
    assert media_playlist(state(closed), skip=True) == media_playlist(state(closed))


def test_an_ended_playlist_has_no_parts_and_no_hint() -> None:
    text = media_playlist(state([segment(1), segment(2)], ended=True))
    assert text.endswith("segment2.m4s\n#EXT-X-ENDLIST\n")
    assert "EXT-X-PART:" not in text
    assert "PRELOAD" not in text


def test_discontinuities_that_left_the_playlist_are_counted() -> None:
    assert "#EXT-X-DISCONTINUITY-SEQUENCE:3\n" in media_playlist(state([segment(9, init=3)]))
    assert "#EXT-X-DISCONTINUITY-SEQUENCE:2\n" in media_playlist(state([segment(9, init=3, discontinuity=True)]))


def test_between_segments_the_hint_is_the_next_ones_first_part() -> None:
    assert 'PRELOAD-HINT:TYPE=PART,URI="part8.0.m4s"' in media_playlist(state([segment(7)]))


def test_a_gap_and_its_parts_are_said_to_be_missing() -> None:
    text = media_playlist(state([segment(7, 1), segment(8, 1, gap=True)]))
    assert 'URI="part8.0.m4s",INDEPENDENT=YES,GAP=YES\n#EXT-X-GAP\n#EXTINF:0.20000,\nsegment8.m4s' in text
    assert text.count("GAP") == 2


def test_a_change_of_the_init_segment_is_no_discontinuity() -> None:
    changed = replace(segment(8, init=1), new_init=True, discontinuities=0)
    lines = media_playlist(state([segment(7), changed])).splitlines()
    assert '#EXT-X-MAP:URI="init1.mp4"' in lines
    assert "#EXT-X-DISCONTINUITY" not in lines


def test_the_other_renditions_are_reported_behind_the_hint() -> None:
    report = '#EXT-X-RENDITION-REPORT:URI="../audio/media.m3u8",LAST-MSN=7,LAST-PART=9\n'
    text = media_playlist(replace(state([segment(7)]), reports=report))
    assert text.endswith(f'URI="part8.0.m4s"\n{report}')
    assert "REPORT" not in media_playlist(replace(state([segment(7)], ended=True), reports=report))


SOURCE = Measured(Rendition("source", "avc1.64001f", 1280, 720, 30_000 / 1001), 2_000_000.2, 1_500_000)
RUNG = Measured(Rendition("360p", "avc1.4d401e", 640, 360, 30_000 / 1001), 700_000, 600_000)
AUDIO = Measured(Rendition("audio", "mp4a.40.2", channels=2), 130_000, 128_000)


def test_the_multivariant_playlist_word_for_word() -> None:
    assert multivariant_playlist([SOURCE, RUNG], AUDIO, independent=True) == (
        "#EXTM3U\n#EXT-X-VERSION:9\n#EXT-X-INDEPENDENT-SEGMENTS\n"
        '#EXT-X-MEDIA:TYPE=AUDIO,GROUP-ID="audio",NAME="Audio",LANGUAGE="und",DEFAULT=YES,AUTOSELECT=YES,'
        'CHANNELS="2",URI="audio/media.m3u8"\n'
        '#EXT-X-STREAM-INF:BANDWIDTH=2130001,AVERAGE-BANDWIDTH=1628000,CODECS="avc1.64001f,mp4a.40.2",'
        'RESOLUTION=1280x720,FRAME-RATE=29.970,AUDIO="audio"\nsource/media.m3u8\n'
        '#EXT-X-STREAM-INF:BANDWIDTH=830000,AVERAGE-BANDWIDTH=728000,CODECS="avc1.4d401e,mp4a.40.2",'
        'RESOLUTION=640x360,FRAME-RATE=29.970,AUDIO="audio"\n360p/media.m3u8\n'
        '#EXT-X-STREAM-INF:BANDWIDTH=130000,AVERAGE-BANDWIDTH=128000,CODECS="mp4a.40.2",AUDIO="audio"\n'
        "audio/media.m3u8\n"
    )


def test_without_sound_or_keyframes_the_multivariant_playlist_says_neither() -> None:
    text = multivariant_playlist([SOURCE], None, independent=False)
    assert "AUDIO" not in text
    assert "INDEPENDENT" not in text
    assert 'CODECS="avc1.64001f",' in text


LINE = re.compile(
    r"""\#EXTM3U|\#EXT-X-(
        (VERSION|TARGETDURATION|MEDIA-SEQUENCE|DISCONTINUITY-SEQUENCE):\d+
        |SERVER-CONTROL:CAN-BLOCK-RELOAD=YES,PART-HOLD-BACK=\d+\.\d+,CAN-SKIP-UNTIL=\d+\.\d+
        |PART-INF:PART-TARGET=\d+\.\d+
        |SKIP:SKIPPED-SEGMENTS=[1-9]\d*
        |MAP:URI="init\d+\.mp4"
        |PROGRAM-DATE-TIME:\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z
        |PART:DURATION=\d+\.\d+,URI="part\d+\.\d+\.m4s"(,INDEPENDENT=YES)?
        |PRELOAD-HINT:TYPE=PART,URI="part\d+\.\d+\.m4s"
        |DISCONTINUITY|ENDLIST)
        |\#EXTINF:\d+\.\d+,|segment\d+\.m4s""",
    re.VERBOSE,
)


@given(st.lists(st.tuples(st.integers(1, 12), st.booleans()), max_size=40), st.booleans(), st.booleans(), st.booleans())
def test_every_playlist_is_well_formed(shape: list[tuple[int, bool]], opened: bool, skip: bool, ended: bool) -> None:
    init, segments = 0, []
    for number, (parts, discontinuity) in enumerate(shape):
        init += discontinuity
        segments.append(segment(number, parts, init, discontinuity))
    last = segments.pop() if opened and segments and not ended else None
    lines = media_playlist(state(segments, last, ended), skip).splitlines()
    assert all(LINE.fullmatch(line) for line in lines)
    listed = [int(line[7:-4]) for line in lines if line.startswith("segment")]
    skipped = sum(int(line.rpartition("=")[2]) for line in lines if line.startswith("#EXT-X-SKIP"))
    assert listed == [entry.number for entry in segments[skipped:]]
    if listed:
        first_segment = next(index for index, line in enumerate(lines) if line.startswith("#EXTINF"))
        assert any(line.startswith("#EXT-X-MAP") for line in lines[:first_segment])


@settings(deadline=None)
@given(st.lists(st.integers(1, 30), max_size=60), st.integers(0, 9), st.booleans())
def test_what_is_kept_of_a_rendering_never_shows(shape: list[int], opened: int, skip: bool) -> None:
    rendered, closed = Rendered(), []
    for number, parts in enumerate(shape):
        closed.append(segment(number, parts))
        listed = state(closed[-40:], segment(number + 1, opened) if opened else None)
        rendered.change()
        plain = rendered.render(listed, skip, gzip=False)
        assert plain.decode() == media_playlist(listed, skip)
        assert zlib.decompress(rendered.render(listed, skip, gzip=True), 31) == plain
