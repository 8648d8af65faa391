"""Rules about how a live playlist changes."""

from __future__ import annotations

from collections.abc import Iterator

from ingest.hls.check.facts import RenditionFacts
from ingest.hls.check.playlist import MediaPlaylist, Segment
from ingest.hls.check.rule import Rule, Severity, each_playlist, each_rendition

_SEGMENT_TARGETS = 1.5
_DELIVERY_S = 1.0
"""What a network and a busy machine may add before a cadence counts as broken."""


def _changed(rendition: RenditionFacts) -> bool:
    return len(rendition.loads) > 1


def _common(before: MediaPlaylist, after: MediaPlaylist) -> Iterator[tuple[Segment, Segment]]:
    known = {segment.number: segment for segment in before.listed}
    for segment in after.listed:
        if segment.number in known:
            yield known[segment.number], segment


def _sequence_falls(rendition: RenditionFacts) -> Iterator[str]:
    for before, after in rendition.pairs():
        if after.media_sequence < before.media_sequence:
            yield f"EXT-X-MEDIA-SEQUENCE went from {before.media_sequence} to {after.media_sequence}"
        if after.next.segment < before.next.segment or (after.open and after.next < before.next):
            yield f"what comes next went back from {tuple(before.next)} to {tuple(after.next)}"


def _discontinuities_move(rendition: RenditionFacts) -> Iterator[str]:
    for before, after in rendition.pairs():
        if after.discontinuity_sequence < before.discontinuity_sequence:
            yield f"EXT-X-DISCONTINUITY-SEQUENCE fell to {after.discontinuity_sequence}"
        for old, new in _common(before, after):
            if old.discontinuity_sequence != new.discontinuity_sequence:
                yield (
                    f"segment {new.number} had the discontinuity sequence number {old.discontinuity_sequence}, "
                    f"then {new.discontinuity_sequence}"
                )
                break


def _segments_change(rendition: RenditionFacts) -> Iterator[str]:
    for before, after in rendition.pairs():
        for old, new in _common(before, after):
            changed = _change(old, new)
            if changed:
                yield f"segment {new.number} changed its {changed}"


def _change(old: Segment, new: Segment) -> str:
    if old.parts and new.parts and old.parts != new.parts[: len(old.parts)]:
        return "parts"
    if old.map != new.map or old.discontinuity != new.discontinuity or old.date_time_s != new.date_time_s:
        return "tags"
    if old.uri and (old.uri, old.duration_s, old.byte_range, old.gap) != (
        new.uri,
        new.duration_s,
        new.byte_range,
        new.gap,
    ):
        return "URI, duration, byte range or gap"
    return ""


def _target_changes(rendition: RenditionFacts) -> Iterator[str]:
    for before, after in rendition.pairs():
        if before.target_s != after.target_s:
            yield f"EXT-X-TARGETDURATION went from {before.target_s} to {after.target_s}"


def _starts_over(rendition: RenditionFacts) -> Iterator[str]:
    for before, after in rendition.pairs():
        if before.ended and (not after.ended or after.last != before.last):
            yield "something came after EXT-X-ENDLIST"


def _dates_jump(playlist: MediaPlaylist) -> Iterator[str]:
    for before, after in zip(playlist.listed, playlist.listed[1:], strict=False):
        if before.date_time_s is None or after.date_time_s is None or after.discontinuity:
            continue
        jump_s = after.date_time_s - before.date_time_s - before.duration_s
        if abs(jump_s) > before.duration_s or (jump_s < 0 and -jump_s >= 1):
            yield f"the time of segment {after.number} is {jump_s:+.3f} s off the end of the one before"


def _parts_late(rendition: RenditionFacts) -> Iterator[str]:
    for before, after in zip(rendition.loads, rendition.loads[1:], strict=False):
        target_s = before.playlist.part_target_s
        by_part = after.asked is not None and after.asked.part >= 0
        if target_s and by_part and after.playlist.last != before.playlist.last and not after.playlist.ended:
            gap_s = after.response.got_at_s - before.response.got_at_s
            if gap_s > target_s + _DELIVERY_S:
                yield f"{gap_s:.2f} s passed before {after.playlist.last} came, PART-TARGET is {target_s} s"


def _segments_late(rendition: RenditionFacts) -> Iterator[str]:
    since_s, newest = rendition.loads[0].response.got_at_s, _newest(rendition.first)
    for load in rendition.loads[1:]:
        waited_s = load.response.got_at_s - since_s
        limit_s = _SEGMENT_TARGETS * load.playlist.target_s + _DELIVERY_S
        if load.playlist.ended:
            return
        if waited_s > limit_s:
            yield f"{waited_s:.2f} s passed without a new segment after {newest}"
        if _newest(load.playlist) != newest:
            since_s, newest = load.response.got_at_s, _newest(load.playlist)


def _newest(playlist: MediaPlaylist) -> int:
    return playlist.segments[-1].number if playlist.segments else -1


def _gone(rendition: RenditionFacts) -> Iterator[str]:
    for resource in rendition.removed:
        if not resource.arrived:
            yield f"a {resource.kind} that lately left the playlist: {resource.response}"


RULES: tuple[Rule, ...] = (
    Rule(
        "sequence-never-falls", "6.2.2", Severity.MUST,
        "The media sequence and the end of the playlist never go back",
        each_rendition(_changed, _sequence_falls),
    ),
    Rule(
        "discontinuity-sequence-steady", "6.2.2", Severity.MUST,
        "A segment keeps its discontinuity sequence number, and the tag's value never falls",
        each_rendition(_changed, _discontinuities_move),
    ),
    Rule(
        "segments-never-change", "6.2.1", Severity.MUST,
        "Playlists grow at the end and shrink at the front; what they list does not change",
        each_rendition(_changed, _segments_change),
    ),
    Rule(
        "target-never-changes", "6.2.1", Severity.MUST,
        "EXT-X-TARGETDURATION does not change",
        each_rendition(_changed, _target_changes),
    ),
    Rule(
        "end-is-the-end", "4.4.3.4", Severity.MUST,
        "Nothing is added after EXT-X-ENDLIST",
        each_rendition(lambda rendition: _changed(rendition) and rendition.last.ended, _starts_over),
    ),
    Rule(
        "dates-continue", "6.2.1", Severity.MUST,
        "Program times follow the durations within a segment, and overlap by less than a second",
        each_playlist(
            lambda playlist: sum(segment.date_time_s is not None for segment in playlist.listed) > 1, _dates_jump
        ),
    ),
    Rule(
        "part-cadence", "6.2.1", Severity.MUST,
        "A part follows the one before within PART-TARGET (and a second for delivery)",
        each_rendition(
            lambda rendition: _changed(rendition) and rendition.first.has_parts and not rendition.first.ended,
            _parts_late,
        ),
        timed=True,
    ),
    Rule(
        "segment-cadence", "6.2.1", Severity.MUST,
        "A segment follows the one before within 1.5 target durations (and a second for delivery)",
        each_rendition(lambda rendition: _changed(rendition) and not rendition.first.ended, _segments_late),
        timed=True,
    ),
    Rule(
        "removed-still-there", "6.2.2", Severity.MUST,
        "Parts and segments can be fetched for a while after they left the playlist",
        each_rendition(lambda rendition: bool(rendition.removed), _gone),
    ),
)  # fmt: skip
