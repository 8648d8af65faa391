"""One source decoded once, and a thread a rung that scales and encodes it.

    decoder ──▶ largest rung ──▶ next ──▶ … smallest        each scales what the one before it made

Scaling each rung from the source itself would cost twice as much: most of that is reading the large picture.
"""

from __future__ import annotations

import queue
import threading
from collections import deque
from collections.abc import Callable, Collection
from fractions import Fraction
from itertools import zip_longest
from typing import NamedTuple

import av
from av.packet import Packet
from av.video.codeccontext import VideoCodecContext
from av.video.frame import VideoFrame

from ingest.ladder.encoder import RungEncoder
from ingest.ladder.rungs import Rung
from ingest.ladder.wire import Begin, Coded, End, Message, Opened, Picture, Rungs, Skipped

_DECODERS = {"avc1": "h264", "hvc1": "hevc", "av01": "libdav1d"}
_HELD_MAX = 8
"""Decoded pictures that wait for a rung's thread; then the decoder waits."""

_ROUNDING = 500
"""Composition times are milliseconds in the input: twice that, as a share of a second."""

Say = Callable[[Message], None]


class _Place(NamedTuple):
    """Where a picture goes: the source's access unit at this point of the order."""

    dts: int
    keyframe: bool


class _Job(NamedTuple):
    picture: VideoFrame
    place: _Place
    composition: int


class Transcoder:
    """Takes what the parent says, in order. `say` is called from the rungs' threads."""

    def __init__(self, say: Say) -> None:
        self._say = say
        self._begin: Begin | None = None
        self._decoder: VideoCodecContext | None = None
        self._wanted: dict[int, Rung] = {}
        self._threads: dict[int, _RungThread] = {}
        """The largest first, each linked to the next."""
        self._places: deque[_Place] = deque()
        self._delay: int | None = None

    def take(self, message: Message) -> None:
        match message:
            case Begin():
                self._end()
                self._begin = message
                self._decoder = _open_decoder(message)
            case Rungs():
                self._wanted = dict(message.rungs)
                self._change(self._threads.keys() & self._wanted.keys())
            case Picture():
                self._decode(message)
            case End():
                self._end()

    def close(self) -> None:
        """Returns when everything is said."""
        self._end()

    def _decode(self, picture: Picture) -> None:
        if self._decoder is None or self._begin is None:
            return
        self._places.append(_Place(picture.dts, picture.keyframe))
        packet = Packet(bytes(picture.data))
        packet.dts, packet.pts = picture.dts, picture.dts + picture.composition
        packet.time_base = Fraction(1, self._begin.timescale)
        try:
            decoded = self._decoder.decode(packet)
        except av.FFmpegError:
            return  # a damaged access unit: the rungs go on with the next
        for each in decoded:
            self._encode(each)

    def _encode(self, picture: VideoFrame) -> None:
        """A picture takes the place of the source's access unit that is as far on: both count from a keyframe."""
        if picture.pts is None or not self._places or self._begin is None:
            return
        if self._delay is None:
            self._delay = picture.pts - self._places[0].dts
        keyframe = False
        place = self._places.popleft()
        rounding = self._begin.timescale // _ROUNDING
        while self._places and self._places[0].dts + self._delay <= picture.pts + rounding:
            keyframe |= place.keyframe
            place = self._places.popleft()
        place = place._replace(keyframe=place.keyframe or keyframe)
        if place.keyframe:
            self._change(self._wanted.keys())
        if self._threads:
            largest = next(iter(self._threads.values()))
            largest.put(_Job(picture, place, picture.pts - place.dts))

    def _change(self, numbers: Collection[int]) -> None:
        """Have a thread for each of these and no other, once all that is under way is done."""
        if self._begin is None or self._threads.keys() == set(numbers):
            return
        for thread in self._threads.values():
            thread.drain()
        for number in self._threads.keys() - set(numbers):
            self._threads.pop(number).close()
        for number in set(numbers) - self._threads.keys():
            self._threads[number] = _RungThread(number, self._wanted[number], self._begin, self._say)
        self._threads = dict(sorted(self._threads.items(), key=lambda each: each[1].pixels, reverse=True))
        chain = list(self._threads.values())
        for thread, below in zip_longest(chain, chain[1:]):
            thread.below = below

    def _end(self) -> None:
        if self._decoder is not None:
            try:
                for each in self._decoder.decode(None):
                    self._encode(each)
            except av.FFmpegError:
                pass  # it held nothing that can be shown
        self._decoder = None
        self._delay = None
        self._places.clear()
        self._change(())


class _RungThread:
    def __init__(self, number: int, rung: Rung, begin: Begin, say: Say) -> None:
        self.pixels = rung.width * rung.height
        self.below: _RungThread | None = None
        """Changed while there is nothing under way only."""
        self._number = number
        self._every = rung.every
        self._encoder = RungEncoder(rung, begin.encoder, begin.timescale)
        self._say = say
        self._jobs: queue.Queue[_Job | None] = queue.Queue(_HELD_MAX)
        self._places: deque[tuple[int, int]] = deque()
        self._since_keyframe = 0
        self._record = b""
        self._thread = threading.Thread(target=self._run, name=rung.name, daemon=True)
        self._thread.start()

    def put(self, job: _Job) -> None:
        self._jobs.put(job)

    def drain(self) -> None:
        """Returns when all that was put is encoded and passed on."""
        self._jobs.join()

    def close(self) -> None:
        self._jobs.put(None)
        self._thread.join()

    def _run(self) -> None:
        while (job := self._jobs.get()) is not None:
            self._since_keyframe = 0 if job.place.keyframe else self._since_keyframe + 1
            skipped = self._since_keyframe % self._every != 0
            if not skipped:
                job = job._replace(picture=self._encoder.scale(job.picture))
            if self.below:
                self.below.put(job)
            if skipped:
                self._say(Skipped(self._number, job.place.dts))
            else:
                self._encode(job)
            self._jobs.task_done()

    def _encode(self, job: _Job) -> None:
        self._places.append((job.place.dts, job.composition))
        for _, keyframe, data in self._encoder.encode(job.picture, job.place.keyframe):
            if self._encoder.record != self._record:
                self._record = self._encoder.record
                self._say(Opened(self._number, self._record))
            dts, composition = self._places.popleft()
            self._say(Coded(self._number, dts, composition, keyframe, data))


def _open_decoder(begin: Begin) -> VideoCodecContext:
    decoder = av.CodecContext.create(_DECODERS[begin.codec], "r")
    if not isinstance(decoder, VideoCodecContext):
        raise ValueError(f"{begin.codec} is no video")
    decoder.extradata = begin.record
    decoder.thread_count = 1
    return decoder
