"""Rendering the playlists of what is over (RFC 8216bis 4.4), and its WebVTT of thumbnails. Pure."""

from __future__ import annotations

import math
from datetime import UTC, datetime

from ingest.hls.entries import Rendition, init_name, seconds, segment_name
from ingest.hls.multivariant import Measured, multivariant_playlist
from ingest.recording.manifest import KeptSegment, Manifest, Track
from ingest.recording.objects import sheet_name
from ingest.thumbnails.vtt import Cue, payload, render

_AUDIO = "audio"
CUES_MAX = 50_000
"""Of one recording, about six days at ten seconds; the last one stands for what comes after."""


def multivariant(manifest: Manifest) -> str:
    """The multivariant playlist: the tracks in their order, the sound as their group."""
    playable = [track for track in manifest.tracks if any(not segment.gap for segment in track.segments)]
    sound = next((track for track in playable if track.name == _AUDIO), None)
    pictures = [_measured(track) for track in playable if track is not sound]
    independent = all(segment.keyframe for track in playable for segment in track.segments)
    return multivariant_playlist(pictures, _measured(sound) if sound else None, independent)


def media(track: Track) -> str:
    """The media playlist of one rendition. Its URIs are relative to it."""
    target_s = max((math.ceil(round(segment.duration_s, 3)) for segment in track.segments), default=1)
    lines = [
        "#EXTM3U\n#EXT-X-VERSION:8\n",
        f"#EXT-X-TARGETDURATION:{max(1, target_s)}\n",
        "#EXT-X-PLAYLIST-TYPE:VOD\n",
    ]
    if all(segment.keyframe for segment in track.segments):
        lines.append("#EXT-X-INDEPENDENT-SEGMENTS\n")
    init: int | None = None
    for segment in track.segments:
        if segment.discontinuity:
            lines.append("#EXT-X-DISCONTINUITY\n")
        if not segment.gap and (segment.init != init or segment.discontinuity):
            init = segment.init
            lines.append(f'#EXT-X-MAP:URI="{init_name(init)}"\n')
        lines.append(_segment(segment))
    lines.append("#EXT-X-ENDLIST\n")
    return "".join(lines)


def thumbnails(manifest: Manifest) -> bytes:
    """The WebVTT of the sheets, in the recording's media time. The first tile stands for the time before it too."""
    offsets: dict[float, float] = {}
    at_s = 0.0
    for segment in manifest.timeline:
        offsets.setdefault(segment.starts_at_s, at_s)
        at_s += segment.duration_s
    tiles = [
        (offsets[starts_at_s], payload(sheet_name(sheet.number), index, (sheet.tile_width, sheet.tile_height)))
        for sheet in manifest.sheets
        for index, starts_at_s in enumerate(sheet.starts_at_s)
        if starts_at_s in offsets
    ][:CUES_MAX]
    starts = [0.0, *(start for start, _ in tiles[1:])]
    return render(Cue(*cue) for cue in zip(starts, [*starts[1:], at_s], (tile for _, tile in tiles), strict=False))


def _segment(segment: KeptSegment) -> str:
    moment = datetime.fromtimestamp(segment.starts_at_s, UTC).isoformat(timespec="milliseconds")
    return (
        ("#EXT-X-GAP\n" if segment.gap else "")
        + f"#EXT-X-PROGRAM-DATE-TIME:{moment.replace('+00:00', 'Z')}\n"
        + f"#EXTINF:{seconds(segment.duration_s)},\n{segment_name(segment.number)}\n"
    )


def _measured(track: Track) -> Measured:
    there = [segment for segment in track.segments if not segment.gap]
    lasting_s = sum(segment.duration_s for segment in there)
    return Measured(
        Rendition(track.name, track.codecs, track.width, track.height, track.frame_rate, track.channels),
        peak=max((segment.size * 8 / segment.duration_s for segment in there if segment.duration_s), default=1.0),
        average=sum(segment.size for segment in there) * 8 / lasting_s if lasting_s else 0.0,
    )
