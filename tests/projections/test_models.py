"""Given these events, the read models hold these rows."""

from __future__ import annotations

import asyncio
from contextlib import AsyncExitStack
from typing import Any

import asyncpg
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from projections.contract import Advance, Record
from projections.models import MODELS, accounts, channels, follows, playback, stream_health, streams
from projections.postgres.sink import PostgresSink
from projections.tables import INSERT, REPLACE, Model
from schemas.catalog import events_of
from tests.engines import own_database
from tests.projections.folding import at, record, tables_after
from tests.projections.interpreter import Rows, apply


@pytest.mark.parametrize("model", MODELS, ids=lambda model: model.name)
def test_every_event_of_the_topic_has_its_place_and_fills_a_row(model: Model) -> None:
    assert set(model.on) == {event.__name__ for event in events_of(model.topic)}
    assert set(model.log) <= set(model.on)
    for type_, change_of in (*model.on.items(), *model.log.items()):
        change = change_of(record(type_).fields)
        assert change.table in model.tables
        assert len(change.row) == len(change.table.columns)
        if change.sets not in (INSERT, REPLACE):
            columns = dict(zip(change.table.columns, change.row, strict=True))
            assert all(columns[name] is None for name in change.table.once - change.sets)
        if change.table.append_only:
            assert change.sets == INSERT


@pytest.mark.parametrize("model", MODELS, ids=lambda model: model.name)
def test_an_event_of_another_topic_has_no_place(model: Model) -> None:
    with pytest.raises(KeyError, match="DeadLettered"):
        model.fold([Record(0, "DeadLettered", {})])


def test_no_two_models_share_a_view_or_a_name() -> None:
    names = [table.name for model in MODELS for table in model.tables]
    assert len(names) == len(set(names))
    assert len(MODELS) == len({model.name for model in MODELS})


def test_accounts() -> None:
    tables = tables_after(
        accounts.MODEL,
        record("UserRegistered", 0, user_id="1", login="ann", display_name="Ann", password_hash="secret"),
        record("SessionIssued", 1, session_id="s1", user_id="1", token_hash="h", scopes=["chat"], expires_at=at(60)),
        record("SessionIssued", 2, session_id="s2", user_id="1", token_hash="i", scopes=[], expires_at=at(60)),
        record("SessionRevoked", 3, session_id="s1", user_id="1"),
        record("SessionRevoked", 4, session_id="s1", user_id="1"),
        record("StreamKeyIssued", 5, key_id="k1", user_id="1", key_hash="secret"),
        record("StreamKeyRevoked", 6, key_id="k1", user_id="1"),
    )
    session = {"user_id": "1", "expires_at": at(60)}
    assert tables == {
        "users": [{"user_id": "1", "login": "ann", "display_name": "Ann", "created_at": at(0), "erased_at": None}],
        "sessions": [
            {"session_id": "s1", "token_hash": "h", "scopes": ["chat"], "revoked_at": at(3), **session},
            {"session_id": "s2", "token_hash": "i", "scopes": [], "revoked_at": None, **session},
        ],
        "stream_keys": [{"key_id": "k1", "user_id": "1", "created_at": at(5), "revoked_at": at(6)}],
    }


def test_a_revocation_whose_session_was_set_aside_leaves_one_that_no_token_matches() -> None:
    (session,) = tables_after(accounts.MODEL, record("SessionRevoked", 1, session_id="s1", user_id="1"))["sessions"]
    assert session["token_hash"] is None
    assert session["revoked_at"] == at(1)


def test_channels() -> None:
    said = {"category": "Art", "language": "de"}
    tables = tables_after(
        channels.MODEL,
        record("ChannelUpdated", 0, channel_id="1", title="Old", playback_policy="public", **said),
        record("ChannelUpdated", 1, channel_id="1", title="New", playback_policy="private", **said),
    )
    assert tables["channels"] == [
        {"channel_id": "1", "title": "New", "playback_policy": "private", "updated_at": at(1), **said}
    ]


STARTED = {
    "stream_id": "st",
    "channel_id": "1",
    "session_id": "r1",
    "node": "n1",
    "playback_path": "/live/st/index.m3u8",
    "playback_policy": "public",
    "title": "Hello",
    "category": "Art",
    "language": "en",
    "video_codec": "avc1.64001f",
    "audio_codec": "mp4a.40.2",
    "width": 1280,
    "height": 720,
    "frame_rate": 30.0,
}
AUTHORISED = record("PublishAuthorised", 0, stream_id="st", channel_id="1", session_id="r1", node="n1")
THUMBNAIL = "/live/st/thumbnail-{width}x{height}.jpg"
UNSET = {"on_air": "", "standby": "", "started_at": None, "disconnected_at": None, "ended_at": None, "end_reason": None}


def test_a_stream_from_start_to_end() -> None:
    log = [
        AUTHORISED,
        record("StreamStarted", 1, **STARTED),
        record("ThumbnailPublished", 1, stream_id="st", channel_id="1", path=THUMBNAIL),
        record("PublisherDisconnected", 2, stream_id="st", channel_id="1", session_id="r1", reason="timeout"),
        record("PublishAuthorised", 3, stream_id="st", channel_id="1", session_id="r2", node="n1", resumed=True),
        record("StreamEnded", 9, stream_id="st", channel_id="1", session_id="r2", reason="unpublished"),
        record("StreamEnded", 10, stream_id="st", channel_id="1", session_id="r2", reason="ingest_lost"),
    ]
    after = [tables_after(streams.MODEL, *log[: length + 1])["streams"][0] for length in range(len(log))]
    blank = {name: type(value)() for name, value in STARTED.items()} | {"thumbnail_path": ""}
    assert after[0] == {**blank, "stream_id": "st", "channel_id": "1", "session_id": "r1", "node": "n1", **UNSET}
    assert after[1] == {**blank, **STARTED, **UNSET, "started_at": at(1)}
    assert after[2] == {**after[1], "thumbnail_path": THUMBNAIL}
    assert after[3] == {**after[2], "disconnected_at": at(2)}
    assert after[4] == {**after[2], "session_id": "r2"}
    assert after[5] == {**after[4], "ended_at": at(9), "end_reason": "unpublished"}
    assert after[6] == after[5]


def test_a_streams_renditions_as_they_come_and_go() -> None:
    rung = {
        "stream_id": "st",
        "rendition": "720p",
        "channel_id": "1",
        "width": 1280,
        "height": 720,
        "frame_rate": 30.0,
        "bitrate_kbps": 3000,
        "codec": "avc1.64001f",
    }
    log = [
        record("RenditionAdded", 1, **rung),
        record("RenditionDropped", 2, **rung, reason="overloaded"),
        record("RenditionAdded", 3, **rung),
    ]
    after = [tables_after(streams.MODEL, *log[: length + 1])["stream_renditions"] for length in range(len(log))]
    assert after[0] == [{**rung, "added_at": at(1), "dropped_at": None, "drop_reason": None}]
    assert after[1] == [{**rung, "added_at": at(1), "dropped_at": at(2), "drop_reason": "overloaded"}]
    assert after[2] == [{**rung, "added_at": at(3), "dropped_at": None, "drop_reason": None}]


def test_a_stream_with_two_publishers() -> None:
    of_stream = {"stream_id": "st", "channel_id": "1"}
    log = [
        record("PublishAuthorised", 0, **of_stream, session_id="p", node="n1", role="primary"),
        record("StandbyAuthorised", 1, **of_stream, session_id="b", role="backup"),
        record("IngestSwitched", 2, **of_stream, session_id="b", from_role="primary", to_role="backup", reason="lost"),
        record("StandbyDisconnected", 3, **of_stream, session_id="p", reason="lost"),
    ]
    rows = [tables_after(streams.MODEL, *log[: length + 1])["streams"][0] for length in range(len(log))]
    assert [(row["session_id"], row["on_air"], row["standby"]) for row in rows] == [
        ("p", "primary", ""),
        ("p", "primary", "backup"),
        ("b", "backup", "primary"),
        ("b", "backup", ""),
    ]
    assert all(row["node"] == "n1" for row in rows)


PUBLISHED = {
    "started_at": at(1),
    "duration_ms": 7_200_000,
    "bytes": 5_000_000_000,
    "complete": True,
    "playback_path": "/vod/st/index.m3u8",
    "renditions": ["source", "audio"],
    "thumbnail_path": "/vod/st/thumbnail-{width}x{height}.jpg",
}


def test_a_recording_from_its_start_to_its_deletion() -> None:
    ids = {"stream_id": "st", "channel_id": "1"}
    log = [
        record("RecordingStarted", 1, **ids, node="n1"),
        record("RecordingPublished", 121, **ids, node="n1", **PUBLISHED),
        record("RecordingDeleted", 999, **ids, node="n1", reason="retention"),
    ]
    after = [tables_after(streams.MODEL, *log[: length + 1])["videos"] for length in range(len(log))]
    made = {**ids, "created_at": at(1)}
    assert after[0] == [{**made, "published_at": None, **dict.fromkeys(PUBLISHED)}]
    assert after[1] == [{**made, "published_at": at(121), **PUBLISHED}]
    assert after[2] == []


def test_a_clip_outlives_its_video_and_takes_its_bounds_from_its_publication() -> None:
    ids = {"stream_id": "st", "channel_id": "1", "clip_id": "cl"}
    real = {"vod_offset_ms": 8_000, "duration_ms": 31_000, "playback_path": "/vod/cl/index.m3u8"}
    log = [
        record("RecordingStarted", 1, stream_id="st", channel_id="1", node="n1"),
        record("ClipCreated", 2, **ids, creator_id="2", node="n1", title="Oh", duration_ms=30_000, live=True),
        record("ClipPublished", 3, **ids, **real),
        record("RecordingDeleted", 4, stream_id="st", channel_id="1", node="n1", reason="owner"),
        record("ClipDeleted", 5, **ids, node="n1", reason="creator"),
    ]
    after = [tables_after(streams.MODEL, *log[: length + 1])["clips"] for length in range(len(log))]
    created = {**ids, "creator_id": "2", "title": "Oh", "created_at": at(2)}
    assert after[1] == [{**created, "published_at": None, **dict.fromkeys(real)}]
    assert after[2] == after[3] == [{**created, "published_at": at(3), **real}]
    assert after[4] == []


def test_stream_health() -> None:
    sample = {
        "event_id": "e1",
        "stream_id": "st",
        "channel_id": "1",
        "sequence": 4,
        "duration_ms": 2000,
        "bitrate_kbps": 1500.5,
        "frame_rate": 29.97,
        "gop_ms": 2000,
        "av_skew_ms": -12,
        "dts_gaps": 1,
        "drift_ms": 30,
        "status": "ok",
        "video_kbps": 1372.5,
        "audio_kbps": 128.0,
        "bitrate_10s_kbps": 1490.0,
        "bitrate_60s_kbps": 1480.0,
        "gop_min_ms": 1900,
        "b_frames": 2,
        "starved_ms": 0,
        "width": 1280,
        "height": 720,
        "loudness_dbfs": -18.5,
        "brightness": None,
        "picture_change": None,
    }
    change = {
        "event_id": "e2",
        "stream_id": "st",
        "channel_id": "1",
        "status": "warning",
        "previous": "ok",
        "codes": ["bitrateLow"],
        "severities": ["warning"],
    }
    encoder = {
        "event_id": "e5",
        "stream_id": "st",
        "channel_id": "1",
        "encoder": "OBS",
        "video_codec_id": "7",
        "audio_codec_id": "10",
        "configured_width": 1280,
        "configured_height": 720,
        "configured_frame_rate": 30.0,
        "configured_video_kbps": 2500.0,
        "configured_audio_kbps": 128.0,
    }
    of_stream = {"stream_id": "st", "channel_id": "1"}
    tables = tables_after(
        stream_health.MODEL,
        record("HealthSampled", 1, **sample),
        record("HealthSampled", 1, **sample),
        record("HealthChanged", 2, **change),
        record("StarvationStarted", 3, event_id="e3", **of_stream, behind_ms=2100),
        record("StarvationEnded", 4, event_id="e4", **of_stream, lasted_ms=60_000),
        record("EncoderAnnounced", 5, **encoder),
    )
    assert tables == {
        "health_samples": [{**sample, "sampled_at": at(1)}],
        "health_changes": [{**change, "changed_at": at(2)}],
        "health_starvations": [
            {**of_stream, "event_id": "e3", "noticed_at": at(3), "starving": True, "ms": 2100},
            {**of_stream, "event_id": "e4", "noticed_at": at(4), "starving": False, "ms": 60_000},
        ],
        "health_encoders": [{**encoder, "announced_at": at(5)}],
    }


def test_follows() -> None:
    tables = tables_after(
        follows.MODEL,
        record("UserFollowed", 0, channel_id="1", follower_id="2"),
        record("UserFollowed", 1, channel_id="1", follower_id="3"),
        record("UserUnfollowed", 2, channel_id="1", follower_id="2"),
        record("UserUnfollowed", 3, channel_id="1", follower_id="3"),
        record("UserFollowed", 4, channel_id="1", follower_id="3"),
    )
    assert tables["follows"] == [{"channel_id": "1", "follower_id": "3", "followed_at": at(4)}]


VIEWER = {"stream_id": "st", "viewer_session_id": "v", "channel_id": "1", "sampling": 1}
MEASURED = {"latency_ms": 900, "stalled_ms": 10, "bitrate_kbps": 2500}


def test_a_viewer_who_joins_stays_leaves_and_comes_back() -> None:
    log = [
        record("ViewerJoined", 0, **VIEWER),
        record("PlaybackSampled", 1, **VIEWER, **MEASURED),
        record("ViewerLeft", 2, **VIEWER),
        record("ViewerJoined", 3, **VIEWER),
    ]
    viewer = {**VIEWER, **MEASURED, "joined_at": at(0)}
    assert tables_after(playback.MODEL, *log[:3])["viewers"] == [{**viewer, "last_seen_at": at(2), "left_at": at(2)}]
    assert tables_after(playback.MODEL, *log)["viewers"] == [{**viewer, "last_seen_at": at(3), "left_at": None}]


def test_a_viewer_whose_joining_retention_took_is_there_since_the_first_sample() -> None:
    log = [record("PlaybackSampled", minute, **VIEWER, **MEASURED) for minute in (1, 2)]
    assert tables_after(playback.MODEL, *log)["viewers"] == [
        {**VIEWER, **MEASURED, "joined_at": at(1), "last_seen_at": at(2), "left_at": None}
    ]


def test_a_viewer_stands_for_as_many_as_the_last_sample_says_whatever_the_source() -> None:
    log = [
        record("ViewerJoined", 0, **VIEWER, source="cmcd"),
        record("ViewerJoined", 1, **VIEWER, source="beacon"),
        record("PlaybackSampled", 2, **VIEWER | {"sampling": 4}, **MEASURED, source="cmcd"),
    ]
    assert tables_after(playback.MODEL, *log)["viewers"] == [
        {**VIEWER, **MEASURED, "sampling": 4, "joined_at": at(0), "last_seen_at": at(2), "left_at": None}
    ]


def test_a_sample_that_comes_after_the_end_does_not_bring_a_viewer_back() -> None:
    log = [record("ViewerLeft", 1, **VIEWER), record("PlaybackSampled", 2, **VIEWER, **MEASURED)]
    (viewer,) = tables_after(playback.MODEL, *log)["viewers"]
    assert viewer["left_at"] == at(1)


@st.composite
def logs(draw: st.DrawFn) -> list[tuple[Model, Record]]:
    """Events of every topic about few things, in any order."""
    ids = st.sampled_from(["1", "2"])
    log = []
    for minute in range(draw(st.integers(1, 20))):
        model = draw(st.sampled_from(MODELS))
        event = record(draw(st.sampled_from(sorted(model.on))), minute)
        drawn = {name: draw(ids) for name in event.fields if name.endswith("_id")}
        filled = {"expires_at": event.fields["expires_at"] or None} if "expires_at" in event.fields else {}
        log.append((model, Record(minute, event.type, {**event.fields, **filled, **drawn})))
    return log


@pytest.mark.stack
@given(logs(), st.integers(1, 8), st.randoms())
@settings(max_examples=10, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_postgres_holds_what_the_events_mean_however_topics_and_batches_interleave(
    postgres: str, log: list[tuple[Model, Record]], size: int, random: Any
) -> None:
    expected: Rows = {}
    for model, one in log:
        apply(expected, model.fold([one]))
    assert asyncio.run(_rows_in_postgres(postgres, log, size, random)) == expected


async def _rows_in_postgres(postgres: str, log: list[tuple[Model, Record]], size: int, random: Any) -> Rows:
    async with own_database(postgres) as dsn, AsyncExitStack() as stack:
        sink = PostgresSink(dsn)
        stack.push_async_callback(sink.close)
        await sink.open()
        queues = {model: [one for owner, one in log if owner is model] for model in MODELS}
        positions = {model: await sink.progress(model, [0]) for model in MODELS}
        while waiting := [model for model, records in queues.items() if records]:
            model = random.choice(waiting)
            batch, queues[model] = queues[model][:size], queues[model][size:]
            advance = Advance(0, positions[model][0], batch[-1].offset + 1, None)
            await sink.write(model, advance, model.fold(batch))
            positions[model] = {0: advance.next_offset}
        reader = await asyncpg.connect(dsn)
        stack.push_async_callback(reader.close)
        return {
            (table.name, tuple(row)[: table.key_width]): tuple(row)
            for model in MODELS
            for table in model.tables
            for row in await reader.fetch(f"SELECT {', '.join(table.columns)} FROM tally.{table.name}")
        }
