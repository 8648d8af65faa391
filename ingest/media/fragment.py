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


def fragment(sequence: int, video: Sequence[Frame], audio: Sequence[Frame]) -> bytes:
    """One moof with a run for each track that has frames, and their mdat. `sequence` grows by one a part."""
    runs: list[tuple[bytes, bytes, int]] = []
    if video:
        table = [
            number
            for frame in video
            for number in (
                frame.duration,
                len(frame.data),
                SYNC_SAMPLE if frame.keyframe else OTHER_SAMPLE,
                frame.composition & 0xFFFFFFFF,
            )
        ]
        runs.append(_run(VIDEO_TRACK, video, _OFFSET | _DURATION | _SIZE | _FLAGS | _COMPOSITION, table))
    if audio:
        table = [number for frame in audio for number in (frame.duration, len(frame.data))]
        runs.append(_run(AUDIO_TRACK, audio, _OFFSET | _DURATION | _SIZE, table))
    moof_size = 24 + sum(len(head) + 4 + len(table) for head, table, _ in runs)
    offset = moof_size + 8
    chunks: list[bytes | memoryview] = [
        struct.pack(">I4sI4sII", moof_size, b"moof", 16, b"mfhd", 0, sequence & 0xFFFFFFFF)
    ]
    for head, table_bytes, size in runs:
        chunks += (head, struct.pack(">I", offset), table_bytes)
        offset += size
    chunks.append(struct.pack(">I4s", offset - moof_size, b"mdat"))
    chunks += [frame.data for frame in video]
    chunks += [frame.data for frame in audio]
    return b"".join(chunks)


def _run(track: int, frames: Sequence[Frame], flags: int, table: list[int]) -> tuple[bytes, bytes, int]:
    """The traf up to the trun's data offset, the bytes after it, and the size of the samples."""
    packed = struct.pack(f">{len(table)}I", *table)
    trun_size = 20 + len(packed)
    head = struct.pack(
        ">I4s I4sII I4sIQ I4sII",
        8 + 16 + 20 + trun_size, b"traf",
        16, b"tfhd", _BASE_IS_MOOF, track,
        20, b"tfdt", 1 << 24, frames[0].dts,
        trun_size, b"trun", 1 << 24 | flags, len(frames),
    )  # fmt: skip
    return head, packed, sum(len(frame.data) for frame in frames)
