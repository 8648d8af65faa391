"""The tags of multivariant playlists (RFC 8216bis 4.4.6)."""

from __future__ import annotations

from ingest.hls.check.attributes import Attributes, PlaylistError, read_attributes, read_uri
from ingest.hls.check.playlist import Media, MultivariantPlaylist, Tag, Variant

_KINDS = ("AUDIO", "VIDEO", "SUBTITLES", "CLOSED-CAPTIONS")
_KEPT_AS_READ = frozenset(
    {"EXT-X-I-FRAME-STREAM-INF", "EXT-X-SESSION-DATA", "EXT-X-SESSION-KEY", "EXT-X-CONTENT-STEERING"}
)
"""Tags whose attribute lists are read for their form only."""


class MultivariantReader:
    """Takes the lines of a multivariant playlist in order."""

    def __init__(self) -> None:
        self.used = False
        self._stream: Attributes | None = None
        self._variants: list[Variant] = []
        self._media: list[Media] = []

    @property
    def awaits_uri(self) -> bool:
        """True between EXT-X-STREAM-INF and its URI."""
        return self._stream is not None

    def tag(self, name: str, value: str, line: int) -> bool:
        """Take a tag; False when it belongs to no multivariant playlist. Raises PlaylistError."""
        if name == "EXT-X-STREAM-INF":
            self._stream = read_attributes(name, value, line)
        elif name == "EXT-X-MEDIA":
            self._media.append(_media(read_attributes(name, value, line)))
        elif name in _KEPT_AS_READ:
            read_attributes(name, value, line)
        else:
            return False
        self.used = True
        return True

    def uri(self, text: str, line: int) -> None:
        """Take the URI that an EXT-X-STREAM-INF is followed by. Raises PlaylistError."""
        if self._stream is not None:
            self._variants.append(_variant(self._stream, read_uri(text, line)))
        self._stream = None

    def finish(self, version: int, tags: frozenset[str], unknown: tuple[Tag, ...], lines: int) -> MultivariantPlaylist:
        """The playlist, after its last line. Raises PlaylistError."""
        if self._stream is not None:
            raise PlaylistError(lines, "the last EXT-X-STREAM-INF has no URI")
        if not self._variants:
            raise PlaylistError(lines, "the multivariant playlist has no EXT-X-STREAM-INF")
        independent = "EXT-X-INDEPENDENT-SEGMENTS" in tags
        return MultivariantPlaylist(version, tuple(self._variants), tuple(self._media), tags, independent, unknown)


def _variant(attributes: Attributes, uri: str) -> Variant:
    bandwidth = attributes.integer("BANDWIDTH")
    if bandwidth is None:
        raise PlaylistError(attributes.line, "EXT-X-STREAM-INF lacks BANDWIDTH")
    codecs = attributes.quoted("CODECS") or ""
    return Variant(
        line=attributes.line,
        uri=uri,
        bandwidth=bandwidth,
        average_bandwidth=attributes.integer("AVERAGE-BANDWIDTH"),
        codecs=tuple(codec.strip() for codec in codecs.split(",") if codec.strip()),
        resolution=attributes.resolution("RESOLUTION"),
        frame_rate=attributes.decimal("FRAME-RATE"),
        audio=attributes.quoted("AUDIO"),
        video=attributes.quoted("VIDEO"),
        subtitles=attributes.quoted("SUBTITLES"),
    )


def _media(attributes: Attributes) -> Media:
    kind = attributes.enumerated("TYPE")
    if kind not in _KINDS:
        raise PlaylistError(attributes.line, f"EXT-X-MEDIA TYPE is one of {', '.join(_KINDS)}, not {kind}")
    uri = attributes.uri() if attributes.raw("URI") is not None else None
    if uri is None and kind == "SUBTITLES":
        raise PlaylistError(attributes.line, "EXT-X-MEDIA of subtitles lacks URI")
    return Media(
        line=attributes.line,
        kind=kind,
        group=attributes.required("GROUP-ID"),
        name=attributes.required("NAME"),
        uri=uri,
        language=attributes.quoted("LANGUAGE"),
        default=attributes.is_yes("DEFAULT"),
        autoselect=attributes.is_yes("AUTOSELECT"),
        channels=attributes.quoted("CHANNELS"),
    )
