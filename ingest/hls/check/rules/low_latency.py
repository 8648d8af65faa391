"""Rules about parts, hints and what a low-latency playlist says of itself."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator

from ingest.hls.check.playlist import MediaPlaylist, Part, Segment
from ingest.hls.check.rule import Rule, Severity, each_playlist, is_live, is_low_latency

_PART_LEAST = 0.85
_ROUNDING_S = 0.00051
"""Durations are often written to the millisecond."""
_SUM_ROUNDING_S = 0.03
_EDGE_TARGETS = 3
_SKIP_TARGETS = 6


def _has_parts(playlist: MediaPlaylist) -> bool:
    return any(segment.parts for segment in playlist.listed)


def _parts(playlist: MediaPlaylist) -> Iterator[tuple[Segment, int, Part]]:
    for segment in playlist.listed:
        for index, part in enumerate(segment.parts):
            yield segment, index, part


def _no_part_inf(playlist: MediaPlaylist) -> Iterator[str]:
    if playlist.part_target_s is None:
        yield "EXT-X-PART is there, EXT-X-PART-INF is not"


def _long_parts(playlist: MediaPlaylist) -> Iterator[str]:
    target_s = playlist.part_target_s or 0.0
    for segment, index, part in _parts(playlist):
        if part.duration_s > target_s + _ROUNDING_S:
            yield f"part {index} of segment {segment.number} lasts {part.duration_s} s, PART-TARGET is {target_s} s"


def _short_parts(playlist: MediaPlaylist) -> Iterator[str]:
    target_s = playlist.part_target_s or 0.0
    for segment, index, part in _parts(playlist):
        following = segment.parts[index + 1] if index + 1 < len(segment.parts) else None
        # Of an open segment's newest part nobody can say yet whether it is the last.
        free = following is None or part.independent or part.gap or following.gap
        if not free and part.duration_s < _PART_LEAST * target_s - _ROUNDING_S:
            yield f"part {index} of segment {segment.number} lasts {part.duration_s} s, less than 85 % of {target_s} s"


def _no_part_hold_back(playlist: MediaPlaylist) -> Iterator[str]:
    if playlist.control is None or playlist.control.part_hold_back_s is None:
        yield "EXT-X-SERVER-CONTROL lacks PART-HOLD-BACK"


def _hold_back_below(times: int, playlist: MediaPlaylist) -> Iterator[str]:
    held_s, target_s = playlist.control and playlist.control.part_hold_back_s, playlist.part_target_s
    if held_s and target_s and held_s < times * target_s - _ROUNDING_S:
        yield f"PART-HOLD-BACK is {held_s} s, less than {times} times {target_s} s"


def _holds_back(playlist: MediaPlaylist) -> bool:
    return is_low_latency(playlist) and bool(playlist.control and playlist.control.part_hold_back_s)


def _short_skip(playlist: MediaPlaylist) -> Iterator[str]:
    until_s = playlist.control.skip_until_s if playlist.control else None
    if until_s is not None and until_s < _SKIP_TARGETS * playlist.target_s:
        yield f"CAN-SKIP-UNTIL is {until_s} s, less than six times {playlist.target_s} s"


def _date_ranges_alone(playlist: MediaPlaylist) -> Iterator[str]:
    if playlist.control and playlist.control.skip_until_s is None:
        yield "CAN-SKIP-DATERANGES is there, CAN-SKIP-UNTIL is not"


def _no_block_reload(playlist: MediaPlaylist) -> Iterator[str]:
    if playlist.control is None or not playlist.control.block_reload:
        yield "EXT-X-SERVER-CONTROL lacks CAN-BLOCK-RELOAD=YES"


def _no_hint(playlist: MediaPlaylist) -> Iterator[str]:
    if not any(hint.kind == "PART" for hint in playlist.hints):
        yield "there is no EXT-X-PRELOAD-HINT of a part"


def _many_hints(playlist: MediaPlaylist) -> Iterator[str]:
    for kind, count in Counter(hint.kind for hint in playlist.hints).items():
        if count > 1:
            yield f"there are {count} EXT-X-PRELOAD-HINT of TYPE={kind}"


def _hint_after_end(playlist: MediaPlaylist) -> Iterator[str]:
    if playlist.hints:
        yield "EXT-X-ENDLIST and EXT-X-PRELOAD-HINT stand in one playlist"


def _parts_short_of_segment(playlist: MediaPlaylist) -> Iterator[str]:
    for segment in playlist.segments:
        total_s = sum(part.duration_s for part in segment.parts)
        if segment.parts and abs(total_s - segment.duration_s) > _SUM_ROUNDING_S:
            yield f"segment {segment.number} lasts {segment.duration_s} s, its parts {total_s:.5f} s"


def _old_parts(playlist: MediaPlaylist) -> Iterator[str]:
    limit_s = _EDGE_TARGETS * playlist.target_s
    for segment, distance_s in zip(playlist.segments, playlist.distances_s(), strict=False):
        if segment.parts and distance_s - segment.duration_s > limit_s + _ROUNDING_S:
            yield f"segment {segment.number} ends {distance_s - segment.duration_s:.3f} s from the edge and lists parts"


def _parts_gone_early(playlist: MediaPlaylist) -> Iterator[str]:
    limit_s = _EDGE_TARGETS * playlist.target_s
    for segment, distance_s in zip(playlist.segments, playlist.distances_s(), strict=False):
        if not segment.parts and not segment.gap and distance_s - segment.duration_s < limit_s - _ROUNDING_S:
            yield f"segment {segment.number} ends {distance_s - segment.duration_s:.3f} s from the edge without parts"


def _late_tags(playlist: MediaPlaylist) -> Iterator[str]:
    for segment in playlist.listed:
        for name in segment.tags_after_parts:
            yield f"{name} of segment {segment.number} comes after its first EXT-X-PART"


RULES: tuple[Rule, ...] = (
    Rule(
        "part-inf", "4.4.3.7", Severity.MUST,
        "A playlist with EXT-X-PART has EXT-X-PART-INF",
        each_playlist(_has_parts, _no_part_inf),
    ),
    Rule(
        "part-at-most-target", "4.4.4.9", Severity.MUST,
        "No part is longer than PART-TARGET",
        each_playlist(lambda playlist: _has_parts(playlist) and bool(playlist.part_target_s), _long_parts),
    ),
    Rule(
        "part-at-least-85", "4.4.4.9", Severity.MUST,
        "Parts last at least 85 % of PART-TARGET, save independent ones, a segment's last and those at gaps",
        each_playlist(lambda playlist: _has_parts(playlist) and bool(playlist.part_target_s), _short_parts),
    ),
    Rule(
        "part-hold-back", "4.4.3.8", Severity.MUST,
        "A playlist with EXT-X-PART-INF has PART-HOLD-BACK",
        each_playlist(lambda playlist: playlist.part_target_s is not None, _no_part_hold_back),
    ),
    Rule(
        "part-hold-back-twice", "4.4.3.8", Severity.MUST,
        "PART-HOLD-BACK is at least twice PART-TARGET",
        each_playlist(_holds_back, lambda playlist: _hold_back_below(2, playlist)),
    ),
    Rule(
        "part-hold-back-thrice", "Apple 14.3", Severity.MUST,
        "PART-HOLD-BACK is at least three times PART-TARGET",
        each_playlist(_holds_back, lambda playlist: _hold_back_below(3, playlist)),
    ),
    Rule(
        "skip-boundary", "4.4.3.8", Severity.MUST,
        "CAN-SKIP-UNTIL is at least six target durations",
        each_playlist(lambda playlist: bool(playlist.control and playlist.control.skip_until_s), _short_skip),
    ),
    Rule(
        "skip-date-ranges", "4.4.3.8", Severity.MUST,
        "CAN-SKIP-DATERANGES comes with CAN-SKIP-UNTIL",
        each_playlist(
            lambda playlist: bool(playlist.control and playlist.control.skip_date_ranges), _date_ranges_alone
        ),
    ),
    Rule(
        "block-reload-offered", "B.1", Severity.MUST,
        "A low-latency playlist offers blocking reload",
        each_playlist(is_low_latency, _no_block_reload),
    ),
    Rule(
        "preload-hint", "B.1", Severity.MUST,
        "A low-latency playlist hints its next part",
        each_playlist(is_low_latency, _no_hint),
    ),
    Rule(
        "one-hint-a-type", "6.2.6", Severity.SHOULD,
        "There is one EXT-X-PRELOAD-HINT of a TYPE",
        each_playlist(lambda playlist: bool(playlist.hints), _many_hints),
    ),
    Rule(
        "no-hint-after-end", "4.4.5.3", Severity.MUST,
        "An ended playlist hints nothing",
        each_playlist(lambda playlist: not is_live(playlist), _hint_after_end),
    ),
    Rule(
        "parts-fill-segment", "3.2", Severity.MUST,
        "The durations of a segment's parts add up to its own",
        each_playlist(lambda playlist: any(segment.parts for segment in playlist.segments), _parts_short_of_segment),
    ),
    Rule(
        "old-parts-unlisted", "6.2.2", Severity.SHOULD,
        "Parts further than three target durations from the end are not listed",
        each_playlist(lambda playlist: is_low_latency(playlist) and bool(playlist.segments), _old_parts),
    ),
    Rule(
        "near-parts-listed", "6.2.2", Severity.SHOULD,
        "Parts within three target durations of the end are listed",
        each_playlist(lambda playlist: is_low_latency(playlist) and bool(playlist.segments), _parts_gone_early),
    ),
    Rule(
        "tags-before-parts", "4.4.4.9", Severity.MUST,
        "What applies to a segment comes before its first part",
        each_playlist(_has_parts, _late_tags),
    ),
)  # fmt: skip
