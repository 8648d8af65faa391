"""What a publisher that may have to take over has ready: its sequence headers, and its media since the last keyframe.

Encoders send sequence headers once, when they begin, so those are kept of whoever is on the air too.
"""

from __future__ import annotations

from ingest.media.flv import VideoFrame, is_sequence_header, read_audio, read_video
from ingest.media.gathering import TAG_OVERHEAD
from ingest.media.tag import Kind, MediaTag

GOP_MAX = 16 << 20
"""Bytes. A longer GOP is not kept: its publisher can take over at its next keyframe."""

HEADER_MAX = 64 << 10
_METADATA = b"\x02\x00\x0aonMetaData"


class Reserve:
    """Bounded: at most three headers and one GOP."""

    def __init__(self) -> None:
        self._headers: dict[Kind, MediaTag] = {}
        self._gop: list[MediaTag] = []
        self._size = 0

    @property
    def ready(self) -> bool:
        """What is kept begins with a keyframe."""
        return bool(self._gop)

    def leads(self, tag: MediaTag) -> bool:
        """Its track is the one that decides when something can be shown: video, where there is video."""
        return tag.kind == ("video" if "video" in self._headers else "audio")

    def note(self, tag: MediaTag) -> bool:
        """Keep it if it is a header; returns whether it is one. Raises RefusedMedia."""
        is_header = tag.payload.startswith(_METADATA) if tag.kind == "data" else is_sequence_header(tag)
        if is_header and len(tag.payload) <= HEADER_MAX:
            self._headers[tag.kind] = tag
        return is_header

    def keep(self, tag: MediaTag) -> bool:
        """Keep a tag of who stands by; returns whether playing can begin with it. Raises RefusedMedia."""
        if self.note(tag):
            if tag.kind != "data":
                self.drop()
            return False
        begins = self._begins(tag)
        if begins:
            self.drop()
        if begins or self._gop:
            self._gop.append(tag)
            self._size += len(tag.payload) + TAG_OVERHEAD
            if self._size > GOP_MAX:
                self.drop()
        return begins

    def take(self) -> list[MediaTag]:
        """Everything, in the order in which it is to be pushed; the GOP is let go of."""
        tags = [*self._headers.values(), *self._gop]
        self.drop()
        return tags

    def drop(self) -> None:
        """Let go of the GOP."""
        self._gop.clear()
        self._size = 0

    def _begins(self, tag: MediaTag) -> bool:
        if tag.kind == "video":
            unit = read_video(tag.payload)
            return isinstance(unit, VideoFrame) and unit.keyframe
        return tag.kind == "audio" and self.leads(tag) and read_audio(tag.payload) is not None
