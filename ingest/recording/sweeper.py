"""Retention: published recordings whose time is over are asked to be deleted. The event then deletes the objects."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime, timedelta

import structlog

from commands.client import Rejected
from ingest.publishing.outbox import Submitter, submit_until_known
from ingest.recording import wishes
from ingest.recording.shelf import PublishedShelf

SWEEP_S = 60.0

_log = structlog.get_logger(__name__)


async def sweep_forever(shelf: PublishedShelf, submitter: Submitter, retention: timedelta) -> None:
    """Until cancelled."""
    while True:
        await sweep(shelf, submitter, datetime.now(UTC) - retention)
        await asyncio.sleep(SWEEP_S)


async def sweep(shelf: PublishedShelf, submitter: Submitter, before: datetime) -> None:
    """Ask for the end of every recording that was published before this moment."""
    for published in shelf.older_than(before):
        outcome = await submit_until_known(submitter, wishes.delete(published.stream_id, published.channel_id))
        if isinstance(outcome, Rejected):  # the owner was first
            _log.info("recording was gone", stream_id=published.stream_id, code=outcome.code)
            shelf.remove(published.stream_id)
