"""From text to playlists, strictly (RFC 8216bis 4). Pure."""

from __future__ import annotations

import re

from ingest.hls.check.attributes import PlaylistError, read_integer
from ingest.hls.check.media_parser import MediaReader
from ingest.hls.check.multivariant_parser import MultivariantReader
from ingest.hls.check.playlist import MediaPlaylist, MultivariantPlaylist, Tag

SIZE_MAX = 8 << 20
"""Bytes: about 24 hours of segments."""
LINES_MAX = 200_000
LINE_MAX = 16_384
"""Characters of one line."""

_CONTROL = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f]")


def parse(data: bytes) -> MediaPlaylist | MultivariantPlaylist:
    """Read a playlist. Raises PlaylistError, and nothing else."""
    lines = _lines(data)
    media, multivariant = MediaReader(), MultivariantReader()
    version: int | None = None
    tags: set[str] = set()
    unknown: list[Tag] = []
    for line, text in enumerate(lines[1:], 2):
        if not text:
            continue
        if not text.startswith("#EXT"):
            if not text.startswith("#"):
                (multivariant if multivariant.awaits_uri else media).uri(text, line)
            continue
        name, _, value = text[1:].partition(":")
        if multivariant.awaits_uri:
            raise PlaylistError(line, "EXT-X-STREAM-INF is followed by its URI, not by a tag")
        if name == "EXTM3U" or (name == "EXT-X-VERSION" and version is not None):
            raise PlaylistError(line, f"{name} appears twice")
        tags.add(name)
        if name == "EXT-X-VERSION":
            version = read_integer(value, line, name)
        elif name == "EXT-X-INDEPENDENT-SEGMENTS":
            continue
        elif not (media.tag(name, value, line) or multivariant.tag(name, value, line)):
            unknown.append(Tag(line, text))
    return _finish(media, multivariant, version or 1, frozenset(tags), tuple(unknown), len(lines))


def _finish(
    media: MediaReader,
    multivariant: MultivariantReader,
    version: int,
    tags: frozenset[str],
    unknown: tuple[Tag, ...],
    lines: int,
) -> MediaPlaylist | MultivariantPlaylist:
    if media.used and multivariant.used:
        raise PlaylistError(lines, "tags of media playlists and of multivariant playlists stand in one")
    if multivariant.used:
        return multivariant.finish(version, tags, unknown, lines)
    if not media.used:
        raise PlaylistError(lines, "this is neither a media nor a multivariant playlist: it has the tags of none")
    return media.finish(version, tags, unknown, lines)


def _lines(data: bytes) -> list[str]:
    if len(data) > SIZE_MAX:
        raise PlaylistError(1, f"the playlist has {len(data)} bytes; this program reads up to {SIZE_MAX}")
    try:
        text = data.decode()
    except UnicodeDecodeError as error:
        raise PlaylistError(data.count(b"\n", 0, error.start) + 1, "this is not UTF-8") from None
    if text.startswith("\N{ZERO WIDTH NO-BREAK SPACE}"):
        raise PlaylistError(1, "a playlist has no byte order mark")
    lines = [line.removesuffix("\r") for line in text.split("\n", LINES_MAX)]
    if len(lines) > LINES_MAX:
        raise PlaylistError(LINES_MAX, f"this program reads up to {LINES_MAX} lines")
    if lines[0] != "#EXTM3U":
        raise PlaylistError(1, f"the first line is #EXTM3U, not {lines[0][:40]!r}")
    for line, content in enumerate(lines, 1):
        if len(content) > LINE_MAX:
            raise PlaylistError(line, f"this program reads lines of up to {LINE_MAX} characters")
        if _CONTROL.search(content) or "\r" in content:
            raise PlaylistError(line, "a playlist has no control characters but line ends and tabs")
    return lines
