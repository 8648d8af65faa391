"""HEVCDecoderConfigurationRecord (ISO 14496-15 8.3.3.1) and the start of the H.265 sequence parameter set (7.3.2.2)."""

from __future__ import annotations

from ingest.media.bits import BitReader, without_emulation_prevention
from ingest.media.parameters import VideoParameters

_SPS = 33


def read_hevc(record: bytes) -> VideoParameters:
    """Raises ValueError on a record that is not one, or has no usable picture size."""
    if len(record) < 23 or record[0] != 1:
        raise ValueError("not an HEVC decoder configuration record")
    if record[21] & 3 != 3:
        raise ValueError("NAL unit lengths must have 4 bytes")
    width, height = _picture_size(_find_sps(record))
    return VideoParameters(_codec(record), width, height, 0.0, b"hvc1", b"hvcC", record)


def _codec(record: bytes) -> str:
    """ISO 14496-15 E.3."""
    space, tier, profile = record[1] >> 6, record[1] >> 5 & 1, record[1] & 0x1F
    compatibility = int(f"{int.from_bytes(record[2:6], 'big'):032b}"[::-1], 2)
    constraints = record[6:12].rstrip(b"\x00")
    parts = [f"{['', 'A', 'B', 'C'][space]}{profile}", f"{compatibility:X}", f"{'LH'[tier]}{record[12]}"]
    return ".".join(["hvc1", *parts, *(f"{byte:X}" for byte in constraints)])


def _find_sps(record: bytes) -> bytes:
    at = 23
    for _ in range(record[22]):
        kind, count = record[at] & 0x3F if at < len(record) else 0, int.from_bytes(record[at + 1 : at + 3], "big")
        at += 3
        for _ in range(count):
            size = int.from_bytes(record[at : at + 2], "big")
            nal = record[at + 2 : at + 2 + size]
            if len(nal) != size or not size:
                raise ValueError("the record is cut short")
            if kind == _SPS:
                return nal
            at += 2 + size
    raise ValueError("no sequence parameter set")


def _picture_size(sps: bytes) -> tuple[int, int]:
    bits = BitReader(without_emulation_prevention(sps[2:]))
    bits.bits(4)
    layers = bits.bits(3)
    bits.bits(1 + 88 + 8)  # nesting, general profile, level
    present = [(bits.flag(), bits.flag()) for _ in range(layers)]
    if layers:
        bits.bits(2 * (8 - layers))
    for profile, level in present:
        bits.bits(88 * profile + 8 * level)
    bits.unsigned()  # sps_seq_parameter_set_id
    chroma = bits.unsigned()
    if chroma == 3:
        bits.flag()
    width, height = bits.unsigned(), bits.unsigned()
    if bits.flag():
        left, right, top, bottom = (bits.unsigned() for _ in range(4))
        width -= (left + right) * (2 if chroma in (1, 2) else 1)
        height -= (top + bottom) * (2 if chroma == 1 else 1)
    if not (0 < width <= 16384 and 0 < height <= 16384):
        raise ValueError("the picture size is out of range")
    return width, height
