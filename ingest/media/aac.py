"""AudioSpecificConfig (ISO 14496-3 1.6.2.1)."""

from __future__ import annotations

from ingest.media.bits import BitReader
from ingest.media.parameters import AudioParameters

_RATES = (96000, 88200, 64000, 48000, 44100, 32000, 24000, 22050, 16000, 12000, 11025, 8000, 7350)
_EXPLICIT_RATE = 15
_CHANNELS = {1: 1, 2: 2, 3: 3, 4: 4, 5: 5, 6: 6, 7: 8}
_SBR, _PS = 5, 29
RECORD_MAX = 64
"""Bytes; real ones have 2 to 7."""


def read_aac(record: bytes) -> AudioParameters:
    """Raises ValueError on a configuration that is not one."""
    if len(record) > RECORD_MAX:
        raise ValueError("the audio configuration is too long")
    bits = BitReader(record)
    kind = _object_type(bits)
    rate = _sample_rate(bits)
    channels = bits.bits(4)
    core = kind
    if kind in (_SBR, _PS):
        _sample_rate(bits)
        core = _object_type(bits)
    short = core in (1, 2, 3, 4) and bits.flag()
    return AudioParameters(f"mp4a.40.{kind}", rate, _CHANNELS.get(channels, 2), 960 if short else 1024, record)


def _object_type(bits: BitReader) -> int:
    kind = bits.bits(5)
    if kind == 31:
        kind = 32 + bits.bits(6)
    if not kind:
        raise ValueError("no audio object type")
    return kind


def _sample_rate(bits: BitReader) -> int:
    index = bits.bits(4)
    rate = bits.bits(24) if index == _EXPLICIT_RATE else _RATES[index] if index < len(_RATES) else 0
    if not 7_000 <= rate <= 192_000:
        raise ValueError("the sample rate is out of range")
    return rate
