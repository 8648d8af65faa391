"""The store that the settings name."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

from ingest.storage.contract import Store
from ingest.storage.local import LocalStore
from ingest.storage.s3 import S3Store
from topology.settings import Settings

SCHEME = "s3://"


@asynccontextmanager
async def opened_store(settings: Settings) -> AsyncIterator[Store]:
    """Usable inside the context; whether an S3 service answers shows at the first call. Raises ValueError."""
    where = settings.recordings_store
    if not where.startswith(SCHEME):
        yield LocalStore(Path(where) if where else settings.data_dir / "recordings")
        return
    bucket, _, prefix = where.removeprefix(SCHEME).partition("/")
    if not bucket:
        raise ValueError("TALLY_RECORDINGS_STORE: name a bucket, as in s3://bucket/prefix")
    async with S3Store(
        bucket,
        prefix,
        endpoint=settings.recordings_s3_endpoint,
        region=settings.recordings_s3_region,
        access_key=settings.recordings_s3_access_key,
        secret_key=settings.recordings_s3_secret_key,
    ) as store:
        yield store
