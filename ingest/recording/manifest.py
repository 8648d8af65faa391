"""What a recording, or a clip of one, consists of. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import asdict, dataclass, replace
from functools import cached_property
from typing import NamedTuple

import orjson

from ingest.recording.objects import home_of
from schemas.events.channels import PUBLIC

NOT_MADE = "not_made"
"""Why a segment is a gap: the rendition was not made then, such as a rung of the ladder that was shed."""

LOST = "lost"
"""The process died before it was kept."""


class KeptSegment(NamedTuple):
    """One segment of one rendition."""

    number: int
    """The same for all renditions."""
    init: int
    """Number of its init segment."""
    discontinuity: bool
    """It follows a discontinuity."""
    keyframe: bool
    """It can be decoded without those before it."""
    starts_at_s: float
    """Unix time of its first frame."""
    duration_s: float
    size: int
    """Bytes; 0 for a gap."""
    gap: str = ""
    """Why it is missing; empty when it is there."""

    @property
    def ends_at_s(self) -> float:
        return self.starts_at_s + self.duration_s


class KeptSheet(NamedTuple):
    """One sheet of thumbnails."""

    number: int
    tile_width: int
    """Pixels."""
    tile_height: int
    starts_at_s: tuple[float, ...]
    """Unix time of each tile's segment."""


@dataclass(frozen=True, slots=True)
class Track:
    """One rendition with its segments in order."""

    name: str
    codecs: str
    """RFC 6381."""
    width: int = 0
    height: int = 0
    frame_rate: float = 0.0
    channels: int = 0
    segments: tuple[KeptSegment, ...] = ()


class Gap(NamedTuple):
    """A stretch that a recording lacks."""

    rendition: str
    first: int
    """Number of its first segment."""
    last: int
    starts_at_s: float
    """Unix time."""
    duration_s: float
    reason: str


class Nothing(Exception):
    """There is no media in that stretch."""


@dataclass(frozen=True)
class Manifest:
    """A recording. All tracks have the same segment numbers, once `completed`."""

    id: str
    """Of the recording, which is the stream's, or of the clip."""
    stream_id: str
    channel_id: str
    tracks: tuple[Track, ...]
    playback_policy: str = PUBLIC
    """Who may watch: the stream's."""
    sheets: tuple[KeptSheet, ...] = ()
    """Of a recording; a clip has none."""
    cover: bool = False
    """Whether there is a picture for lists."""

    @property
    def home(self) -> str:
        """Under which its objects lie in the store."""
        return home_of(self.id, self.playback_policy)

    @cached_property
    def timeline(self) -> tuple[KeptSegment, ...]:
        """The segments that stand for the recording's time: those of the first track."""
        return self.tracks[0].segments if self.tracks else ()

    @property
    def empty(self) -> bool:
        """There is nothing to play."""
        return all(segment.gap for track in self.tracks for segment in track.segments)

    @property
    def started_at_s(self) -> float:
        """Unix time of the first frame."""
        return self.timeline[0].starts_at_s

    @property
    def duration_s(self) -> float:
        """Media time, gaps included."""
        return sum(segment.duration_s for segment in self.timeline)

    @property
    def size(self) -> int:
        """Bytes of all segments."""
        return sum(segment.size for track in self.tracks for segment in track.segments)

    @cached_property
    def gaps(self) -> tuple[Gap, ...]:
        """Segments in a row that are missing for the same reason are one gap."""
        return tuple(gap for track in self.tracks for gap in _gaps(track))

    @property
    def complete(self) -> bool:
        """Whether all that was made is there."""
        return all(gap.reason == NOT_MADE for gap in self.gaps)

    def to_json(self) -> bytes:
        """The manifest as it lies in the store. Times are Unix times and durations, in seconds."""
        summary = {"complete": self.complete, "gaps": [gap._asdict() for gap in self.gaps]}
        head = {"id": self.id, "stream_id": self.stream_id, "channel_id": self.channel_id}
        head["playback_policy"] = self.playback_policy
        tracks = [asdict(track) | {"segments": [part._asdict() for part in track.segments]} for track in self.tracks]
        sheets = [sheet._asdict() for sheet in self.sheets]
        return orjson.dumps({**head, **summary, "renditions": tracks, "sheets": sheets, "cover": self.cover})

    @classmethod
    def from_json(cls, data: bytes) -> Manifest:
        """Raises ValueError, KeyError and TypeError for what `to_json` did not write."""
        read = orjson.loads(data)
        tracks = tuple(
            Track(**{**track, "segments": tuple(KeptSegment(**segment) for segment in track["segments"])})
            for track in read["renditions"]
        )
        ids, policy = (read["id"], read["stream_id"], read["channel_id"]), read.get("playback_policy", PUBLIC)
        sheets = [
            KeptSheet(**{**sheet, "starts_at_s": tuple(sheet["starts_at_s"])}) for sheet in read.get("sheets", ())
        ]
        return cls(*ids, tracks, policy, tuple(sheets), read.get("cover", False))

    def completed(self) -> Manifest:
        """With a gap wherever a track lacks a segment that another has, or that all lack."""
        known: dict[int, KeptSegment] = {}
        for track in self.tracks:
            for segment in track.segments:
                known.setdefault(segment.number, segment)
        spans = {span.number: span for span in _without_holes([known[number] for number in sorted(known)])}
        tracks = []
        for track in self.tracks:
            own = {segment.number: segment for segment in track.segments}
            segments = tuple(own.get(number) or _missing(span) for number, span in spans.items())
            tracks.append(replace(track, segments=segments))
        return replace(self, tracks=tuple(tracks))

    def cut(self, clip_id: str, first: int, last: int) -> Manifest:
        """The segments with these numbers, both included, as a recording of its own."""
        tracks = []
        for track in self.tracks:
            kept = [segment for segment in track.segments if first <= segment.number <= last]
            if any(not segment.gap for segment in kept):
                tracks.append(replace(track, segments=(kept[0]._replace(discontinuity=False), *kept[1:])))
        if not tracks:
            raise Nothing
        return replace(self, id=clip_id, tracks=tuple(tracks), sheets=(), cover=False)

    def between_offsets(self, start_s: float, end_s: float) -> tuple[int, int]:
        """The numbers of the segments around a stretch of media time. Raises Nothing."""
        offsets, at_s = [], 0.0
        for segment in self.timeline:
            offsets.append((at_s, at_s + segment.duration_s))
            at_s += segment.duration_s
        return self._around(offsets, start_s, end_s)

    def between_times(self, start_s: float, end_s: float) -> tuple[int, int]:
        """The numbers of the segments around a stretch of Unix time. Raises Nothing."""
        return self._around([(each.starts_at_s, each.ends_at_s) for each in self.timeline], start_s, end_s)

    def offset_of(self, number: int) -> float:
        """Media time before a segment, seconds."""
        return sum(segment.duration_s for segment in self.timeline if segment.number < number)

    def _around(self, bounds: list[tuple[float, float]], start_s: float, end_s: float) -> tuple[int, int]:
        """From the keyframe at or before the start to the first end at or after the end."""
        timeline = self.timeline
        touched = [index for index, (begin, end) in enumerate(bounds) if begin < end_s and end > start_s]
        touched = [index for index in touched if not timeline[index].gap]
        if not touched:
            raise Nothing
        first = touched[0]
        while first and not timeline[first].keyframe and not timeline[first - 1].gap:
            first -= 1
        return timeline[first].number, timeline[touched[-1]].number


def _gaps(track: Track) -> Iterator[Gap]:
    open_gap: Gap | None = None
    for segment in track.segments:
        if open_gap and (segment.gap != open_gap.reason or segment.discontinuity):
            yield open_gap
            open_gap = None
        if segment.gap:
            before = open_gap or Gap(track.name, segment.number, 0, segment.starts_at_s, 0.0, segment.gap)
            open_gap = before._replace(last=segment.number, duration_s=before.duration_s + segment.duration_s)
    if open_gap:
        yield open_gap


def _without_holes(spans: Iterable[KeptSegment]) -> Iterator[KeptSegment]:
    """Numbers that no track has are filled in, over the time that they must have taken."""
    before: KeptSegment | None = None
    for span in spans:
        if before and (missing := span.number - before.number - 1):
            each_s = max(0.0, span.starts_at_s - before.ends_at_s) / missing
            for index in range(missing):
                yield KeptSegment(
                    before.number + 1 + index,
                    before.init,
                    False,
                    True,
                    before.ends_at_s + index * each_s,
                    each_s,
                    0,
                    LOST,
                )
        yield span
        before = span


def _missing(span: KeptSegment) -> KeptSegment:
    return span if span.gap == LOST else span._replace(size=0, gap=NOT_MADE)
