"""Clips of what is live and of what was, and what becomes of them when their recording goes."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from commands.client import Rejected
from ingest.recording.shelf import Published
from ingest.recording.sweeper import sweep
from schemas.commands.recordings import DeleteClip, DeleteRecording
from schemas.events.recordings import ClipPublished
from tests.commands.scenario import wish
from tests.ingest.recording.takes import NOW_S, becomes, data_of, entry
from tests.ingest.recording.workshop import Workshop, begin, feed, workshop


async def record(at: Workshop, segments: int = 10) -> None:
    """A published recording of so many segments."""
    recording = at.open()
    begin(recording)
    feed(recording, range(segments))
    recording.finish()
    await at.published()
    at.tell()
    await becomes(lambda: at.shelf.older_than(datetime.max.replace(tzinfo=UTC)))


async def published(at: Workshop, clip_id: str) -> ClipPublished:
    found: list[ClipPublished] = []

    def look() -> bool:
        found[:] = [event for event in at.deciders.events if isinstance(event, ClipPublished)]
        return any(event.clip_id == clip_id for event in found)

    await becomes(look)
    return next(event for event in found if event.clip_id == clip_id)


async def test_a_live_clip_is_the_stream_s_last_seconds_once_they_have_arrived(tmp_path: Path) -> None:
    async with workshop(tmp_path) as at:
        at.go_live()
        recording = at.open()
        begin(recording)
        feed(recording, range(10))
        await becomes(lambda: "RecordingStarted" in at.happened())
        clip_id = await at.clip(at_s=NOW_S + 21, lasting_s=6)
        await asyncio.sleep(0)
        assert await at.keys(clip_id) == [], "the last second is not there yet"
        recording.segment("source", entry(10), data_of("source", 10))
        await becomes(lambda: (tmp_path / "store/stream/source/segment10.m4s").exists())
        assert await at.keys(clip_id) == [], "its sound is not there yet"
        recording.segment("audio", entry(10), data_of("audio", 10))

        event = await published(at, clip_id)

        assert (event.vod_offset_ms, event.duration_ms) == (14_000, 8_000)
        assert event.playback_path == f"/vod/{clip_id}/index.m3u8"
        manifest = await at.manifest(clip_id)
        assert [segment.number for segment in manifest.timeline] == [7, 8, 9, 10]
        blob = await at.store.get(f"{clip_id}/source/segment10.m4s")
        assert blob
        assert blob.data == data_of("source", 10)


async def test_a_clip_of_a_video_ends_at_its_offset(tmp_path: Path) -> None:
    async with workshop(tmp_path) as at:
        await record(at)
        clip_id = await at.clip(at_s=NOW_S + 5000, lasting_s=5, vod_id="stream", vod_end_ms=11_000)
        event = await published(at, clip_id)
        assert (event.vod_offset_ms, event.duration_ms) == (6_000, 6_000)
        keys = await at.keys(clip_id)
        assert f"{clip_id}/audio/init0.mp4" in keys
        assert f"{clip_id}/audio/segment2.m4s" not in keys
        assert f"{clip_id}/audio/segment3.m4s" in keys


async def test_a_clip_outlives_the_recording_it_was_cut_from(tmp_path: Path) -> None:
    async with workshop(tmp_path) as at:
        await record(at)
        clip_id = await at.clip(at_s=NOW_S, vod_id="stream", vod_end_ms=10_000)
        await published(at, clip_id)
        kept = await at.keys(clip_id)

        await at.submit(
            wish(DeleteRecording, actor="channel", channel_id="channel", stream_id="stream", reason="owner")
        )
        at.tell()
        await becomes(lambda: not (tmp_path / "store" / "stream").exists())

        assert await at.keys(clip_id) == kept
        assert not at.shelf.older_than(datetime.max.replace(tzinfo=UTC))


async def test_a_clip_asked_for_just_before_its_recording_goes_is_cut_first(tmp_path: Path) -> None:
    async with workshop(tmp_path) as at:
        await record(at)
        clip_id = await at.clip(at_s=NOW_S, vod_id="stream", vod_end_ms=10_000)
        await at.submit(
            wish(DeleteRecording, actor="channel", channel_id="channel", stream_id="stream", reason="owner")
        )
        at.tell()
        await published(at, clip_id)
        await becomes(lambda: not (tmp_path / "store" / "stream").exists())
        assert await at.keys(clip_id)


async def test_a_deleted_clip_is_gone_from_the_store(tmp_path: Path) -> None:
    async with workshop(tmp_path) as at:
        await record(at)
        clip_id = await at.clip(at_s=NOW_S, vod_id="stream", vod_end_ms=10_000)
        await published(at, clip_id)
        await at.submit(wish(DeleteClip, actor="somebody", channel_id="channel", clip_id=clip_id))
        at.tell()
        await becomes(lambda: not (tmp_path / "store" / clip_id).exists())
        assert await at.keys("stream")


async def test_a_clip_of_time_that_was_not_recorded_is_taken_back(tmp_path: Path) -> None:
    async with workshop(tmp_path) as at:
        at.go_live()
        recording = at.open()
        begin(recording)
        feed(recording, range(2))
        await becomes(lambda: "RecordingStarted" in at.happened())
        await at.clip(at_s=NOW_S - 100)
        await becomes(lambda: "ClipDeleted:empty" in at.happened())


async def test_clips_left_undone_by_a_dead_process_are_cut_by_the_next(tmp_path: Path) -> None:
    async with workshop(tmp_path) as at:
        await record(at)
        at.deciders.away = True
        at.errands._places = asyncio.Semaphore(0)
        at.deciders.away = False
        clip_id = await at.clip(at_s=NOW_S, vod_id="stream", vod_end_ms=10_000)
        deciders = at.deciders
    assert not (tmp_path / "store" / clip_id).exists()
    async with workshop(tmp_path, deciders=deciders) as at:
        await published(at, clip_id)
        assert await at.keys(clip_id)
    assert not list((tmp_path / "errands").iterdir())


async def test_retention_asks_for_the_end_of_what_is_too_old_and_of_nothing_else(tmp_path: Path) -> None:
    async with workshop(tmp_path) as at:
        await record(at)
        await sweep(at.shelf, at.deciders, datetime.now(UTC) - timedelta(days=1))
        assert "RecordingDeleted:retention" not in at.happened()

        await sweep(at.shelf, at.deciders, datetime.now(UTC) + timedelta(seconds=1))

        assert at.happened()[-1] == "RecordingDeleted:retention"
        assert await at.keys("stream"), "the event comes first, the objects go then"
        at.tell()
        await becomes(lambda: not (tmp_path / "store" / "stream").exists())


async def test_retention_forgets_what_its_owner_deleted_already(tmp_path: Path) -> None:
    async with workshop(tmp_path) as at:
        at.shelf.add(Published(stream_id="gone", channel_id="channel", published_at=datetime.now(UTC)))
        await sweep(at.shelf, at.deciders, datetime.now(UTC) + timedelta(seconds=1))
        assert not at.shelf.older_than(datetime.max.replace(tzinfo=UTC))


async def test_a_stream_that_is_not_recorded_cannot_be_clipped(tmp_path: Path) -> None:
    async with workshop(tmp_path) as at:
        at.go_live()
        with pytest.raises(Rejected) as refusal:
            await at.clip(at_s=NOW_S)
        assert refusal.value.code == "not_recorded"
