"""The pictures of a recording: what the gallery draws while the stream lasts, and a little after."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

from ingest.recording.journal import Covered, Line, Sheeted, Story
from ingest.recording.manifest import KeptSheet
from ingest.thumbnails.sprites import Sheet

LAST_S = 30.0
"""How long a recording waits for its last pictures: longer than a drawing may take, and others' before it."""


class Pictures:
    """A `Keeper` of `ingest.thumbnails.album`. What comes before or without `await_last` holds nothing up."""

    def __init__(self, story: Story, put: Callable[[Line, bytes], None]) -> None:
        """A recording that goes on after a restart has a cover and some sheets already: the story tells."""
        self._put = put
        self._covered = story.covered
        self._number = story.sheets
        self._done = True
        self._then: Callable[[], None] | None = None
        self._timer: asyncio.TimerHandle | None = None

    def expect(self) -> None:
        """Pictures will come, or come again."""
        self._done = False

    def cover(self, picture: bytes) -> None:
        if not self._covered:
            self._covered = True
            self._put(Covered(), picture)

    def sheet(self, sheet: Sheet, data: bytes) -> None:
        self._put(Sheeted(KeptSheet(self._number, *sheet.tile_size, tuple(sheet.starts_at_s))), data)
        self._number += 1

    def done(self) -> None:
        self._done = True
        self._go_on()

    def await_last(self, then: Callable[[], None]) -> None:
        """The stream is over: call this once the last picture came, or `LAST_S` passed."""
        self._then = then
        if self._done:
            self._go_on()
        else:
            self._timer = asyncio.get_running_loop().call_later(LAST_S, self._go_on)

    def stop(self) -> None:
        """Wait no longer, and leave it at that."""
        self._then = None
        if self._timer:
            self._timer.cancel()

    def _go_on(self) -> None:
        then = self._then
        self.stop()
        if then:
            then()
