"""AVCDecoderConfigurationRecord (ISO 14496-15 5.3.3.1) and the H.264 sequence parameter set (7.3.2.1.1, E.1.1)."""

from __future__ import annotations

from ingest.media.bits import BitReader, without_emulation_prevention
from ingest.media.parameters import VideoParameters

_WITH_CHROMA = {100, 110, 122, 244, 44, 83, 86, 118, 128, 138, 139, 134, 135}
_EXTENDED_SAR = 255
RATE_MAX = 300.0
"""Higher declared frame rates are time bases, not rates."""


def read_avc(record: bytes) -> VideoParameters:
    """Raises ValueError on a record that is not one, or has no usable picture size."""
    if len(record) < 8 or record[0] != 1:
        raise ValueError("not an AVC decoder configuration record")
    if record[4] & 3 != 3:
        raise ValueError("NAL unit lengths must have 4 bytes")
    size = int.from_bytes(record[6:8], "big")
    sps = record[8 : 8 + size]
    if record[5] & 0x1F == 0 or len(sps) != size or size < 4:
        raise ValueError("no sequence parameter set")
    width, height, frame_rate = _read_sps(BitReader(without_emulation_prevention(sps[1:])))
    return VideoParameters(f"avc1.{record[1:4].hex()}", width, height, frame_rate, b"avc1", b"avcC", record)


def _read_sps(bits: BitReader) -> tuple[int, int, float]:
    profile = bits.bits(8)
    bits.bits(16)  # constraints and level
    bits.unsigned()  # seq_parameter_set_id
    chroma = 1
    if profile in _WITH_CHROMA:
        chroma = bits.unsigned()
        if chroma == 3:
            bits.flag()
        bits.unsigned(), bits.unsigned(), bits.flag()  # bit depths, lossless bypass
        if bits.flag():
            for index in range(12 if chroma == 3 else 8):
                if bits.flag():
                    _skip_scaling_list(bits, 16 if index < 6 else 64)
    bits.unsigned()  # log2_max_frame_num
    order = bits.unsigned()
    if order == 0:
        bits.unsigned()
    elif order == 1:
        bits.flag(), bits.signed(), bits.signed()
        for _ in range(min(bits.unsigned(), 255)):
            bits.signed()
    bits.unsigned(), bits.flag()  # reference frames, gaps allowed
    width = (bits.unsigned() + 1) * 16
    map_units = bits.unsigned() + 1
    progressive = bits.flag()
    height = map_units * 16 * (1 if progressive else 2)
    if not progressive:
        bits.flag()
    bits.flag()  # direct_8x8_inference
    if bits.flag():
        left, right, top, bottom = (bits.unsigned() for _ in range(4))
        width -= (left + right) * (1 if chroma in (0, 3) else 2)
        height -= (top + bottom) * (2 if chroma == 1 else 1) * (1 if progressive else 2)
    if not (0 < width <= 16384 and 0 < height <= 16384):
        raise ValueError("the picture size is out of range")
    return width, height, _read_frame_rate(bits) if bits.flag() else 0.0


def _read_frame_rate(bits: BitReader) -> float:
    if bits.flag() and bits.bits(8) == _EXTENDED_SAR:
        bits.bits(32)
    if bits.flag():
        bits.flag()  # overscan
    if bits.flag():
        bits.bits(4)
        if bits.flag():
            bits.bits(24)  # colour description
    if bits.flag():
        bits.unsigned(), bits.unsigned()  # chroma location
    if not bits.flag():
        return 0.0
    units, scale = bits.bits(32), bits.bits(32)
    rate = scale / (2 * units) if units else 0.0
    return rate if 1.0 <= rate <= RATE_MAX else 0.0


def _skip_scaling_list(bits: BitReader, size: int) -> None:
    last, following = 8, 8
    for _ in range(size):
        if following:
            following = (last + bits.signed()) % 256
        last = following or last
