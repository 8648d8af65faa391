"""A chat process whose log is a list: the real decider decides at once, and what it decides is read back.

Kafka, the registry and Postgres are proven elsewhere (`test_chat_process.py`); here are rooms and doors.
"""

from __future__ import annotations

import asyncio
from collections import defaultdict
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from typing import Any, TypeVar, cast

from pydantic import SecretStr

from commands.client import Accepted
from commands.deciders import chat as decider
from commands.identity import new_id, user_id_of
from query_api.chat.admission import Admission
from query_api.chat.cursor import Cursor
from query_api.chat.decoder import Decoder
from query_api.chat.desk import Desk
from query_api.chat.directory import Directory
from query_api.chat.house import House, partition_of
from query_api.chat.irc.connection import IrcConnection
from query_api.chat.keeper import Keeper
from query_api.chat.limits import Limits
from query_api.chat.pages import Pages
from query_api.chat.process import origins_of
from query_api.chat.refusal import Refused
from query_api.chat.replay import Replays
from query_api.chat.rooms import Rooms
from query_api.chat.websocket import Doorway, WebSocketConnection
from query_api.scopes import SCOPES
from query_api.sessions import Session
from schemas.events.accounts import UserRegistered
from schemas.message import Command, Event
from topology.settings import Settings
from topology.tail import Record
from topology.topics import PARTITIONS

E = TypeVar("E", bound=Event)

PEPPER = SecretStr("of-tests-only")


def event(kind: type[E], actor: str = "system:test", event_id: str = "", **facts: Any) -> E:
    return kind(event_id=event_id or new_id(), occurred_at=datetime.now(UTC), actor=actor, correlation_id="c", **facts)


class Written:
    """What was appended, by the bytes that stand for it."""

    def __init__(self) -> None:
        self._events: list[Event] = []

    def append(self, event: Event) -> bytes:
        self._events.append(event)
        return str(len(self._events) - 1).encode()

    def met(self, value: bytes) -> bool:
        return True

    def event(self, value: bytes) -> Event | None:
        return self._events[int(value)]


class Registry:
    """Who there is: a token is `token-` and the login."""

    def __init__(self) -> None:
        self.logins: dict[str, str] = {}
        self.scopes = frozenset(SCOPES)
        self.lifetime = timedelta(hours=1)
        self.away = False
        self.subscribers: set[tuple[str, str]] = set()
        self._revoked: set[str] = set()

    async def login_of(self, channel_id: str) -> str | None:
        if self.away:
            raise Refused("unavailable", "the read models cannot be reached", 1.0)
        return self.logins.get(channel_id)

    async def subscribes(self, channel_id: str, user_id: str) -> bool:
        if self.away:
            raise Refused("unavailable", "the read models cannot be reached", 1.0)
        return (channel_id, user_id) in self.subscribers

    async def session_of(self, token: str) -> Session:
        login = token.removeprefix("token-")
        user_id = user_id_of(login)
        if user_id not in self.logins or f"session-{login}" in self._revoked:
            raise Refused("bad_token", "the access token is unknown, expired or revoked; sign in again")
        expires_at = datetime.now(UTC) + self.lifetime
        return Session(f"session-{login}", user_id, login, login.capitalize(), self.scopes, expires_at)

    def revoke(self, session_id: str) -> None:
        self._revoked.add(session_id)


@dataclass
class Town:
    """`house` is the chat process; `append` writes to its log."""

    limits: Limits
    log: Written = field(default_factory=Written)
    registry: Registry = field(default_factory=Registry)
    _states: dict[str, Any] = field(default_factory=lambda: defaultdict(decider.initial_state))
    _records: list[Record] = field(default_factory=list)
    _offsets: dict[tuple[str, int], int] = field(default_factory=lambda: defaultdict(int))

    def __post_init__(self) -> None:
        self.settings = Settings(pepper=PEPPER)
        self.keeper = Keeper()
        self.house = self.new_house()

    def new_house(self) -> House:
        """A process that has just started, with nothing read yet."""
        log = cast(Decoder, self.log)
        rooms = Rooms(log, self.limits, [Cursor(number, 0, 0, 0) for number in range(PARTITIONS)])
        return House(
            rooms=rooms,
            replays=Replays(self.settings, log, rooms, self.limits),
            directory=cast(Directory, self.registry),
            desk=Desk(cast(Any, self)),
            admission=Admission(self.limits),
            limits=self.limits,
        )

    def register(self, *logins: str) -> str:
        """Users and their channels; the id of the last."""
        for login in logins:
            user_id = user_id_of(login)
            self.registry.logins[user_id] = login
            registered = event(UserRegistered, user_id=user_id, login=login, display_name=login, password_hash="h")
            self._states[user_id] = decider.evolve(self._states[user_id], registered)
        return user_id

    def append(self, *events: Event) -> None:
        for each in events:
            self._states[each.key] = decider.evolve(self._states[each.key], each)
            place = (each.topic, partition_of(each.key))
            self._records.append(Record(*place, self._offsets[place], each.key, self.log.append(each)))
            self._offsets[place] += 1
            self.house.rooms.take(self._records[-1])

    def restart(self) -> None:
        """Another process, which reads the log anew."""
        self.house = self.new_house()
        for record in self._records:
            self.house.rooms.take(record)

    async def submit(self, command: Command, timeout_s: float = 0.0) -> Accepted:
        """The write side."""
        await asyncio.sleep(0)
        events = decider.decide(command, self._states[command.key])
        self.append(*events)
        return Accepted(None, decider.reply(events[0]) if events else {})


@dataclass(frozen=True)
class Doors:
    town: Town
    socket_port: int
    irc_port: int

    @property
    def url(self) -> str:
        return f"ws://127.0.0.1:{self.socket_port}/ws"


@asynccontextmanager
async def opened(town: Town, **limits: Any) -> AsyncIterator[Doors]:
    """The town's house with its doors open."""
    if limits:
        town.limits = replace(town.limits, **limits)
        town.house = town.new_house()
    house = town.house
    doorway = Doorway(
        house, town.keeper, Pages(house, town.settings), origins_of(town.settings), frozenset(("127.0.0.1",))
    )
    loop = asyncio.get_running_loop()
    sockets = await loop.create_server(lambda: WebSocketConnection(doorway), "127.0.0.1", 0)
    irc = await loop.create_server(lambda: IrcConnection(house, town.keeper), "127.0.0.1", 0)
    try:
        yield Doors(town, sockets.sockets[0].getsockname()[1], irc.sockets[0].getsockname()[1])
    finally:
        sockets.close()
        irc.close()
        for kept in town.keeper.all():
            kept.cut("the test is over")  # type: ignore[attr-defined]
        await asyncio.sleep(0)
