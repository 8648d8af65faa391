"""Rules about playlist delta updates (6.2.5.1)."""

from __future__ import annotations

from collections.abc import Iterator

from ingest.hls.check.facts import Delta, RenditionFacts
from ingest.hls.check.playlist import MediaPlaylist, Segment
from ingest.hls.check.rule import Rule, Severity, each_rendition

_ROUNDING_S = 0.001
_OF_SEGMENTS = frozenset(
    {
        "EXT-X-BITRATE", "EXT-X-BYTERANGE", "EXT-X-DATERANGE", "EXT-X-DISCONTINUITY", "EXT-X-GAP", "EXT-X-KEY",
        "EXT-X-MAP", "EXT-X-PART", "EXT-X-PROGRAM-DATE-TIME",
    }
)  # fmt: skip
"""Tags that may be gone with the segments that are skipped."""


def _skippable(playlist: MediaPlaylist) -> int:
    """How many segments are further from the end of the last whole segment than the Skip Boundary, all of them."""
    until_s = playlist.control.skip_until_s if playlist.control else None
    count, distance_s = 0, 0.0
    for segment in reversed(playlist.segments):
        count += until_s is not None and distance_s > until_s + _ROUNDING_S
        distance_s += segment.duration_s
    return count


def _offered(rendition: RenditionFacts) -> bool:
    return bool(rendition.deltas)


def _unanswered(rendition: RenditionFacts) -> Iterator[str]:
    for delta in rendition.deltas:
        if delta.playlist is None:
            yield f"_HLS_skip={delta.asked}: {delta.response}"
        elif not delta.playlist.ended and not delta.playlist.skipped and (count := _skippable(delta.full)):
            yield f"_HLS_skip={delta.asked}: nothing was skipped of {count} segments that are past the boundary"


def _read(rendition: RenditionFacts) -> Iterator[tuple[Delta, MediaPlaylist]]:
    for delta in rendition.deltas:
        if delta.playlist and delta.playlist.skipped:
            yield delta, delta.playlist


def _skips(rendition: RenditionFacts) -> bool:
    return any(_read(rendition))


def _too_near(rendition: RenditionFacts) -> Iterator[str]:
    for delta, playlist in _read(rendition):
        until_s = delta.full.control.skip_until_s if delta.full.control else None
        if until_s is None:
            yield f"_HLS_skip={delta.asked} skipped segments, CAN-SKIP-UNTIL is not there"
            continue
        skipped = playlist.media_sequence + playlist.skipped - 1
        durations = {segment.number: segment.duration_s for segment in (*delta.full.segments, *playlist.segments)}
        distance_s = sum(duration_s for number, duration_s in durations.items() if number >= skipped)
        if distance_s < until_s - _ROUNDING_S:
            yield (
                f"_HLS_skip={delta.asked} skipped segment {skipped}, which begins {distance_s:.3f} s from the end of "
                f"the last whole segment; CAN-SKIP-UNTIL is {until_s} s"
            )


def _differs(rendition: RenditionFacts) -> Iterator[str]:
    for delta, playlist in _read(rendition):
        full = {segment.number: segment for segment in delta.full.segments}
        if full and playlist.media_sequence < min(full):
            yield f"_HLS_skip={delta.asked} skipped segment {playlist.media_sequence}, which is gone from the whole one"
        for segment in playlist.segments:
            known = full.get(segment.number)
            if known and _content(known) != _content(segment):
                yield f"segment {segment.number} is another in the answer to _HLS_skip={delta.asked}"
        if playlist.target_s != delta.full.target_s:
            yield f"EXT-X-TARGETDURATION is another in the answer to _HLS_skip={delta.asked}"
        lost = delta.full.tags - playlist.tags - _OF_SEGMENTS
        for name in sorted(lost):
            yield f"{name} is missing in the answer to _HLS_skip={delta.asked}"


def _content(segment: Segment) -> tuple[object, ...]:
    return segment.uri, segment.duration_s, segment.byte_range, segment.gap, segment.discontinuity, segment.date_time_s


def _shifted(rendition: RenditionFacts) -> Iterator[str]:
    for delta, playlist in _read(rendition):
        numbers = {segment.uri: segment.number for segment in delta.full.segments if segment.byte_range is None}
        for segment in playlist.segments:
            if numbers.get(segment.uri, segment.number) != segment.number:
                yield (
                    f"SKIPPED-SEGMENTS={playlist.skipped} makes {segment.uri} number {segment.number}; "
                    f"it is {numbers[segment.uri]}"
                )
                break


RULES: tuple[Rule, ...] = (
    Rule(
        "skip-answered", "6.2.5.1", Severity.MUST,
        "_HLS_skip gets a delta update when segments lie past the Skip Boundary",
        each_rendition(_offered, _unanswered),
    ),
    Rule(
        "skip-keeps-boundary", "6.2.5.1", Severity.MUST,
        "No skipped segment is nearer to the end of the last whole segment than the Skip Boundary",
        each_rendition(_skips, _too_near),
    ),
    Rule(
        "skip-counts-right", "4.4.5.2", Severity.MUST,
        "SKIPPED-SEGMENTS is the number of segments that are left out",
        each_rendition(_skips, _shifted),
    ),
    Rule(
        "delta-is-whole", "6.2.5.1", Severity.MUST,
        "A delta update applied gives the whole playlist",
        each_rendition(_skips, _differs),
    ),
)  # fmt: skip
