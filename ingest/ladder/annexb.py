"""From an encoder's byte stream (H.264 Annex B) to what MP4 holds (ISO 14496-15 5.3)."""

from __future__ import annotations

import struct
from collections.abc import Iterator, Sequence

_START = b"\x00\x00\x01"
_SPS, _PPS, _DELIMITER = 7, 8, 9


def units(stream: bytes) -> Iterator[bytes]:
    """The NAL units."""
    at = stream.find(_START)
    while at >= 0:
        at += len(_START)
        following = stream.find(_START, at)
        unit = stream[at:] if following < 0 else stream[at:following]
        if unit := unit.rstrip(b"\x00"):
            yield unit
        at = following


def length_prefixed(nal_units: Sequence[bytes]) -> bytes:
    """The access unit without parameter sets, which are in the configuration, and delimiters."""
    kept = [unit for unit in nal_units if unit[0] & 0x1F not in (_SPS, _PPS, _DELIMITER)]
    return b"".join(part for unit in kept for part in (struct.pack(">I", len(unit)), unit))


def configuration(nal_units: Sequence[bytes]) -> bytes | None:
    """AVCDecoderConfigurationRecord of the parameter sets among them; None without both."""
    sps = next((unit for unit in nal_units if unit[0] & 0x1F == _SPS), None)
    pps = next((unit for unit in nal_units if unit[0] & 0x1F == _PPS), None)
    if sps is None or pps is None:
        return None
    extension = b"\xfd\xf8\xf8\x00" if sps[1] in (100, 110, 122, 144) else b""
    return (
        struct.pack(">B3sBB", 1, sps[1:4], 0xFF, 0xE1)
        + struct.pack(">H", len(sps)) + sps + b"\x01" + struct.pack(">H", len(pps)) + pps + extension
    )  # fmt: skip
