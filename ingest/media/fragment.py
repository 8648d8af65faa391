"""A part's bytes: one moof and one mdat (ISO 14496-12 8.8).

Written here because it is the packager's whole per-frame cost: a muxer object a part takes half as much again.
"""

from __future__ import annotations

import struct
from collections.abc import Sequence
from typing import NamedTuple

from ingest.media.init import AUDIO_TRACK, OTHER_SAMPLE, SYNC_SAMPLE, VIDEO_TRACK

_BASE_IS_MOOF = 0x020000
_OFFSET, _DURATION, _SIZE, _FLAGS, _COMPOSITION = 0x001, 0x100, 0x200, 0x400, 0x800


class Frame(NamedTuple):
    """One sample of either track; times in the track's timescale."""

    dts: int
    duration: int
    data: memoryview
    keyframe: bool = True
    composition: int = 0

    def lasting_until(self, dts: int) -> Frame:
        """The same frame, ending where the next one begins."""
        return Frame(self.dts, dts - self.dts, self.data, self.keyframe, self.composition)


def video_fragment(sequence: int, frames: Sequence[Frame]) -> bytes:
    """`sequence` grows by one a part."""
    table = [
        number
        for frame in frames
        for number in (
            frame.duration,
            len(frame.data),
            SYNC_SAMPLE if frame.keyframe else OTHER_SAMPLE,
            frame.composition & 0xFFFFFFFF,
        )
    ]
    return _fragment(sequence, VIDEO_TRACK, frames, _OFFSET | _DURATION | _SIZE | _FLAGS | _COMPOSITION, table)


def audio_fragment(sequence: int, frames: Sequence[Frame]) -> bytes:
    """`sequence` grows by one a part."""
    table = [number for frame in frames for number in (frame.duration, len(frame.data))]
    return _fragment(sequence, AUDIO_TRACK, frames, _OFFSET | _DURATION | _SIZE, table)


def _fragment(sequence: int, track: int, frames: Sequence[Frame], flags: int, table: list[int]) -> bytes:
    table_size = 4 * len(table)
    trun_size = 20 + table_size
    moof_size = 24 + 8 + 16 + 20 + trun_size
    head = struct.pack(
        ">I4sI4sII I4s I4sII I4sIQ I4sIIi",
        moof_size, b"moof", 16, b"mfhd", 0, sequence & 0xFFFFFFFF,
        8 + 16 + 20 + trun_size, b"traf",
        16, b"tfhd", _BASE_IS_MOOF, track,
        20, b"tfdt", 1 << 24, frames[0].dts,
        trun_size, b"trun", 1 << 24 | flags, len(frames), moof_size + 8,
    )  # fmt: skip
    packed = struct.pack(f">{len(table)}I", *table)
    data = [frame.data for frame in frames]
    mdat = struct.pack(">I4s", 8 + sum(map(len, data)), b"mdat")
    return b"".join((head, packed, mdat, *data))
