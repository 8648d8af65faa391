"""Read your own writes: wait until the read models have passed a place in the log."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field

from query_api.database import Database
from query_api.errors import ApiError, unavailable
from schemas.consistency import HEADER, ConsistencyToken
from topology.topics import EVENT_TOPICS

WAIT_S = 5.0
POLL_S = 0.01
WAITERS = 1000

_SQL = "SELECT topic, partition, min(next_offset) AS next_offset FROM progress GROUP BY topic, partition"
_PARTITIONS = {topic.name: topic.partitions for topic in EVENT_TOPICS}


@dataclass(eq=False, slots=True)
class _Waiter:
    token: ConsistencyToken
    done: asyncio.Future[None] = field(default_factory=lambda: asyncio.get_running_loop().create_future())


class Consistency:
    """One task polls the progress of the read models for all who wait; nobody waiting means no polling."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._waiters: set[_Waiter] = set()
        self._watch: asyncio.Task[None] | None = None

    async def wait(self, token: ConsistencyToken) -> None:
        """Return once every read model of the topic has passed the token. Raises ApiError 503 after 5 s."""
        if len(self._waiters) >= WAITERS:
            raise unavailable("Too many requests wait for read models to catch up. Try again in a moment.")
        waiter = _Waiter(token)
        self._waiters.add(waiter)
        if self._watch is None or self._watch.done():
            self._watch = asyncio.create_task(self._poll())
        try:
            await asyncio.wait_for(waiter.done, WAIT_S)
        except TimeoutError as error:
            raise unavailable(f"The read models have not reached {token} yet. Repeat the request.") from error
        finally:
            self._waiters.discard(waiter)

    async def _poll(self) -> None:
        while self._waiters:
            try:
                rows = await self._database.rows(_SQL)
            except ApiError as error:
                for waiter in self._waiters:
                    if not waiter.done.done():
                        waiter.done.set_exception(error)
                return
            reached = {(row["topic"], row["partition"]): row["next_offset"] for row in rows}
            for waiter in self._waiters:
                place = (waiter.token.topic, waiter.token.partition)
                if reached.get(place, 0) > waiter.token.offset and not waiter.done.done():
                    waiter.done.set_result(None)
            await asyncio.sleep(POLL_S)


def token_of(header: str) -> ConsistencyToken:
    """The token in a request header. Raises ApiError 400 for one that no edge can have handed out."""
    try:
        token = ConsistencyToken.parse(header)
    except ValueError as error:
        raise ApiError(400, f"{error}.") from error
    if token.partition >= _PARTITIONS.get(token.topic, 0) or token.offset >= 2**63:
        raise ApiError(400, f"{HEADER}: there is no place {token}; pass the header as it was answered.")
    return token
