"""What every store promises, kept by a directory and by a real S3 service."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterator
from contextlib import AsyncExitStack
from pathlib import Path

import pytest
from pydantic import SecretStr

from ingest.storage.contract import Blob, Store, StoreAway
from ingest.storage.local import LocalStore
from ingest.storage.opening import opened_store
from ingest.storage.s3 import S3Store
from tests.ingest.storage.services import BUCKET, S3Service, s3_service
from topology.settings import Settings

MP4 = ("video/mp4", "public, max-age=1")


@pytest.fixture(scope="module")
def service() -> Iterator[S3Service]:
    with s3_service() as running:
        yield running


@pytest.fixture(params=["local", "s3"])
async def store(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[Store]:
    if request.param == "local":
        yield LocalStore(tmp_path / "store")
        return
    s3: S3Service = request.getfixturevalue("service")
    async with s3.store(prefix=f"of/{tmp_path.name}") as opened:
        yield opened


async def keys(store: Store, directory: str) -> list[str]:
    return sorted([key async for key in store.keys(directory)])


async def test_what_was_put_can_be_got(store: Store) -> None:
    await store.put("a/source/segment1.m4s", b"0123456789", *MP4)
    assert await store.get("a/source/segment1.m4s") == Blob(b"0123456789", 10)


async def test_a_file_can_be_put_and_removed_afterwards(store: Store, tmp_path: Path) -> None:
    file = tmp_path / "file"
    file.write_bytes(b"0123456789")
    await store.put_file("a/b", file, *MP4)
    await store.put_file("a/b", file, *MP4)
    file.unlink()
    assert await store.get("a/b") == Blob(b"0123456789", 10)


async def test_a_file_that_is_not_there_cannot_be_put(store: Store, tmp_path: Path) -> None:
    with pytest.raises(StoreAway):
        await store.put_file("a/b", tmp_path / "none", *MP4)
    assert await store.get("a/b") is None


async def test_a_stretch_can_be_got_with_the_size_of_the_whole(store: Store) -> None:
    await store.put("a/b", b"0123456789", *MP4)
    assert await store.get("a/b", 2, 4) == Blob(b"234", 10)
    assert await store.get("a/b", 7) == Blob(b"789", 10)
    assert await store.get("a/b", 7, 100) == Blob(b"789", 10)


async def test_a_stretch_past_the_end_is_empty_and_tells_the_size(store: Store) -> None:
    await store.put("a/b", b"0123456789", *MP4)
    assert await store.get("a/b", 10, 12) == Blob(b"", 10)


async def test_an_empty_object_is_an_object(store: Store) -> None:
    await store.put("a/empty", b"", *MP4)
    assert await store.get("a/empty") == Blob(b"", 0)


async def test_what_was_never_put_is_none(store: Store) -> None:
    await store.put("a/b", b"x", *MP4)
    for key in ("a/c", "c", "a", "a/b/c"):
        assert await store.get(key) is None
        assert await store.get(key, 1, 2) is None


async def test_putting_again_replaces(store: Store) -> None:
    await store.put("a/b", b"longer than", *MP4)
    await store.put("a/b", b"this", *MP4)
    assert await store.get("a/b") == Blob(b"this", 4)


async def test_a_copy_outlives_what_it_was_made_from(store: Store) -> None:
    await store.put("a/b", b"bytes", *MP4)
    assert await store.copy("a/b", "clip/b")
    await store.delete(["a/b"])
    assert await store.get("clip/b") == Blob(b"bytes", 5)


async def test_replacing_the_original_leaves_the_copy(store: Store) -> None:
    await store.put("a/b", b"bytes", *MP4)
    await store.copy("a/b", "c")
    await store.put("a/b", b"other", *MP4)
    assert await store.get("c") == Blob(b"bytes", 5)


async def test_nothing_cannot_be_copied(store: Store) -> None:
    assert not await store.copy("a/b", "a/c")
    assert await store.get("a/c") is None


async def test_copying_again_is_harmless(store: Store) -> None:
    await store.put("a/b", b"bytes", *MP4)
    assert await store.copy("a/b", "c/b")
    assert await store.copy("a/b", "c/b")


async def test_the_keys_below_a_directory_are_found_and_no_others(store: Store) -> None:
    for key in ("a/index.m3u8", "a/source/1", "a/720p/1", "ab/1", "b/a/1"):
        await store.put(key, b"x", *MP4)
    assert await keys(store, "a") == ["a/720p/1", "a/index.m3u8", "a/source/1"]
    assert await keys(store, "nothing") == []


async def test_deleting_takes_what_is_there_and_does_not_mind_the_rest(store: Store) -> None:
    for key in ("a/1", "a/2", "b/1"):
        await store.put(key, b"x", *MP4)
    await store.delete(["a/1", "a/2", "a/3", "never/was"])
    await store.delete([])
    assert await keys(store, "a") == []
    assert await keys(store, "b") == ["b/1"]


async def test_more_keys_than_s3_deletes_at_once_are_deleted(store: Store) -> None:
    await store.put("a/1", b"x", *MP4)
    await store.delete([*(f"a/none{number}" for number in range(1200)), "a/1"])
    assert await keys(store, "a") == []


@pytest.mark.parametrize(
    "key", ["", "/a", "a/", "a//b", "..", "a/../b", "./a", ".hidden", "a/.b", "a\\b", "a\x00", "ä", "a b", "x" * 513]
)
async def test_what_is_no_key_is_refused(store: Store, key: str) -> None:
    with pytest.raises(ValueError, match="key"):
        await store.get(key)
    with pytest.raises(ValueError, match="key"):
        await store.put(key, b"x", *MP4)
    with pytest.raises(ValueError, match="key"):
        await store.copy("a", key)
    with pytest.raises(ValueError, match="key"):
        await store.delete([key])


async def test_many_at_once_do_not_mix(store: Store) -> None:
    await asyncio.gather(*(store.put(f"a/{number}", b"%d" % number, *MP4) for number in range(50)))
    found = await asyncio.gather(*(store.get(f"a/{number}") for number in range(50)))
    assert [blob.data for blob in found if blob] == [b"%d" % number for number in range(50)]


async def test_a_directory_that_cannot_be_written_is_away(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("in the way")
    with pytest.raises(StoreAway):
        await LocalStore(tmp_path / "file").put("a/b", b"x", *MP4)


async def test_a_put_that_fails_leaves_nothing_behind(tmp_path: Path) -> None:
    store = LocalStore(tmp_path)
    (tmp_path / "a" / "b").mkdir(parents=True)
    with pytest.raises(StoreAway):
        await store.put("a/b", b"x", *MP4)
    assert [path.name for path in (tmp_path / "a").iterdir()] == ["b"]


async def test_the_directory_of_what_was_deleted_goes_too(tmp_path: Path) -> None:
    store = LocalStore(tmp_path)
    await store.put("a/source/1", b"x", *MP4)
    await store.delete(["a/source/1"])
    assert not await asyncio.to_thread(lambda: list(tmp_path.iterdir()))


async def test_s3_gives_players_the_type_and_the_lifetime_that_were_put(service: S3Service) -> None:
    async with service.store("pre/fix") as store:
        await store.put("a/b.m4s", b"x", "video/mp4", "public, immutable")
    assert service.headers("pre/fix/a/b.m4s") == {"type": "video/mp4", "cache": "public, immutable"}


async def test_a_service_that_does_not_listen_is_away() -> None:
    with s3_service() as service:
        async with service.store() as store:
            service.kill()
            for attempt in (store.put("a", b"x", *MP4), store.get("a"), store.copy("a", "b"), store.delete(["a"])):
                with pytest.raises(StoreAway):
                    await attempt
            with pytest.raises(StoreAway):
                await keys(store, "a")


async def test_a_bucket_that_is_not_there_is_away(service: S3Service) -> None:
    keys = {"access_key": "testing", "secret_key": SecretStr("testing")}
    async with S3Store("no-such-bucket", endpoint=service.endpoint, region="us-east-1", **keys) as store:  # type: ignore[arg-type]
        with pytest.raises(StoreAway, match="NoSuchBucket"):
            await store.put("a", b"x", *MP4)


async def test_the_settings_name_the_store(service: S3Service, tmp_path: Path) -> None:
    s3 = {
        "recordings_s3_endpoint": service.endpoint,
        "recordings_s3_region": "us-east-1",
        "recordings_s3_access_key": "testing",
        "recordings_s3_secret_key": "testing",
    }
    async with AsyncExitStack() as stack:
        default = await stack.enter_async_context(opened_store(Settings(data_dir=tmp_path)))
        named = await stack.enter_async_context(opened_store(Settings(recordings_store=str(tmp_path / "here"))))
        bucket = Settings.model_validate({"recordings_store": f"s3://{BUCKET}/some/where", **s3})
        in_s3 = await stack.enter_async_context(opened_store(bucket))
        for store in (default, named, in_s3):
            await store.put("a/b", b"x", *MP4)
    assert (tmp_path / "recordings" / "a" / "b").read_bytes() == b"x"
    assert (tmp_path / "here" / "a" / "b").read_bytes() == b"x"
    assert service.headers("some/where/a/b")["type"] == "video/mp4"


async def test_a_store_without_a_bucket_is_refused() -> None:
    with pytest.raises(ValueError, match="bucket"):
        async with opened_store(Settings(recordings_store="s3://")):
            pass
