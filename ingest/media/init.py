"""The initialisation segment (CMAF: ftyp and moov without samples)."""

from __future__ import annotations

import struct

from ingest.media.boxes import box, full_box
from ingest.media.parameters import AudioParameters, VideoParameters

VIDEO_TRACK, AUDIO_TRACK = 1, 2
VIDEO_TIMESCALE = 90_000

SYNC_SAMPLE, OTHER_SAMPLE = 0x02000000, 0x01010000
"""Sample flags (ISO 14496-12 8.8.3.1): depends on no other; depends on others and is not a sync sample."""

_MATRIX = struct.pack(">9I", 0x10000, 0, 0, 0, 0x10000, 0, 0, 0, 0x40000000)
_EMPTY_TABLES = (
    full_box(b"stts", 0, 0, bytes(4)),
    full_box(b"stsc", 0, 0, bytes(4)),
    full_box(b"stsz", 0, 0, bytes(8)),
    full_box(b"stco", 0, 0, bytes(4)),
)
_SELF_CONTAINED = box(b"dinf", full_box(b"dref", 0, 0, struct.pack(">I", 1), full_box(b"url ", 0, 1)))


def init_segment(track: VideoParameters | AudioParameters) -> bytes:
    """What a player reads before any part of this track."""
    if isinstance(track, VideoParameters):
        content, extends = _video_track(track), _track_extends(VIDEO_TRACK, OTHER_SAMPLE)
    else:
        content, extends = _audio_track(track), _track_extends(AUDIO_TRACK, SYNC_SAMPLE)
    header = full_box(
        b"mvhd", 0, 0, struct.pack(">4I", 0, 0, 1000, 0), struct.pack(">IH10x", 0x10000, 0x100), _MATRIX, bytes(24),
        struct.pack(">I", AUDIO_TRACK + 1),
    )  # fmt: skip
    return box(b"ftyp", b"iso6", bytes(4), b"iso6cmfcmp41") + box(b"moov", header, content, box(b"mvex", extends))


def _video_track(video: VideoParameters) -> bytes:
    entry = box(
        video.entry,
        struct.pack(">6xH16xHHIIIH32xHh", 1, video.width, video.height, 0x480000, 0x480000, 0, 1, 0x18, -1),
        box(video.config_box, video.record),
    )
    return _track(
        VIDEO_TRACK, VIDEO_TIMESCALE, b"vide", full_box(b"vmhd", 0, 1, bytes(8)), entry, video.width, video.height
    )


def _audio_track(audio: AudioParameters) -> bytes:
    rate = audio.sample_rate if audio.sample_rate < 1 << 16 else 0  # the field has 16 bits; players read the record
    entry = box(
        b"mp4a",
        struct.pack(">6xH8xHHIHH", 1, audio.channels, 16, 0, rate, 0),
        _elementary_stream(audio.record),
    )
    return _track(AUDIO_TRACK, audio.sample_rate, b"soun", full_box(b"smhd", 0, 0, bytes(4)), entry, 0, 0)


def _elementary_stream(record: bytes) -> bytes:
    """`esds` (ISO 14496-1 7.2.6.5): AAC in an MPEG-4 audio stream, with its AudioSpecificConfig."""
    decoder = _descriptor(4, struct.pack(">BB3xII", 0x40, 0x15, 0, 0), _descriptor(5, record))
    return full_box(b"esds", 0, 0, _descriptor(3, struct.pack(">HB", AUDIO_TRACK, 0), decoder, _descriptor(6, b"\x02")))


def _descriptor(tag: int, *content: bytes) -> bytes:
    body = b"".join(content)
    return struct.pack(">BB", tag, len(body)) + body


def _track(number: int, timescale: int, handler: bytes, media: bytes, entry: bytes, width: int, height: int) -> bytes:
    volume = 0 if width else 0x100
    header = full_box(
        b"tkhd", 0, 3, struct.pack(">5I8xHHHxx", 0, 0, number, 0, 0, 0, 0, volume), _MATRIX,
        struct.pack(">II", width << 16, height << 16),
    )  # fmt: skip
    table = box(b"stbl", full_box(b"stsd", 0, 0, struct.pack(">I", 1), entry), *_EMPTY_TABLES)
    return box(
        b"trak",
        header,
        box(
            b"mdia",
            full_box(b"mdhd", 0, 0, struct.pack(">4IHH", 0, 0, timescale, 0, 0x55C4, 0)),
            full_box(b"hdlr", 0, 0, bytes(4), handler, bytes(12), b"\x00"),
            box(b"minf", media, _SELF_CONTAINED, table),
        ),
    )


def _track_extends(track: int, flags: int) -> bytes:
    return full_box(b"trex", 0, 0, struct.pack(">5I", track, 1, 0, 0, flags))
