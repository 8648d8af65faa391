"""What the RTMP side hands to the media side."""

from __future__ import annotations

from typing import Literal, NamedTuple

Kind = Literal["audio", "video", "data"]


class MediaTag(NamedTuple):
    """One FLV tag: `payload` is its body; `timestamp_ms` is unwrapped to 64 bits and may still jump back."""

    kind: Kind
    timestamp_ms: int
    payload: bytes
