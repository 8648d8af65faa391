"""A stream as the packager writes it, with bytes that need not be media."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace

from ingest.hls.appender import Appender
from ingest.hls.entries import Rendition, SegmentEntry, Ticks
from ingest.hls.playback import AUDIO, SOURCE, Playback
from ingest.hls.window import Window

NOW_S = 1_790_000_000.0
PART_S = 0.2
RENDITIONS = {
    SOURCE: Rendition(SOURCE, "avc1.64001f", 1280, 720, 30.0),
    AUDIO: Rendition(AUDIO, "mp4a.40.2", channels=2, timescale=48_000),
    "360p": Rendition("360p", "avc1.4d401e", 640, 360, 30.0),
}


class Stage:
    """The first of `names` leads; all get the same parts unless `only` says which."""

    def __init__(self, playback: Playback, names: Iterable[str] = (SOURCE,), *, plays_in_browsers: bool = True) -> None:
        """`plays_in_browsers` is of the source."""
        self.playback = playback
        self._renditions = RENDITIONS | {SOURCE: replace(RENDITIONS[SOURCE], plays_in_browsers=plays_in_browsers)}
        self.names = list(names)
        self.media_s = 0.0
        self.disk_hangs = False
        self._appender = Appender()
        self.begin()

    def begin(self, init: bytes = b"the init") -> None:
        """A stretch of media that does not continue the one before."""
        self.playback.timeline.begin(PART_S)
        for name in self.names:
            self.playback.begin(self._renditions[name], init)

    def join(self, name: str, init: bytes = b"the init") -> Window:
        self.names.append(name)
        return self.playback.begin(RENDITIONS[name], init)

    def leave(self, name: str) -> None:
        self.names.remove(name)
        window = self.playback.window(name)
        assert window
        window.leave()

    def add_parts(
        self, count: int, close: bool = False, fill: bytes = b"part %d;", part_s: float = PART_S, keyframe: bool = True
    ) -> bool:
        """Returns whether the disk took what it was given before, when this closes a segment, which is then stored."""
        timeline, stored = self.playback.timeline, False
        for index in range(count):
            slot = timeline.open_slot(part_s, NOW_S + self.media_s, self.media_s)
            until_s = self.media_s + part_s
            for name in self.names:
                window = self.playback.window(name)
                assert window
                data = fill % index if b"%d" in fill else fill
                scale = window.rendition.timescale
                ticks = Ticks(round(self.media_s * scale), round(until_s * scale))
                window.add_part(slot, data, keyframe and index == 0, ticks)
            self.media_s = until_s
        if close:
            timeline.close_segment()
            for name in self.names:
                window = self.playback.window(name)
                assert window
                stored = window.close_segment()
        self.playback.announce()
        if close and not self.disk_hangs:
            self.playback.store(self._appender)
        return stored

    def add_segments(self, count: int) -> None:
        for _ in range(count):
            self.add_parts(10, close=True, fill=b"x" * 10)

    def close(self) -> None:
        """Close the open segment as it is."""
        self.add_parts(0, close=True)


def window_of(playback: Playback, name: str = SOURCE) -> Window:
    window = playback.window(name)
    assert window
    return window


def gaps_of(entries: Iterable[SegmentEntry]) -> list[int]:
    return [entry.number for entry in entries if entry.gap]
