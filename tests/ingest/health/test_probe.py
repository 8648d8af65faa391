"""What is seen of real encodes, and that looking stays within its bounds."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from contextlib import closing
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ingest.health import probe as subject
from ingest.health.decoding import SILENCE_DBFS, brightness, change, loudness_dbfs, thumbnail
from ingest.health.measure import Look
from ingest.health.probe import LOOK_EVERY_S, WAITING_MAX, Glimpse, Looker, Probe
from tests.ingest.health.scenes import ENCODERS, pictures, scene, sounds

NOTHING = Glimpse(None, None, None, [])


@pytest.fixture
def probe() -> Iterator[Probe]:
    with closing(Probe(0.1)) as made:
        yield made


def looker_of(probe: Probe) -> Looker:
    looker = probe.looker()
    assert looker is not None
    return looker


def seen_by(looker: Looker, glimpse: Glimpse) -> Look:
    looker.look(glimpse, 0.0)
    deadline = time.monotonic() + 20
    while (look := looker.take()) == Look():
        assert time.monotonic() < deadline, "nothing was seen"
        time.sleep(0.01)
    return look


def changes(picture: str, codec: str = "libx264") -> list[float]:
    video, keyframes = pictures(scene(picture, "", codec=codec))
    seen = [thumbnail(video.entry, video.record, keyframe) for keyframe in keyframes]
    return [change(a, b) for a, b in pairwise(seen) if a is not None and b is not None]


@pytest.mark.parametrize("codec", ENCODERS)
def test_a_black_picture_is_dark_and_others_are_not(codec: str) -> None:
    for name in ("black", "still", "camera"):
        video, keyframes = pictures(scene(name, "", codec=codec))
        picture = thumbnail(video.entry, video.record, keyframes[0])
        assert picture is not None
        assert (brightness(picture) < 20) == (name == "black")


@pytest.mark.parametrize("codec", ENCODERS)
def test_a_still_picture_does_not_change_and_a_clock_or_a_cameras_noise_does(codec: str) -> None:
    assert changes("still", codec)[-1] < 4
    assert min(changes("clock", codec)) > 4
    assert min(changes("camera", codec)) > 4


@pytest.mark.parametrize(("sound", "least", "most"), [("silence", -120, -90), ("whisper", -50, -35), ("tone", -12, -6)])
def test_loudness_is_in_decibels_below_full_scale(sound: str, least: float, most: float) -> None:
    audio, frames = sounds(scene("", sound))
    loudness = loudness_dbfs(audio.record, frames[20:32])
    assert loudness is not None
    assert SILENCE_DBFS <= least <= loudness <= most


def test_a_glimpse_is_seen_in_the_probes_own_thread(probe: Probe) -> None:
    tags = scene("still", "tone")
    (video, keyframes), (audio, frames) = pictures(tags), sounds(tags)
    looker = looker_of(probe)
    first = seen_by(looker, Glimpse(video, keyframes[0], audio, frames[:12]))
    assert first.loudness_dbfs is not None
    assert first.brightness is not None
    assert first.change is None
    assert seen_by(looker, Glimpse(video, keyframes[1], audio, frames[:12])).change is not None
    assert looker.take() == Look()


@given(st.binary(max_size=400), st.sampled_from([b"avc1", b"hvc1", b"av01"]), st.binary(max_size=60))
def test_bytes_that_are_no_picture_or_sound_show_nothing(data: bytes, entry: bytes, record: bytes) -> None:
    assert thumbnail(entry, record, data) is None
    loudness = loudness_dbfs(record, [data, data, data])
    assert loudness is None or SILENCE_DBFS <= loudness <= 40


@pytest.mark.parametrize("codec", ENCODERS)
def test_a_damaged_keyframe_does_no_harm(codec: str) -> None:
    video, keyframes = pictures(scene("camera", "", codec=codec))
    for at in range(50, len(keyframes[0]), 997):
        damaged = bytearray(keyframes[0])
        damaged[at : at + 8] = bytes(8)
        thumbnail(video.entry, video.record, bytes(damaged))


@pytest.mark.parametrize("codec", ENCODERS)
def test_a_picture_too_large_is_not_decoded(monkeypatch: pytest.MonkeyPatch, codec: str) -> None:
    video, keyframes = pictures(scene("still", "", codec=codec))
    monkeypatch.setattr("ingest.health.decoding.PIXELS_MAX", 320 * 180 - 1)
    assert thumbnail(video.entry, video.record, keyframes[0]) is None
    monkeypatch.undo()
    monkeypatch.setattr("ingest.health.decoding.KEYFRAME_MAX", len(keyframes[0]) - 1)
    assert thumbnail(video.entry, video.record, keyframes[0]) is None


def test_a_busy_probe_leaves_looks_out_and_never_waits(probe: Probe, monkeypatch: pytest.MonkeyPatch) -> None:
    free = threading.Event()
    monkeypatch.setattr(subject, "loudness_dbfs", lambda record, frames: float(free.wait(20)))
    audio, frames = sounds(scene("", "tone"))
    lookers = [looker_of(probe) for _ in range(WAITING_MAX + 3)]
    for looker in lookers:
        looker.look(Glimpse(None, None, audio, frames[:1]), 100.0)
    assert [looker.due(100.0) for looker in lookers] == [False] * WAITING_MAX + [True] * 3
    free.set()


def test_streams_are_looked_into_less_often_when_there_are_many(probe: Probe) -> None:
    lookers = [looker_of(probe)]
    assert probe.every_s == LOOK_EVERY_S
    lookers += [looker_of(probe) for _ in range(99)]
    assert probe.every_s == pytest.approx(100 * probe.cost_s / 0.1)
    for looker in lookers[1:]:
        looker.close()
        looker.close()
    assert probe.every_s == LOOK_EVERY_S


def test_a_look_is_due_at_first_and_then_after_a_while(probe: Probe) -> None:
    looker = looker_of(probe)
    assert looker.due(1000.0)
    looker.look(NOTHING, 1000.0)
    assert not looker.due(1000.0 + LOOK_EVERY_S - 0.1)
    assert looker.due(1000.0 + LOOK_EVERY_S)
    looker.close()
    assert not looker.due(9000.0)


def test_a_share_of_nothing_turns_it_off() -> None:
    with closing(Probe(0.0)) as off:
        assert off.looker() is None
