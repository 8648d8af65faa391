"""Submitting a command and waiting for what became of it."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from types import TracebackType
from typing import Self

from commands.rejection import Rejected
from schemas.consistency import ConsistencyToken
from schemas.message import Command
from schemas.wire import Codec
from topology.settings import Settings
from topology.topics import AGGREGATES

__all__ = ["Accepted", "CommandClient", "OutcomeUnknown", "Rejected"]


@dataclass(frozen=True, slots=True)
class Accepted:
    """`token` is None when nothing had to happen; `reply` holds what the caller needs at once, such as a stream id."""

    token: ConsistencyToken | None
    reply: dict[str, str]


class OutcomeUnknown(Exception):
    """No result came in time. Submitting the same command id again gives the outcome and never decides twice."""


class CommandClient:
    """An async context manager. Reads the results of `aggregates` only, so name those whose commands are submitted."""

    def __init__(self, settings: Settings, codec: Codec, aggregates: Iterable[str] = AGGREGATES) -> None:
        self._settings = settings
        self._codec = codec
        self._aggregates = tuple(aggregates)

    async def __aenter__(self) -> Self:
        raise NotImplementedError

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        raise NotImplementedError

    async def submit(self, command: Command, timeout_s: float = 10.0) -> Accepted:
        """Append the command and wait for its result. Raises Rejected or OutcomeUnknown."""
        raise NotImplementedError
