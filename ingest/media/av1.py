"""AV1CodecConfigurationRecord (AV1 in ISOBMFF 2.3.3), the AV1 sequence header (AV1 5.5) and temporal units (7.5)."""

from __future__ import annotations

from ingest.media.avc import RATE_MAX
from ingest.media.bits import BitReader
from ingest.media.parameters import VideoParameters

_MARKER_AND_VERSION = 0x81
_SEQUENCE_HEADER, _TEMPORAL_DELIMITER = 1, 2
_TIER_FROM_LEVEL = 8
_SIZE_BYTES_MAX = 8


def read_av1(record: bytes) -> VideoParameters:
    """Raises ValueError on a record that is not one, or has no usable picture size."""
    if len(record) < 4 or record[0] != _MARKER_AND_VERSION:
        raise ValueError("not an AV1 codec configuration record")
    width, height, frame_rate = _read_sequence_header(BitReader(_find_sequence_header(record)))
    return VideoParameters(_codec(record), width, height, frame_rate, b"av01", b"av1C", record)


def without_temporal_delimiters(unit: memoryview) -> memoryview:
    """The temporal unit as an MP4 sample: delimiters, which open it, are left out (AV1 in ISOBMFF 2.4)."""
    at = 0
    while at < len(unit) and unit[at] >> 3 & 0x0F == _TEMPORAL_DELIMITER:
        try:
            _, at = _payload(unit, at)
        except ValueError:
            return unit[len(unit) :]
    return unit[at:]


def _codec(record: bytes) -> str:
    """The codecs parameter (AV1 in ISOBMFF 5), without its optional fields."""
    profile, level = record[1] >> 5, record[1] & 0x1F
    tier, high_depth, twelve_bits = record[2] >> 7, record[2] >> 6 & 1, record[2] >> 5 & 1
    depth = 8 + 2 * high_depth + 2 * (high_depth & twelve_bits)
    return f"av01.{profile}.{level:02}{'MH'[tier]}.{depth:02}"


def _find_sequence_header(record: bytes) -> bytes:
    """The payload of the first one among the record's OBUs."""
    at, obus = 4, memoryview(record)
    while at < len(record):
        kind = record[at] >> 3 & 0x0F
        start, at = _payload(obus, at)
        if kind == _SEQUENCE_HEADER:
            return record[start:at]
    raise ValueError("no sequence header")


def _payload(data: memoryview, at: int) -> tuple[int, int]:
    """Where the payload of the OBU at `at` begins and ends (AV1 5.3). Raises ValueError."""
    header = data[at]
    at += 2 if header & 0x04 else 1
    if not header & 0x02:
        return at, len(data)
    size = 0
    for index, byte in enumerate(data[at : at + _SIZE_BYTES_MAX]):
        size |= (byte & 0x7F) << 7 * index
        if not byte & 0x80:
            start = at + index + 1
            if start + size > len(data):
                break
            return start, start + size
    raise ValueError("an OBU is cut short")


def _read_sequence_header(bits: BitReader) -> tuple[int, int, float]:
    bits.bits(3 + 1)  # profile, still picture
    frame_rate = 0.0
    if bits.flag():  # reduced_still_picture_header
        bits.bits(5)
    else:
        delay_bits = 0
        if bits.flag():
            frame_rate = _read_timing(bits)
            if bits.flag():  # decoder model
                delay_bits = bits.bits(5) + 1
                bits.bits(32 + 5 + 5)
        _skip_operating_points(bits, delay_bits)
    width_bits, height_bits = bits.bits(4) + 1, bits.bits(4) + 1
    width, height = bits.bits(width_bits) + 1, bits.bits(height_bits) + 1
    if not (width <= 16384 and height <= 16384):
        raise ValueError("the picture size is out of range")
    return width, height, frame_rate


def _read_timing(bits: BitReader) -> float:
    units, scale = bits.bits(32), bits.bits(32)
    if not bits.flag():  # equal_picture_interval
        return 0.0
    rate = scale / (units * (bits.unsigned() + 1)) if units else 0.0
    return rate if 1.0 <= rate <= RATE_MAX else 0.0


def _skip_operating_points(bits: BitReader, delay_bits: int) -> None:
    display_delays = bits.flag()
    for _ in range(bits.bits(5) + 1):
        bits.bits(12)
        if bits.bits(5) >= _TIER_FROM_LEVEL:
            bits.flag()
        if delay_bits and bits.flag():
            bits.bits(2 * delay_bits + 1)
        if display_delays and bits.flag():
            bits.bits(4)
