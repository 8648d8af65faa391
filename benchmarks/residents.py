"""Users by the hundred, signed in: their events are appended as the deciders would, since scrypt is slow on purpose."""

from __future__ import annotations

import asyncio
from contextlib import closing
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

import httpx
from confluent_kafka import KafkaError, Message, Producer

from benchmarks.seed import partition_of
from commands.identity import new_id, new_token, secret_hash, user_id_of
from schemas.consistency import HEADER, ConsistencyToken
from schemas.events.accounts import SessionIssued, UserRegistered
from schemas.wire import Codec
from topology.kafka import producer_config
from topology.settings import Settings
from topology.subject_keys.keyring import open_keyring

SCOPES = ["user:read:chat", "user:write:chat"]
LIFETIME = timedelta(hours=4)
TRIES = 12
"""Of 5 s each, for the read models to have them."""


@dataclass(frozen=True, slots=True)
class Resident:
    """`id` is the channel's too."""

    id: str
    login: str
    token: str


async def settle(settings: Settings, count: int) -> list[Resident]:
    """New residents, known to the read models. Raises RuntimeError."""
    residents = []
    ends: dict[int, int] = {}
    errors: list[KafkaError] = []

    def delivered(error: KafkaError | None, record: Message) -> None:
        if error is not None:
            errors.append(error)
        else:
            ends[record.partition() or 0] = record.offset() or 0

    producer = Producer(producer_config(settings))
    # As the edge does: whoever registers has a key from then on.
    with closing(Codec(settings.schema_registry_url, open_keyring(settings))) as codec:
        for _ in range(count):
            login = f"r{new_id().replace('-', '')[-20:]}"
            resident = Resident(user_id_of(login), login, new_token())
            residents.append(resident)
            for event in (_registered(resident), _signed_in(resident)):
                place = partition_of(resident.id)
                producer.produce(event.topic, codec.encode(event), event.key, place, on_delivery=delivered)
    if producer.flush(30) or errors:
        raise RuntimeError("Kafka did not take every account")
    async with httpx.AsyncClient(base_url=settings.edge_url, timeout=30) as http:
        for partition, offset in ends.items():
            await _known(http, ConsistencyToken("accounts", partition, offset))
    return residents


async def _known(http: httpx.AsyncClient, place: ConsistencyToken) -> None:
    for _ in range(TRIES):
        answer = await http.get("/helix/streams", headers={HEADER: str(place)})
        if answer.is_success:
            return
        await asyncio.sleep(0.1)
    raise RuntimeError(f"the read models have not reached {place}: {answer.text}")


def _registered(resident: Resident) -> UserRegistered:
    return UserRegistered(
        **_envelope(UserRegistered.__name__, resident),
        login=resident.login,
        display_name=resident.login.capitalize(),
        password_hash="",
    )


def _signed_in(resident: Resident) -> SessionIssued:
    return SessionIssued(
        **_envelope(SessionIssued.__name__, resident),
        session_id=new_id(),
        token_hash=secret_hash(resident.token),
        scopes=SCOPES,
        expires_at=datetime.now(UTC) + LIFETIME,
    )


def _envelope(kind: str, resident: Resident) -> dict[str, Any]:
    return {
        "type": kind,
        "event_id": new_id(),
        "occurred_at": datetime.now(UTC),
        "actor": resident.id,
        "correlation_id": new_id(),
        "user_id": resident.id,
    }
