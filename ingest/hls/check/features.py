"""What of low-latency HLS a stream has: a classic one breaks no rule by lacking it."""

from __future__ import annotations

from collections.abc import Callable

from ingest.hls.check.facts import Facts
from ingest.hls.check.playlist import MediaPlaylist

_FEATURES: dict[str, Callable[[MediaPlaylist], bool]] = {
    "parts": lambda playlist: playlist.has_parts,
    "blocking reload": lambda playlist: bool(playlist.control and playlist.control.block_reload),
    "preload hints": lambda playlist: bool(playlist.hints),
    "rendition reports": lambda playlist: bool(playlist.reports),
    "delta updates": lambda playlist: bool(playlist.control and playlist.control.skip_until_s),
    "program times": lambda playlist: "EXT-X-PROGRAM-DATE-TIME" in playlist.tags,
}
"""What RFC 8216bis Appendix B.1 asks of a low-latency server, as far as playlists show it."""


def missing(facts: Facts) -> list[str]:
    """The features that some live rendition lacks, in the table's order; a single rendition needs no reports."""
    live = [each.last for each in facts.renditions if each.loads and not each.last.ended]
    names = [name for name, has in _FEATURES.items() if not all(has(playlist) for playlist in live)]
    return [name for name in names if name != "rendition reports" or len(live) > 1]
