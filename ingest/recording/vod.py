"""Rendering the playlists of what is over (RFC 8216bis 4.4). Pure."""

from __future__ import annotations

import math
from datetime import UTC, datetime

from ingest.hls.entries import Rendition, init_name, seconds, segment_name
from ingest.hls.multivariant import Measured, multivariant_playlist
from ingest.recording.manifest import KeptSegment, Manifest, Track

_AUDIO = "audio"


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
