"""A bucket of an S3-compatible service as a store."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterable, Iterator
from contextlib import AbstractAsyncContextManager, contextmanager
from itertools import islice
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from aiobotocore.config import AioConfig
from aiobotocore.session import AioSession
from aiohttp import ClientError as HttpError
from botocore.exceptions import BotoCoreError, ClientError
from pydantic import SecretStr

from ingest.storage.contract import Blob, StoreAway, checked_key

CONNECTIONS = 32
CONNECT_S, READ_S = 5, 30
DELETED_AT_ONCE = 1000
"""S3's own limit of DeleteObjects."""

_MISSING = frozenset({"NoSuchKey", "404"})
_PAST_THE_END = "InvalidRange"


class S3Store:
    """An async context manager. Without keys, credentials come from the usual places of AWS's tools."""

    def __init__(
        self,
        bucket: str,
        prefix: str = "",
        *,
        endpoint: str = "",
        region: str = "",
        access_key: str = "",
        secret_key: SecretStr | None = None,
    ) -> None:
        self._bucket = bucket
        self._prefix = f"{prefix.strip('/')}/" if prefix.strip("/") else ""
        self._opening: AbstractAsyncContextManager[Any] = AioSession().create_client(
            "s3",
            endpoint_url=endpoint or None,
            region_name=region or None,
            aws_access_key_id=access_key or None,
            aws_secret_access_key=secret_key.get_secret_value() if access_key and secret_key else None,
            # Who uploads retries for as long as it takes; a client that also did would only hide an outage.
            config=AioConfig(
                connect_timeout=CONNECT_S,
                read_timeout=READ_S,
                max_pool_connections=CONNECTIONS,
                retries={"total_max_attempts": 1},
                s3={"addressing_style": "path"} if endpoint else None,
                request_checksum_calculation="when_required",
                response_checksum_validation="when_required",
            ),
        )
        self._client: Any = None

    async def __aenter__(self) -> Self:
        self._client = await self._opening.__aenter__()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self._opening.__aexit__(kind, error, trace)

    async def put(self, key: str, data: bytes, content_type: str, cache_control: str) -> None:
        with _away():
            await self._client.put_object(
                Bucket=self._bucket,
                Key=self._key(key),
                Body=data,
                ContentType=content_type,
                CacheControl=cache_control,
            )

    async def put_file(self, key: str, path: Path, content_type: str, cache_control: str) -> None:
        with _away():
            data = await asyncio.to_thread(path.read_bytes)
        await self.put(key, data, content_type, cache_control)

    async def get(self, key: str, first: int = 0, last: int | None = None) -> Blob | None:
        ranged = {"Range": f"bytes={first}-{'' if last is None else last}"} if first or last is not None else {}
        with _away():
            try:
                found = await self._client.get_object(Bucket=self._bucket, Key=self._key(key), **ranged)
            except ClientError as error:
                if _code(error) == _PAST_THE_END:
                    return await self._empty(key)
                if _code(error) in _MISSING:
                    return None
                raise
            async with found["Body"] as body:
                data = await body.read()
        size = int(found["ContentRange"].rpartition("/")[2]) if ranged else len(data)
        return Blob(data, size)

    async def copy(self, source: str, target: str) -> bool:
        with _away():
            try:
                await self._client.copy_object(
                    Bucket=self._bucket,
                    Key=self._key(target),
                    CopySource={"Bucket": self._bucket, "Key": self._key(source)},
                )
            except ClientError as error:
                if _code(error) in _MISSING:
                    return False
                raise
        return True

    async def delete(self, keys: Iterable[str]) -> None:
        named = ({"Key": self._key(key)} for key in keys)
        while batch := list(islice(named, DELETED_AT_ONCE)):
            with _away():
                answer = await self._client.delete_objects(
                    Bucket=self._bucket, Delete={"Objects": batch, "Quiet": True}
                )
            if answer.get("Errors"):
                raise StoreAway(f"S3 did not delete everything: {answer['Errors'][0].get('Code')}")

    async def keys(self, directory: str) -> AsyncIterator[str]:
        pages = self._client.get_paginator("list_objects_v2")
        with _away():
            async for page in pages.paginate(Bucket=self._bucket, Prefix=f"{self._key(directory)}/"):
                for found in page.get("Contents", ()):
                    yield found["Key"].removeprefix(self._prefix)

    async def _empty(self, key: str) -> Blob | None:
        head = await self._client.head_object(Bucket=self._bucket, Key=self._key(key))
        return Blob(b"", int(head["ContentLength"]))

    def _key(self, key: str) -> str:
        return self._prefix + checked_key(key)


@contextmanager
def _away() -> Iterator[None]:
    """Whatever goes wrong in the service or on the way to it may be over the next time."""
    try:
        yield
    except ClientError as error:
        raise StoreAway(f"S3 refused: {_code(error)}") from error
    except (BotoCoreError, HttpError, OSError) as error:  # a body cut short comes as aiohttp's own error
        raise StoreAway(f"S3 cannot be reached: {error!r}") from error


def _code(error: ClientError) -> str:
    return str(error.response.get("Error", {}).get("Code", "unknown"))
