"""A look into each video frame before it is packaged: is it whole, and is its picture still the one announced?

Some encoders change the resolution with parameter sets within the stream and send no new sequence header. Players of
MP4 go by the init segment, so that one has to follow.
"""

from __future__ import annotations

import struct
from collections.abc import Callable
from typing import NamedTuple

from ingest.media.avc import read_avc
from ingest.media.became import RefusedMedia
from ingest.media.bits import without_emulation_prevention
from ingest.media.flv import VideoConfig, VideoFrame
from ingest.media.hevc import read_hevc
from ingest.media.parameters import VideoParameters

NAL_UNITS_MAX = 1024
"""In one frame; more is damage or a flood of empty ones."""

DAMAGED_MAX = 150
"""Damaged frames in a row before the stream is refused: five seconds at 30 a second."""

_LENGTH = 4
_length_at = struct.Struct(">I").unpack_from


class _Form(NamedTuple):
    """Where the parameter sets of a codec stand, and how a decoder configuration record is made of them."""

    kind: Callable[[int], int]
    """From a NAL unit's first byte to its type."""
    sets: tuple[int, ...]
    """Types of the parameter sets, in the record's order."""
    sps: int
    record: Callable[[bytes, dict[int, bytes]], bytes]
    """From the old record and the new parameter sets."""
    read: Callable[[bytes], VideoParameters]


def _avc_record(_: bytes, sets: dict[int, bytes]) -> bytes:
    sps, pps = sets[7], sets[8]
    return b"".join([b"\x01", sps[1:4], b"\xff\xe1", _sized(sps), b"\x01", _sized(pps)])


def _hevc_record(old: bytes, sets: dict[int, bytes]) -> bytes:
    profile_and_level = without_emulation_prevention(sets[33][2:])[1:13]
    arrays = b"".join(bytes([0x80 | kind, 0, 1]) + _sized(sets[kind]) for kind in (32, 33, 34))
    return old[:1] + profile_and_level + old[13:22] + b"\x03" + arrays


def _sized(unit: bytes) -> bytes:
    return len(unit).to_bytes(2, "big") + unit


_FORMS = {
    b"avc1": _Form(lambda first: first & 0x1F, (7, 8), 7, _avc_record, read_avc),
    b"hvc1": _Form(lambda first: first >> 1 & 0x3F, (32, 33, 34), 33, _hevc_record, read_hevc),
}
"""AV1 has no entry: its decoders take a new sequence header as it comes, and its units say their own length."""


class Inspection:
    """One stream's."""

    def __init__(self) -> None:
        self._damaged = 0
        self._seen_sps = b""

    def is_whole(self, video: VideoParameters | None, frame: VideoFrame) -> bool:
        """False for a frame to be dropped: its NAL units do not add up. Raises RefusedMedia when nothing else comes."""
        if video is None or video.entry not in _FORMS or _adds_up(frame.data):
            self._damaged = 0
            return True
        self._damaged += 1
        if self._damaged >= DAMAGED_MAX:
            raise RefusedMedia("damaged_video", f"{DAMAGED_MAX} video frames in a row were cut short or not NAL units")
        return False

    def new_config(self, video: VideoParameters | None, frame: VideoFrame) -> VideoConfig | None:
        """The sequence header that a keyframe's parameter sets amount to, if they change the picture's size."""
        form = _FORMS.get(video.entry) if video else None
        if video is None or form is None:
            return None
        sets = _parameter_sets(form, frame.data)
        sps = sets.get(form.sps, b"")
        if len(sets) < len(form.sets) or sps == self._seen_sps:
            return None
        self._seen_sps = sps
        try:
            found = form.read(form.record(video.record, sets))
        except ValueError:
            return None  # the decoder is told what it needs by the sequence header
        if (found.width, found.height) == (video.width, video.height):
            return None
        return VideoConfig("avc1" if video.entry == b"avc1" else "hvc1", found.record)


def _adds_up(data: memoryview) -> bool:
    at, end = 0, len(data)
    for _ in range(NAL_UNITS_MAX):
        if at + _LENGTH > end:
            return False
        at += _LENGTH + _length_at(data, at)[0]
        if at == end:
            return True
    return False


def _parameter_sets(form: _Form, data: memoryview) -> dict[int, bytes]:
    """The first of each type in a frame that adds up."""
    found: dict[int, bytes] = {}
    at = 0
    while at < len(data):
        start = at + _LENGTH
        at = start + int.from_bytes(data[at:start], "big")
        if at > start and (kind := form.kind(data[start])) in form.sets:
            found.setdefault(kind, bytes(data[start:at]))
    return found
