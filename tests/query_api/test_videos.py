"""A real stream becomes a video and clips, and they go: through RTMP, the spool, Kafka, Postgres and REST."""

from __future__ import annotations

import signal
import subprocess
import uuid
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import av
import httpx
import pytest

from query_api.endpoints.videos import helix_duration
from tests.engines import answers
from tests.ingest.recording.takes import PATIENCE_S
from tests.ingest.rtmp.house import encoder, eventually
from tests.ingest.thumbnails.film import opened
from tests.ingest.thumbnails.test_sprites import read_vtt
from tests.query_api.conftest import Edge, Member, process

pytestmark = pytest.mark.stack


@pytest.fixture(scope="module")
def ingest(edge: Edge) -> Iterator[subprocess.Popen[bytes]]:
    url = f"{edge.settings.playback_url}/health/ready"
    with process("ingest", edge.settings, lambda: answers(url)) as running:
        yield running


@pytest.fixture(scope="module")
def streamer(edge: Edge, ingest: subprocess.Popen[bytes]) -> Member:
    return edge.register(display_name="The Recorded")


@pytest.fixture(scope="module")
def live(edge: Edge, streamer: Member) -> Iterator[str]:
    """A stream with some seconds of media on it; its id. It is over afterwards."""
    key = streamer.ask("POST", "/helix/streams/key").json()["data"][0]["stream_key"]
    publisher = encoder(edge.settings.rtmp_port, key)
    try:
        stream = eventually(lambda: data_of(edge, "/helix/streams", user_id=streamer.id), PATIENCE_S)[0]
        eventually(lambda: "segment3.m4s" in httpx.get(media_of(stream["playback_url"])).text, PATIENCE_S)
        yield stream["id"]
    finally:
        publisher.send_signal(signal.SIGINT)
        publisher.wait()
        assert publisher.stderr
        publisher.stderr.close()


@pytest.fixture(scope="module")
def live_clip(edge: Edge, live: str, streamer: Member) -> dict[str, Any]:
    """A clip that a viewer made while the stream was live."""
    made = edge.member("viewer").ask(
        "POST", "/helix/clips", params={"broadcaster_id": streamer.id, "duration": 5, "title": "Look!"}
    )
    assert made.status_code == 202, made.text
    (clip,) = made.json()["data"]
    return eventually(lambda: data_of(edge, clip["edit_url"].removeprefix(edge.url)), PATIENCE_S)[0]


@pytest.fixture(scope="module")
def video(edge: Edge, live: str, live_clip: dict[str, Any], streamer: Member) -> dict[str, Any]:
    """The stream's recording, once the stream was ended."""
    streamer.ask("DELETE", "/helix/streams/key", params={"key_id": key_of(streamer)})
    return eventually(lambda: data_of(edge, "/helix/videos", user_id=streamer.id), PATIENCE_S)[0]


def key_of(member: Member) -> str:
    key_id: str = member.ask("GET", "/helix/streams/key").json()["data"][0]["key_id"]
    return key_id


def media_of(playlist_url: str) -> str:
    """The first media playlist that a multivariant one names."""
    lines = httpx.get(playlist_url).text.splitlines()
    name = next((line for line in lines if line and not line.startswith("#")), "none")
    return f"{playlist_url.rpartition('/')[0]}/{name}"


def data_of(edge: Edge, path: str, **query: Any) -> list[dict[str, Any]]:
    answer = edge.client.get(path, params=query or None)
    assert answer.status_code == 200, answer.text
    found: list[dict[str, Any]] = answer.json()["data"]
    return found


def seconds_of(url: str) -> float:
    """How long the video of a playlist is when every frame of it is decoded."""
    with av.open(url) as container:
        times = [float(frame.time) for frame in container.decode(video=0) if frame.time is not None]
    return max(times) - min(times) + 1 / 15


def test_a_live_clip_is_cut_while_the_stream_goes_on(edge: Edge, live_clip: dict[str, Any], streamer: Member) -> None:
    viewer = edge.member("viewer")
    assert (live_clip["broadcaster_id"], live_clip["creator_id"]) == (streamer.id, viewer.id)
    assert (live_clip["title"], live_clip["broadcaster_name"], live_clip["video_id"]) == ("Look!", "The Recorded", "")
    assert 5 <= live_clip["duration"] < 5 + 2 * 4
    assert seconds_of(live_clip["playback_url"]) == pytest.approx(live_clip["duration"], abs=0.2)


def test_an_ended_stream_is_a_video_that_plays_as_long_as_it_says(
    edge: Edge, live: str, video: dict[str, Any], streamer: Member
) -> None:
    assert (video["id"], video["stream_id"], video["user_id"]) == (live, live, streamer.id)
    assert (video["user_name"], video["complete"], video["viewable"]) == ("The Recorded", True, "public")
    assert video["renditions"][0] == "source"
    played = seconds_of(video["playback_url"])
    assert video["duration"] in {helix_duration(round(played * 1000) + slack) for slack in (-300, 0, 300)}
    (by_id,) = data_of(edge, "/helix/videos", id=live)
    assert by_id == video


def test_a_video_has_a_picture_in_any_size_and_tiles_for_a_seek_bar(video: dict[str, Any]) -> None:
    template = video["thumbnail_url"]
    assert template.endswith(f"/vod/{video['id']}/thumbnail-%{{width}}x%{{height}}.jpg")
    picture = httpx.get(template.replace("%{width}", "320").replace("%{height}", "180"))
    assert (picture.status_code, opened(picture.content).size) == (200, (320, 180))
    _, cues = read_vtt(httpx.get(video["thumbnails_url"]).content)
    assert cues[0].start_s == 0
    assert cues[-1].end_s == pytest.approx(seconds_of(video["playback_url"]), abs=0.3)
    sheet = httpx.get(f"{video['thumbnails_url'].rpartition('/')[0]}/{cues[0].url}")
    assert opened(sheet.content).width >= cues[0].box[2]


def test_a_clip_of_a_video_ends_at_the_offset_and_lives_longer_than_the_video(
    edge: Edge, video: dict[str, Any], streamer: Member, live_clip: dict[str, Any]
) -> None:
    viewer = edge.member("viewer")
    where = {"broadcaster_id": streamer.id, "vod_id": video["id"], "vod_offset": 6, "duration": 5}
    key = str(uuid.uuid4())
    first, again = (viewer.ask("POST", "/helix/videos/clips", params=where, key=key) for _ in range(2))
    assert (first.status_code, again.json()) == (202, first.json())
    clip_id = first.json()["data"][0]["id"]
    clip = eventually(lambda: data_of(edge, "/helix/clips", id=clip_id), PATIENCE_S)[0]
    assert clip["video_id"] == video["id"]
    assert clip["vod_offset"] <= 1.0
    assert clip["vod_offset"] + clip["duration"] >= 6.0

    gone = streamer.ask("DELETE", "/helix/videos", params={"id": video["id"]})
    assert (gone.status_code, gone.json()) == (200, {"data": [video["id"]]})
    seen = {"Tally-Consistency": gone.headers["Tally-Consistency"]}
    assert edge.client.get("/helix/videos", params={"id": video["id"]}, headers=seen).json()["data"] == []
    eventually(lambda: httpx.get(video["playback_url"]).status_code == 404, PATIENCE_S)
    assert not Path(edge.settings.data_dir, "recordings", video["id"]).exists()

    assert seconds_of(clip["playback_url"]) == pytest.approx(clip["duration"], abs=0.2)
    both = data_of(edge, "/helix/clips", broadcaster_id=streamer.id)
    assert [each["id"] for each in both] == [clip_id, live_clip["id"]]
    assert {each["video_id"] for each in both} == {""}

    by_owner = {"id": clip_id, "broadcaster_id": streamer.id}
    assert edge.register().ask("DELETE", "/helix/clips", params=by_owner).status_code == 403
    assert streamer.ask("DELETE", "/helix/clips", params=by_owner).status_code == 204
    eventually(lambda: httpx.get(clip["playback_url"]).status_code == 404, PATIENCE_S)


def test_clips_of_what_is_not_live_and_videos_that_are_not_there_are_refused(edge: Edge) -> None:
    somebody = edge.member("viewer")
    not_live = somebody.ask("POST", "/helix/clips", params={"broadcaster_id": somebody.id})
    assert (not_live.status_code, not_live.json()["code"]) == (404, "not_live")
    where = {"broadcaster_id": somebody.id, "vod_id": "none", "vod_offset": 30}
    assert somebody.ask("POST", "/helix/videos/clips", params=where).json()["code"] == "unknown_video"
    assert somebody.ask("DELETE", "/helix/videos", params={"id": "none"}).json()["code"] == "unknown_video"
    gone = somebody.ask("DELETE", "/helix/clips", params={"id": "none", "broadcaster_id": somebody.id})
    assert (gone.status_code, gone.json()["code"]) == (404, "unknown_clip")


@pytest.mark.parametrize("path", ["/helix/videos", "/helix/clips"])
def test_a_list_needs_to_know_whose(edge: Edge, path: str) -> None:
    answer = edge.client.get(path)
    assert answer.status_code == 400
    assert "give one of them" in answer.json()["message"]


@pytest.mark.parametrize(
    ("milliseconds", "written"),
    [(0, "0s"), (21_400, "21s"), (59_600, "1m0s"), (3_600_000, "1h0m0s"), (11_313_000, "3h8m33s")],
)
def test_durations_are_written_as_helix_does(milliseconds: int, written: str) -> None:
    assert helix_duration(milliseconds) == written
