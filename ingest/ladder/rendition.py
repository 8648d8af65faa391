"""One rung in the parent: from the worker's access units to the parts of its window."""

from __future__ import annotations

from ingest.hls.entries import Rendition, Slot
from ingest.hls.playback import Playback
from ingest.ladder.cutting import RungCutter
from ingest.ladder.load import QUIET_LAG_S
from ingest.ladder.rungs import Rung
from ingest.ladder.wire import Coded
from ingest.media.avc import read_avc
from ingest.media.fragment import Frame
from ingest.media.init import VIDEO_TIMESCALE
from ingest.media.track import Track

_IN_STEP = int(QUIET_LAG_S * VIDEO_TIMESCALE)


class RungRendition:
    """`join` when the worker is told of it, at the start of a segment; `leave` when it makes it no longer.

    Players hear of it when it has caught up with the source.
    """

    def __init__(self, rung: Rung, playback: Playback, first_dts: int) -> None:
        self.rung = rung
        self.codec = ""
        """RFC 6381; empty before the first access unit."""
        self.in_step = False
        """It has caught up."""
        self.told = False
        """The event that it came is out."""
        self.done = first_dts
        """Decode time of the source's last frame that the worker dealt with."""
        self._playback = playback
        self._track = Track.video(playback)
        self._cutter = RungCutter()

    def join(self) -> None:
        window = self._playback.window(self.rung.name)
        if window is None or window.absent:
            self._playback.hold_back(self.rung.name)
        if window and window.absent:
            window.come_back()

    def leave(self) -> None:
        """Its playlist goes on with gaps."""
        if window := self._playback.window(self.rung.name):
            window.leave()

    def opened(self, record: bytes) -> None:
        parameters = read_avc(record)
        self.codec = parameters.codec
        rung = self.rung
        self._track.begin(Rendition(rung.name, parameters.codec, rung.width, rung.height, rung.frame_rate), parameters)

    def mark(self, slot: Slot, last_dts: int, end: int, ends_segment: bool) -> None:
        self._cutter.mark(slot, last_dts, end, ends_segment)
        self._publish()

    def coded(self, unit: Coded) -> None:
        self.done = unit.dts
        self._cutter.push(Frame(unit.dts, 0, memoryview(unit.data), unit.keyframe, unit.composition))
        self._publish()

    def skipped(self, dts: int) -> None:
        self.done = dts
        self._cutter.skip(dts)
        self._publish()

    def _publish(self) -> None:
        cuts = self._cutter.take()
        for cut in cuts:
            self._track.publish(cut.slot, cut.frames)
            if cut.ends_segment:
                self._track.close_segment()
        if cuts and not self.in_step and self._cutter.behind <= _IN_STEP:
            self.in_step = True
            self._playback.let_go(self.rung.name)
        if cuts:
            self._playback.announce()
