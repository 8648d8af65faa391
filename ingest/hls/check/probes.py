"""Questions that a well-made server answers in its own way: absurd directives, names that are not there."""

from __future__ import annotations

import math
from collections.abc import Iterator
from urllib.parse import urljoin, urlsplit

from ingest.hls.check.facts import Question
from ingest.hls.check.fetch import with_query
from ingest.hls.check.playlist import MediaPlaylist

_FAR = 100


def questions(url: str, playlist: MediaPlaylist) -> Iterator[tuple[Question, str]]:
    """What to ask of the server of this playlist, and the URLs to do it with."""
    if playlist.ended:
        absurd: dict[str, str | int] = {"_HLS_msn": playlist.next.segment + _FAR, "_HLS_part": 1, "_HLS_skip": "YES"}
        yield Question.AFTER_END, with_query(url, absurd)
    elif playlist.control and playlist.control.block_reload:
        yield from _directives(url, playlist)
    if playlist.segments:
        name = urlsplit(playlist.segments[-1].uri)
        folder, _, last = name.path.rpartition("/")
        absent = name._replace(path=f"{folder}/no-such-{last}" if folder else f"no-such-{last}").geturl()
        yield Question.UNKNOWN_NAME, urljoin(url, absent)


def _directives(url: str, playlist: MediaPlaylist) -> Iterator[tuple[Question, str]]:
    segment, part = playlist.next
    yield Question.SEGMENT_TOO_FAR, with_query(url, {"_HLS_msn": segment + _FAR})
    yield Question.PART_ALONE, with_query(url, {"_HLS_part": 0})
    yield Question.NO_NUMBER, with_query(url, {"_HLS_msn": "next"})
    yield Question.NEGATIVE, with_query(url, {"_HLS_msn": -1})
    yield Question.LONG_AGO, with_query(url, {"_HLS_msn": max(0, playlist.media_sequence - 1)})
    if playlist.part_target_s:
        # The Advance Part Limit, and a few segments' parts more.
        beyond = part + math.ceil(3 / min(1.0, playlist.part_target_s)) + _FAR
        yield Question.PART_TOO_FAR, with_query(url, {"_HLS_msn": segment, "_HLS_part": beyond})
    closed = next((each for each in reversed(playlist.segments) if each.parts), None)
    if closed:
        yield Question.PAST_LAST_PART, with_query(url, {"_HLS_msn": closed.number, "_HLS_part": len(closed.parts)})
