"""When players hear of a rung, with a worker whose words the test puts into its mouth."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from ingest.hls.playback import Playback
from ingest.hls.registry import Registry
from ingest.ladder.ladder import Budget, Ladder, LadderSettings
from ingest.ladder.wire import Begin, Coded, Message, Opened, Picture, Rungs
from ingest.media.became import Became, RenditionCame, RenditionWent
from ingest.media.live import LiveStream
from ingest.media.settings import MediaSettings
from tests.ingest.media.footage import NOW_S, record, shifted

SECONDS = 6


class Slow:
    """A worker that encodes nothing: what it was sent is what the rung shows, when the test says so."""

    pid = 1

    def __init__(self, heard: Callable[[Message], None], ended: Callable[[], None]) -> None:
        self._heard, self._ended = heard, ended
        self._record = b""
        self._rung = -1
        self._pictures: list[Picture] = []

    def say(self, message: Message) -> None:
        match message:
            case Begin():
                self._record = message.record
            case Rungs():
                self._rung = message.rungs[-1][0] if message.rungs else -1
                self._heard(Opened(self._rung, self._record))
            case Picture():
                self._pictures.append(message)

    def work(self, pictures: int) -> None:
        done, self._pictures = self._pictures[:pictures], self._pictures[pictures:]
        for picture in done:
            self._heard(Coded(self._rung, picture.dts, picture.composition, picture.keyframe, picture.data))

    def stop(self) -> None:
        self._ended()

    def kill(self) -> None:
        raise AssertionError("it is not that slow")


class Scene:
    def __init__(self, directory: Path) -> None:
        self.registry = Registry(directory)
        self.workers: list[Slow] = []
        self.became: list[Became] = []
        self.live = LiveStream("stream", "channel", MediaSettings(), self.registry, open_ladder=self._open)
        found = self.registry.find("stream")
        assert found
        self.playback: Playback = found
        self._footage = list(record(SECONDS, size=(640, 360)))

    def _open(self, playback: Playback) -> Ladder:
        return Ladder(playback, LadderSettings(names=("240p",)), Budget(8.0), self._start)  # type: ignore[arg-type]

    def _start(self, heard: Callable[[Message], None], ended: Callable[[], None]) -> Slow:
        self.workers.append(Slow(heard, ended))
        return self.workers[-1]

    def publish(self, seconds: float) -> None:
        """The next seconds of the source."""
        until_ms = self._footage[0].timestamp_ms + seconds * 1000
        while self._footage and self._footage[0].timestamp_ms < until_ms:
            tag = self._footage.pop(0)
            self.became += self.live.push(tag, NOW_S + tag.timestamp_ms / 1000)

    def lose_the_publisher(self) -> None:
        self.live.interrupt()
        self._footage = shifted(record(SECONDS, size=(640, 360)), 20_000)

    @property
    def listed(self) -> bool:
        source = self.playback.window("source")
        assert source
        reports = [line for line in source.playlist(skip=False, gzip=False).decode().splitlines() if "240p" in line]
        assert all(("X-ABSENT=YES" in line) != ("240p" in self.playback.multivariant()) for line in reports)
        return "240p" in self.playback.multivariant()

    def said(self, kind: type[RenditionCame | RenditionWent]) -> int:
        return sum(isinstance(each, kind) for each in self.became)


@pytest.fixture
def scene(tmp_path: Path) -> Scene:
    return Scene(tmp_path)


async def test_a_rung_is_told_of_when_it_has_caught_up_with_the_source(scene: Scene) -> None:
    scene.publish(seconds=4)
    (worker,) = scene.workers
    worker.work(pictures=60)
    window = scene.playback.window("240p")
    assert window
    assert window.ready
    assert not scene.listed
    worker.work(pictures=60)
    scene.publish(seconds=0.5)
    assert (scene.listed, scene.said(RenditionCame)) == (True, 1)


async def test_a_rung_that_falls_behind_later_stays_listed(scene: Scene) -> None:
    scene.publish(seconds=1)
    (worker,) = scene.workers
    worker.work(pictures=30)
    scene.publish(seconds=2)
    assert (scene.listed, scene.said(RenditionWent)) == (True, 0)


async def test_a_rung_goes_on_being_listed_behind_a_discontinuity(scene: Scene) -> None:
    scene.publish(seconds=2)
    (worker,) = scene.workers
    worker.work(pictures=60)
    scene.lose_the_publisher()
    scene.publish(seconds=1)
    assert (scene.listed, scene.said(RenditionWent)) == (True, 0)
