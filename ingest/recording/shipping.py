"""Getting things into the store, however long it is away."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import TypeVar

import structlog

from ingest.recording import vod
from ingest.recording.manifest import Manifest
from ingest.recording.objects import KINDS, ending_of, homes_of, manifest_key, media_key, multivariant_key, vtt_key
from ingest.storage.contract import Store, StoreAway

FIRST_WAIT_S = 0.2
LONGEST_WAIT_S = 5.0

_log = structlog.get_logger(__name__)

T = TypeVar("T")


async def until_done(work: Callable[[], Awaitable[T]]) -> T:
    """Do it again until the store is there."""
    wait_s = FIRST_WAIT_S
    while True:
        try:
            return await work()
        except StoreAway as away:
            _log.warning("the store of recordings is away, trying again", reason=str(away), wait_s=wait_s)
        await asyncio.sleep(wait_s)
        wait_s = min(wait_s * 2, LONGEST_WAIT_S)


async def put(store: Store, key: str, data: bytes) -> None:
    """An object of a recording, with what its kind says of it."""
    kind = KINDS[ending_of(key)]
    await until_done(lambda: store.put(key, data, kind.content_type, kind.cache_control))


async def put_file(store: Store, key: str, path: Path) -> None:
    """The same from a file."""
    kind = KINDS[ending_of(key)]
    await until_done(lambda: store.put_file(key, path, kind.content_type, kind.cache_control))


async def put_playlists(store: Store, manifest: Manifest) -> None:
    """Everything but the media; the manifest comes last, and says by being there that the rest is."""
    for track in manifest.tracks:
        await put(store, media_key(manifest.home, track.name), vod.media(track).encode())
    if manifest.cover or manifest.sheets:
        await put(store, vtt_key(manifest.home), vod.thumbnails(manifest))
    await put(store, multivariant_key(manifest.home), vod.multivariant(manifest).encode())
    await put(store, manifest_key(manifest.home), manifest.to_json())


async def delete_all(store: Store, vod_id: str) -> None:
    """Every object of a recording or a clip."""

    async def delete() -> None:
        for home in homes_of(vod_id):
            await store.delete([key async for key in store.keys(home)])

    await until_done(delete)
