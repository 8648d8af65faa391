"""Live streams, past streams and playback reports."""

from __future__ import annotations

import uuid
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from schemas.events.streams import PublisherDisconnected, StreamEnded, StreamStarted, ThumbnailPublished
from schemas.message import Event
from tests.query_api.conftest import Edge, Member, eventually

pytestmark = pytest.mark.stack


def envelope(seconds_ago: float = 0.0) -> dict[str, Any]:
    return {
        "event_id": str(uuid.uuid4()),
        "occurred_at": datetime.now(UTC) - timedelta(seconds=seconds_ago),
        "actor": "system:tests",
        "correlation_id": "tests",
    }


def started(channel: str, **values: Any) -> StreamStarted:
    stream_id = str(uuid.uuid4())
    facts = {"session_id": "s", "node": "n", "playback_path": f"/live/{stream_id}/index.m3u8", **values}
    return StreamStarted(**envelope(), stream_id=stream_id, channel_id=channel, **facts)


def ended(stream: Event, seconds_ago: float = 0.0) -> StreamEnded:
    fields = {"stream_id": stream.stream_id, "channel_id": stream.channel_id}  # type: ignore[attr-defined]
    return StreamEnded(**envelope(seconds_ago), **fields, session_id="s", reason="unpublished")


def live(edge: Edge, seen: str = "", **query: Any) -> dict[str, Any]:
    headers = {"Tally-Consistency": seen} if seen else {}
    answer = edge.client.get("/helix/streams", params=query, headers=headers)
    assert answer.status_code == 200, answer.text
    page: dict[str, Any] = answer.json()
    return page


@pytest.fixture(scope="module")
def streamer(edge: Edge) -> Member:
    return edge.register(display_name="The Streamer")


def report(edge: Edge, stream: str, event: str, viewer: str, **values: Any) -> int:
    body = {"event": event, "viewer_session_id": viewer, **values}
    return edge.client.post(f"/streams/{stream}/playback", json=body).status_code


def test_a_stream_is_live_from_its_start_to_its_end(edge: Edge, streamer: Member) -> None:
    stream = started(streamer.id, title="First", category="Music", language="en")
    token = edge.append(stream, partitioned_by=streamer.id)
    (shown,) = live(edge, token, user_login=streamer.login)["data"]
    assert shown == {
        "id": stream.stream_id,
        "user_id": streamer.id,
        "user_login": streamer.login,
        "user_name": "The Streamer",
        "game_id": "Music",
        "game_name": "Music",
        "type": "live",
        "title": "First",
        "viewer_count": 0,
        "started_at": shown["started_at"],
        "language": "en",
        "thumbnail_url": "",
        "tag_ids": [],
        "tags": [],
        "is_mature": False,
        "playback_url": f"{edge.settings.playback_url}/live/{stream.stream_id}/index.m3u8",
        "playback_policy": "public",
    }
    assert datetime.fromisoformat(shown["started_at"]) == stream.occurred_at
    path = f"/live/{stream.stream_id}/thumbnail-{{width}}x{{height}}.jpg"
    pictured = ThumbnailPublished(**envelope(), stream_id=stream.stream_id, channel_id=streamer.id, path=path)
    token = edge.append(pictured, partitioned_by=streamer.id)
    (shown,) = live(edge, token, user_login=streamer.login)["data"]
    assert shown["thumbnail_url"] == edge.settings.playback_url + path
    vanished = PublisherDisconnected(
        **envelope(), stream_id=stream.stream_id, channel_id=streamer.id, session_id="s", reason="reset"
    )
    token = edge.append(vanished, partitioned_by=streamer.id)
    assert live(edge, token, user_id=streamer.id)["data"], "within the grace it is still on"
    token = edge.append(ended(stream), partitioned_by=streamer.id)
    assert live(edge, token, user_id=streamer.id)["data"] == []
    (past,) = edge.client.get("/helix/streams/past", params={"user_id": streamer.id}).json()["data"]
    assert (past["id"], past["title"], past["end_reason"]) == (stream.stream_id, "First", "unpublished")
    assert past["ended_at"] > past["started_at"]


def test_viewers_are_those_who_reported_and_have_not_left(edge: Edge, streamer: Member) -> None:
    stream = started(streamer.id, title="Watched")
    edge.append(stream, partitioned_by=streamer.id)
    eventually(lambda: live(edge, user_id=streamer.id)["data"])
    for viewer in ("viewer-aaaa", "viewer-bbbb", "viewer-cccc"):
        assert report(edge, stream.stream_id, "joined", viewer) == 204
    assert report(edge, stream.stream_id, "sampled", "viewer-aaaa", latency_ms=900, bitrate_kbps=2500) == 204
    assert report(edge, stream.stream_id, "left", "viewer-bbbb") == 204
    eventually(lambda: live(edge, user_id=streamer.id)["data"][0]["viewer_count"] == 2)
    edge.append(ended(stream), partitioned_by=streamer.id)


def test_reports_are_taken_until_players_can_know_of_the_end(edge: Edge, streamer: Member) -> None:
    now, before = started(streamer.id), started(streamer.id)
    edge.append(now, ended(now), before, ended(before, seconds_ago=120), partitioned_by=streamer.id)
    eventually(lambda: report(edge, now.stream_id, "left", "viewer-aaaa") == 204)
    assert report(edge, before.stream_id, "sampled", "viewer-aaaa") == 404
    assert report(edge, str(uuid.uuid4()), "joined", "viewer-aaaa") == 404


def test_a_report_may_come_as_sendbeacon_sends_it(edge: Edge, streamer: Member) -> None:
    stream = started(streamer.id)
    edge.append(stream, partitioned_by=streamer.id)
    eventually(lambda: live(edge, user_id=streamer.id)["data"])
    body = b'{"event": "joined", "viewer_session_id": "viewer-dddd"}'
    answer = edge.client.post(
        f"/streams/{stream.stream_id}/playback", content=body, headers={"Content-Type": "text/plain;charset=UTF-8"}
    )
    assert answer.status_code == 204
    edge.append(ended(stream), partitioned_by=streamer.id)


@pytest.mark.parametrize(
    "wrong",
    [
        {"event": "paused"},
        {"viewer_session_id": "short"},
        {"latency_ms": -1},
        {"latency_ms": 2**31},
        {"latency_ms": "x"},
        {"extra": 1},
    ],
)
def test_a_wrong_report_is_refused(edge: Edge, wrong: dict[str, Any]) -> None:
    body = {"event": "sampled", "viewer_session_id": "viewer-eeee"} | wrong
    answer = edge.client.post(f"/streams/{uuid.uuid4()}/playback", json=body)
    assert answer.status_code == 400
    assert next(iter(wrong)) in answer.json()["message"]


def test_pages_of_live_streams_hold_each_stream_once(edge: Edge) -> None:
    language = "zu"
    streams = [started(str(10_000 + number), language=language) for number in range(7)]
    token = ""
    for stream in streams:
        token = edge.append(stream, partitioned_by=stream.channel_id)
        live(edge, token, first=1)
    seen: list[str] = []
    cursor = ""
    while True:
        page = live(edge, first=3, language=language, **({"after": cursor} if cursor else {}))
        assert len(page["data"]) <= 3
        seen += [stream["id"] for stream in page["data"]]
        if "cursor" not in page["pagination"]:
            break
        cursor = page["pagination"]["cursor"]
    assert sorted(seen) == sorted(stream.stream_id for stream in streams)
    for stream in streams:
        edge.append(ended(stream), partitioned_by=stream.channel_id)
