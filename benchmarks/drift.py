"""Six hours of media through RTMP and the packager at speed: do sound and picture stay together, does memory stay flat?

Real encoded frames are repeated with the timestamps that encoders send: whole milliseconds, rounded either way, past
0xFFFFFF ms (4 h 39 m), where RTMP needs its extended field. A second run has the sound card's clock off by 20
millionths: its timestamps part from its samples by 0.43 s in the end, and the packager has to follow them.
"""

from __future__ import annotations

import multiprocessing
import os
import random
import struct
import tempfile
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from itertools import count
from pathlib import Path
from typing import Any, NamedTuple

import psutil

from benchmarks.harness import Ratio, Report
from benchmarks.publishers import KINDS
from benchmarks.recording import AUDIO_FRAME, FPS, GOP_S, SAMPLE_RATE, FlvTag, record
from ingest.hls.backlog import WindowLimits
from ingest.hls.entries import Rendition, SegmentEntry
from ingest.hls.playback import AUDIO, SOURCE
from ingest.hls.registry import Registry
from ingest.media.init import VIDEO_TIMESCALE
from ingest.media.live import LiveStream
from ingest.media.settings import MediaSettings
from ingest.media.tag import MediaTag
from ingest.rtmp.client import ClientSession
from ingest.rtmp.events import Broken, PublishRequested, PublishStarted
from ingest.rtmp.handshake import RANDOM_SIZE
from ingest.rtmp.session import ServerSession
from topology.settings import Settings

HOURS = 6
HOUR_S = 3600
FULL_AFTER = 3
"""Hours after which nothing may grow: the window of two hours is full, and what it let go of is gone."""

DRIFT_BAR_MS = 20.0
GROWTH_BAR = 1.05
SKEWS = {"exact": 0.0, "sound_card_20_ppm": 20e-6}
SIZE, KBPS = (160, 96), 100
NOW_S = 1_790_000_000.0
_TFDT = struct.Struct(">4sIQ")
_FIRST_SAMPLE = struct.Struct(">I4sIIiII")


class Wire:
    """A publisher's RTMP session joined to a server's."""

    def __init__(self) -> None:
        self._client = ClientSession("live", "key", "rtmp://127.0.0.1/live", os.urandom(RANDOM_SIZE))
        self._server = ServerSession("live", os.urandom(RANDOM_SIZE))
        started = False
        while not started:
            for event in self._server.receive_data(self._client.data_to_send()):
                if isinstance(event, PublishRequested):
                    self._server.accept_publish()
            started = PublishStarted() in self._client.receive_data(self._server.data_to_send())

    def carry(self, tags: Sequence[MediaTag]) -> Iterator[MediaTag]:
        """The tags as the server reads them. Raises RuntimeError when it does not like them."""
        for tag in tags:
            self._client.send_media(tag)
        for event in self._server.receive_data(self._client.data_to_send()):
            if isinstance(event, Broken):
                raise RuntimeError(f"RTMP broke: {event.message}")
            if isinstance(event, MediaTag):
                yield event
        self._server.data_to_send()


class Footage:
    """An endless repeat of one GOP. Each frame of sound carries its number behind its bytes."""

    def __init__(self, recording: Sequence[FlvTag], skew: float, seed: int) -> None:
        video = [tag for tag in recording if tag.type == 9]
        audio = [tag for tag in recording if tag.type == 8]
        self.opening = [MediaTag(KINDS[tag.type], 0, tag.body) for tag in (video[0], audio[0])]
        self._pictures = [tag.body for tag in video if tag.body[1] == 1]
        self._sounds = [tag.body for tag in audio if tag.body[1] == 1]
        self._stretch = 1 + skew
        self._random = random.Random(seed)

    def picture_at_s(self, number: int) -> float:
        return number / FPS

    def sound_at_s(self, number: int) -> float:
        return number * AUDIO_FRAME / SAMPLE_RATE * self._stretch

    def seconds(self) -> Iterator[list[MediaTag]]:
        """The tags of one second after another."""
        picture = sound = 0
        for second in count(1):
            tags = []
            while self.picture_at_s(picture) < second:
                body = self._pictures[picture % len(self._pictures)]
                tags.append(MediaTag("video", self._rounded(self.picture_at_s(picture)), body))
                picture += 1
            while self.sound_at_s(sound) < second:
                body = self._sounds[sound % len(self._sounds)] + sound.to_bytes(4, "big")
                tags.append(MediaTag("audio", self._rounded(self.sound_at_s(sound)), body))
                sound += 1
            yield sorted(tags, key=lambda tag: tag.timestamp_ms)

    def _rounded(self, at_s: float) -> int:
        return int(at_s * 1000 + self._random.random())


class Fragment(NamedTuple):
    """What a part of ours says of itself (`ingest.media.fragment`)."""

    decode_time: int
    samples: int
    first_sample: bytes


def fragments(data: bytes) -> Iterator[Fragment]:
    """The parts of a segment. Raises RuntimeError for what looks otherwise."""
    at = 0
    while at < len(data):
        moof = int.from_bytes(data[at : at + 4], "big")
        tfdt = data.find(b"tfdt", at, at + moof)
        trun = data.find(b"trun", at, at + moof) - 4
        if tfdt < 0 or trun < 0:
            raise RuntimeError("a part without times")
        _, _, decode_time = _TFDT.unpack_from(data, tfdt)
        _, _, _, samples, offset, _, size = _FIRST_SAMPLE.unpack_from(data, trun)
        yield Fragment(decode_time, samples, data[at + offset : at + offset + size])
        at += moof + int.from_bytes(data[at + moof : at + moof + 4], "big")


class Gauge:
    """A segment sink that holds where each frame lies against when it was taken."""

    def __init__(self, footage: Footage) -> None:
        self._footage = footage
        self._pictures = 0
        self._late_s: dict[int, dict[str, float]] = {}
        """By segment number and rendition: of its first frame, against its capture."""
        self.worst_s = 0.0
        self.segments = 0

    def begin(self, rendition: Rendition, init_number: int, init: bytes) -> None:
        if init_number:
            raise RuntimeError("the stream broke off: a second init segment")

    def segment(self, rendition_name: str, entry: SegmentEntry, data: bytes) -> None:
        parts = list(fragments(data))
        if rendition_name == SOURCE:
            late_s = parts[0].decode_time / VIDEO_TIMESCALE - self._footage.picture_at_s(self._pictures)
            self._pictures += sum(part.samples for part in parts)
        else:
            number = int.from_bytes(parts[0].first_sample[-4:], "big")
            late_s = parts[0].decode_time / SAMPLE_RATE - self._footage.sound_at_s(number)
        both = self._late_s.setdefault(entry.number, {})
        both[rendition_name] = late_s
        if len(both) == 2:
            self.worst_s = max(self.worst_s, abs(both[AUDIO] - both[SOURCE]))
            self.segments += 1
            del self._late_s[entry.number]

    def finish(self) -> None:
        pass


def play(skew: float, seed: int) -> dict[str, Any]:
    """A whole run: how far sound and picture came apart, and what the process weighed after each hour."""
    process, weights = psutil.Process(), []
    footage = Footage(record(GOP_S, seed, *SIZE, KBPS), skew, seed)
    gauge, wire = Gauge(footage), Wire()
    with tempfile.TemporaryDirectory(prefix="tally-bench-") as folder:
        registry = Registry(Path(folder), WindowLimits(listed_s=Settings().dvr_window_s))
        live = LiveStream("stream", "channel", MediaSettings(), registry, [gauge])
        for tag in wire.carry(footage.opening):
            live.push(tag, NOW_S)
        for second, tags in zip(range(1, HOURS * HOUR_S + 1), footage.seconds(), strict=False):
            for tag in wire.carry(tags):
                live.push(tag, NOW_S + tag.timestamp_ms / 1000)
            live.tick(NOW_S + second)
            registry.store(registry.has_work())
            if second % HOUR_S == 0:
                weights.append(round(process.memory_info().rss / 2**20, 1))
        live.close()
    return {
        "drift_max_ms": round(gauge.worst_s * 1000, 2),
        "segments": gauge.segments,
        "rss_mb_by_hour": weights,
        "cpu_s": round(sum(process.cpu_times()[:2]), 1),
    }


def run(seed: int, say: Callable[[str], None]) -> Report:
    """Both runs, each in a process of its own."""
    say(f"{HOURS} h of media, twice …")
    with ProcessPoolExecutor(len(SKEWS), multiprocessing.get_context("spawn"), max_tasks_per_child=1) as pool:
        runs = {name: pool.submit(play, skew, seed) for name, skew in SKEWS.items()}
        figures = {name: each.result() for name, each in runs.items()}
    ratios = {}
    for name, each in figures.items():
        weights = each["rss_mb_by_hour"]
        ratios[f"drift_{name}_over_limit"] = Ratio(each["drift_max_ms"] / DRIFT_BAR_MS, 1.0, "<=")
        ratios[f"rss_{name}_at_the_end_over_hour_{FULL_AFTER}"] = Ratio(
            weights[-1] / weights[FULL_AFTER - 1], GROWTH_BAR, "<="
        )
    return Report("drift", figures, ratios, seed)
