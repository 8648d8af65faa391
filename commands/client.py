"""Submitting a command and waiting for what became of it."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable
from contextlib import suppress
from dataclasses import dataclass
from types import TracebackType
from typing import Self

import structlog
from aiokafka import AIOKafkaProducer
from aiokafka.errors import KafkaError, MessageSizeTooLargeError

from commands.rejection import Rejected
from commands.results_reader import ResultsReader
from schemas.commands.results import CommandAccepted
from schemas.consistency import ConsistencyToken
from schemas.message import Command
from schemas.sealing import KeysUnavailable
from schemas.wire import Codec, Decoded
from topology.kafka import aiokafka_options
from topology.settings import Settings
from topology.topics import AGGREGATES

__all__ = ["Accepted", "CommandClient", "OutcomeUnknown", "Rejected"]

MAX_PENDING = 10_000
RETRY_S = 0.5
STOP_S = 5.0

log = structlog.get_logger()


@dataclass(frozen=True, slots=True)
class Accepted:
    """`token` is None when nothing had to happen; `reply` holds what the caller needs at once, such as a stream id."""

    token: ConsistencyToken | None
    reply: dict[str, str]


class OutcomeUnknown(Exception):
    """No result came in time. Submitting the same command id again gives the outcome and never decides twice."""


@dataclass(slots=True)
class _Pending:
    """A command under way: everybody who submitted the same id waits for the same future."""

    outcome: asyncio.Future[Decoded]
    waiting: int = 0


class CommandClient:
    """An async context manager. Reads the results of `aggregates` only, so name those whose commands are submitted."""

    def __init__(self, settings: Settings, codec: Codec, aggregates: Iterable[str] = AGGREGATES) -> None:
        self._settings = settings
        self._codec = codec
        names = tuple(aggregates)
        self._topics = frozenset(f"commands.{name}" for name in names)
        self._reader = ResultsReader(settings, codec, [f"results.{name}" for name in names])
        self._producer: AIOKafkaProducer | None = None
        self._reading: asyncio.Task[None] | None = None
        self._pending: dict[str, _Pending] = {}

    async def __aenter__(self) -> Self:
        """Waits for Kafka as long as it takes."""
        await self._reader.start()
        self._producer = await _started_producer(self._settings)
        self._reading = asyncio.create_task(self._read())
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._reading is not None:
            self._reading.cancel()
            with suppress(asyncio.CancelledError):
                await self._reading
        if self._producer is not None:
            # What nobody waits for any more is not worth waiting for a broker that is away.
            with suppress(TimeoutError, KafkaError):
                await asyncio.wait_for(self._producer.stop(), STOP_S)

    async def submit(self, command: Command, timeout_s: float = 10.0) -> Accepted:
        """Append the command and wait for its result. Raises Rejected or OutcomeUnknown."""
        if command.topic not in self._topics:
            raise ValueError(f"this client does not read the results of {command.topic}")
        pending = self._pending.get(command.command_id)
        first = pending is None
        if pending is None:
            if len(self._pending) >= MAX_PENDING:
                raise Rejected("overloaded", "too many commands are under way; try again later")
            pending = self._pending[command.command_id] = _Pending(asyncio.get_running_loop().create_future())
        pending.waiting += 1
        try:
            async with asyncio.timeout(timeout_s):
                if first:
                    await self._append(command)
                result = await asyncio.shield(pending.outcome)
        except TimeoutError as error:
            raise OutcomeUnknown(f"no result of {command.command_id} in {timeout_s} s; submit it again") from error
        finally:
            pending.waiting -= 1
            if not pending.waiting:
                del self._pending[command.command_id]
        return _accepted(result)

    async def _append(self, command: Command) -> None:
        assert self._producer is not None  # noqa: S101  # inside the context manager
        encode = self._codec.encode
        try:
            value = encode(command) if self._codec.is_ready(command) else await asyncio.to_thread(encode, command)
            sent = await self._producer.send(command.topic, value, command.key.encode())
        except KeysUnavailable as error:
            raise OutcomeUnknown(f"{command.command_id} was not appended: {error}; submit it again") from error
        except MessageSizeTooLargeError as error:
            raise Rejected("command_too_large", "the command is larger than Kafka takes") from error
        except KafkaError as error:
            raise OutcomeUnknown(f"{command.command_id} may not have been appended; submit it again") from error
        sent.add_done_callback(_log_failure)

    async def _read(self) -> None:
        async for result in self._reader.results(self._pending.__contains__):
            pending = self._pending.get(result.fields["command_id"])
            if pending is not None and not pending.outcome.done():
                pending.outcome.set_result(result)


def _accepted(result: Decoded) -> Accepted:
    fields = result.fields
    if result.type != CommandAccepted.__name__:
        raise Rejected(fields["code"], fields["message"], fields["retry_after_ms"])
    offset = fields["offset"]
    token = ConsistencyToken(fields["event_topic"], fields["partition"], offset) if offset >= 0 else None
    return Accepted(token, fields["reply"])


def _log_failure(sent: asyncio.Future[object]) -> None:
    if not sent.cancelled() and sent.exception() is not None:
        log.warning("command not acknowledged by Kafka", error=repr(sent.exception()))


async def _started_producer(settings: Settings) -> AIOKafkaProducer:
    # Not idempotent on purpose: a command that is appended twice is decided once, while aiokafka's idempotent producer
    # never recovers from a batch that expired without a leader (its sequence numbers then have a gap).
    while True:
        producer = AIOKafkaProducer(**aiokafka_options(settings), acks="all", linger_ms=0)
        try:
            await producer.start()
        except (KafkaError, OSError) as error:
            log.warning("commands not writable yet", error=repr(error))
            await producer.stop()
            await asyncio.sleep(RETRY_S)
        except BaseException:
            await producer.stop()
            raise
        else:
            return producer
