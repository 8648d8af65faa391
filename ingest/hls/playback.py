"""One stream's renditions: their windows, and the playlist that leads to them."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from ingest.hls.appender import Appender
from ingest.hls.backlog import WindowLimits
from ingest.hls.entries import Rendition, shown
from ingest.hls.multivariant import multivariant_playlist
from ingest.hls.numbers import Numbers
from ingest.hls.playlist import MEDIA_PLAYLIST
from ingest.hls.shelf import Shelf
from ingest.hls.sink import SegmentSink
from ingest.hls.timeline import Timeline
from ingest.hls.window import Window

SOURCE, AUDIO = "source", "audio"
"""Names of the publisher's own picture and sound."""


class Playback:
    """Its files are in `directory`. The numbers of a killed process go on; what it left there is removed."""

    def __init__(
        self,
        stream_id: str,
        directory: Path,
        limits: WindowLimits | None = None,
        sinks: Sequence[SegmentSink] = (),
    ) -> None:
        self.stream_id = stream_id
        self.directory = directory
        self.ended = False
        self._limits = limits or WindowLimits()
        self._sinks = sinks
        self._numbers = Numbers(directory)
        first_number, self._first_init = self._numbers.next_segment, self._numbers.next_init
        self._next_init = self._first_init
        self._shelf = Shelf(directory, first_number)
        self.timeline = Timeline(first_number, self._first_init, self._limits.target_s, self._limits.listed_s)
        self._windows: dict[str, Window] = {}
        self._held_back: set[str] = set()

    # The packager's side

    def begin(self, rendition: Rendition, init: bytes) -> Window:
        """The rendition's window, for media that needs this init segment. Call `timeline.begin` before the first."""
        window = self._windows.get(rendition.name)
        if window is None:
            window = self._windows[rendition.name] = Window(
                rendition, self.timeline, self._shelf, self._limits, self._first_init, self._sinks, self._reports
            )
        window.begin(rendition, init)
        self._next_init = max(self._next_init, window.next_init)
        return window

    def hold_back(self, name: str) -> None:
        """Tell nobody of this rendition as yet: it is behind the others, and players that took it up would stall."""
        self._held_back.add(name)

    def let_go(self, name: str) -> None:
        """Tell of it from now on."""
        self._held_back.discard(name)

    def announce(self) -> None:
        """Show what was added to any rendition."""
        self._numbers.note(self.timeline.next_number, self._next_init)
        for window in self._windows.values():
            if window.absent:
                window.follow()
            if window.changed:
                window.announce()

    def end(self) -> None:
        """Nothing follows. The timeline's segment must be closed."""
        self.ended = True
        for window in self._windows.values():
            window.end()
        for sink in self._sinks:
            sink.finish()

    def remove(self) -> None:
        """Forget everything in memory; the caller removes the directory."""
        for window in self._windows.values():
            window.remove()

    # Who keeps house

    @property
    def has_work(self) -> bool:
        """There is something to `store`."""
        return self._shelf.has_work

    def store(self, appender: Appender) -> None:
        """Bring the disk up to date. Call it every second or so, in one thread at a time: it waits for the disk."""
        self._shelf.store(appender)

    # The origin's side

    @property
    def ready(self) -> bool:
        """There is something to play of the publisher's picture and sound, of those that are not absent.

        A rung that is about to come holds nobody up.
        """
        own = [window for window in self._present() if window.rendition.name in (SOURCE, AUDIO)]
        return bool(own) and all(window.ready for window in own)

    def window(self, name: str) -> Window | None:
        return self._windows.get(name)

    def windows(self) -> list[Window]:
        """All that there ever were, absent or not."""
        return list(self._windows.values())

    @property
    def listed_s(self) -> float:
        """How far back viewers may go, seconds."""
        return self._limits.listed_s

    def renditions(self) -> list[Rendition]:
        """Those in the multivariant playlist, from the largest picture to the sound alone."""
        return [window.rendition for window in self._present()]

    def multivariant(self) -> str:
        """Call only when ready."""
        present = [window for window in self._present() if window.ready]
        names = shown([window.rendition for window in present])
        video = [window for window in present if window.rendition.name in names - {AUDIO}]
        audio = next((window for window in present if window.rendition.name == AUDIO), None)
        return multivariant_playlist(
            [window.measured() for window in video],
            audio.measured() if audio else None,
            independent=all(window.independent for window in video),
        )

    def _present(self) -> list[Window]:
        """The source first: it is what most viewers can play, and the largest."""
        present = [
            window for name, window in self._windows.items() if not window.absent and name not in self._held_back
        ]
        return sorted(present, key=lambda window: (window.rendition.name != SOURCE, -window.rendition.height))

    def _reports(self, reader: Window) -> str:
        """Also on those that are absent: who plays one still reads its playlist, which goes on with gaps.

        X-ABSENT is our own, for players that follow what comes and goes; others pass it over (RFC 8216bis 6.3.1).
        """
        lines, present = [], self._present()
        for window in self._windows.values():
            if window is not reader and window.ready:
                number, index = window.last
                absent = "" if window in present else ",X-ABSENT=YES"
                lines.append(
                    f'#EXT-X-RENDITION-REPORT:URI="../{window.rendition.name}/{MEDIA_PLAYLIST}",'
                    f"LAST-MSN={number},LAST-PART={index}{absent}\n"
                )
        return "".join(lines)
