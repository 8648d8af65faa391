"""Commands that must not get lost: each is submitted, with the same id, until its outcome is known."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Callable
from typing import Protocol

import structlog

from commands.client import Accepted, OutcomeUnknown, Rejected
from schemas.message import Command

FIRST_WAIT_S = 0.2
LONGEST_WAIT_S = 5.0

_log = structlog.get_logger(__name__)

Outcome = Accepted | Rejected
Known = Callable[[Outcome], None]


class Submitter(Protocol):
    """The part of `commands.client.CommandClient` that ingest uses."""

    async def submit(self, command: Command, timeout_s: float = 10.0) -> Accepted: ...


async def submit_until_known(submitter: Submitter, command: Command) -> Outcome:
    """The command's outcome, however long Kafka or the deciders are away."""
    wait_s = FIRST_WAIT_S
    while True:
        try:
            return await submitter.submit(command)
        except Rejected as rejected:
            return rejected
        except OutcomeUnknown:
            _log.warning("outcome unknown, submitting again", command=type(command).__name__, id=command.command_id)
        except Exception:
            _log.exception("command not submitted, trying again", command=type(command).__name__, id=command.command_id)
        await asyncio.sleep(wait_s)
        wait_s = min(wait_s * 2, LONGEST_WAIT_S)


class Outbox:
    """One session's commands, in order: the next is submitted when the outcome of the one before is known."""

    def __init__(self, submitter: Submitter) -> None:
        self._submitter = submitter
        self._waiting: deque[tuple[Command, Known | None]] = deque()
        self._task: asyncio.Task[None] | None = None

    def put(self, command: Command, known: Known | None = None) -> None:
        """Submit the command after those before it, then call `known` with the outcome."""
        self._waiting.append((command, known))
        if self._task is None:
            self._task = asyncio.create_task(self._run())

    async def drained(self) -> None:
        """Returns when every outcome is known."""
        while self._task is not None:
            await asyncio.wait([self._task])

    def abandon(self) -> None:
        """Stop submitting: the process ends, and the journal knows the rest."""
        self._waiting.clear()
        if self._task is not None:
            self._task.cancel()

    async def _run(self) -> None:
        try:
            while self._waiting:
                command, known = self._waiting.popleft()
                outcome = await submit_until_known(self._submitter, command)
                if isinstance(outcome, Rejected):
                    _log.warning("command rejected", command=type(command).__name__, code=outcome.code)
                if known is not None:
                    known(outcome)
        finally:
            self._task = None
