"""The lines that a recording's journal is made of, and the manifest that they fold into. Pure."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import asdict, dataclass, field, replace

import orjson

from ingest.hls.entries import Rendition, init_name, segment_name
from ingest.recording.manifest import KeptSegment, KeptSheet, Manifest, Track
from ingest.recording.objects import COVER, sheet_name
from schemas.events.channels import PUBLIC


@dataclass(frozen=True, slots=True)
class Opened:
    """Whose recording it is. A process that takes it up again says it again."""

    stream_id: str
    channel_id: str
    playback_policy: str = PUBLIC


@dataclass(frozen=True, slots=True)
class Begun:
    """What follows in this rendition needs this init segment."""

    rendition: Rendition
    init: int


@dataclass(frozen=True, slots=True)
class Kept:
    """A segment of a rendition, or its gap."""

    rendition: str
    segment: KeptSegment


@dataclass(frozen=True, slots=True)
class Covered:
    """There is a picture for lists."""


@dataclass(frozen=True, slots=True)
class Sheeted:
    """A sheet of thumbnails is full."""

    sheet: KeptSheet


@dataclass(frozen=True, slots=True)
class Finished:
    """Nothing follows."""


Line = Opened | Begun | Kept | Covered | Sheeted | Finished


def file_of(line: Line) -> str:
    """The name, below the recording's home, of the file that the line tells of; empty for none."""
    match line:
        case Begun():
            return f"{line.rendition.name}/{init_name(line.init)}"
        case Kept() if not line.segment.gap:
            return f"{line.rendition}/{segment_name(line.segment.number)}"
        case Covered():
            return COVER
        case Sheeted():
            return sheet_name(line.sheet.number)
    return ""


def write(line: Line) -> bytes:
    """The line with its end."""
    match line:
        case Opened():
            value: object = ["opened", line.stream_id, line.channel_id, line.playback_policy]
        case Begun():
            value = ["begun", line.init, asdict(line.rendition)]
        case Kept():
            value = ["kept", line.rendition, *line.segment]
        case Covered():
            value = ["covered"]
        case Sheeted():
            value = ["sheeted", *line.sheet]
        case Finished():
            value = ["finished"]
    return orjson.dumps(value) + b"\n"


def read(data: bytes) -> Line:
    """Raises ValueError for what `write` did not write."""
    try:
        kind, *values = orjson.loads(data)
        match kind:
            case "opened":
                return Opened(*values)
            case "begun":
                return Begun(Rendition(**values[1]), values[0])
            case "kept":
                return Kept(values[0], KeptSegment(*values[1:]))
            case "covered":
                return Covered()
            case "sheeted":
                number, width, height, starts_at_s = values
                return Sheeted(KeptSheet(number, width, height, tuple(starts_at_s)))
            case "finished":
                return Finished()
    except (TypeError, IndexError, ValueError) as error:
        raise ValueError(f"not a line of a journal: {data[:80]!r}") from error
    raise ValueError(f"not a line of a journal: {data[:80]!r}")


@dataclass
class Story:
    """What the lines so far say."""

    stream_id: str = ""
    channel_id: str = ""
    playback_policy: str = PUBLIC
    finished: bool = False
    last_number: int = -1
    """Of all segments."""
    last_init: int = -1
    ends: dict[str, float] = field(default_factory=dict)
    """Unix time up to which each rendition is kept."""
    started_at_s: float | None = None
    size: int = 0
    """Bytes of segments."""
    renditions: dict[str, Rendition] = field(default_factory=dict)
    covered: bool = False
    sheets: int = 0
    """How many there are."""

    @property
    def ends_at_s(self) -> float:
        """Unix time up to which all renditions are kept; 0 before."""
        return min(self.ends.values(), default=0.0) if self.ends.keys() >= self.renditions.keys() else 0.0

    def hear(self, line: Line) -> None:
        match line:
            case Opened():
                self.stream_id, self.channel_id = line.stream_id, line.channel_id
                self.playback_policy = line.playback_policy
            case Begun():
                self.last_init = max(self.last_init, line.init)
                self.renditions[line.rendition.name] = line.rendition
            case Kept():
                segment = line.segment
                self.last_number = max(self.last_number, segment.number)
                self.size += segment.size
                self.ends[line.rendition] = segment.ends_at_s
                if self.started_at_s is None:
                    self.started_at_s = segment.starts_at_s
            case Covered():
                self.covered = True
            case Sheeted():
                self.sheets += 1
            case Finished():
                self.finished = True


def manifest_of(lines: Iterable[Line]) -> Manifest:
    """The recording that the lines tell of; the best picture comes first and the sound last."""
    story = Story()
    segments: dict[str, list[KeptSegment]] = defaultdict(list)
    sheets: list[KeptSheet] = []
    for line in lines:
        story.hear(line)
        if isinstance(line, Kept):
            segments[line.rendition].append(line.segment)
        elif isinstance(line, Sheeted):
            sheets.append(line.sheet)
    tracks = [
        replace(_track(rendition), segments=tuple(segments[name])) for name, rendition in story.renditions.items()
    ]
    tracks.sort(key=lambda track: (track.name != "source", -track.height))
    ids = story.stream_id, story.stream_id, story.channel_id
    return Manifest(*ids, tuple(tracks), story.playback_policy, tuple(sheets), story.covered).completed()


def _track(rendition: Rendition) -> Track:
    return Track(
        rendition.name,
        rendition.codecs,
        rendition.width,
        rendition.height,
        rendition.frame_rate,
        rendition.channels,
    )
