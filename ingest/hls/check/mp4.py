"""The little of ISO base media files that the rules look at (ISO 14496-12, CMAF ISO 23000-19). Pure.

Written apart from the packager's own boxes, so that it does not share their mistakes.
"""

from __future__ import annotations

import struct
from collections.abc import Iterator
from dataclasses import dataclass, field

from ingest.hls.check.codecs import codec_of

_BOXES_MAX = 100_000
_SAMPLES_MAX = 1_000_000
_NOT_SYNC = 0x00010000
_HEADERS = {"vide": 78, "soun": 28}
"""Bytes of a sample entry before its child boxes."""


class Mp4Error(ValueError):
    """The bytes are not what they should be: says which box."""


@dataclass(frozen=True)
class Track:
    number: int
    handler: str
    timescale: int
    """Ticks a second."""
    codec: str
    """RFC 6381."""
    width: int = 0
    height: int = 0
    default_duration: int = 0
    default_flags: int = 0


@dataclass(frozen=True)
class Run:
    """A track's samples in one fragment; times in the track's timescale."""

    track: int
    decode_time: int
    durations: tuple[int, ...]
    sync: tuple[bool, ...]
    """Whether each sample is a sync sample."""

    @property
    def end(self) -> int:
        return self.decode_time + sum(self.durations)


@dataclass(frozen=True)
class Init:
    tracks: tuple[Track, ...]

    def track(self, number: int) -> Track | None:
        return next((track for track in self.tracks if track.number == number), None)


@dataclass(frozen=True)
class Fragment:
    """A moof and its mdat."""

    sequence: int
    runs: tuple[Run, ...] = field(default=())


def read_init(data: bytes) -> Init:
    """Read an initialisation segment. Raises Mp4Error."""
    try:
        top = dict(_boxes(data))
        if b"moov" not in top:
            raise Mp4Error("there is no moov box")
        moov = top[b"moov"]
        extends = {
            struct.unpack_from(">I", box, 4)[0]: struct.unpack_from(">4I", box, 8)
            for kind, box in _boxes(dict(_boxes(moov)).get(b"mvex", b""))
            if kind == b"trex"
        }
        tracks = tuple(_track(box, extends) for kind, box in _boxes(moov) if kind == b"trak")
    except (struct.error, IndexError, KeyError, UnicodeDecodeError) as error:
        raise Mp4Error(f"the moov box is cut short or broken: {error!r}") from error
    if not tracks:
        raise Mp4Error("the moov box has no track")
    return Init(tracks)


def read_fragments(data: bytes, init: Init) -> tuple[Fragment, ...]:
    """Read a segment or part. Raises Mp4Error, also when a moof has no mdat or a track is not in the init segment."""
    fragments: list[Fragment] = []
    waiting: Fragment | None = None
    try:
        for kind, content in _boxes(data):
            if kind == b"moof":
                if waiting:
                    raise Mp4Error("a moof box is not followed by its mdat")
                waiting = _fragment(content, init)
            elif kind == b"mdat":
                if waiting is None:
                    raise Mp4Error("an mdat box has no moof before it")
                fragments.append(waiting)
                waiting = None
    except (struct.error, IndexError, KeyError) as error:
        raise Mp4Error(f"a moof box is cut short or broken: {error!r}") from error
    if waiting or not fragments:
        raise Mp4Error("there is no whole moof and mdat")
    return tuple(fragments)


def _boxes(data: bytes) -> Iterator[tuple[bytes, bytes]]:
    at = count = 0
    while at < len(data):
        if at + 8 > len(data):
            raise Mp4Error(f"{len(data) - at} bytes are left over behind the last box")
        size, kind = struct.unpack_from(">I4s", data, at)
        head = 8
        if size == 1:
            size, head = struct.unpack_from(">Q", data, at + 8)[0], 16
        elif size == 0:
            size = len(data) - at
        if size < head or at + size > len(data):
            raise Mp4Error(f"the box {kind!r} of {size} bytes does not fit into the {len(data) - at} that are left")
        count += 1
        if count > _BOXES_MAX:
            raise Mp4Error(f"there are more than {_BOXES_MAX} boxes")
        yield kind, data[at + head : at + size]
        at += size


def _track(trak: bytes, extends: dict[int, tuple[int, ...]]) -> Track:
    boxes = dict(_boxes(trak))
    mdia = dict(_boxes(boxes[b"mdia"]))
    tkhd, mdhd = boxes[b"tkhd"], mdia[b"mdhd"]
    number: int = struct.unpack_from(">I", tkhd, 20 if tkhd[0] else 12)[0]
    timescale: int = struct.unpack_from(">I", mdhd, 20 if mdhd[0] else 12)[0]
    handler = mdia[b"hdlr"][8:12].decode("ascii", "replace")
    table = dict(_boxes(dict(_boxes(mdia[b"minf"]))[b"stbl"]))
    entry, content = next(_boxes(table[b"stsd"][8:]), (b"", b""))
    if not timescale:
        raise Mp4Error(f"track {number} has a timescale of zero")
    width, height = struct.unpack_from(">HH", content, 24) if handler == "vide" else (0, 0)
    children = dict(_boxes(content[_HEADERS[handler] :])) if handler in _HEADERS else {}
    _, duration, _, flags = extends.get(number, (0, 0, 0, 0))
    return Track(number, handler, timescale, codec_of(entry, children), width, height, duration, flags)


def _fragment(moof: bytes, init: Init) -> Fragment:
    sequence, runs = 0, []
    for kind, content in _boxes(moof):
        if kind == b"mfhd":
            sequence = struct.unpack_from(">I", content, 4)[0]
        elif kind == b"traf":
            runs.append(_run(content, init))
    return Fragment(sequence, tuple(runs))


def _run(traf: bytes, init: Init) -> Run:
    track, decode_time = None, None
    duration = flags = 0
    durations: list[int] = []
    sync: list[bool] = []
    for kind, content in _boxes(traf):
        if kind == b"tfhd":
            said, number = struct.unpack_from(">II", content)
            track = init.track(number)
            if track is None:
                raise Mp4Error(f"track {number} of a fragment is not in the init segment")
            at = 8 + 8 * bool(said & 0x1) + 4 * bool(said & 0x2)
            duration, flags = track.default_duration, track.default_flags
            if said & 0x8:
                duration = struct.unpack_from(">I", content, at)[0]
            at += 4 * bool(said & 0x8) + 4 * bool(said & 0x10)
            if said & 0x20:
                flags = struct.unpack_from(">I", content, at)[0]
        elif kind == b"tfdt":
            decode_time = struct.unpack_from(">Q" if content[0] else ">I", content, 4)[0]
        elif kind == b"trun":
            if track is None:
                raise Mp4Error("a trun box comes before its tfhd")
            for each_duration, each_flags in _samples(content, duration, flags):
                durations.append(each_duration)
                sync.append(not each_flags & _NOT_SYNC)
    if track is None or decode_time is None:
        raise Mp4Error("a traf box lacks its tfhd or its tfdt")
    return Run(track.number, decode_time, tuple(durations), tuple(sync))


def _samples(trun: bytes, duration: int, flags: int) -> Iterator[tuple[int, int]]:
    said, count = struct.unpack_from(">II", trun)
    at, first_flags = 8 + 4 * bool(said & 0x1), flags
    if said & 0x4:
        first_flags = struct.unpack_from(">I", trun, at)[0]
        at += 4
    has_duration, has_size, has_flags, has_offset = (bool(said & bit) for bit in (0x100, 0x200, 0x400, 0x800))
    step = 4 * (has_duration + has_size + has_flags + has_offset)
    if at + count * step > len(trun) or count > _SAMPLES_MAX:
        raise Mp4Error(f"a trun box of {len(trun)} bytes cannot hold {count} samples")
    for index in range(count):
        each_duration = struct.unpack_from(">I", trun, at)[0] if has_duration else duration
        each_flags = first_flags if index == 0 else flags
        if has_flags:
            each_flags = struct.unpack_from(">I", trun, at + 4 * (has_duration + has_size))[0]
        yield each_duration, each_flags
        at += step
