"""One stream's ladder: what it feeds its worker, and which rungs it has at the moment."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import dataclass

import structlog

from ingest.hls.entries import Slot
from ingest.hls.playback import Playback
from ingest.ladder.load import Advice, Load
from ingest.ladder.rendition import RungRendition
from ingest.ladder.rungs import NAMES, Choice, Rung, choose
from ingest.ladder.wire import Begin, Coded, End, Message, Opened, Picture, Rungs, Skipped
from ingest.ladder.worker import Worker
from ingest.media.became import Became, RenditionCame, RenditionWent
from ingest.media.fragment import Frame
from ingest.media.init import VIDEO_TIMESCALE
from ingest.media.parameters import VideoParameters

_FIRST_WAIT_S, _LONGEST_WAIT_S = 1.0, 30.0
_PROVEN_S = 60.0
"""A worker that lasted this long starts the waits anew."""
_STUCK_S = 15.0
"""A worker that is this far behind is started anew."""

_log = structlog.get_logger(__name__)


class Budget:
    """The node's cores for ladders, shared by its streams."""

    def __init__(self, cores: float) -> None:
        self.free = cores

    def take(self, cores: float) -> None:
        self.free -= cores

    def give(self, cores: float) -> None:
        self.free += cores


@dataclass(frozen=True)
class LadderSettings:
    names: tuple[str, ...] = NAMES
    encoder: str = "libx264"
    quiet_s: float = 30.0
    """How long the worker must have kept up before a rung is taken back."""


@dataclass
class _Stretch:
    """The source between two discontinuities."""

    begin: Begin
    choice: Choice


class Ladder:
    """A `PictureSink`. `start_worker` is `Worker`, and another thing in tests of this class alone."""

    def __init__(
        self, playback: Playback, settings: LadderSettings, budget: Budget, start_worker: Callable[..., Worker] = Worker
    ) -> None:
        self._playback = playback
        self._settings = settings
        self._budget = budget
        self._start_worker = start_worker
        self._worker: Worker | None = None
        self._wait_s = _FIRST_WAIT_S
        self._timer: asyncio.TimerHandle | None = None
        self._stretch: _Stretch | None = None
        self._early: list[Frame] = []
        """Pictures from before it is known what they are."""
        self._fed = False
        """The worker has the stretch's pictures, from a keyframe on."""
        self._at_start = True
        """The next picture is the first of a segment."""
        self._wanted: list[Rung] = []
        self._shed: list[Rung] = []
        self._made: dict[int, RungRendition] = {}
        self._draining: dict[int, RungRendition] = {}
        """Of the stretch before, of which the worker still gives out the rest; it does so before anything new."""
        self._next_number = 0
        self._fed_dts = self._started_dts = 0
        self._load = Load(settings.quiet_s)
        self._happened: list[Became] = []
        self._finished: Callable[[], None] | None = None
        """Set once the stream is over."""

    @property
    def worker_pid(self) -> int | None:
        return self._worker.pid if self._worker else None

    @property
    def overloaded(self) -> bool:
        return bool(self._shed)

    def begin(self, video: VideoParameters, frame_rate: float) -> None:
        before = self._stretch.choice.cores if self._stretch else 0.0
        self._budget.give(before)
        choice = choose(
            video, frame_rate, self._budget.free, self._settings.names, with_top=not video.plays_in_browsers
        )
        self._budget.take(choice.cores)
        begin = Begin(video.entry.decode(), video.record, VIDEO_TIMESCALE, self._settings.encoder)
        self._stretch = _Stretch(begin, choice)
        self._wanted, self._shed = list(choice.rungs), []
        names = [rung.name for rung in choice.rungs]
        self._drop([number for number, made in self._made.items() if made.rung.name not in names], "replaced")
        self._draining, self._made = {**self._draining, **self._made}, {}
        self._fed, self._at_start = False, True
        early, self._early = self._early, []
        for frame in early:
            self.picture(frame)

    def picture(self, frame: Frame) -> None:
        if self._stretch is None:
            self._early.append(frame)
            return
        if not self._wanted and not self._shed:
            return
        begins_segment, self._at_start = self._at_start, False
        if frame.keyframe and begins_segment:
            self._join(self._stretch, frame.dts)
        if self._fed and self._worker:
            self._fed_dts = frame.dts
            # Where a segment of the source is cut within a group of pictures, the rungs' can be played by themselves.
            keyframe = frame.keyframe or begins_segment
            self._worker.say(Picture(frame.dts, frame.composition, keyframe, frame.data))
            self._weigh()

    def mark(self, slot: Slot, last_dts: int, end: int, ends_segment: bool) -> None:
        self._at_start = self._at_start or ends_segment
        for rendition in list(self._made.values()):
            rendition.mark(slot, last_dts, end, ends_segment)

    def end(self) -> None:
        self._early.clear()
        if self._fed and self._worker:
            self._worker.say(End())
        self._fed = False
        if self._stretch:
            self._budget.give(self._stretch.choice.cores)
            self._stretch = None

    def leave(self) -> None:
        self._drop_all("replaced")

    def close(self, finished: Callable[[], None]) -> None:
        self.end()
        self._finished = finished
        if self._timer:
            self._timer.cancel()
        if self._worker:
            self._worker.stop()
        else:
            finished()

    async def gone(self) -> None:
        """Returns when a closed ladder's worker has ended."""
        if self._worker:
            await self._worker.gone()

    def happened(self) -> list[Became]:
        happened, self._happened = self._happened, []
        return happened

    def _join(self, stretch: _Stretch, dts: int) -> None:
        """At the first picture of a segment, a keyframe: start what is wanted and not made yet."""
        if self._worker is None:
            if self._timer is not None:
                return
            self._started_dts = dts
            self._worker = self._start_worker(self._heard, self._worker_ended)
        made = [rendition.rung for rendition in self._made.values()]
        missing = [rung for rung in self._wanted if rung not in made]
        if not self._fed:
            self._worker.say(stretch.begin)
            self._fed = True
        for rung in missing:
            rendition = self._made[self._next_number] = RungRendition(rung, self._playback, dts)
            self._next_number += 1
            rendition.join()
        if missing:
            self._load.settle(dts / VIDEO_TIMESCALE)
            self._tell()

    def _heard(self, message: Message) -> None:
        if not isinstance(message, Opened | Coded | Skipped):
            return
        if message.rung in self._made:
            self._draining.clear()
        rendition = self._made.get(message.rung) or self._draining.get(message.rung)
        if rendition is None:
            return
        match message:
            case Opened():
                rendition.opened(message.record)
            case Coded():
                rendition.coded(message)
            case Skipped():
                rendition.skipped(message.dts)
        if rendition.in_step and not rendition.told:
            rendition.told = True
            rung = rendition.rung
            self._happened.append(
                RenditionCame(rung.name, rung.width, rung.height, rung.frame_rate, rung.kbps, rendition.codec)
            )

    def _worker_ended(self) -> None:
        if self._finished:
            self._finished()
            return
        self._worker, self._fed = None, False
        self._drop_all("worker_died")
        self._playback.announce()
        _log.warning("a ladder is started anew", stream_id=self._playback.stream_id, wait_s=self._wait_s)
        self._timer = asyncio.get_running_loop().call_later(self._wait_s, self._ready_again)
        self._wait_s = min(self._wait_s * 2, _LONGEST_WAIT_S)

    def _ready_again(self) -> None:
        self._timer = None

    def _weigh(self) -> None:
        """Give up the costliest rung when the worker falls behind; take one back when it has kept up for long."""
        done = [rendition.done for rendition in self._made.values()]
        lag_s = (self._fed_dts - min(done)) / VIDEO_TIMESCALE if done else 0.0
        if lag_s > _STUCK_S and self._worker:
            self._worker.kill()
            return
        if self._fed_dts - self._started_dts > _PROVEN_S * VIDEO_TIMESCALE:
            self._wait_s = _FIRST_WAIT_S
        advice = self._load.observe(self._fed_dts / VIDEO_TIMESCALE, lag_s, len(self._shed))
        if advice is Advice.SHED and self._wanted:
            rung = self._wanted.pop(0)
            self._shed.append(rung)
            self._drop([number for number, made in self._made.items() if made.rung == rung], "overloaded")
            self._tell()
        elif advice is Advice.TAKE_BACK and self._shed:
            self._wanted.insert(0, self._shed.pop())

    def _tell(self) -> None:
        if self._worker:
            self._worker.say(Rungs(tuple((number, made.rung) for number, made in self._made.items())))

    def _drop_all(self, reason: str) -> None:
        self._drop(list(self._made), reason)
        for rendition in self._draining.values():
            rendition.leave()
        self._draining.clear()

    def _drop(self, numbers: list[int], reason: str) -> None:
        for number in numbers:
            rendition = self._made.pop(number)
            rendition.leave()
            self._draining = {n: made for n, made in self._draining.items() if made.rung.name != rendition.rung.name}
            if rendition.told:
                self._happened.append(RenditionWent(rendition.rung.name, reason))
