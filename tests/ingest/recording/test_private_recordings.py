"""What is not public is recorded too, apart from what is, and given only to who shows a playback token for it."""

from __future__ import annotations

import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import httpx
import pytest
from starlette.applications import Starlette

from ingest.hls.gate import Gate, PrivateStreams
from ingest.storage.contract import Store
from schemas.commands.recordings import DeleteRecording
from schemas.events.channels import PRIVATE, PUBLIC, SUBSCRIBERS
from tests.commands.scenario import wish
from tests.ingest.recording.takes import NOW_S, becomes, data_of
from tests.ingest.recording.workshop import Workshop, begin, feed, routes_of, workshop
from tests.ingest.rtmp.house import LocalDeciders
from topology.playback_keys import PlaybackKeys
from topology.playback_tokens import Claims, sign
from topology.settings import Settings

FILES = ("index.m3u8", "manifest.json", "source/init0.mp4", "source/media.m3u8", "source/segment0.m4s")


async def record(at: Workshop, policy: str = PRIVATE, segments: int = 10) -> None:
    recording = at.open(policy=policy)
    begin(recording)
    feed(recording, range(segments))
    recording.finish()
    await at.published()
    at.tell()


async def clip_of_it(at: Workshop) -> str:
    """A clip that the owner made of the recording."""
    clip_id = await at.clip(at_s=NOW_S, actor="channel", vod_id="stream", vod_end_ms=10_000)
    await becomes(lambda: "ClipPublished" in at.happened())
    return clip_id


class Door:
    """The gate and the store behind it, over HTTP."""

    def __init__(self, client: httpx.AsyncClient, keys: PlaybackKeys) -> None:
        self._client = client
        self._keys = keys

    def token(self, vod_id: str, path: str = "") -> str:
        now_s = int(time.time())
        kid, key = self._keys.signer(now_s)
        return sign(Claims(vod_id, path or f"/private/{vod_id}/vod/", now_s, now_s + 60), kid, key)

    async def ask(self, path: str, token: str = "") -> httpx.Response:
        """As a player that keeps no cookie."""
        self._client.cookies.clear()
        return await self._client.get(path, params={"token": token} if token else None)


@asynccontextmanager
async def door(directory: Path, store: Store) -> AsyncIterator[Door]:
    settings = Settings(data_dir=directory)
    gate = Gate(Starlette(routes=routes_of(store)), PrivateStreams(lambda _: True), settings)
    async with httpx.AsyncClient(transport=httpx.ASGITransport(gate), base_url="http://origin") as client:
        yield Door(client, PlaybackKeys.of(settings))


@pytest.mark.parametrize("policy", [PRIVATE, SUBSCRIBERS])
async def test_what_is_not_public_lies_apart_in_the_store(tmp_path: Path, policy: str) -> None:
    async with workshop(tmp_path) as at:
        await record(at, policy)
        assert await at.keys("stream") == []
        assert {f"private/stream/{name}" for name in FILES} <= set(await at.keys("private/stream"))
        assert at.event("RecordingStarted").playback_policy == policy
        assert at.event("RecordingPublished").playback_path == "/private/stream/vod/index.m3u8"
        assert (await at.manifest("private/stream")).playback_policy == policy


async def test_a_token_opens_each_file_of_a_private_recording_and_nothing_else_does(tmp_path: Path) -> None:
    async with workshop(tmp_path) as at, door(tmp_path, at.store) as front:
        await record(at)
        for name in FILES:
            opened = await front.ask(f"/private/stream/vod/{name}", front.token("stream"))
            assert (opened.status_code, opened.headers["Cache-Control"].split(",")[0]) == (200, "private"), name
            for address in (f"/private/stream/vod/{name}", f"/vod/private/stream/{name}"):
                refused = await front.ask(address)
                assert (refused.status_code, refused.json()["code"]) == (403, "token_missing"), address
            assert (await front.ask(f"/vod/stream/{name}")).status_code == 404
        other = await front.ask("/private/stream/vod/index.m3u8", front.token("other"))
        assert (other.status_code, other.json()["code"]) == (403, "other_stream")
        missing = await front.ask("/private/other/vod/index.m3u8", front.token("other"))
        assert missing.status_code == 404


async def test_a_public_recording_stays_open_and_cacheable(tmp_path: Path) -> None:
    async with workshop(tmp_path) as at, door(tmp_path, at.store) as front:
        await record(at, PUBLIC)
        for name in FILES:
            opened = await front.ask(f"/vod/stream/{name}")
            assert (opened.status_code, opened.headers["Cache-Control"].split(",")[0]) == (200, "public"), name
        elsewhere = await front.ask("/private/stream/vod/index.m3u8", front.token("stream"))
        assert elsewhere.status_code == 404


async def test_a_clip_of_what_is_not_public_is_not_public(tmp_path: Path) -> None:
    async with workshop(tmp_path) as at, door(tmp_path, at.store) as front:
        await record(at)
        clip_id = await clip_of_it(at)
        assert at.event("ClipPublished").playback_path == f"/private/{clip_id}/vod/index.m3u8"
        assert await at.keys(clip_id) == []
        segment = f"/private/{clip_id}/vod/source/segment4.m4s"
        assert (await front.ask(segment, front.token(clip_id))).content == data_of("source", 4)
        assert (await front.ask(segment)).status_code == 403
        assert (await front.ask(segment, front.token("stream"))).status_code == 403


async def test_a_deleted_private_recording_is_gone_and_its_clip_stays(tmp_path: Path) -> None:
    async with workshop(tmp_path) as at:
        await record(at)
        clip_id = await clip_of_it(at)
        gone = wish(DeleteRecording, actor="channel", channel_id="channel", stream_id="stream", reason="owner")
        await at.submit(gone)
        at.tell()
        await becomes(lambda: not (tmp_path / "store/private/stream").exists())
        assert await at.keys(f"private/{clip_id}")


async def test_a_recording_taken_up_after_a_restart_is_as_private_as_it_was(tmp_path: Path) -> None:
    deciders = LocalDeciders(20.0)
    async with workshop(tmp_path, deciders=deciders) as at:
        recording = at.open(policy=PRIVATE)
        begin(recording)
        feed(recording, range(3))
        await becomes(lambda: "RecordingStarted" in at.happened())
    async with workshop(tmp_path, deciders=deciders) as at:
        found = at.recorder.find("stream")
        assert found
        found.finish()
        await at.published()
        assert await at.keys("stream") == []
        assert (await at.manifest("private/stream")).playback_policy == PRIVATE
