"""What is asked of a rendition at the live edge: its playlist, with or without directives, or one of its parts."""

from __future__ import annotations

import re
from typing import NamedTuple, TypeAlias

from starlette.datastructures import QueryParams

from ingest.hls.playlist import MEDIA_PLAYLIST

_PART = re.compile(r"part(\d{1,9})\.(\d{1,6})\.m4s", re.ASCII)
_NUMBER = re.compile(r"\d{1,9}", re.ASCII)


class BadDirective(ValueError):
    """A delivery directive without sense; the message says which, and what it should be."""


class Part(NamedTuple):
    """Its segment's media sequence number, and its index there."""

    msn: int
    part: int


class Reload(NamedTuple):
    """The delivery directives of a playlist request (RFC 8216bis 6.2.5): what it must have, and whether to skip."""

    msn: int | None
    part: int | None
    skip: bool


Wanted: TypeAlias = Part | Reload


def wanted_of(name: str, query: bytes) -> Wanted | None:
    """What the last part of a path and its query ask for; None for anything else. Raises BadDirective."""
    if name == MEDIA_PLAYLIST:
        return _reload(QueryParams(query))
    match = _PART.fullmatch(name)
    return Part(int(match[1]), int(match[2])) if match else None


def _reload(query: QueryParams) -> Reload:
    msn, part, skip = _directive(query, "_HLS_msn"), _directive(query, "_HLS_part"), query.get("_HLS_skip")
    if skip not in (None, "YES", "v2") or (part is not None and msn is None):
        raise BadDirective("_HLS_skip is YES or v2, and _HLS_part needs _HLS_msn")
    return Reload(msn, part, skip is not None)


def _directive(query: QueryParams, name: str) -> int | None:
    values = query.getlist(name)
    if not values:
        return None
    if len(values) > 1 or not _NUMBER.fullmatch(values[0]):
        raise BadDirective(f"{name} is one decimal number")
    return int(values[0])
