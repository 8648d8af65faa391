"""The seam for whoever makes other renditions of a stream's picture: the ladder."""

from __future__ import annotations

from collections.abc import Callable
from typing import Protocol

from ingest.hls.entries import Slot
from ingest.media.became import Became
from ingest.media.fragment import Frame
from ingest.media.parameters import VideoParameters


class PictureSink(Protocol):
    """Called on the event loop, so nothing may wait. Times in the video timescale."""

    @property
    def overloaded(self) -> bool:
        """It makes less than it should."""

    def picture(self, frame: Frame) -> None:
        """The source's next frame, as soon as it is placed; its duration is a guess."""

    def begin(self, video: VideoParameters, frame_rate: float) -> None:
        """What these pictures are; said before the first `mark`, and after some of its pictures."""

    def mark(self, slot: Slot, last_dts: int, end: int, ends_segment: bool) -> None:
        """The source has a part. Its last frame, with `last_dts`, lasts until `end`; a part whose last frame is that of
        the part before is a gap."""

    def end(self) -> None:
        """What comes next does not continue what was."""

    def leave(self) -> None:
        """The stream goes on without a picture."""

    def close(self, finished: Callable[[], None]) -> None:
        """The stream is over. `finished` is called when the last part of its renditions is published, or given up."""

    def happened(self) -> list[Became]:
        """What became of its renditions since the last call."""
