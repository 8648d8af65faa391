"""The tags of media playlists (RFC 8216bis 4.4.3 to 4.4.5)."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime

from ingest.hls.check.attributes import (
    Attributes,
    PlaylistError,
    read_attributes,
    read_decimal,
    read_integer,
    read_range,
    read_uri,
)
from ingest.hls.check.playlist import (
    ByteRange,
    Map,
    MediaPlaylist,
    Part,
    PreloadHint,
    RenditionReport,
    Segment,
    ServerControl,
    Tag,
)

_ONCE = frozenset(
    {
        "EXT-X-TARGETDURATION", "EXT-X-MEDIA-SEQUENCE", "EXT-X-DISCONTINUITY-SEQUENCE", "EXT-X-ENDLIST",
        "EXT-X-PLAYLIST-TYPE", "EXT-X-I-FRAMES-ONLY", "EXT-X-PART-INF", "EXT-X-SERVER-CONTROL", "EXT-X-SKIP",
    }
)  # fmt: skip
"""Tags that a media playlist has once (4.4.3, 4.4.5)."""

_BEFORE_PARTS = frozenset({"EXT-X-DISCONTINUITY", "EXT-X-KEY", "EXT-X-MAP", "EXT-X-PROGRAM-DATE-TIME"})


@dataclass
class _Next:
    """What was said of the segment whose URI has not come yet."""

    duration_s: float | None = None
    discontinuity: bool = False
    date_time_s: float | None = None
    gap: bool = False
    byte_range: tuple[int, int | None] | None = None
    parts: list[Part] = field(default_factory=list)
    tags_after_parts: list[str] = field(default_factory=list)

    @property
    def begun(self) -> bool:
        return self.duration_s is not None or bool(self.parts)


class MediaReader:
    """Takes the lines of a media playlist in order."""

    def __init__(self) -> None:
        self.used = False
        self._seen: set[str] = set()
        self._target_s: int | None = None
        self._media_sequence = 0
        self._discontinuity_sequence = 0
        self._discontinuities = 0
        self._kind: str | None = None
        self._part_target_s: float | None = None
        self._control: ServerControl | None = None
        self._skipped = 0
        self._map: Map | None = None
        self._segments: list[Segment] = []
        self._next = _Next()
        self._hints: list[PreloadHint] = []
        self._reports: list[RenditionReport] = []
        self._date_ranges: list[Attributes] = []
        self._fractions = False
        self._readers: dict[str, Callable[[str, int], None]] = {
            "EXT-X-TARGETDURATION": self._read_target,
            "EXT-X-MEDIA-SEQUENCE": self._read_media_sequence,
            "EXT-X-DISCONTINUITY-SEQUENCE": self._read_discontinuity_sequence,
            "EXT-X-ENDLIST": self._read_nothing,
            "EXT-X-I-FRAMES-ONLY": self._read_nothing,
            "EXT-X-KEY": self._read_key,
            "EXT-X-PLAYLIST-TYPE": self._read_kind,
            "EXT-X-PART-INF": self._read_part_inf,
            "EXT-X-SERVER-CONTROL": self._read_control,
            "EXTINF": self._read_extinf,
            "EXT-X-BYTERANGE": self._read_byte_range,
            "EXT-X-DISCONTINUITY": self._read_discontinuity,
            "EXT-X-MAP": self._read_map,
            "EXT-X-PROGRAM-DATE-TIME": self._read_date_time,
            "EXT-X-GAP": self._read_gap,
            "EXT-X-BITRATE": self._read_bitrate,
            "EXT-X-PART": self._read_part,
            "EXT-X-DATERANGE": self._read_date_range,
            "EXT-X-SKIP": self._read_skip,
            "EXT-X-PRELOAD-HINT": self._read_hint,
            "EXT-X-RENDITION-REPORT": self._read_report,
        }

    def tag(self, name: str, value: str, line: int) -> bool:
        """Take a tag; False when it belongs to no media playlist. Raises PlaylistError."""
        reader = self._readers.get(name)
        if reader is None:
            return False
        if name in _ONCE and name in self._seen:
            raise PlaylistError(line, f"{name} appears twice")
        if name in _BEFORE_PARTS and self._next.parts:
            self._next.tags_after_parts.append(name)
        self.used = True
        self._seen.add(name)
        reader(value, line)
        return True

    def uri(self, text: str, line: int) -> None:
        """Take a URI line, which closes a segment. Raises PlaylistError."""
        self.used = True
        following = self._next
        if following.duration_s is None:
            raise PlaylistError(line, f"the URI {text[:80]!r} has no EXTINF before it")
        self._segments.append(self._segment(following, read_uri(text, line), following.duration_s, line))
        self._next = _Next()

    def finish(self, version: int, tags: frozenset[str], unknown: tuple[Tag, ...], lines: int) -> MediaPlaylist:
        """The playlist, after its last line. Raises PlaylistError."""
        if self._target_s is None:
            raise PlaylistError(lines, "the media playlist lacks EXT-X-TARGETDURATION")
        following, still_open = self._next, None
        if following.duration_s is not None:
            raise PlaylistError(lines, "the last EXTINF has no URI")
        if following.parts:
            still_open = self._segment(following, "", sum(part.duration_s for part in following.parts), lines)
        return MediaPlaylist(
            version=version,
            target_s=self._target_s,
            media_sequence=self._media_sequence,
            discontinuity_sequence=self._discontinuity_sequence,
            segments=tuple(self._segments),
            open=still_open,
            tags=tags,
            part_target_s=self._part_target_s,
            control=self._control,
            ended="EXT-X-ENDLIST" in tags,
            kind=self._kind,
            independent_segments="EXT-X-INDEPENDENT-SEGMENTS" in tags,
            skipped=self._skipped,
            hints=tuple(self._hints),
            reports=tuple(self._reports),
            date_ranges=tuple(self._date_ranges),
            unknown=unknown,
            decimal_durations=self._fractions,
        )

    def _segment(self, said: _Next, uri: str, duration_s: float, line: int) -> Segment:
        before = self._segments[-1] if self._segments else None
        carried_on = before.byte_range if before and before.uri == uri else None
        return Segment(
            line=line,
            number=self._media_sequence + self._skipped + len(self._segments),
            uri=uri,
            duration_s=duration_s,
            discontinuity_sequence=self._discontinuity_sequence + self._discontinuities,
            map=self._map,
            parts=tuple(said.parts),
            discontinuity=said.discontinuity,
            date_time_s=said.date_time_s,
            gap=said.gap,
            byte_range=_placed(said.byte_range, carried_on, line),
            tags_after_parts=tuple(said.tags_after_parts),
        )

    def _read_nothing(self, value: str, line: int) -> None:
        if value:
            raise PlaylistError(line, "this tag has no value")

    def _read_target(self, value: str, line: int) -> None:
        self._target_s = read_integer(value, line, "EXT-X-TARGETDURATION")
        if not self._target_s:
            raise PlaylistError(line, "EXT-X-TARGETDURATION is at least 1")

    def _read_media_sequence(self, value: str, line: int) -> None:
        self._needs_no_segment_before("EXT-X-MEDIA-SEQUENCE", line)
        self._media_sequence = read_integer(value, line, "EXT-X-MEDIA-SEQUENCE")

    def _read_discontinuity_sequence(self, value: str, line: int) -> None:
        self._needs_no_segment_before("EXT-X-DISCONTINUITY-SEQUENCE", line)
        self._discontinuity_sequence = read_integer(value, line, "EXT-X-DISCONTINUITY-SEQUENCE")

    def _needs_no_segment_before(self, name: str, line: int) -> None:
        if self._segments or self._next.begun or self._discontinuities or self._skipped:
            raise PlaylistError(line, f"{name} stands before the first segment")

    def _read_kind(self, value: str, line: int) -> None:
        if value not in ("EVENT", "VOD"):
            raise PlaylistError(line, f"EXT-X-PLAYLIST-TYPE is EVENT or VOD, not {value[:80]!r}")
        self._kind = value

    def _read_part_inf(self, value: str, line: int) -> None:
        self._part_target_s = read_attributes("EXT-X-PART-INF", value, line).decimal("PART-TARGET")
        if not self._part_target_s:
            raise PlaylistError(line, "EXT-X-PART-INF needs a PART-TARGET above zero")

    def _read_control(self, value: str, line: int) -> None:
        attributes = read_attributes("EXT-X-SERVER-CONTROL", value, line)
        self._control = ServerControl(
            block_reload=attributes.is_yes("CAN-BLOCK-RELOAD"),
            skip_until_s=attributes.decimal("CAN-SKIP-UNTIL"),
            skip_date_ranges=attributes.is_yes("CAN-SKIP-DATERANGES"),
            hold_back_s=attributes.decimal("HOLD-BACK"),
            part_hold_back_s=attributes.decimal("PART-HOLD-BACK"),
        )

    def _read_extinf(self, value: str, line: int) -> None:
        if self._next.duration_s is not None:
            raise PlaylistError(line, "two EXTINF without a URI between them")
        duration = value.partition(",")[0]
        self._fractions |= "." in duration
        self._next.duration_s = read_decimal(duration, line, "EXTINF")

    def _read_byte_range(self, value: str, line: int) -> None:
        self._next.byte_range = read_range(value, line, "EXT-X-BYTERANGE")

    def _read_discontinuity(self, value: str, line: int) -> None:
        self._read_nothing(value, line)
        if not self._next.discontinuity:
            self._discontinuities += 1
        self._next.discontinuity = True

    def _read_key(self, value: str, line: int) -> None:
        attributes = read_attributes("EXT-X-KEY", value, line)
        if attributes.enumerated("METHOD") is None:
            raise PlaylistError(line, "EXT-X-KEY lacks METHOD")

    def _read_map(self, value: str, line: int) -> None:
        attributes = read_attributes("EXT-X-MAP", value, line)
        self._map = Map(attributes.uri(), _placed(attributes.byte_range("BYTERANGE"), None, line))

    def _read_date_time(self, value: str, line: int) -> None:
        try:
            moment = datetime.fromisoformat(value)
            self._next.date_time_s = (moment if moment.tzinfo else moment.replace(tzinfo=UTC)).timestamp()
        except (ValueError, OverflowError):
            raise PlaylistError(line, f"EXT-X-PROGRAM-DATE-TIME is no date and time: {value[:80]!r}") from None

    def _read_gap(self, value: str, line: int) -> None:
        self._read_nothing(value, line)
        self._next.gap = True

    def _read_bitrate(self, value: str, line: int) -> None:
        read_integer(value, line, "EXT-X-BITRATE")

    def _read_part(self, value: str, line: int) -> None:
        if self._next.duration_s is not None:
            raise PlaylistError(line, "EXT-X-PART stands between an EXTINF and its URI")
        attributes = read_attributes("EXT-X-PART", value, line)
        duration_s = attributes.decimal("DURATION")
        if duration_s is None:
            raise PlaylistError(line, "EXT-X-PART lacks DURATION")
        uri = attributes.uri()
        before = self._next.parts[-1] if self._next.parts else None
        stated = attributes.byte_range("BYTERANGE")
        carried_on = before.byte_range if before and before.uri == uri else ByteRange(0, 0)
        self._next.parts.append(
            Part(
                line,
                uri,
                duration_s,
                attributes.is_yes("INDEPENDENT"),
                attributes.is_yes("GAP"),
                _placed(stated, carried_on, line),
            )
        )

    def _read_date_range(self, value: str, line: int) -> None:
        attributes = read_attributes("EXT-X-DATERANGE", value, line)
        attributes.required("ID")
        self._date_ranges.append(attributes)

    def _read_skip(self, value: str, line: int) -> None:
        self._needs_no_segment_before("EXT-X-SKIP", line)
        skipped = read_attributes("EXT-X-SKIP", value, line).integer("SKIPPED-SEGMENTS")
        if skipped is None:
            raise PlaylistError(line, "EXT-X-SKIP lacks SKIPPED-SEGMENTS")
        self._skipped = skipped

    def _read_hint(self, value: str, line: int) -> None:
        attributes = read_attributes("EXT-X-PRELOAD-HINT", value, line)
        kind = attributes.enumerated("TYPE")
        if kind is None:
            raise PlaylistError(line, "EXT-X-PRELOAD-HINT lacks TYPE")
        start, length = attributes.integer("BYTERANGE-START") or 0, attributes.integer("BYTERANGE-LENGTH")
        self._hints.append(PreloadHint(line, kind, attributes.uri(), start, length))

    def _read_report(self, value: str, line: int) -> None:
        attributes = read_attributes("EXT-X-RENDITION-REPORT", value, line)
        uri, last = attributes.uri(), attributes.integer("LAST-MSN")
        self._reports.append(RenditionReport(line, uri, last, attributes.integer("LAST-PART")))


def _placed(stated: tuple[int, int | None] | None, before: ByteRange | None, line: int) -> ByteRange | None:
    """A byte range with its offset, which follows the range before it unless stated (4.4.4.2)."""
    if stated is None:
        return None
    length, offset = stated
    if offset is None:
        if before is None:
            raise PlaylistError(line, "a byte range without an offset follows no range of the same resource")
        offset = before.offset + before.length
    return ByteRange(length, offset)
