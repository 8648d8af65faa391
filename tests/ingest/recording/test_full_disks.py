"""A full disk, or a spool that is full: the recording is partial, and the stream's health says so while it lasts."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from ingest.health.meter import Meter, SegmentEnd
from ingest.media.became import HealthBecame
from ingest.recording.recorder import Unrecorded
from ingest.recording.recording import FAILED, Recording
from tests.ingest.recording.disks import LARGE, Disk, LimitedFiles, small_disk
from tests.ingest.recording.takes import SOURCE, becomes, entry
from tests.ingest.recording.test_recordings import Unsteady
from tests.ingest.recording.workshop import workshop


class Health:
    """A stream's real meter, and what it said so far."""

    def __init__(self) -> None:
        self.meter = Meter()
        self.said: list[HealthBecame] = []

    def holds(self) -> bool:
        self.said += [report for report in self.meter.take() if isinstance(report, HealthBecame)]
        return bool(self.said) and FAILED in self.said[-1].codes

    def good_segment(self) -> None:
        self.meter.segment_closed(SegmentEnd(0, skew_s=0.0, gaps=0, forced=False, stored=True), now_s=0.0)


@pytest.fixture(params=["small file system", "limited files"])
def disk(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Disk]:
    if request.param == "limited files":
        (tmp_path / "disk").mkdir()
        yield LimitedFiles(tmp_path / "disk")
        return
    with small_disk(tmp_path / "disk") as small:
        yield small


def feed_large(recording: Recording, numbers: range) -> None:
    for number in numbers:
        recording.segment(SOURCE.name, entry(number), bytes(LARGE))


def taken(recording: Recording) -> Callable[[], bool]:
    """Whether all that was fed is kept or refused."""
    return lambda: not recording._inbox


async def test_a_full_disk_is_said_and_makes_gaps_and_the_recording_goes_on(tmp_path: Path, disk: Disk) -> None:
    store = Unsteady(tmp_path / "store")
    async with workshop(disk.directory, store) as at:
        recording, health = at.open(), Health()
        recording.listen(health.meter)
        recording.begin(SOURCE, 0, b"init")
        feed_large(recording, range(2))
        await becomes(lambda: recording._spool.story.last_number == 1 and not recording._spool.waiting())
        assert not health.holds()

        with disk.full():
            feed_large(recording, range(2, 4))
            await becomes(lambda: recording._spool.story.last_number == 3 and not recording._inbox)
            assert health.holds()
            assert (health.said[-1].status, health.said[-1].severities) == ("error", ("error",))
        feed_large(recording, range(4, 6))
        await becomes(taken(recording))
        for _ in range(3):
            health.good_segment()
        assert not health.holds()

        recording.finish()
        await at.published()
        assert not at.event("RecordingPublished").complete
        manifest = await at.manifest()
        assert [(gap.first, gap.last, gap.reason) for gap in manifest.gaps] == [(2, 3, "disk_full")]
        assert manifest.duration_s == 12.0


async def test_a_disk_that_fills_up_while_the_store_is_away_keeps_what_fits(tmp_path: Path) -> None:
    store = Unsteady(tmp_path / "store")
    store.away = True
    with small_disk(tmp_path / "disk") as disk:
        room = 10**9 if not isinstance(disk, LimitedFiles) else 900_000
        async with workshop(disk.directory, store, disk=room) as at:
            recording, health = at.open(), Health()
            recording.listen(health.meter)
            recording.begin(SOURCE, 0, b"init")
            feed_large(recording, range(20))
            await becomes(taken(recording))
            assert health.holds()
            store.away = False
            recording.finish()
            await at.published()
            timeline = (await at.manifest()).timeline
    kept = [segment.number for segment in timeline if not segment.gap]
    assert len(timeline) == 20
    assert 0 < len(kept) < 11
    assert not at.event("RecordingPublished").complete


async def test_a_full_spool_is_said_until_the_store_takes_what_waits(tmp_path: Path) -> None:
    store = Unsteady(tmp_path / "store")
    store.away = True
    async with workshop(tmp_path, store, disk=3 * LARGE) as at:
        recording, health = at.open(), Health()
        recording.listen(health.meter)
        recording.begin(SOURCE, 0, b"init")
        feed_large(recording, range(4))
        await becomes(lambda: health.holds())
        store.away = False
        await becomes(lambda: not recording._outbox)
        feed_large(recording, range(4, 5))
        await becomes(taken(recording))
        for _ in range(3):
            health.good_segment()
        assert not health.holds()
        recording.finish()
        await at.published()
        assert [(gap.first, gap.last, gap.reason) for gap in (await at.manifest()).gaps] == [(3, 3, "spool_full")]


async def test_who_comes_to_a_recording_that_has_gaps_now_is_told_at_once(tmp_path: Path) -> None:
    async with workshop(tmp_path, memory=10) as at:
        recording, health = at.open(), Health()
        recording.begin(SOURCE, 0, b"init")
        feed_large(recording, range(1))
        recording.listen(health.meter)
        assert health.holds()


async def test_a_stream_whose_recording_cannot_even_begin_is_told_so(tmp_path: Path) -> None:
    (tmp_path / "spool").mkdir()
    (tmp_path / "spool" / "stream").write_text("in the way")
    async with workshop(tmp_path / "other") as at:
        at.recorder._directory = tmp_path / "spool"
        sink, health = at.recorder.open("stream", "channel", "public"), Health()
        assert isinstance(sink, Unrecorded)
        sink.listen(health.meter)
        assert health.holds()


async def test_recording_that_is_turned_off_is_no_failure() -> None:
    health = Health()
    Unrecorded(failed=False).listen(health.meter)
    assert not health.holds()
