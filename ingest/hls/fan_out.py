"""Those who wait for the live edge, and how all of them are answered when it moves.

All who wait for the same thing are one crowd, which has one answer, made once. Crowds are served in turns of the loop,
so that what else runs there is not held up: parts first, since a player needs the media before it needs to know of
more, and since it asks anew only when it has the playlist.
"""

from __future__ import annotations

import asyncio
from collections import deque
from itertools import islice
from typing import Protocol, TypeAlias

from starlette.responses import Response

from ingest.hls.live_edge import Hold, LiveEdge, late
from ingest.hls.shelf import Slice
from ingest.hls.wanted import Part, Wanted
from ingest.hls.window import Window

_AT_ONCE = 250
"""Answers before others on the loop have their turn: a few milliseconds."""


class Waiter(Protocol):
    """A request that waits."""

    def answer(self, found: Response | Slice) -> None:
        """Called once, unless the waiter has left. All of a crowd get the same object."""
        raise NotImplementedError


Key: TypeAlias = tuple[Wanted, bool]
"""What is wanted, and whether gzipped."""


class Crowd:
    """The waiters for one thing, by when each is given up, in the loop's time; who came first is first."""

    __slots__ = ("hold", "key", "timer", "until")

    timer: asyncio.TimerHandle
    """Goes off when the first is given up."""

    def __init__(self, key: Key, hold: Hold) -> None:
        self.key = key
        self.hold = hold
        self.until: dict[Waiter, float] = {}


class FanOut:
    """Of all windows of an edge."""

    def __init__(self, edge: LiveEdge) -> None:
        self._edge = edge
        self._waiting: dict[Window, dict[Key, Crowd]] = {}
        self._parts: deque[Crowd] = deque()
        self._playlists: deque[Crowd] = deque()
        self._turning = False

    def join(self, waiter: Waiter, hold: Hold, key: Key, loop: asyncio.AbstractEventLoop) -> Crowd:
        """Takes a place of those that may be held. The waiter is answered on the running `loop`, or leaves."""
        crowds = self._waiting.get(hold.window)
        if crowds is None:
            crowds = self._waiting[hold.window] = {}
            hold.window.watch(self._on_change)
        crowd = crowds.get(key)
        if crowd is None:
            crowd = crowds[key] = Crowd(key, hold)
            crowd.timer = loop.call_later(hold.longest_s, self._give_up, crowd)
        crowd.until[waiter] = loop.time() + hold.longest_s
        self._edge.held.take()
        return crowd

    def leave(self, waiter: Waiter, crowd: Crowd) -> None:
        """Its client is gone. Call it only for one who still waits."""
        self._release(waiter, crowd)
        if not crowd.until:
            self._forget(crowd)

    def _release(self, waiter: Waiter, crowd: Crowd) -> None:
        del crowd.until[waiter]
        self._edge.held.leave()

    def _forget(self, crowd: Crowd) -> None:
        """It waits no longer as a crowd: its time has come, or nobody is left."""
        crowd.timer.cancel()
        window = crowd.hold.window
        crowds = self._waiting.get(window, {})
        if crowds.get(crowd.key) is crowd:
            del crowds[crowd.key]
            if not crowds:
                del self._waiting[window]
                window.unwatch(self._on_change)

    def _on_change(self, window: Window) -> None:
        for crowd in [crowd for crowd in self._waiting[window].values() if crowd.hold.is_over()]:
            self._forget(crowd)
            wanted, _ = crowd.key
            (self._parts if isinstance(wanted, Part) else self._playlists).append(crowd)
            if not self._turning:
                self._turning = True
                asyncio.get_running_loop().call_soon(self._turn)

    def _turn(self) -> None:
        """Serve some, all of parts or all of playlists."""
        crowds, left = self._parts or self._playlists, _AT_ONCE
        try:
            while crowds and left > 0:
                crowd = crowds.popleft()
                left -= self._serve(crowd, left)
                if crowd.until:
                    crowds.appendleft(crowd)
        finally:
            # Whatever befell one crowd, the others have their turn.
            self._turning = bool(self._parts or self._playlists)
            if self._turning:
                asyncio.get_running_loop().call_soon(self._turn)

    def _serve(self, crowd: Crowd, most: int) -> int:
        wanted, gzip = crowd.key
        found = self._edge.ask(crowd.hold.window, wanted, gzip)
        served = list(islice(crowd.until, most))
        for waiter in served:
            self._release(waiter, crowd)
            waiter.answer(late() if isinstance(found, Hold) else found)
        return len(served)

    def _give_up(self, crowd: Crowd) -> None:
        loop = asyncio.get_running_loop()
        now = loop.time()
        answer = late()
        for waiter, until in list(crowd.until.items()):
            if until > now:
                crowd.timer = loop.call_at(until, self._give_up, crowd)
                return
            self._release(waiter, crowd)
            waiter.answer(answer)
        self._forget(crowd)
