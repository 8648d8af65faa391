"""What an encoder says of itself: `onMetaData` (FLV 10.1, E.5), as RTMP's data messages bring it."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass

from ingest.rtmp import amf0
from ingest.rtmp.errors import RtmpError

PAYLOAD_MAX = 65_536
"""Bytes; more is not looked at."""
TEXT_MAX = 64
"""Characters kept of an encoder's name."""

_NAME = "onMetaData"
_SIZE_MAX, _RATE_MAX, _KBPS_MAX = 16_384, 1_000.0, 1_000_000.0
_FOURCC_MIN = 0x2000_0000
"""Codec ids from here on are four characters (Enhanced RTMP)."""


@dataclass(frozen=True)
class Announced:
    """How the encoder is configured, by its own word; 0 or empty where it does not say, or says nonsense."""

    encoder: str = ""
    video_codec_id: str = ""
    """FLV's number or a FourCC, such as `7` or `hvc1`."""
    audio_codec_id: str = ""
    width: int = 0
    height: int = 0
    frame_rate: float = 0.0
    video_kbps: float = 0.0
    audio_kbps: float = 0.0


def read_metadata(payload: bytes) -> Announced | None:
    """None when it is not `onMetaData` or cannot be read: metadata are never a reason to refuse a stream."""
    if len(payload) > PAYLOAD_MAX:
        return None
    try:
        values = amf0.decode(payload)
    except RtmpError:
        return None
    if len(values) < 2 or values[0] != _NAME or not isinstance(values[1], Mapping):
        return None
    said = values[1]
    return Announced(
        encoder=_text(said.get("encoder") or said.get("videoencoder")),
        video_codec_id=_codec(said.get("videocodecid")),
        audio_codec_id=_codec(said.get("audiocodecid")),
        width=int(_number(said.get("width"), _SIZE_MAX)),
        height=int(_number(said.get("height"), _SIZE_MAX)),
        frame_rate=_number(said.get("framerate") or said.get("videoframerate"), _RATE_MAX),
        video_kbps=_number(said.get("videodatarate"), _KBPS_MAX),
        audio_kbps=_number(said.get("audiodatarate"), _KBPS_MAX),
    )


def _number(value: amf0.Value, most: float) -> float:
    """Some encoders send numbers as text."""
    if isinstance(value, str) and len(value) <= TEXT_MAX:
        try:
            value = float(value)
        except ValueError:
            return 0.0
    if isinstance(value, bool) or not isinstance(value, (int, float)) or not math.isfinite(value):
        return 0.0
    return float(value) if 0 < value <= most else 0.0


def _text(value: amf0.Value) -> str:
    if not isinstance(value, str):
        return ""
    return "".join(character for character in value[:TEXT_MAX] if character.isprintable()).strip()


def _codec(value: amf0.Value) -> str:
    if isinstance(value, float) and _FOURCC_MIN <= value <= 0xFFFF_FFFF:
        return _text(int(value).to_bytes(4, "big").decode("latin-1"))
    if isinstance(value, float) and 0 < value < 256:
        return str(int(value))
    return _text(value)
