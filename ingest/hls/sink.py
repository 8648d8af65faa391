"""The seam for whoever wants a stream's closed segments: recordings, thumbnails."""

from __future__ import annotations

from typing import Protocol

from ingest.hls.entries import Rendition, SegmentEntry


class SegmentSink(Protocol):
    """Called on the event loop, so it queues and returns. It must not raise."""

    def begin(self, rendition: Rendition, init_number: int, init: bytes) -> None:
        """The rendition's segments with this init number need this init segment; it may come again with another."""

    def segment(self, rendition_name: str, entry: SegmentEntry, data: bytes) -> None:
        """A segment closed: said once, in order within a rendition. A gap has `entry.gap` and no data."""

    def finish(self) -> None:
        """The stream is over."""
