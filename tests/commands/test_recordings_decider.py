"""What may be recorded, published, clipped and deleted, and by whom."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from commands.deciders import recordings, streams
from schemas.commands.recordings import (
    CreateClip,
    DeleteClip,
    DeleteRecording,
    PublishClip,
    PublishRecording,
    StartRecording,
)
from schemas.events.recordings import (
    ClipCreated,
    ClipDeleted,
    ClipPublished,
    RecordingDeleted,
    RecordingPublished,
    RecordingStarted,
)
from schemas.events.streams import PublishAuthorised, StreamEnded, StreamStarted
from schemas.message import Event
from tests.commands.scenario import ADA, BOB, NOON, Scenario, happened, wish

SYSTEM = "system:ingest"
OF_STREAM: dict[str, Any] = {"stream_id": "st", "channel_id": ADA}
PUBLISHED_FACTS: dict[str, Any] = {
    "node": "n1",
    "started_at": NOON,
    "duration_ms": 60_000,
    "bytes": 1_000,
    "complete": True,
    "playback_path": "/vod/st/index.m3u8",
    "renditions": ["source"],
    "thumbnail_path": "/vod/st/thumbnail-{width}x{height}.jpg",
}
LIVE: tuple[Event, ...] = (
    happened(PublishAuthorised, **OF_STREAM, session_id="s", node="n1", key_id="k", resumed=False),
    happened(StreamStarted, **OF_STREAM, session_id="s", node="n1", playback_path=""),
)
ENDED = happened(StreamEnded, **OF_STREAM, session_id="s", reason="unpublished")
STARTED = happened(RecordingStarted, **OF_STREAM, node="n1")
PUBLISHED = happened(RecordingPublished, **OF_STREAM, **PUBLISHED_FACTS)
DELETED = happened(RecordingDeleted, **OF_STREAM, node="n1", reason="owner")
START = wish(StartRecording, actor=SYSTEM, **OF_STREAM, node="n1")
PUBLISH = wish(PublishRecording, actor=SYSTEM, **OF_STREAM, **PUBLISHED_FACTS)


def channel() -> Scenario:
    return Scenario(streams)


def delete(actor: str = ADA, reason: str = "owner") -> DeleteRecording:
    return wish(DeleteRecording, actor=actor, **OF_STREAM, reason=reason)


def clip(duration_ms: int = 30_000, actor: str = BOB, **more: Any) -> CreateClip:
    facts = {"channel_id": ADA, "clip_id": "cl", "title": "Oh", "duration_ms": duration_ms}
    return wish(CreateClip, actor=actor, **{**facts, **more})


def clip_of_video(end_ms: int, duration_ms: int = 30_000, vod_id: str = "st") -> CreateClip:
    return clip(duration_ms, vod_id=vod_id, vod_end_ms=end_ms)


def created(offset_ms: int | None = None, clip_id: str = "cl", creator_id: str = BOB) -> ClipCreated:
    facts: dict[str, Any] = {"node": "n1", "title": "Oh", "duration_ms": 30_000}
    facts |= {"live": offset_ms is None, "vod_offset_ms": offset_ms or 0}
    return happened(ClipCreated, **OF_STREAM, clip_id=clip_id, creator_id=creator_id, **facts)


def clip_deleted(reason: str) -> ClipDeleted:
    return happened(ClipDeleted, **OF_STREAM, clip_id="cl", node="n1", reason=reason)


def test_a_recording_starts_once() -> None:
    channel().when(START).then(STARTED)
    channel().given(STARTED).when(START).then_nothing()


def test_a_started_recording_is_published_once() -> None:
    channel().given(STARTED).when(PUBLISH).then(PUBLISHED)
    channel().given(STARTED, PUBLISHED).when(PUBLISH).then_nothing()


def test_a_recording_that_never_started_or_was_deleted_is_not_published() -> None:
    channel().when(PUBLISH).then_rejected("unknown_video")
    channel().given(STARTED, PUBLISHED, DELETED).when(PUBLISH).then_rejected("unknown_video")


def test_a_recording_is_published_after_its_stream_ended_and_beside_the_next() -> None:
    channel().given(*LIVE, STARTED, ENDED).when(PUBLISH).then(PUBLISHED)


def test_the_owner_and_retention_delete_what_is_published() -> None:
    channel().given(STARTED, PUBLISHED).when(delete()).then(DELETED)
    retired = happened(RecordingDeleted, **OF_STREAM, node="n1", reason="retention")
    channel().given(STARTED, PUBLISHED).when(delete(SYSTEM, "retention")).then(retired)


def test_nobody_else_deletes_a_recording() -> None:
    channel().given(STARTED, PUBLISHED).when(delete(BOB)).then_rejected("unauthorised")


def test_what_is_not_published_or_gone_cannot_be_deleted() -> None:
    channel().given(STARTED).when(delete()).then_rejected("still_recording")
    channel().when(delete()).then_rejected("unknown_video")
    channel().given(STARTED, PUBLISHED, DELETED).when(delete()).then_rejected("unknown_video")


def test_anybody_clips_a_live_stream_that_is_recorded() -> None:
    channel().given(*LIVE, STARTED).when(clip()).then(created())


@pytest.mark.parametrize("policy", ["private", "subscribers"])
def test_only_the_owner_clips_what_is_not_public(policy: str) -> None:
    start = wish(StartRecording, actor=SYSTEM, **OF_STREAM, node="n1", playback_policy=policy)
    started = happened(RecordingStarted, **OF_STREAM, node="n1", playback_policy=policy)
    channel().when(start).then(started)
    channel().given(*LIVE, started).when(clip()).then_rejected(policy)
    channel().given(*LIVE, started).when(clip(actor=ADA)).then(created(creator_id=ADA))
    channel().given(started, PUBLISHED).when(clip_of_video(45_000)).then_rejected(policy)


def test_a_stream_that_is_not_live_or_not_recorded_cannot_be_clipped() -> None:
    channel().when(clip()).then_rejected("not_live")
    channel().given(LIVE[0]).when(clip()).then_rejected("not_live")
    channel().given(*LIVE).when(clip()).then_rejected("not_recorded")
    channel().given(*LIVE, STARTED, ENDED).when(clip()).then_rejected("not_live")
    channel().given(*LIVE, STARTED, PUBLISHED).when(clip()).then_rejected("not_live")


def test_a_clip_of_a_video_ends_at_its_offset() -> None:
    channel().given(STARTED, PUBLISHED).when(clip_of_video(45_000)).then(created(offset_ms=15_000))
    channel().given(STARTED, PUBLISHED).when(clip_of_video(60_000)).then(created(offset_ms=30_000))


@pytest.mark.parametrize("end_ms", [0, 29_999, 60_001])
def test_a_clip_lies_within_its_video(end_ms: int) -> None:
    channel().given(STARTED, PUBLISHED).when(clip_of_video(end_ms)).then_rejected("bad_offset")


def test_a_video_that_is_not_there_cannot_be_clipped() -> None:
    channel().given(STARTED).when(clip_of_video(45_000)).then_rejected("unknown_video")
    channel().given(STARTED, PUBLISHED).when(clip_of_video(45_000, vod_id="other")).then_rejected("unknown_video")
    channel().given(STARTED, PUBLISHED, DELETED).when(clip_of_video(45_000)).then_rejected("unknown_video")


@pytest.mark.parametrize("duration_ms", [0, 4_999, 60_001])
def test_a_clip_lasts_5_to_60_seconds(duration_ms: int) -> None:
    channel().given(*LIVE, STARTED).when(clip(duration_ms)).then_rejected("bad_duration")


def test_a_clip_has_a_short_title() -> None:
    channel().given(*LIVE, STARTED).when(clip(title="x" * 141)).then_rejected("title_too_long")


def test_clips_of_one_recording_are_bounded() -> None:
    many = [created(clip_id=str(number)) for number in range(recordings.CLIPS_PER_RECORDING)]
    channel().given(*LIVE, STARTED, *many).when(clip()).then_rejected("too_many_clips")


def test_a_clip_is_published_once_and_also_after_its_recording_is_gone() -> None:
    facts: dict[str, Any] = {
        "clip_id": "cl",
        "vod_offset_ms": 14_000,
        "duration_ms": 32_000,
        "playback_path": "/vod/cl/index.m3u8",
    }
    publish = wish(PublishClip, actor=SYSTEM, channel_id=ADA, **facts)
    published = happened(ClipPublished, **OF_STREAM, **facts)
    channel().given(STARTED, created()).when(publish).then(published)
    channel().given(STARTED, PUBLISHED, created(15_000), DELETED).when(publish).then(published)
    channel().given(STARTED, created(), published).when(publish).then_nothing()
    channel().when(publish).then_rejected("unknown_clip")


@pytest.mark.parametrize(("actor", "reason"), [(BOB, "creator"), (ADA, "owner"), (SYSTEM, "empty")])
def test_a_clip_is_deleted_by_its_creator_the_owner_or_who_found_it_empty(actor: str, reason: str) -> None:
    wanted = wish(DeleteClip, actor=actor, channel_id=ADA, clip_id="cl")
    channel().given(STARTED, created()).when(wanted).then(clip_deleted(reason))


def test_nobody_else_deletes_a_clip_and_nobody_twice() -> None:
    given = channel().given(STARTED, created())
    given.when(wish(DeleteClip, actor="1003", channel_id=ADA, clip_id="cl")).then_rejected("unauthorised")
    gone = channel().given(STARTED, created(), clip_deleted("creator"))
    gone.when(wish(DeleteClip, actor=BOB, channel_id=ADA, clip_id="cl")).then_rejected("unknown_clip")


def test_who_makes_a_clip_is_told_its_id() -> None:
    assert streams.reply(created()) == {"clip_id": "cl"}


def test_recordings_do_not_touch_the_place_that_publishers_hold() -> None:
    state = streams.initial_state()
    for event in (*LIVE, STARTED):
        state = streams.evolve(state, event)
    after = streams.evolve(state, PUBLISHED)
    assert after.place == state.place
    assert timedelta(milliseconds=after.recordings.kept["st"].duration_ms or 0) == timedelta(minutes=1)
