"""Follows the users' keys for those that were destroyed: what a process remembers of the erased must go too."""

from __future__ import annotations

import asyncio

import structlog

from query_api.chat.rooms import Rooms
from schemas.sealing import KeysUnavailable
from topology.subject_keys.keyring import KafkaKeyring

LOOK_EVERY_S = 2.0

log = structlog.get_logger(__name__)


async def follow_erasures(keyring: KafkaKeyring, rooms: Rooms) -> None:
    """Have the rooms forget whoever is erased, until cancelled."""
    done: frozenset[str] = frozenset()
    while True:
        try:
            erased = await asyncio.to_thread(keyring.erased)
        except KeysUnavailable as error:
            log.warning("it is not known who is erased, trying again", error=str(error))
        else:
            if erased - done:
                rooms.forget(erased - done)
            done = erased
        await asyncio.sleep(LOOK_EVERY_S)
