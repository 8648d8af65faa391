"""The playlists of what is over, from the manifest alone."""

from __future__ import annotations

import math
import re
from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ingest.recording import vod
from ingest.recording.manifest import LOST, NOT_MADE, KeptSegment, KeptSheet, Manifest
from tests.ingest.recording.takes import AUDIO, NOW_S, RUNG, SOURCE, kept, recording, track
from tests.ingest.thumbnails.test_sprites import read_vtt


def test_a_media_playlist_lists_every_segment_gap_and_discontinuity() -> None:
    playlist = vod.media(
        track(
            kept(0),
            kept(1, duration_s=2.5),
            kept(2, gap="disk_full", size=0),
            kept(3, init=1, discontinuity=True, starts_at_s=NOW_S + 60),
            kept(4, init=1, duration_s=1.23456789, starts_at_s=NOW_S + 62),
        )
    )
    assert playlist == (
        "#EXTM3U\n"
        "#EXT-X-VERSION:8\n"
        "#EXT-X-TARGETDURATION:3\n"
        "#EXT-X-PLAYLIST-TYPE:VOD\n"
        "#EXT-X-INDEPENDENT-SEGMENTS\n"
        '#EXT-X-MAP:URI="init0.mp4"\n'
        "#EXT-X-PROGRAM-DATE-TIME:2026-09-21T14:13:20.000Z\n"
        "#EXTINF:2.00000,\n"
        "segment0.m4s\n"
        "#EXT-X-PROGRAM-DATE-TIME:2026-09-21T14:13:22.000Z\n"
        "#EXTINF:2.50000,\n"
        "segment1.m4s\n"
        "#EXT-X-GAP\n"
        "#EXT-X-PROGRAM-DATE-TIME:2026-09-21T14:13:24.000Z\n"
        "#EXTINF:2.00000,\n"
        "segment2.m4s\n"
        "#EXT-X-DISCONTINUITY\n"
        '#EXT-X-MAP:URI="init1.mp4"\n'
        "#EXT-X-PROGRAM-DATE-TIME:2026-09-21T14:14:20.000Z\n"
        "#EXTINF:2.00000,\n"
        "segment3.m4s\n"
        "#EXT-X-PROGRAM-DATE-TIME:2026-09-21T14:14:22.000Z\n"
        "#EXTINF:1.23457,\n"
        "segment4.m4s\n"
        "#EXT-X-ENDLIST\n"
    )


def test_the_multivariant_playlist_has_every_rendition_with_the_sound_as_their_group() -> None:
    manifest = recording(
        track(kept(0, size=500_000), kept(1, size=1_000_000)),
        track(kept(0, size=100_000), kept(1, size=100_000), rendition=RUNG),
        track(kept(0, size=30_000), kept(1, size=34_000), rendition=AUDIO),
    )
    assert vod.multivariant(manifest) == (
        "#EXTM3U\n"
        "#EXT-X-VERSION:9\n"
        "#EXT-X-INDEPENDENT-SEGMENTS\n"
        '#EXT-X-MEDIA:TYPE=AUDIO,GROUP-ID="audio",NAME="Audio",LANGUAGE="und",DEFAULT=YES,AUTOSELECT=YES,CHANNELS="2",'
        'URI="audio/media.m3u8"\n'
        '#EXT-X-STREAM-INF:BANDWIDTH=4136000,AVERAGE-BANDWIDTH=3128000,CODECS="avc1.64001f,mp4a.40.2",'
        'RESOLUTION=1280x720,FRAME-RATE=30.000,AUDIO="audio"\n'
        "source/media.m3u8\n"
        '#EXT-X-STREAM-INF:BANDWIDTH=536000,AVERAGE-BANDWIDTH=528000,CODECS="avc1.4d401e,mp4a.40.2",'
        'RESOLUTION=640x360,FRAME-RATE=30.000,AUDIO="audio"\n'
        "360p/media.m3u8\n"
        '#EXT-X-STREAM-INF:BANDWIDTH=136000,AVERAGE-BANDWIDTH=128000,CODECS="mp4a.40.2",AUDIO="audio"\n'
        "audio/media.m3u8\n"
    )


def test_one_muxed_rendition_needs_no_group() -> None:
    muxed = replace(SOURCE, codecs="avc1.64001f,mp4a.40.2")
    playlist = vod.multivariant(recording(track(kept(0), rendition=muxed)))
    assert "EXT-X-MEDIA:" not in playlist
    assert 'CODECS="avc1.64001f,mp4a.40.2"' in playlist


def test_a_rendition_of_gaps_alone_is_not_offered() -> None:
    manifest = recording(track(kept(0)), track(kept(0, gap=NOT_MADE, size=0), rendition=RUNG))
    assert "360p" not in vod.multivariant(manifest)


def test_segments_without_a_keyframe_are_not_called_independent() -> None:
    cut_by_force = track(kept(0), kept(1, keyframe=False))
    assert "INDEPENDENT-SEGMENTS" not in vod.media(cut_by_force)
    assert "INDEPENDENT-SEGMENTS" not in vod.multivariant(recording(cut_by_force))


def sheet(number: int, *numbers: int, size: tuple[int, int] = (160, 90)) -> KeptSheet:
    """Of the tiles of these segments."""
    return KeptSheet(number, *size, tuple(kept(each).starts_at_s for each in numbers))


def test_thumbnails_have_the_times_of_the_recording_from_beginning_to_end() -> None:
    # After the third segment the publisher was away for a minute.
    timeline = [kept(0), kept(1), kept(2), *(kept(n, starts_at_s=NOW_S + 60 + 2 * n) for n in (3, 4, 5))]
    later = KeptSheet(1, 90, 160, (NOW_S + 66, NOW_S + 70))
    manifest = replace(recording(track(*timeline)), sheets=(sheet(0, 1, 2), later))
    _, cues = read_vtt(vod.thumbnails(manifest))
    assert [(cue.start_s, cue.end_s) for cue in cues] == [(0, 4), (4, 6), (6, 10), (10, 12)]
    assert [cue.url for cue in cues] == ["thumbnails/sprite0.jpg"] * 2 + ["thumbnails/sprite1.jpg"] * 2
    assert [cue.box for cue in cues] == [(0, 0, 160, 90), (160, 0, 160, 90), (0, 0, 90, 160), (90, 0, 90, 160)]


def test_a_tile_lies_on_its_sheet_in_rows_of_ten() -> None:
    manifest = replace(recording(track(*(kept(n) for n in range(25)))), sheets=(sheet(0, *range(25)),))
    assert read_vtt(vod.thumbnails(manifest))[1][23].box == (3 * 160, 2 * 90, 160, 90)


def test_tiles_of_what_is_not_in_the_recording_are_left_out() -> None:
    manifest = replace(recording(track(kept(0), kept(1))), sheets=(sheet(0, 0, 1, 2, 3),))
    assert [cue.start_s for cue in read_vtt(vod.thumbnails(manifest))[1]] == [0, 2]
    assert read_vtt(vod.thumbnails(recording(track(kept(0)))))[1] == []


def test_a_recordings_cues_are_limited(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(vod, "CUES_MAX", 3)
    manifest = replace(recording(track(*(kept(n) for n in range(9)))), sheets=(sheet(0, *range(9)),))
    cues = read_vtt(vod.thumbnails(manifest))[1]
    assert (len(cues), cues[-1].end_s) == (3, 18.0)


def test_a_clip_has_no_thumbnails_of_its_recording() -> None:
    manifest = replace(recording(track(kept(0), kept(1))), sheets=(sheet(0, 0, 1),), cover=True)
    clip = manifest.cut("clip", 1, 1)
    assert (clip.sheets, clip.cover) == ((), False)


segments = st.builds(
    KeptSegment,
    number=st.just(0),
    init=st.integers(0, 3),
    discontinuity=st.booleans(),
    keyframe=st.booleans(),
    starts_at_s=st.floats(0, 4e9),
    duration_s=st.floats(0.001, 20),
    size=st.integers(1, 10**8),
    gap=st.sampled_from(["", "", "", LOST, NOT_MADE]),
)


def numbered(found: list[KeptSegment]) -> list[KeptSegment]:
    return [
        segment._replace(number=number, size=0 if segment.gap else segment.size) for number, segment in enumerate(found)
    ]


@settings(deadline=None)
@given(st.lists(segments, min_size=1, max_size=30))
def test_any_playlist_keeps_the_rules_of_rfc_8216(found: list[KeptSegment]) -> None:
    listed = numbered(found)
    lines = vod.media(track(*listed)).splitlines()

    durations = [float(line[8:-1]) for line in lines if line.startswith("#EXTINF:")]
    (target,) = [int(line.partition(":")[2]) for line in lines if line.startswith("#EXT-X-TARGETDURATION")]
    assert len(durations) == len(listed)
    assert all(math.floor(duration + 0.5) <= target for duration in durations), "4.4.3.1: rounded to the nearest"
    assert lines[-1] == "#EXT-X-ENDLIST"
    assert lines.count("#EXT-X-GAP") == sum(bool(segment.gap) for segment in listed)
    assert lines.count("#EXT-X-DISCONTINUITY") == sum(segment.discontinuity for segment in listed)
    assert _maps(lines) == {segment.number: segment.init for segment in listed if not segment.gap}


def _maps(lines: list[str]) -> dict[int, int]:
    """The init segment in force at each segment that is there."""
    found, init, gap = {}, -1, False
    for line in lines:
        if match := re.fullmatch(r'#EXT-X-MAP:URI="init(\d+)\.mp4"', line):
            init = int(match[1])
        elif line == "#EXT-X-GAP":
            gap = True
        elif match := re.fullmatch(r"segment(\d+)\.m4s", line):
            if not gap:
                found[int(match[1])] = init
            gap = False
    return found


@settings(deadline=None)
@given(st.lists(segments, min_size=1, max_size=20), st.lists(segments, min_size=1, max_size=20))
def test_a_manifest_reads_back_as_it_was_written(one: list[KeptSegment], two: list[KeptSegment]) -> None:
    whole = recording(track(*numbered(one)), track(*numbered(two), rendition=AUDIO))
    manifest = replace(whole, playback_policy="private", sheets=(sheet(0, 1, 2), sheet(1, 3)), cover=True)
    assert Manifest.from_json(manifest.to_json()) == manifest
