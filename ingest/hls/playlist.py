"""Rendering playlists (RFC 8216bis 4.4). Pure."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

from ingest.hls.entries import Rendition, SegmentEntry, map_line, part_name, seconds

MEDIA_PLAYLIST = "media.m3u8"
_PARTS_LISTED = 3
"""Target durations from the live edge within which parts are listed (RFC 8216bis 4.4.4.9)."""
_SKIP_UNTIL = 6
"""Target durations from the live edge before which a delta update leaves segments out (4.4.3.8)."""
_PART_HOLD_BACK = 3
"""Part targets that a player should keep from the live edge: the least that is allowed (4.4.3.8)."""


@dataclass(frozen=True)
class MediaState:
    """All that a media playlist shows at one moment."""

    target_s: int
    part_target_s: float
    closed: Sequence[SegmentEntry]
    open: SegmentEntry | None
    next_number: int
    """Of the segment after the last closed one."""
    ended: bool


def media_playlist(state: MediaState, skip: bool = False) -> str:
    """The media playlist; a delta update with `skip` when there is something to leave out."""
    target_s, closed = state.target_s, state.closed
    listed = [*closed, state.open] if state.open else [*closed]
    from_edge = _distances_from_edge(listed)
    skipped = sum(distance >= _SKIP_UNTIL * target_s for distance in from_edge[: len(closed)]) if skip else 0
    lines = [_header(state, listed)]
    if skipped:
        lines.append(f"#EXT-X-SKIP:SKIPPED-SEGMENTS={skipped}\n")
    for index in range(skipped, len(listed)):
        segment = listed[index]
        if index == skipped and not segment.discontinuity:
            lines.append(map_line(segment.init))
        lines.append(segment.head)
        if from_edge[index] < _PARTS_LISTED * target_s and not state.ended:
            lines.append(segment.part_lines)
        if segment is not state.open:
            lines.append(segment.tail)
    lines.append("#EXT-X-ENDLIST\n" if state.ended else _preload_hint(state))
    return "".join(lines)


def _header(state: MediaState, listed: Sequence[SegmentEntry]) -> str:
    first = listed[0] if listed else None
    discontinuities = first.init - first.discontinuity if first else 0
    hold_back = seconds(_PART_HOLD_BACK * float(seconds(state.part_target_s)))
    return (
        "#EXTM3U\n#EXT-X-VERSION:9\n"
        f"#EXT-X-TARGETDURATION:{state.target_s}\n"
        f"#EXT-X-SERVER-CONTROL:CAN-BLOCK-RELOAD=YES,PART-HOLD-BACK={hold_back},"
        f"CAN-SKIP-UNTIL={_SKIP_UNTIL * state.target_s}.0\n"
        f"#EXT-X-PART-INF:PART-TARGET={seconds(state.part_target_s)}\n"
        f"#EXT-X-MEDIA-SEQUENCE:{first.number if first else state.next_number}\n"
        f"#EXT-X-DISCONTINUITY-SEQUENCE:{discontinuities}\n"
    )


def _preload_hint(state: MediaState) -> str:
    number, index = (state.open.number, len(state.open.parts)) if state.open else (state.next_number, 0)
    return f'#EXT-X-PRELOAD-HINT:TYPE=PART,URI="{part_name(number, index)}"\n'


def _distances_from_edge(listed: Sequence[SegmentEntry]) -> list[float]:
    """From each segment's start to the end of the playlist, seconds."""
    distances, total = [], 0.0
    for segment in reversed(listed):
        total += segment.duration_s
        distances.append(total)
    return distances[::-1]


def multivariant_playlist(rendition: Rendition, segments: Sequence[SegmentEntry]) -> str:
    """The multivariant playlist, its bandwidths measured over the segments."""
    rates = [segment.size * 8 / segment.duration_s for segment in segments if segment.duration_s]
    total_s = sum(segment.duration_s for segment in segments)
    average = sum(segment.size for segment in segments) * 8 / total_s if total_s else 0
    attributes = [
        f"BANDWIDTH={math.ceil(max(rates, default=1))}",
        f"AVERAGE-BANDWIDTH={math.ceil(average)}",
        f'CODECS="{rendition.codecs}"',
    ]
    if rendition.width:
        attributes.append(f"RESOLUTION={rendition.width}x{rendition.height}")
    if rendition.frame_rate:
        attributes.append(f"FRAME-RATE={rendition.frame_rate:.3f}")
    return f"#EXTM3U\n#EXT-X-VERSION:9\n#EXT-X-STREAM-INF:{','.join(attributes)}\n{MEDIA_PLAYLIST}\n"
