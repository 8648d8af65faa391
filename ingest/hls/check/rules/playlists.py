"""Rules about one media playlist as it stands."""

from __future__ import annotations

import math
from collections.abc import Iterator

from ingest.hls.check.facts import Facts
from ingest.hls.check.playlist import MediaPlaylist
from ingest.hls.check.rule import Rule, Severity, always, each_playlist, is_live

_VERSIONS: tuple[tuple[int, frozenset[str]], ...] = (
    (9, frozenset({"EXT-X-SKIP"})),
    (6, frozenset({"EXT-X-MAP"})),
    (5, frozenset({"EXT-X-MAP", "EXT-X-I-FRAMES-ONLY"})),
    (4, frozenset({"EXT-X-BYTERANGE"})),
    (4, frozenset({"EXT-X-I-FRAMES-ONLY"})),
)
"""The version that the presence of these tags together needs; I-frame playlists may use EXT-X-MAP from version 5."""

_WINDOW_TARGETS = 3
_WINDOW_SEGMENTS = 6


def needed_version(playlist: MediaPlaylist) -> int:
    """The least EXT-X-VERSION for what the playlist uses (section 8)."""
    needed = [3] if playlist.decimal_durations else [1]
    for version, tags in _VERSIONS:
        if tags <= playlist.tags and not (version == 6 and "EXT-X-I-FRAMES-ONLY" in playlist.tags):
            needed.append(version)
    return max(needed)


def _unreadable(facts: Facts) -> list[str]:
    return [f"{each.name}: {text}" for each in facts.renditions for text in each.unreadable]


def _version_too_low(playlist: MediaPlaylist) -> Iterator[str]:
    needed = needed_version(playlist)
    if playlist.version < needed:
        yield f"EXT-X-VERSION is {playlist.version}, the tags need {needed}"


def _version_too_high(playlist: MediaPlaylist) -> Iterator[str]:
    # A server that makes delta updates may say what they need in all its playlists.
    control = playlist.control
    needed = max(needed_version(playlist), 9 if control and control.skip_until_s else 0)
    needed = max(needed, 10 if control and control.skip_date_ranges else 0)
    if playlist.version > needed:
        yield f"EXT-X-VERSION is {playlist.version}, the tags need only {needed}"


def _too_long(playlist: MediaPlaylist) -> Iterator[str]:
    for segment in playlist.segments:
        if math.floor(segment.duration_s + 0.5) > playlist.target_s:
            yield f"segment {segment.number} lasts {segment.duration_s} s, the target is {playlist.target_s} s"


def _no_map(playlist: MediaPlaylist) -> Iterator[str]:
    for segment in playlist.listed:
        if segment.map is None:
            yield f"segment {segment.number} has no EXT-X-MAP before it"
            return


def _no_discontinuity_sequence(playlist: MediaPlaylist) -> Iterator[str]:
    if "EXT-X-DISCONTINUITY-SEQUENCE" not in playlist.tags:
        yield "EXT-X-DISCONTINUITY is there, EXT-X-DISCONTINUITY-SEQUENCE is not"


def _playlist_type(playlist: MediaPlaylist) -> Iterator[str]:
    if playlist.kind is not None and playlist.media_sequence > 0:
        yield f"EXT-X-PLAYLIST-TYPE is {playlist.kind} though {playlist.media_sequence} segments are gone"


def _short_window(playlist: MediaPlaylist) -> Iterator[str]:
    if playlist.duration_s < _WINDOW_TARGETS * playlist.target_s:
        yield f"it lists {playlist.duration_s:.3f} s, less than three times {playlist.target_s} s"


def _few_segments(playlist: MediaPlaylist) -> Iterator[str]:
    if len(playlist.segments) < _WINDOW_SEGMENTS:
        yield f"it lists {len(playlist.segments)} segments, fewer than {_WINDOW_SEGMENTS}"


def _no_date_time(playlist: MediaPlaylist) -> Iterator[str]:
    if not any(segment.date_time_s is not None for segment in playlist.listed):
        yield "there is no EXT-X-PROGRAM-DATE-TIME"


def _undated_discontinuity(playlist: MediaPlaylist) -> Iterator[str]:
    for segment in playlist.listed:
        if segment.discontinuity and segment.date_time_s is None:
            yield f"segment {segment.number} begins a discontinuity without EXT-X-PROGRAM-DATE-TIME"


def _date_range_without_date(playlist: MediaPlaylist) -> Iterator[str]:
    if "EXT-X-PROGRAM-DATE-TIME" not in playlist.tags:
        yield "EXT-X-DATERANGE is there, EXT-X-PROGRAM-DATE-TIME is not"


def _parts_beside_gap(playlist: MediaPlaylist) -> Iterator[str]:
    for segment in playlist.segments:
        if segment.gap and not all(part.gap for part in segment.parts):
            yield f"segment {segment.number} is a gap, but not all of its parts have GAP=YES"


def _bad_hold_back(playlist: MediaPlaylist) -> Iterator[str]:
    hold_back_s = playlist.control.hold_back_s if playlist.control else None
    if hold_back_s is not None and hold_back_s < 3 * playlist.target_s:
        yield f"HOLD-BACK is {hold_back_s} s, less than three times {playlist.target_s} s"


def _has_lost_segments(playlist: MediaPlaylist) -> bool:
    return is_live(playlist) and playlist.media_sequence > 0


RULES: tuple[Rule, ...] = (
    Rule(
        "playlist-syntax", "4.1", Severity.MUST,
        "Media playlists follow the grammar, have what is required and nothing twice",
        _unreadable,
    ),
    Rule(
        "version-suffices", "8", Severity.MUST,
        "EXT-X-VERSION is high enough for the tags in use",
        each_playlist(always, _version_too_low),
    ),
    Rule(
        "version-not-higher", "6.2.1", Severity.SHOULD,
        "EXT-X-VERSION is not higher than the tags need",
        each_playlist(always, _version_too_high),
    ),
    Rule(
        "target-duration", "4.4.3.1", Severity.MUST,
        "No EXTINF, rounded to seconds, exceeds EXT-X-TARGETDURATION",
        each_playlist(lambda playlist: bool(playlist.segments), _too_long),
    ),
    Rule(
        "map-first", "Apple 8.20", Severity.MUST,
        "Segments of fragmented MP4 have an EXT-X-MAP",
        each_playlist(lambda playlist: "EXT-X-MAP" in playlist.tags, _no_map),
    ),
    Rule(
        "discontinuity-sequence-said", "6.2.2", Severity.MUST,
        "A playlist that loses segments and has EXT-X-DISCONTINUITY has EXT-X-DISCONTINUITY-SEQUENCE",
        each_playlist(
            lambda playlist: _has_lost_segments(playlist) and "EXT-X-DISCONTINUITY" in playlist.tags,
            _no_discontinuity_sequence,
        ),
    ),
    Rule(
        "live-without-type", "6.2.2", Severity.MUST,
        "A playlist that loses segments has no EXT-X-PLAYLIST-TYPE",
        each_playlist(_has_lost_segments, _playlist_type),
    ),
    Rule(
        "window-of-three-targets", "6.2.2", Severity.MUST,
        "Removing segments leaves at least three target durations",
        each_playlist(_has_lost_segments, _short_window),
    ),
    Rule(
        "window-of-six-segments", "Apple 8.11", Severity.MUST,
        "A live playlist that loses segments lists at least six",
        each_playlist(_has_lost_segments, _few_segments),
    ),
    Rule(
        "program-date-time", "Apple 8.4", Severity.MUST,
        "A live playlist has EXT-X-PROGRAM-DATE-TIME",
        each_playlist(lambda playlist: is_live(playlist) and bool(playlist.listed), _no_date_time),
    ),
    Rule(
        "discontinuity-dated", "6.2.1", Severity.SHOULD,
        "Where times are given, each discontinuity has EXT-X-PROGRAM-DATE-TIME",
        each_playlist(
            lambda playlist: {"EXT-X-PROGRAM-DATE-TIME", "EXT-X-DISCONTINUITY"} <= playlist.tags,
            _undated_discontinuity,
        ),
    ),
    Rule(
        "date-range-dated", "4.4.5.1", Severity.MUST,
        "A playlist with EXT-X-DATERANGE has EXT-X-PROGRAM-DATE-TIME",
        each_playlist(lambda playlist: bool(playlist.date_ranges), _date_range_without_date),
    ),
    Rule(
        "gap-parts", "6.2.1", Severity.MUST,
        "The parts of an EXT-X-GAP segment have GAP=YES",
        each_playlist(lambda playlist: any(segment.gap for segment in playlist.segments), _parts_beside_gap),
    ),
    Rule(
        "hold-back", "4.4.3.8", Severity.MUST,
        "HOLD-BACK is at least three target durations",
        each_playlist(lambda playlist: bool(playlist.control and playlist.control.hold_back_s), _bad_hold_back),
    ),
)  # fmt: skip
