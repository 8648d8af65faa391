"""Somebody at one of the doors: signed in or not, in some rooms, and served one wish after another."""

from __future__ import annotations

import asyncio
import re
import time
from abc import ABC, abstractmethod
from collections import deque
from collections.abc import Callable
from typing import NamedTuple

import structlog

from commands.client import Accepted
from query_api.chat.cursor import Cursor
from query_api.chat.desk import envelope
from query_api.chat.frames import Role
from query_api.chat.house import House, chatter_of
from query_api.chat.refusal import Refused
from query_api.chat.replay import too_old
from query_api.chat.room import Format, Room
from query_api.sessions import Session
from query_api.watching import REFUSALS
from schemas.commands.chat import ChatCommand, SendMessage

TO_WRITE = "user:write:chat"
POLICY_VIOLATION, INTERNAL_ERROR, SERVICE_RESTART = 1008, 1011, 1012
"""Close codes of RFC 6455 §7.4.1 and IANA's registry."""

_CONTROLS = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028\u2029]")

log = structlog.get_logger(__name__)


class Grounds(NamedTuple):
    """What a room's being open to a guest depends on, as far as the log tells. `lapsed`: the subscription has ended."""

    policy: str
    roles: tuple[Role, ...] = ()
    lapsed: bool = False


class Guest(ABC):
    """`write` takes bytes for the wire, `end` a close code and why. Wishes come by `receive`, in order."""

    format: Format
    write: Callable[[bytes], None]

    def __init__(
        self, house: House, network: str, write: Callable[[bytes], None], end: Callable[[int, str], None]
    ) -> None:
        self.house = house
        self.network = network
        self.write = write
        self.end = end
        self.session: Session | None = None
        self.rooms: dict[str, Room] = {}
        self._admitted_as: dict[str, Grounds] = {}
        self._inbox: deque[str] = deque()
        self._work: asyncio.Task[None] | None = None
        self._reconsidering: asyncio.Task[None] | None = None
        self._gone = False

    def receive(self, wish: str) -> None:
        """Serve it after those before."""
        if self._gone:
            return
        if len(self._inbox) >= self.house.limits.inbox:
            self.end(POLICY_VIOLATION, "you send faster than you can be answered")
            return
        self._inbox.append(wish)
        if self._work is None:
            self._work = asyncio.create_task(self._serve_all())

    def tell(self, data: bytes) -> None:
        """Write, if there is still somebody to read it."""
        if not self._gone:
            self.write(data)

    def left(self) -> None:
        """The connection is no more."""
        self._gone = True
        self._inbox.clear()
        for room in list(self.rooms.values()):
            self.leave(room)
        if self.session is not None:
            self.house.gone(self, self.session)
            self.session = None

    def expired(self) -> bool:
        return self.session is not None and self.session.expires_in_s() <= 0

    @abstractmethod
    async def serve(self, wish: str) -> None:
        """May raise Refused."""

    @abstractmethod
    def refuse(self, wish: str, refused: Refused) -> None:
        """Say why it was not done."""

    @abstractmethod
    def greet(self, room: Room, cursor: Cursor) -> None:
        """Say that the room was entered; what was missed after the cursor follows."""

    @abstractmethod
    def tell_roles(self, room: Room) -> None:
        """Say what the guest, who is signed in, now is in the room."""

    @abstractmethod
    def put_out(self, room: Room, refused: Refused) -> None:
        """Say that the room was left, and why."""

    @abstractmethod
    def session_ended(self) -> None:
        """Say so, and end."""

    @abstractmethod
    def ask_to_reconnect(self) -> None:
        """The server is about to stop."""

    async def sign_in(self, token: str) -> Session:
        """Raises Refused."""
        self.house.admission.ask(self.network, time.monotonic())
        session = await self.house.directory.session_of(token)
        if self._gone:
            raise Refused("gone", "the connection is no more")
        if self.session is None:
            self.house.signed_in(self, session)
            for room in self.rooms.values():
                self._arrive(room, session)
        elif self.session.user_id != session.user_id:
            raise Refused("already_signed_in", "the connection is somebody else's already; open another")
        else:
            self.house.gone(self, self.session)
            self.house.signed_in(self, session)
        self.session = session
        return session

    async def enter(self, channel_id: str, after: str | None = None) -> None:
        """Raises Refused."""
        if channel_id in self.rooms:
            raise Refused("already_joined", "you are in this room")
        if len(self.rooms) >= self.house.limits.rooms:
            raise Refused("too_many_rooms", f"a connection may be in {self.house.limits.rooms} rooms; leave one")
        self.house.admission.ask(self.network, time.monotonic())
        room = await self.house.room(channel_id, self._user_id)
        grounds = self._grounds_in(room)
        cursor = self.house.cursor_of(room, after)
        if after is not None and not room.reaches(cursor):
            self.house.admission.ask_for_what_is_old(self.network, time.monotonic())
        missed = await self.house.replays.missed(room, cursor) if after is not None else []
        if self._gone:
            return
        if sum(len(entry.wire(self.format, room)) for entry in missed) > self.house.limits.replay_bytes:
            raise too_old(room)
        if self.house.rooms.get(channel_id) is not room or self._grounds_in(room) != grounds:
            raise Refused("unavailable", "the room changed meanwhile; try again", 0.1)
        self.greet(room, cursor)
        room.enter(self, missed)
        self.rooms[channel_id] = room
        self._admitted_as[channel_id] = grounds
        if self.session is not None:
            self._arrive(room, self.session)

    def reconsider(self) -> None:
        """Called now and then, and when the guest's standing changes: he may have lost what let him into a room."""
        changed = [room for room in self.rooms.values() if self._admitted_as[room.channel_id] != self._grounds_in(room)]
        unknown = [room for room in changed if not self._judge(room)]
        if unknown and (self._reconsidering is None or self._reconsidering.done()):
            self._reconsidering = asyncio.create_task(self._ask_who_subscribes(unknown))

    def leave(self, room: Room) -> None:
        room.leave(self)
        del self.rooms[room.channel_id], self._admitted_as[room.channel_id]
        if self.session is not None and room.depart(chatter_of(self.session), self):
            self.house.rooms.flush_soon(room)

    def room_of(self, channel_id: str) -> Room:
        """Raises Refused."""
        room = self.rooms.get(channel_id)
        if room is None:
            raise Refused("not_joined", "join the room first")
        return room

    async def say(self, room: Room, text: str, reply_to: str | None, client_id: str | None = None) -> Accepted:
        """Raises Refused."""
        session = self.require(TO_WRITE)
        command = SendMessage(
            channel_id=room.channel_id,
            sender_login=session.login,
            sender_name=session.display_name,
            text=_CONTROLS.sub(" ", text),
            reply_parent_id=reply_to,
            **envelope(session, f"chat message {room.channel_id}", client_id),
        )
        return await self.submit(room, command)

    async def submit(self, room: Room, command: ChatCommand) -> Accepted:
        """Raises Refused."""
        session = self.require(TO_WRITE)
        allowance = self.house.sends.take(session.user_id, time.monotonic())
        if not allowance.allowed:
            raise Refused("msg_ratelimit", "you are sending too quickly; wait", round(allowance.retry_in_s, 3))
        if not self.format.echoes:
            room.expect(command.command_id, self)
            asyncio.get_running_loop().call_later(_ORIGIN_S, room.expect_no_more, command.command_id)
        return await self.house.desk.submit(command)

    def require(self, scope: str) -> Session:
        """Raises Refused."""
        if self.session is None:
            raise Refused("not_signed_in", "join with a token to do this")
        if self.session.expires_in_s() <= 0:
            raise Refused("bad_token", "the access token has expired; sign in again")
        if scope not in self.session.scopes:
            raise Refused("missing_scope", f"the token lacks the scope {scope}; sign in again and ask for it")
        return self.session

    @property
    def _user_id(self) -> str | None:
        return self.session.user_id if self.session is not None else None

    def _grounds_in(self, room: Room) -> Grounds:
        policy, user_id = room.facts.playback_policy, self._user_id
        if user_id is None:
            return Grounds(policy)
        lapsed = self.house.lapsed(room.channel_id, user_id)
        return Grounds(policy, tuple(room.facts.roles_of(room.channel_id, user_id)), lapsed)

    def _judge(self, room: Room, subscribes: bool | None = None) -> bool:
        """Let the guest stay, or put him out. False where only the read model knows: whether he subscribes."""
        grounds = self._grounds_in(room)
        if grounds.lapsed or self._user_id is None:
            subscribes = False
        known = (subscribes,) if subscribes is not None else (True, False)
        verdicts = {room.facts.may_read(room.channel_id, self._user_id, subscribes=either) for either in known}
        if len(verdicts) > 1:
            return False
        if verdicts == {True}:
            before = self._admitted_as[room.channel_id]
            self._admitted_as[room.channel_id] = grounds
            if before.roles != grounds.roles:
                self.tell_roles(room)
        else:
            self.leave(room)
            self.put_out(room, Refused("room_closed", REFUSALS[grounds.policy]))
        return True

    async def _ask_who_subscribes(self, rooms: list[Room]) -> None:
        for room in rooms:
            try:
                subscribes = await self.house.subscribes(room.channel_id, self._user_id or "")
            except Refused:
                continue  # Postgres is away: again at the next look
            if self.rooms.get(room.channel_id) is room:
                self._judge(room, subscribes)

    def _arrive(self, room: Room, session: Session) -> None:
        if room.arrive(chatter_of(session), self):
            self.house.rooms.flush_soon(room)

    async def _serve_all(self) -> None:
        while self._inbox:
            wish = self._inbox.popleft()
            try:
                await self.serve(wish)
            except Refused as refused:
                if not self._gone:
                    self.refuse(wish, refused)
            except Exception:
                log.exception("a wish could not be served")
                self.end(INTERNAL_ERROR, "something went wrong on our side")
            if self._inbox:
                await asyncio.sleep(0)  # others are served between
        self._work = None


_ORIGIN_S = 30.0
"""How long an event may take to come back from the log; after that its sender would be shown it."""
