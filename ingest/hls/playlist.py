"""Rendering media playlists (RFC 8216bis 4.4). Pure."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import islice

from ingest.hls.entries import SegmentEntry, map_line, part_name, seconds

MEDIA_PLAYLIST = "media.m3u8"
PARTS_LISTED = 3
"""Target durations from a segment's end to the live edge within which its parts are listed (RFC 8216bis 6.2.2)."""
SKIP_UNTIL = 6
"""Target durations from the last whole segment's end before which a delta update leaves segments out (4.4.3.8)."""
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
    reports: str = ""
    """The EXT-X-RENDITION-REPORT lines."""


@dataclass(frozen=True)
class Zones:
    """Where a playlist changes its manner: indices of closed segments."""

    skip_until: int
    """Those before are left out of a delta update."""
    parts_from: int
    """Those from here on are listed with their parts."""


def zones(state: MediaState) -> Zones:
    """Looks at the segments near the live edge only, however long the playlist is."""
    closed = state.closed
    index = len(closed)
    parts_from = index
    open_s = state.open.duration_s if state.open else 0.0
    behind_s = 0.0
    while index:
        begins_s = behind_s + closed[index - 1].duration_s
        if begins_s >= SKIP_UNTIL * state.target_s:
            break
        index -= 1
        if open_s + behind_s <= PARTS_LISTED * state.target_s:
            parts_from = index
        behind_s = begins_s
    return Zones(index, len(closed) if state.ended else parts_from)


def media_playlist(state: MediaState, skip: bool = False) -> str:
    """The media playlist; a delta update with `skip` when there is something to leave out."""
    at = zones(state)
    return (delta_head(state, at) if skip and at.skip_until else settled(state, at)) + unsettled(state, at)


def settled(state: MediaState, at: Zones) -> str:
    """What stays as it is until a segment crosses into another zone: most of a long playlist."""
    return _header(state) + _segments(state, 0, at.parts_from)


def delta_head(state: MediaState, at: Zones) -> str:
    """What stands in its place in a delta update."""
    skip = f"#EXT-X-SKIP:SKIPPED-SEGMENTS={at.skip_until}\n"
    return _header(state) + skip + _segments(state, at.skip_until, at.parts_from)


def unsettled(state: MediaState, at: Zones) -> str:
    """The segments with their parts, what is open, and what comes next."""
    lines: list[str] = []
    for segment in (state.closed[index] for index in range(at.parts_from, len(state.closed))):
        lines += (segment.head, segment.part_lines, segment.tail)
    if not at.parts_from and lines and not state.closed[0].new_init:
        lines.insert(0, map_line(state.closed[0].init))
    if state.open:
        if not state.closed and not state.open.new_init:
            lines.append(map_line(state.open.init))
        lines += (state.open.head, "" if state.ended else state.open.part_lines)
    lines.append("#EXT-X-ENDLIST\n" if state.ended else _preload_hint(state) + state.reports)
    return "".join(lines)


def _segments(state: MediaState, start: int, end: int) -> str:
    if start >= end:
        return ""
    first = state.closed[start]
    opening = "" if first.new_init else map_line(first.init)
    return opening + "".join([segment.text for segment in islice(state.closed, start, end)])


def _header(state: MediaState) -> str:
    first = state.closed[0] if state.closed else state.open
    discontinuities = first.discontinuities - first.discontinuity if first else 0
    hold_back = seconds(_PART_HOLD_BACK * float(seconds(state.part_target_s)))
    return (
        "#EXTM3U\n#EXT-X-VERSION:9\n"
        f"#EXT-X-TARGETDURATION:{state.target_s}\n"
        f"#EXT-X-SERVER-CONTROL:CAN-BLOCK-RELOAD=YES,PART-HOLD-BACK={hold_back},"
        f"CAN-SKIP-UNTIL={SKIP_UNTIL * state.target_s}.0\n"
        f"#EXT-X-PART-INF:PART-TARGET={seconds(state.part_target_s)}\n"
        f"#EXT-X-MEDIA-SEQUENCE:{first.number if first else state.next_number}\n"
        f"#EXT-X-DISCONTINUITY-SEQUENCE:{discontinuities}\n"
    )


def _preload_hint(state: MediaState) -> str:
    number, index = (state.open.number, len(state.open.parts)) if state.open else (state.next_number, 0)
    return f'#EXT-X-PRELOAD-HINT:TYPE=PART,URI="{part_name(number, index)}"\n'
