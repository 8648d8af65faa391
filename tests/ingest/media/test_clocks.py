"""RTMP's milliseconds become a steady track time."""

from __future__ import annotations

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ingest.media.clocks import AudioClock, VideoClock


def steps(times: list[int]) -> set[int]:
    return {later - earlier for earlier, later in pairwise(times)}


@given(st.sampled_from([24.0, 25.0, 30.0, 50.0, 60.0]), st.lists(st.integers(-3, 3), min_size=2, max_size=300))
def test_jitter_of_a_few_milliseconds_vanishes(rate: float, jitter: list[int]) -> None:
    clock = VideoClock(0, 0, rate)
    times = [clock.place(round(index * 1000 / rate) + (noise if index else 0)) for index, noise in enumerate(jitter)]
    assert steps(times) == {round(90_000 / rate)}


def test_an_undeclared_rate_is_learnt_from_the_first_two_frames() -> None:
    clock = VideoClock(0, 0, 0.0)
    assert steps([clock.place(round(index * 1000 / 30)) for index in range(60)]) == {3000}


def test_a_wrongly_declared_rate_is_learnt_anew() -> None:
    clock = VideoClock(0, 0, 60.0)
    times = [clock.place(round(index * 1000 / 25)) for index in range(60)]
    assert steps(times[20:]) == {3600}


def test_a_gap_stays_a_gap() -> None:
    clock = VideoClock(0, 0, 30.0)
    times = [clock.place(at) for at in (0, 33, 67, 500, 533)]
    assert times[3] == 45_000


@given(st.lists(st.integers(0, 10_000), min_size=1), st.sampled_from([0.0, 30.0]))
def test_video_time_only_moves_on(timestamps: list[int], rate: float) -> None:
    clock = VideoClock(0, 0, rate)
    times = [clock.place(at) for at in timestamps]
    assert all(step > 0 for step in steps(times))


def test_a_long_stream_does_not_drift_from_its_timestamps() -> None:
    clock = VideoClock(0, 0, 30.0)
    for index in range(100_000):
        at = round(index * 1001 / 30)  # 29.97 declared as 30
        assert abs(clock.place(at) - at * 90) <= 1600


def test_audio_counts_samples() -> None:
    clock = AudioClock(0, 0, 44_100, 1024)
    times = [clock.place(int(index * 1024_000 / 44_100)) for index in range(1000)]
    assert times == [index * 1024 for index in range(1000)]
    assert clock.resyncs == 0


def test_audio_follows_when_samples_went_missing() -> None:
    clock = AudioClock(0, 0, 48_000, 1024)
    assert clock.place(0) == 0
    assert clock.place(500) == 24_000
    assert clock.resyncs == 1


@pytest.mark.parametrize("parts_per_million", [-100, -20, 20, 100])
def test_audio_follows_a_sound_card_whose_clock_is_off(parts_per_million: int) -> None:
    clock = AudioClock(0, 0, 48_000, 1024)
    for index in range(3600 * 48_000 // 1024):
        at_ms = int(index * 1024 / 48 * (1 + parts_per_million / 1e6))
        placed = clock.place(at_ms)
        assert placed is None or abs(placed / 48 - at_ms) < 20
    assert 0 < clock.resyncs < 40


def test_audio_whose_timestamps_come_in_bursts_is_not_torn() -> None:
    clock = AudioClock(0, 0, 48_000, 1024)
    times = [clock.place(int(index // 4 * 4 * 1024 / 48) + 30) for index in range(1000)]
    assert times == [index * 1024 for index in range(1000)]


def test_audio_ahead_of_its_timestamps_waits() -> None:
    clock = AudioClock(0, 0, 48_000, 1024)
    placed = [clock.place(index * 10) for index in range(200)]  # twice as much audio as time
    kept = [at for at in placed if at is not None]
    assert abs(kept[-1] - 199 * 480) <= 48_000 * 0.1
