"""Reading playlists: what is said is kept, what is wrong is named with its line, and nothing else is ever raised."""

from __future__ import annotations

from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ingest.hls.check.attributes import PlaylistError, read_attributes
from ingest.hls.check.parser import LINE_MAX, LINES_MAX, SIZE_MAX, parse
from ingest.hls.check.playlist import ByteRange, Map, MediaPlaylist, MultivariantPlaylist, Part, Position, Segment, Tag
from tests.ingest.hls.check.good import MULTIVARIANT, NAMES, render

HEAD = "#EXTM3U\n#EXT-X-TARGETDURATION:4\n"


def media(text: str) -> MediaPlaylist:
    playlist = parse(text.encode())
    assert isinstance(playlist, MediaPlaylist)
    return playlist


def test_a_media_playlist_is_read_whole() -> None:
    playlist = media(
        "#EXTM3U\n#EXT-X-VERSION:9\n#EXT-X-TARGETDURATION:4\n#EXT-X-MEDIA-SEQUENCE:7\n"
        "#EXT-X-DISCONTINUITY-SEQUENCE:2\n#EXT-X-PART-INF:PART-TARGET=0.5\n"
        '#EXT-X-SERVER-CONTROL:CAN-BLOCK-RELOAD=YES,PART-HOLD-BACK=1.5\n#EXT-X-MAP:URI="i.mp4"\n'
        '#EXTINF:4,title, with a comma\na.m4s\n#EXT-X-DISCONTINUITY\n#EXT-X-MAP:URI="j.mp4",BYTERANGE="9@1"\n'
        "#EXT-X-PROGRAM-DATE-TIME:1970-01-01T00:01:40.5+00:00\n#EXT-X-GAP\n#EXTINF:3.5,\nb.m4s\n"
        '#EXT-X-PART:DURATION=0.5,URI="c0",INDEPENDENT=YES\n#EXT-X-PART:DURATION=0.5,URI="c1",GAP=YES\n'
        '#EXT-X-PRELOAD-HINT:TYPE=PART,URI="c2"\n#EXT-X-RENDITION-REPORT:URI="../x",LAST-MSN=9,LAST-PART=1\n'
    )
    inherited = Map("j.mp4", ByteRange(9, 1))
    parts = (Part(0, "c0", 0.5, independent=True), Part(0, "c1", 0.5, gap=True))
    assert playlist.segments == (
        Segment(0, 7, "a.m4s", 4.0, 2, Map("i.mp4")),
        Segment(0, 8, "b.m4s", 3.5, 3, inherited, discontinuity=True, date_time_s=100.5, gap=True),
    )
    assert playlist.open == Segment(0, 9, "", 1.0, 3, inherited, parts)
    assert (playlist.last, playlist.next) == (Position(9, 1), Position(9, 2))
    assert playlist.control is not None
    assert (playlist.control.block_reload, playlist.control.part_hold_back_s) == (True, 1.5)
    assert (playlist.hints[0].uri, playlist.reports[0].last_segment, playlist.reports[0].last_part) == ("c2", 9, 1)


def test_a_multivariant_playlist_is_read_whole() -> None:
    playlist = parse(MULTIVARIANT.format(both=2000, sound=100).encode())
    assert isinstance(playlist, MultivariantPlaylist)
    first = playlist.variants[0]
    assert (first.uri, first.bandwidth, first.average_bandwidth) == (NAMES[0], 2000, 2000)
    assert (first.codecs, first.resolution) == (("avc1.64001f", "mp4a.40.2"), (1280, 720))
    assert (first.frame_rate, first.audio, playlist.media[0].uri) == (25.0, "aac", "audio/media.m3u8")
    assert playlist.independent_segments


def test_unknown_tags_and_comments_do_no_harm_and_unknown_tags_are_kept() -> None:
    playlist = media(f"{HEAD}#EXT-X-TOMORROW:A=1\n# a comment\n\n#EXTINF:4,\na\n")
    assert playlist.unknown == (Tag(3, "#EXT-X-TOMORROW:A=1"),)
    assert len(playlist.segments) == 1


def test_byte_ranges_go_on_where_the_one_before_ended() -> None:
    playlist = media(
        f"{HEAD}#EXT-X-BYTERANGE:10@5\n#EXTINF:4,\na\n#EXT-X-BYTERANGE:20\n#EXTINF:4,\na\n"
        '#EXT-X-PART:DURATION=1,URI="a",BYTERANGE="3@35"\n#EXT-X-PART:DURATION=1,URI="a",BYTERANGE="4"\n'
    )
    assert [segment.byte_range for segment in playlist.segments] == [ByteRange(10, 5), ByteRange(20, 15)]
    assert playlist.open is not None
    assert [part.byte_range for part in playlist.open.parts] == [ByteRange(3, 35), ByteRange(4, 38)]


def test_a_delta_update_counts_what_it_skips() -> None:
    playlist = media(f"{HEAD}#EXT-X-MEDIA-SEQUENCE:3\n#EXT-X-SKIP:SKIPPED-SEGMENTS=10\n#EXTINF:4,\na\n")
    assert (playlist.skipped, playlist.segments[0].number, playlist.next.segment) == (10, 13, 14)


@pytest.mark.parametrize(
    ("text", "line", "reason"),
    [
        ("", 1, "#EXTM3U"),
        ("#EXTM3U8\n", 1, "#EXTM3U"),
        ("\ufeff#EXTM3U\n", 1, "byte order mark"),
        ("#EXTM3U\n", 2, "neither"),
        ("#EXTM3U\n#EXT-X-VERSION:1\n#EXT-X-VERSION:1\n", 3, "twice"),
        ("#EXTM3U\n#EXT-X-VERSION:x\n", 2, "decimal integer"),
        ("#EXTM3U\n#EXTINF:4,\na\n", 4, "lacks EXT-X-TARGETDURATION"),
        (f"{HEAD}#EXT-X-TARGETDURATION:4\n", 3, "twice"),
        ("#EXTM3U\n#EXT-X-TARGETDURATION:0\n", 2, "at least 1"),
        ("#EXTM3U\n#EXT-X-TARGETDURATION:4.5\n", 2, "decimal integer"),
        (f"{HEAD}a.m4s\n", 3, "no EXTINF"),
        (f"{HEAD}#EXTINF:4,\nhttp://[bad\n", 4, "no URI"),
        (f"{HEAD}#EXTINF:4,\na b\n", 4, "no URI"),
        (f"{HEAD}#EXTINF:4,\n", 4, "no URI"),
        (f"{HEAD}#EXTINF:4,\n#EXTINF:4,\na\n", 4, "two EXTINF"),
        (f"{HEAD}#EXTINF:-4,\na\n", 3, "decimal number"),
        (f"{HEAD}#EXTINF:1e3,\na\n", 3, "decimal number"),
        (f"{HEAD}#EXTINF:inf,\na\n", 3, "decimal number"),
        (f"{HEAD}#EXTINF:4,\na\n#EXT-X-MEDIA-SEQUENCE:3\n", 5, "before the first segment"),
        (f"{HEAD}#EXT-X-MEDIA-SEQUENCE:99999999999999999999\n", 3, "decimal integer"),
        (f"{HEAD}#EXT-X-BYTERANGE:10\n#EXTINF:4,\na\n", 5, "without an offset"),
        (f"{HEAD}#EXT-X-MAP:URI=i.mp4\n", 3, "a quoted string"),
        (f"{HEAD}#EXT-X-MAP:BYTERANGE=\"1@1\"\n", 3, "lacks URI"),
        (f"{HEAD}#EXT-X-PART:URI=\"a\"\n", 3, "lacks DURATION"),
        (f"{HEAD}#EXT-X-PART:DURATION=1,URI=\"a\",GAP=\"YES\"\n", 3, "without quotes"),
        (f"{HEAD}#EXT-X-PART:DURATION=1,URI=\"a\",GAP=MAYBE\n", 3, "YES or NO"),
        (f"{HEAD}#EXT-X-PART:DURATION=1,DURATION=1,URI=\"a\"\n", 3, "twice"),
        (f"{HEAD}#EXT-X-PART-INF:PART-TARGET=0\n", 3, "above zero"),
        (f"{HEAD}#EXT-X-SERVER-CONTROL:\n", 3, "attribute"),
        (f"{HEAD}#EXT-X-SERVER-CONTROL:CAN-BLOCK-RELOAD=YES,\n", 3, "ends where"),
        (f"{HEAD}#EXT-X-SERVER-CONTROL:can-block=YES\n", 3, "attribute list"),
        (f"{HEAD}#EXT-X-SKIP:X=1\n", 3, "lacks SKIPPED-SEGMENTS"),
        (f"{HEAD}#EXT-X-PROGRAM-DATE-TIME:yesterday\n", 3, "no date"),
        (f"{HEAD}#EXT-X-PLAYLIST-TYPE:LIVE\n", 3, "EVENT or VOD"),
        (f"{HEAD}#EXT-X-ENDLIST:1\n", 3, "no value"),
        (f"{HEAD}#EXT-X-KEY:URI=\"k\"\n", 3, "lacks METHOD"),
        (f"{HEAD}#EXTINF:4,\x00\na\n", 3, "control characters"),
        (f"{HEAD}#EXT-X-STREAM-INF:BANDWIDTH=1\nb\n", 5, "stand in one"),
        ("#EXTM3U\n#EXT-X-STREAM-INF:BANDWIDTH=1\n#EXT-X-VERSION:1\n", 3, "followed by its URI"),
        ("#EXTM3U\n#EXT-X-STREAM-INF:BANDWIDTH=1\n", 3, "no URI"),
        ("#EXTM3U\n#EXT-X-STREAM-INF:CODECS=\"a\"\nb\n", 2, "lacks BANDWIDTH"),
        ("#EXTM3U\n#EXT-X-STREAM-INF:BANDWIDTH=1,RESOLUTION=1x\nb\n", 2, "a resolution"),
        ("#EXTM3U\n#EXT-X-MEDIA:TYPE=TEXT,GROUP-ID=\"a\",NAME=\"a\"\n", 2, "TYPE is one of"),
        ("#EXTM3U\n#EXT-X-MEDIA:TYPE=SUBTITLES,GROUP-ID=\"a\",NAME=\"a\"\n", 2, "lacks URI"),
        ("#EXTM3U\n#EXT-X-MEDIA:TYPE=AUDIO,GROUP-ID=\"a\",NAME=\"a\"\n", 3, "no EXT-X-STREAM-INF"),
    ],
)  # fmt: skip
def test_what_is_wrong_is_named_with_its_line(text: str, line: int, reason: str) -> None:
    with pytest.raises(PlaylistError, match=reason) as raised:
        parse(text.encode())
    assert raised.value.line == line


@pytest.mark.parametrize(
    "data",
    [b"#EXTM3U\n\xff\n", b"#EXTM3U\n" + b"\n" * LINES_MAX, b"#EXTM3U\n#" + b"x" * LINE_MAX, b"#" * (SIZE_MAX + 1)],
    ids=["not UTF-8", "too many lines", "a line too long", "too many bytes"],
)
def test_limits_are_kept(data: bytes) -> None:
    with pytest.raises(PlaylistError):
        parse(data)


@given(st.binary(max_size=300))
def test_noise_raises_nothing_else(data: bytes) -> None:
    for each in (data, b"#EXTM3U\n" + data):
        with suppress(PlaylistError):
            parse(each)


TAGS = [
    "#EXTM3U", "#EXT-X-VERSION:", "#EXT-X-TARGETDURATION:", "#EXT-X-MEDIA-SEQUENCE:", "#EXT-X-ENDLIST", "#EXTINF:",
    "#EXT-X-BYTERANGE:", "#EXT-X-DISCONTINUITY", "#EXT-X-KEY:", "#EXT-X-MAP:", "#EXT-X-PROGRAM-DATE-TIME:",
    "#EXT-X-GAP", "#EXT-X-BITRATE:", "#EXT-X-PART:", "#EXT-X-PART-INF:", "#EXT-X-SERVER-CONTROL:", "#EXT-X-SKIP:",
    "#EXT-X-PRELOAD-HINT:", "#EXT-X-RENDITION-REPORT:", "#EXT-X-DATERANGE:", "#EXT-X-MEDIA:", "#EXT-X-STREAM-INF:", "",
]  # fmt: skip
VALUES = st.sampled_from(
    ["", "1", "0", "-1", "1.5", "1@2", "10,", "9" * 30, "2026-02-31T00:00:00Z", "0001-01-01T00:00:00+23:59", "٣",
     'URI="a",DURATION=1', 'URI="a",TYPE=PART', "BANDWIDTH=1", 'TYPE=AUDIO,GROUP-ID="a",NAME="b"', "PART-TARGET=.",
     "SKIPPED-SEGMENTS=5", 'URI="a",BYTERANGE="1"', "METHOD=NONE", '"', "A=,", 'ID="x"', "LAST-MSN=1"],
)  # fmt: skip


@given(st.lists(st.tuples(st.sampled_from(TAGS), VALUES), max_size=12))
def test_tags_in_any_order_with_any_value_raise_nothing_else(lines: list[tuple[str, str]]) -> None:
    text = "\n".join(["#EXTM3U", *(tag + value for tag, value in lines)])
    with suppress(PlaylistError):
        parse(text.encode())


@given(st.integers(0, 1 << 40), st.integers(1, 30), st.integers(0, 1), st.booleans(), st.sampled_from(NAMES))
def test_what_was_written_is_read_back(first: int, count: int, parts: int, ended: bool, name: str) -> None:
    first, last = first % 1_000_000, first % 1_000_000 + count - 1
    playlist = media(render(name, first, last, 0 if ended else parts, ended=ended))
    assert [segment.number for segment in playlist.segments] == list(range(first, last + 1))
    assert [segment.uri for segment in playlist.segments] == [f"segment{each}.m4s" for each in range(first, last + 1)]
    assert (playlist.open is not None) == bool(parts and not ended)
    assert playlist.ended == ended
    assert playlist.duration_s == 2 * count + (parts if not ended else 0)


NAME = st.from_regex(r"[A-Z0-9-]{1,12}", fullmatch=True)
QUOTED = st.text(st.characters(blacklist_categories=["Cs", "Cc"], blacklist_characters='"'), max_size=20)
BARE = st.from_regex(r"[A-Za-z0-9.@x_-]{1,12}", fullmatch=True)


@given(st.dictionaries(NAME, st.one_of(QUOTED.map(lambda text: f'"{text}"'), BARE), min_size=1, max_size=8))
def test_attribute_lists_are_read_back(pairs: dict[str, str]) -> None:
    text = ",".join(f"{name}={value}" for name, value in pairs.items())
    assert dict(read_attributes("TAG", text, 1).pairs) == pairs
