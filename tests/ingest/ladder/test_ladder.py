"""The ladder with its real worker: real encodes in, aligned renditions out."""

from __future__ import annotations

import asyncio
import os
import signal
from collections.abc import AsyncIterator, Callable, Iterable
from fractions import Fraction
from pathlib import Path

import pytest

from ingest.hls.entries import SegmentEntry
from ingest.hls.playback import Playback
from ingest.hls.registry import Registry
from ingest.hls.window import Window
from ingest.ladder.ladder import Budget, Ladder, LadderSettings
from ingest.ladder.ladders import ladders
from ingest.media.became import Became, HealthBecame, RenditionCame, RenditionWent
from ingest.media.live import LiveStream
from ingest.media.settings import MediaSettings
from ingest.media.tag import MediaTag
from tests.ingest.media.footage import (
    NO_DISK,
    NOW_S,
    decode_times,
    decoded,
    is_frame,
    media_bytes,
    packets,
    record,
    shifted,
    source,
)
from topology.settings import Settings

PATIENCE_S = 25.0
_NEAR_S = 0.39
"""Less than two parts."""


class House:
    """One live stream with a ladder. Media is fed as fast as the worker takes it."""

    def __init__(self, directory: Path, names: tuple[str, ...], media: MediaSettings | None = None) -> None:
        self.registry = Registry(directory, NO_DISK)
        self.ladders: list[Ladder] = []
        self.became: list[Became] = []
        self.budget = Budget(8.0)
        self._settings = LadderSettings(names=names, quiet_s=2.0)
        self.live = LiveStream("stream", "channel", media or MediaSettings(), self.registry, open_ladder=self._open)
        playback = self.registry.find("stream")
        assert playback
        self.playback = playback

    @property
    def ladder(self) -> Ladder:
        return self.ladders[0]

    def _open(self, playback: Playback) -> Ladder:
        self.ladders.append(Ladder(playback, self._settings, self.budget))
        return self.ladders[-1]

    def window(self, name: str) -> Window:
        window = self.playback.window(name)
        assert window
        return window

    async def push(self, tags: Iterable[MediaTag], *followed_by: str) -> None:
        """Feed media, never more than two parts ahead of the rungs named."""
        for tag in tags:
            self.became += self.live.push(tag, NOW_S + tag.timestamp_ms / 1000)
            for name in followed_by:
                await eventually(lambda name=name: self._is_near(name))  # type: ignore[misc]

    def _is_near(self, name: str) -> bool:
        return self._listed_s("source") - self._listed_s(name) < _NEAR_S

    def _listed_s(self, name: str) -> float:
        window = self.playback.window(name)
        return sum(entry.duration_s for entry in window.entries()) if window else 0.0

    async def close(self) -> None:
        self.live.close()
        await self.ladder.gone()

    async def caught_up(self, name: str) -> None:
        await eventually(lambda: self.window(name).ready and self.window(name).last == source(self.playback).last)


OpenHouse = Callable[..., House]


@pytest.fixture
async def open_house(tmp_path: Path) -> AsyncIterator[OpenHouse]:
    houses: list[House] = []

    def open_one(names: tuple[str, ...], media: MediaSettings | None = None) -> House:
        houses.append(House(tmp_path, names, media))
        return houses[-1]

    yield open_one
    for house in houses:
        await house.close()


async def eventually(condition: Callable[[], object]) -> None:
    async with asyncio.timeout(PATIENCE_S):
        while not condition():  # noqa: ASYNC110  # several parties move on, none of them waits for us
            await asyncio.sleep(0.005)


def bytes_of(window: Window, entries: Iterable[SegmentEntry]) -> bytes:
    entries = list(entries)
    init = window.init(entries[0].init) or b""
    return init + b"".join(media_bytes(window.segment(entry.number)) for entry in entries)


def shape(entries: Iterable[SegmentEntry]) -> list[tuple[int, float, int]]:
    return [(entry.number, round(entry.duration_s, 5), len(entry.parts)) for entry in entries]


@pytest.mark.parametrize("b_frames", [0, 2])
async def test_segments_and_parts_of_a_rung_are_those_of_the_source_exactly(
    open_house: OpenHouse, b_frames: int
) -> None:
    house = open_house(("240p",))
    await house.push(record(7, size=(640, 360), b_frames=b_frames), "240p")
    rung = house.window("240p")
    await eventually(lambda: len(rung.entries()) >= 4)
    closed = rung.entries()[:3]
    assert shape(closed) == shape(source(house.playback).entries()[:3])
    for mine, theirs in zip(closed, source(house.playback).entries(), strict=False):
        for index, part in enumerate(mine.parts):
            data = (rung.init(0) or b"") + media_bytes(rung.part(mine.number, index))
            original = (source(house.playback).init(0) or b"") + media_bytes(
                source(house.playback).part(theirs.number, index)
            )
            assert decode_times(data, "video") == decode_times(original, "video")
            assert part.independent == theirs.parts[index].independent
    mine_pts, theirs_pts = (
        sorted(packet.pts or 0 for packet in packets(bytes_of(window, window.entries()[:3]), "video"))
        for window in (rung, source(house.playback))
    )
    assert mine_pts == theirs_pts
    assert decoded(bytes_of(rung, closed), "video") == 180


async def test_a_rung_of_a_fast_source_has_half_its_pictures_and_all_its_time(open_house: OpenHouse) -> None:
    house = open_house(("240p",))
    await house.push(record(5, Fraction(60), 120, size=(640, 360)), "240p")
    rung = house.window("240p")
    await eventually(lambda: len(rung.entries()) >= 3)
    assert shape(rung.entries()[:2]) == shape(source(house.playback).entries()[:2])
    found = packets(bytes_of(rung, rung.entries()[:2]), "video")
    assert len(found) == 120
    assert {packet.duration for packet in found} == {3000}
    assert [packet.dts for packet in found if packet.is_keyframe] == [0, 180_000]


async def test_each_rung_is_said_to_have_come_and_is_in_the_multivariant_playlist(open_house: OpenHouse) -> None:
    house = open_house(("240p", "360p"))
    await house.push(record(4, size=(854, 480)), "240p", "360p")
    await house.push(shifted([tag for tag in record(1, size=(854, 480)) if is_frame(tag)], 4000))
    came = {each.name: each for each in house.became if isinstance(each, RenditionCame)}
    assert set(came) == {"240p", "360p"}
    assert (came["360p"].width, came["360p"].height, came["360p"].bitrate_kbps) == (640, 360, 730)
    text = house.playback.multivariant()
    assert [line for line in text.splitlines() if not line.startswith("#")] == [
        "source/media.m3u8", "360p/media.m3u8", "240p/media.m3u8", "audio/media.m3u8",
    ]  # fmt: skip
    assert "RESOLUTION=640x360" in text
    assert house.budget.free < 8.0
    house.live.close()
    assert house.budget.free == pytest.approx(8.0)


async def test_at_the_end_the_rungs_have_all_that_the_source_has(open_house: OpenHouse) -> None:
    house = open_house(("240p",))
    await house.push(record(5, size=(640, 360), b_frames=2), "240p")
    house.live.close()
    await eventually(lambda: house.playback.ended)
    rung = house.window("240p")
    assert shape(rung.entries()) == shape(source(house.playback).entries())
    assert not any(entry.gap for entry in rung.entries())
    assert decoded(bytes_of(rung, rung.entries()), "video") == 150


async def test_a_source_is_never_made_larger(open_house: OpenHouse) -> None:
    house = open_house(("240p", "720p"))
    await house.push(record(3))
    assert [rendition.name for rendition in house.playback.renditions()] == ["source", "audio"]
    assert house.ladder.worker_pid is None


async def test_a_killed_worker_comes_back_and_only_its_rungs_notice(open_house: OpenHouse) -> None:
    house = open_house(("240p",))
    tags, frames = record(6, size=(640, 360)), [tag for tag in record(6, size=(640, 360)) if is_frame(tag)]
    await house.push(tags, "240p")
    await house.caught_up("240p")
    pid = house.ladder.worker_pid
    assert pid
    os.kill(pid, signal.SIGKILL)
    await eventually(lambda: house.ladder.worker_pid != pid)
    assert "240p" not in house.playback.multivariant()
    await asyncio.sleep(1.1)  # the first wait before it is started anew
    await house.push(shifted(frames, 6_000), "240p")
    await house.caught_up("240p")
    rung = house.window("240p")
    assert shape(rung.entries()[:-1])[-2:] == shape(source(house.playback).entries()[:-1])[-2:]
    gaps = [
        (entry.number, index) for entry in rung.entries() for index, part in enumerate(entry.parts) if not part.size
    ]
    assert gaps
    assert all(part.size for entry in source(house.playback).entries() for part in entry.parts)
    assert gaps[-1][0] < rung.entries()[-1].number
    await house.push(shifted(frames, 12_000), "240p")
    assert RenditionWent("240p", "worker_died") in house.became
    assert "240p/media.m3u8" in house.playback.multivariant()
    assert b"#EXT-X-DISCONTINUITY\n" not in rung.playlist(skip=False, gzip=False)


async def test_under_load_the_costliest_rung_is_shed_and_taken_back(open_house: OpenHouse) -> None:
    house = open_house(("240p", "360p"))
    size = (854, 480)
    frames = [tag for tag in record(6, size=size) if is_frame(tag)]
    await house.push(record(6, size=size), "240p", "360p")
    pid = house.ladder.worker_pid
    assert pid
    os.kill(pid, signal.SIGSTOP)
    try:
        await house.push(shifted(frames, 6_000))
    finally:
        os.kill(pid, signal.SIGCONT)
    assert RenditionWent("360p", "overloaded") in house.became
    assert "360p" not in house.playback.multivariant()
    await house.caught_up("240p")
    for round_ in range(2, 6):
        await house.push(shifted(frames, 6_000 * round_), "240p")
    assert [each.name for each in house.became if isinstance(each, RenditionCame)].count("360p") == 2
    assert "360p" in house.playback.multivariant()
    assert not any(isinstance(each, RenditionWent) and each.reason == "worker_died" for each in house.became)


@pytest.mark.parametrize("b_frames", [0, 2])
async def test_a_group_of_pictures_over_the_limit_is_cut_where_the_source_is_and_at_keyframes(
    open_house: OpenHouse, b_frames: int
) -> None:
    house = open_house(("240p",))
    await house.push(record(14, gop=1000, size=(640, 360), b_frames=b_frames), "240p")
    rung = house.window("240p")
    await eventually(lambda: len(rung.entries()) >= 3)
    assert shape(rung.entries()[:2]) == shape(source(house.playback).entries()[:2])
    assert not source(house.playback).independent
    assert rung.independent
    assert [entry.parts[0].independent for entry in rung.entries()] == [True] * len(rung.entries())
    for entry in rung.entries()[:2]:
        assert decoded(bytes_of(rung, [entry]), "video") == round(entry.duration_s * 30), "by itself"


@pytest.mark.parametrize(
    ("pixels", "profile"), [("yuv420p10le", "avc1.6e"), ("yuv422p", "avc1.7a"), ("yuv444p", "avc1.f4")]
)
async def test_what_no_browser_plays_is_played_from_a_rung_of_its_size(
    open_house: OpenHouse, pixels: str, profile: str
) -> None:
    house = open_house(("240p",))
    await house.push(record(5, size=(640, 360), pixels=pixels), "360p")
    await eventually(lambda: len(house.window("360p").entries()) >= 3)
    assert source(house.playback).rendition.codecs.startswith(profile)
    text = house.playback.multivariant()
    assert [line for line in text.splitlines() if not line.startswith("#")] == [
        "360p/media.m3u8", "240p/media.m3u8", "audio/media.m3u8",
    ]  # fmt: skip
    assert any(isinstance(each, HealthBecame) and "unsupportedProfile" in each.codes for each in house.became)
    top = house.window("360p")
    assert top.rendition.codecs.startswith("avc1.")
    assert not top.rendition.codecs.startswith(profile)
    assert decoded(bytes_of(top, top.entries()[:2]), "video") == 120


async def test_hevc_gets_rungs_and_stays_listed_itself(open_house: OpenHouse) -> None:
    house = open_house(("240p",))
    await house.push(record(5, size=(640, 360), video="libx265"), "240p")
    rung = house.window("240p")
    await eventually(lambda: len(rung.entries()) >= 3)
    assert shape(rung.entries()[:2]) == shape(source(house.playback).entries()[:2])
    text = house.playback.multivariant()
    assert 'CODECS="hvc1.' in text
    assert "240p/media.m3u8" in text


@pytest.mark.parametrize("encoder", ["mpeg2video", "h264_vaapi"])
def test_an_encoder_that_the_ladder_does_not_know_is_refused_with_those_it_does(encoder: str) -> None:
    with pytest.raises(ValueError, match=f"cannot use '{encoder}'; set ladder_encoder to one of libx264, h264_nvenc"):
        ladders(Settings(ladder_encoder=encoder))


def test_an_encoder_that_this_machine_has_not_is_refused_with_the_reason_and_what_to_do(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", "-1")
    with pytest.raises(
        ValueError, match=r"h264_nvenc does not work here \(.*[Cc][Uu].*\); set ladder_encoder to libx264"
    ):
        ladders(Settings(ladder_encoder="h264_nvenc"))


def test_without_a_ladder_its_encoder_does_not_matter() -> None:
    assert ladders(Settings(ladder="off", ladder_encoder="mpeg2video")) is None


async def test_a_resumed_stream_has_its_rungs_behind_the_discontinuity(open_house: OpenHouse) -> None:
    house = open_house(("240p",))
    await house.push(record(4, size=(640, 360)), "240p")
    house.live.interrupt()
    await house.caught_up("240p")
    await house.push(shifted(record(4, size=(854, 480)), 20_000), "240p")
    house.live.close()
    await eventually(lambda: house.playback.ended)
    rung = house.window("240p")
    assert shape(rung.entries()) == shape(source(house.playback).entries())
    assert not any(entry.gap for entry in rung.entries())
    assert rung.playlist(skip=False, gzip=False).count(b"#EXT-X-DISCONTINUITY\n") == 1
    assert not any(isinstance(each, RenditionWent) for each in house.became)


async def test_a_change_of_the_sources_size_loses_nothing_of_its_rungs(open_house: OpenHouse) -> None:
    house = open_house(("240p", "360p"))
    await house.push(record(3, size=(854, 480)), "240p", "360p")
    await house.push(shifted(record(3, size=(640, 360)), 3_000), "240p")
    house.live.close()
    await eventually(lambda: house.playback.ended)
    rung = house.window("240p")
    assert shape(rung.entries()) == shape(source(house.playback).entries())
    assert not any(entry.gap for entry in rung.entries())
    assert RenditionWent("360p", "replaced") in house.became
    gone = [entry.gap for entry in house.window("360p").entries()]
    assert gone[-2:] == [True, True]


async def test_when_the_picture_stays_away_the_rungs_go_on_as_gaps(open_house: OpenHouse) -> None:
    house = open_house(("240p",))
    await house.push(record(3, size=(640, 360)), "240p")
    house.live.interrupt()
    await house.caught_up("240p")
    await house.push(shifted(record(3, video=""), 20_000))
    house.live.close()
    await eventually(lambda: house.playback.ended)
    rung, sound = house.window("240p"), house.window("audio")
    assert [entry.number for entry in rung.entries()] == [entry.number for entry in sound.entries()]
    assert [entry.gap for entry in rung.entries()] == [False, False, True, True]
    assert [rendition.name for rendition in house.playback.renditions()] == ["audio"]
