"""The table of aggregates: which decider decides what, knowing which facts, with which guarantees."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import timedelta
from functools import partial
from typing import Any, NamedTuple

from commands.deciders import accounts, channels, chat, follows, streams, support
from commands.deciders.chat.moderating import HELD_FOR
from commands.deciders.envelope import no_reply
from schemas.commands.chat import Announce, ClearChat, DeleteMessage, Raid, React, ResolveHeldMessage, SendMessage
from schemas.commands.streams import AuthorisePublish
from schemas.commands.support import Donate
from schemas.message import Command, Event, Message
from topology.settings import Settings


class History(NamedTuple):
    """The latest `events` of a partition, and all of the last `span` where those are more."""

    events: int
    span: timedelta


@dataclass(frozen=True, slots=True)
class Aggregate:
    """One decider and how to run it.

    `facts` are the co-partitioned topics whose events `evolve` folds besides the aggregate's own. A refusal stands only
    when the facts are as fresh as the command; for the commands in `strict` an acceptance does so too. A decider may
    append to a topic of its facts of which nobody else is the writer: it learns what it said there by reading it.
    """

    name: str
    initial_state: Callable[[], Any]
    decide: Callable[[Any, Any], Sequence[Event]]
    evolve: Callable[[Any, Event], Any]
    reply: Callable[[Event], dict[str, str]]
    facts: tuple[str, ...] = ()
    strict: frozenset[type[Command]] = frozenset()
    transactional: bool = True
    remembered: int = 32
    """How many commands an aggregate remembers: as many as may come between a command and its retry."""

    history: History | None = None
    """Which of the own events make up the state; None for all. What is to be known for longer is a fact."""

    @property
    def commands_topic(self) -> str:
        return f"commands.{self.name}"

    @property
    def results_topic(self) -> str:
        return f"results.{self.name}"


def id_of(message: Message) -> str:
    """The aggregate that a command, an event or a fact is about: user and channel ids are the same."""
    owner: str = getattr(message, "user_id", None) or getattr(message, "channel_id")  # noqa: B009  # one or the other
    return owner


def aggregates(settings: Settings) -> dict[str, Aggregate]:
    """Every aggregate by name."""
    grace = timedelta(seconds=settings.resume_grace_s)
    return {
        aggregate.name: aggregate
        for aggregate in (
            Aggregate("accounts", accounts.initial_state, accounts.decide, accounts.evolve, accounts.reply),
            Aggregate(
                "channels",
                channels.initial_state,
                channels.decide,
                channels.evolve,
                channels.reply,
                facts=("accounts",),
            ),
            Aggregate(
                "streams",
                streams.initial_state,
                partial(streams.decide, grace=grace),
                streams.evolve,
                streams.reply,
                facts=("accounts", "channels"),
                strict=frozenset({AuthorisePublish}),
            ),
            Aggregate(
                "follows",
                follows.initial_state,
                follows.decide,
                follows.evolve,
                no_reply,
                facts=("accounts",),
                remembered=256,
            ),
            Aggregate(
                "chat",
                chat.initial_state,
                chat.decide,
                chat.evolve,
                chat.reply,
                facts=("accounts", "channels", "follows", "support", "lessons"),
                strict=frozenset({SendMessage, Announce, React, DeleteMessage, ClearChat, ResolveHeldMessage, Raid}),
                transactional=False,
                remembered=1024,
                history=History(100_000, HELD_FOR),
            ),
            Aggregate(
                "support",
                support.initial_state,
                support.decide,
                support.evolve,
                support.reply,
                facts=("accounts", "channels", "lessons"),
                strict=frozenset({Donate}),
                remembered=1024,
            ),
        )
    }
