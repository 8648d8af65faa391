"""From closed segments to a published recording, whatever the store, the disk and the deciders do meanwhile."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest

from ingest.publishing import wishes
from ingest.publishing.journal import Entry
from ingest.recording import recording as module
from ingest.recording.recorder import Unrecorded
from ingest.recording.service import Recordings
from ingest.storage.contract import StoreAway
from ingest.storage.local import LocalStore
from tests.ingest.recording.takes import AUDIO, NOW_S, SOURCE, becomes, data_of, entry
from tests.ingest.recording.workshop import begin, feed, workshop
from tests.ingest.rtmp.house import LocalDeciders


class Unsteady(LocalStore):
    """Away while `away` is set."""

    away = False

    async def put(self, key: str, data: bytes, content_type: str, cache_control: str) -> None:
        if self.away:
            raise StoreAway("unplugged")
        await super().put(key, data, content_type, cache_control)

    async def put_file(self, key: str, path: Path, content_type: str, cache_control: str) -> None:
        if self.away:
            raise StoreAway("unplugged")
        await super().put_file(key, path, content_type, cache_control)


async def test_a_stream_is_recorded_from_its_first_segment_to_its_end(tmp_path: Path) -> None:
    async with workshop(tmp_path) as at:
        recording = at.open()
        begin(recording)
        feed(recording, range(3))
        await becomes(lambda: at.happened() == ["RecordingStarted"])
        recording.finish()
        await at.published()

        assert at.happened() == ["RecordingStarted", "RecordingPublished"]
        published = at.event("RecordingPublished")
        assert (published.stream_id, published.channel_id, published.node) == ("stream", "channel", "node")
        assert (published.duration_ms, published.complete) == (6000, True)
        assert published.started_at.timestamp() == NOW_S
        assert published.bytes == sum(len(data_of(name, n)) for name in ("source", "audio") for n in range(3))
        assert published.playback_path == "/vod/stream/index.m3u8"
        assert published.renditions == ["source", "audio"]
        assert await at.keys("stream") == sorted(
            [
                "stream/index.m3u8",
                "stream/manifest.json",
                *(
                    f"stream/{name}/{file}"
                    for name in ("source", "audio")
                    for file in ("media.m3u8", "init0.mp4", *(f"segment{n}.m4s" for n in range(3)))
                ),
            ]
        )
        blob = await at.store.get("stream/source/segment1.m4s")
        assert blob
        assert blob.data == data_of("source", 1)
        await becomes(lambda: at.recorder.find("stream") is None)
        assert not list((tmp_path / "spool").iterdir())


async def test_a_stream_without_a_segment_leaves_no_recording(tmp_path: Path) -> None:
    async with workshop(tmp_path) as at:
        recording = at.open()
        begin(recording)
        recording.finish()
        await becomes(lambda: at.recorder.find("stream") is None)
        assert at.happened() == []
        assert not list((tmp_path / "spool").iterdir())


async def test_nothing_is_lost_while_the_store_is_away(tmp_path: Path) -> None:
    store = Unsteady(tmp_path / "store")
    async with workshop(tmp_path, store) as at:
        recording = at.open()
        begin(recording)
        feed(recording, range(2))
        await becomes(lambda: (tmp_path / "store/stream/audio/segment1.m4s").exists())
        store.away = True
        feed(recording, range(2, 30))
        recording.finish()
        await becomes(lambda: len(list((tmp_path / "spool/stream/files").glob("*/*"))) == 56)
        assert "RecordingPublished" not in at.happened()
        store.away = False
        await at.published()
        assert at.event("RecordingPublished").complete
        for number in range(30):
            blob = await at.store.get(f"stream/source/segment{number}.m4s")
            assert blob
            assert blob.data == data_of("source", number)


async def test_deciders_away_at_the_end_hear_of_it_when_they_are_back(tmp_path: Path) -> None:
    async with workshop(tmp_path) as at:
        at.deciders.away = True
        recording = at.open()
        begin(recording)
        feed(recording, range(2))
        recording.finish()
        await at.manifest()
        assert at.happened() == []
        at.deciders.away = False
        await at.published()
        assert at.happened() == ["RecordingStarted", "RecordingPublished"]


async def test_a_stopped_process_leaves_what_the_next_one_publishes(tmp_path: Path) -> None:
    store, deciders = Unsteady(tmp_path / "store"), LocalDeciders(20.0)
    store.away = True
    async with workshop(tmp_path, store, deciders) as at:
        recording = at.open()
        begin(recording)
        feed(recording, range(5))
        recording.finish()
    store.away = False
    async with workshop(tmp_path, store, deciders) as at:
        await at.published()
        assert at.event("RecordingPublished").complete
        assert len((await at.manifest()).timeline) == 5


async def test_deciders_away_while_a_process_dies_hear_of_it_from_the_next(tmp_path: Path) -> None:
    deciders = LocalDeciders(20.0)
    deciders.away = True
    async with workshop(tmp_path, deciders=deciders) as at:
        recording = at.open()
        begin(recording)
        feed(recording, range(2))
        recording.finish()
        await at.manifest()
    deciders.away = False
    async with workshop(tmp_path, deciders=deciders) as at:
        await at.published()
        assert at.happened() == ["RecordingStarted", "RecordingPublished"]


async def test_a_stream_that_goes_on_after_a_restart_goes_on_in_its_recording(tmp_path: Path) -> None:
    deciders = LocalDeciders(20.0)
    async with workshop(tmp_path, deciders=deciders) as at:
        recording = at.open()
        begin(recording)
        feed(recording, range(3))
        await becomes(lambda: len(at.happened()) == 1)
    async with workshop(tmp_path, deciders=deciders) as at:
        recording = at.open()
        begin(recording)
        # The packager's numbers begin anew: its own files were lost.
        feed(recording, [0, 1], at_s=NOW_S + 20)
        recording.finish()
        await at.published()
        assert at.happened() == ["RecordingStarted", "RecordingPublished"]
        manifest = await at.manifest()
        source = manifest.tracks[0]
        assert [(each.number, each.init, each.discontinuity) for each in source.segments] == [
            (0, 0, False),
            (1, 0, False),
            (2, 0, False),
            (3, 1, True),
            (4, 1, False),
        ]
        blob = await at.store.get("stream/source/segment0.m4s")
        assert blob
        assert blob.data == data_of("source", 0), "nothing was overwritten"


async def test_a_stream_that_does_not_come_back_is_published_after_its_grace(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("ingest.recording.recorder.LATE_S", 0.1)
    deciders = LocalDeciders(20.0)
    async with workshop(tmp_path, deciders=deciders) as at:
        recording = at.open()
        begin(recording)
        feed(recording, range(3))
    async with workshop(tmp_path, deciders=deciders, grace_s=0.1) as at:
        await at.published()
        assert at.event("RecordingPublished").duration_ms == 6000
        recording_or_not = at.recorder.open("stream", "channel", "public")
        assert isinstance(recording_or_not, Unrecorded) or at.recorder.find("stream") is not None


async def test_a_store_away_for_longer_than_the_spool_can_hold_makes_gaps(tmp_path: Path) -> None:
    store = Unsteady(tmp_path / "store")
    store.away = True
    one = len(data_of("source", 0)) + len(data_of("audio", 0))
    async with workshop(tmp_path, store, disk=3 * one) as at:
        recording = at.open()
        begin(recording)
        feed(recording, range(6))
        await becomes(lambda: not recording._inbox)
        store.away = False
        await becomes(lambda: (tmp_path / "store/stream/audio/segment2.m4s").exists())
        feed(recording, range(6, 8))
        recording.finish()
        await at.published()
        timeline = (await at.manifest()).timeline
        assert [segment.gap for segment in timeline] == ["", "", "", *["spool_full"] * 3, "", ""]


async def test_segments_that_memory_cannot_hold_are_gaps(tmp_path: Path) -> None:
    async with workshop(tmp_path, memory=10) as at:
        recording = at.open()
        begin(recording)
        feed(recording, range(2))
        recording.finish()
        await becomes(lambda: at.recorder.find("stream") is None)
        assert at.happened() == [], "there was nothing to play"


async def test_a_recording_ends_after_its_longest(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "LONGEST_S", 4.0)
    async with workshop(tmp_path) as at:
        recording = at.open()
        begin(recording)
        feed(recording, range(2))
        await becomes(lambda: recording._spool.story.last_number == 1)
        feed(recording, range(2, 10))
        await at.published()
        published = at.event("RecordingPublished")
        assert not published.complete
        assert {gap.reason for gap in (await at.manifest()).gaps} == {"too_long", "not_made"}
        recording.finish()


async def test_a_gap_of_the_packager_keeps_nothing_of_it(tmp_path: Path) -> None:
    async with workshop(tmp_path) as at:
        recording = at.open()
        begin(recording)
        recording.segment("source", entry(0), b"whole")
        recording.segment("audio", entry(0, gap=True), b"half of it")
        recording.finish()
        await at.published()
        assert at.event("RecordingPublished").complete
        assert await at.store.get("stream/audio/segment0.m4s") is None


async def test_what_cannot_be_taken_up_is_said_and_does_not_hold_up_the_rest(tmp_path: Path) -> None:
    for name, journal in (("broken", b"nonsense\n"), ("empty", b"")):
        (tmp_path / "spool" / name).mkdir(parents=True)
        (tmp_path / "spool" / name / "journal").write_bytes(journal)
    async with workshop(tmp_path) as at:
        assert not (tmp_path / "spool" / "empty").exists()
        recording = at.open("broken")
        begin(recording)
        feed(recording, [0])
        recording.finish()
        await at.published("broken")


async def test_many_streams_are_recorded_beside_each_other(tmp_path: Path) -> None:
    async with workshop(tmp_path) as at:
        streams = [f"stream-{number}" for number in range(10)]
        for stream in streams:
            recording = at.open(stream, channel=f"channel of {stream}")
            begin(recording)
            feed(recording, range(3))
            recording.finish()
        await asyncio.gather(*(at.published(stream) for stream in streams))
        for stream in streams:
            assert (await at.manifest(stream)).complete


async def test_a_rendition_that_begins_anew_has_an_init_segment_more(tmp_path: Path) -> None:
    async with workshop(tmp_path) as at:
        recording = at.open()
        recording.begin(SOURCE, 0, b"first")
        recording.segment("source", entry(0), b"a")
        recording.begin(SOURCE, 1, b"second")
        recording.segment("source", entry(1, init=1, discontinuity=True), b"b")
        recording.finish()
        await at.published()
        blob = await at.store.get("stream/source/media.m3u8")
        assert blob
        assert blob.data.count(b"#EXT-X-MAP") == 2
        assert b"#EXT-X-DISCONTINUITY" in blob.data
        assert AUDIO.name not in str(await at.keys("stream"))


@pytest.mark.parametrize("on", [True, False])
async def test_nothing_is_recorded_when_recording_is_off(tmp_path: Path, on: bool) -> None:
    asked = wishes.authorise(f"live_1001_{'k' * 32}", "primary", "session", "node")
    entry_of_stream = Entry(asked=asked, stream_id="stream")
    async with workshop(tmp_path) as at:
        sink = Recordings(at.recorder, at.store, on).sink(entry_of_stream)
    assert isinstance(sink, Unrecorded) is not on
    assert (tmp_path / "spool" / "stream").exists() is on
