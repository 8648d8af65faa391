"""A room: what happened in it of late, who is in it, and the one framing that goes to all of them."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Collection, Iterable
from dataclasses import dataclass, field
from typing import Protocol

from query_api.chat.chatters import Chatter, Chatters
from query_api.chat.cursor import Cursor
from query_api.chat.facts import Facts
from query_api.chat.frames import MessageShown, RoomFrame
from query_api.chat.limits import Limits
from query_api.chat.views import frame_of, without
from schemas.message import Event

ANNOUNCED = 1_000
"""In a room of more, nobody is told who comes and goes."""


class Format(Protocol):
    """How a frame goes over a kind of connection. Hashable, so that each is made once for all of that kind."""

    @property
    def echoes(self) -> bool:
        """Whether a connection is shown what it said itself."""

    @property
    def membership(self) -> bool:
        """Whether a connection is told who comes and goes."""

    def encode(self, frame: RoomFrame, room: Room) -> bytes:
        """The bytes on the wire; none where this kind of connection is not told."""


class Member(Protocol):
    """A connection, as a room sees it. `write` neither waits nor raises."""

    @property
    def format(self) -> Format: ...

    @property
    def write(self) -> Callable[[bytes], None]: ...


class Presence(RoomFrame):
    """Somebody came or went: of this process only, in no log and with no cursor."""

    login: str
    arrived: bool


@dataclass(slots=True, eq=False)
class Entry:
    """A frame and where its event lies. `origin` is the connection here that caused it."""

    frame: RoomFrame
    event_id: str
    topic: str
    offset: int
    cursor: Cursor
    origin: Member | None = None
    wires: dict[Format, bytes] = field(default_factory=dict)

    def moved(self, cursor: Cursor) -> Entry:
        """The same with another cursor."""
        frame = self.frame.model_copy(update={"cursor": str(cursor)})
        return Entry(frame, self.event_id, self.topic, self.offset, cursor)

    def wire(self, form: Format, room: Room) -> bytes:
        known = self.wires.get(form)
        if known is None:
            known = self.wires[form] = form.encode(self.frame, room)
        return known


class Room:
    """Fed with the log's events in the log's order; `flush` sends what came since the last one.

    `complete_from` is the first offset of each topic from which the room misses nothing.
    """

    def __init__(
        self, channel_id: str, login: str, limits: Limits, facts: Callable[[], Facts], complete_from: Cursor
    ) -> None:
        self.channel_id, self.login = channel_id, login
        self.chatters = Chatters(limits.chatters)
        self.complete_from = complete_from
        self._facts = facts
        self._backlog: deque[Entry] = deque()
        self._backlog_limit = limits.room_backlog
        self._said: dict[str, MessageShown] = {}
        self._seen: dict[str, None] = {}
        self._seen_limit = limits.room_backlog + limits.look_back
        self._pending: list[Entry] = []
        self._members: dict[Format, dict[Member, None]] = {}
        self._writers: dict[Format, tuple[Callable[[bytes], None], ...]] = {}
        self._expected: dict[str, Member] = {}

    @property
    def facts(self) -> Facts:
        return self._facts()

    @property
    def empty(self) -> bool:
        return not self._members

    @property
    def size(self) -> int:
        """How many connections are in the room."""
        return sum(map(len, self._members.values()))

    def take(self, event: Event, topic: str, offset: int, cursor: Cursor) -> bool:
        """Whether there is something to flush now. `cursor` is where the room is with this event."""
        if event.event_id in self._seen:
            return False
        self._remember(event.event_id)
        frame = frame_of(event, self.facts, self._said)
        if frame is None:
            return False
        frame = frame.model_copy(update={"cursor": str(cursor)})
        origin = self._expected.pop(event.command_id or "", None)
        entry = Entry(frame, event.event_id, topic, offset, cursor, origin)
        self._keep(entry)
        if self._members:
            self._pending.append(entry)
        return bool(self._members)

    def seen(self, event_id: str) -> bool:
        return event_id in self._seen

    def said(self, message_id: str) -> MessageShown | None:
        """A message that the room remembers."""
        return self._said.get(message_id)

    def forget(self, erased: Collection[str]) -> None:
        """Remember nothing that these users said."""
        for entry in self._backlog:
            frame = without(entry.frame, erased)
            if frame is not entry.frame:
                entry.frame = frame
                entry.wires.clear()
                if isinstance(frame, MessageShown):
                    self._said[frame.id] = frame

    def reaches(self, cursor: Cursor) -> bool:
        """Whether everything after the cursor is here."""
        return cursor.covers(self.complete_from)

    def since(self, cursor: Cursor) -> list[Entry]:
        """What is kept of what came after, in order."""
        return [entry for entry in self._backlog if entry.offset >= cursor.next_of(entry.topic)]

    def enter(self, member: Member, missed: Iterable[Entry] = ()) -> None:
        """Send what was missed, and from now on whatever comes. What is pending must be in `missed` already."""
        self.flush()
        data = b"".join(entry.wire(member.format, self) for entry in missed)
        if data:
            member.write(data)
        self._members.setdefault(member.format, {})[member] = None
        self._writers.pop(member.format, None)

    def leave(self, member: Member) -> None:
        members = self._members.get(member.format)
        if members is not None and member in members:
            del members[member]
            self._writers.pop(member.format, None)
            if not members:
                del self._members[member.format]

    def arrive(self, chatter: Chatter, member: Member) -> bool:
        """Whether there is something to flush now."""
        return self.chatters.arrive(chatter) and self._announce(chatter.login, True, member)

    def depart(self, chatter: Chatter, member: Member) -> bool:
        """Whether there is something to flush now."""
        return self.chatters.depart(chatter.user_id) and self._announce(chatter.login, False, member)

    def expect(self, command_id: str, member: Member) -> None:
        """The command's event will have been caused by this connection."""
        self._expected[command_id] = member

    def expect_no_more(self, command_id: str) -> None:
        self._expected.pop(command_id, None)

    def flush(self) -> None:
        """Everything pending, framed once a format and joined to one write a connection."""
        pending, self._pending = self._pending, []
        if not pending:
            return
        for form, members in self._members.items():
            if not form.echoes and any(entry.origin in members for entry in pending):
                self._flush_around_origins(form, members, pending)
                continue
            data = b"".join([entry.wire(form, self) for entry in pending])
            if data:
                for write in self._writers.get(form) or self._writers_of(form):
                    write(data)

    def _announce(self, login: str, arrived: bool, member: Member) -> bool:
        if self.chatters.total > ANNOUNCED or not any(form.membership for form in self._members):
            return False
        frame = Presence(room_id=self.channel_id, login=login, arrived=arrived)
        self._pending.append(Entry(frame, "", "", 0, self.complete_from, member))
        return True

    def _writers_of(self, form: Format) -> tuple[Callable[[bytes], None], ...]:
        writers = self._writers[form] = tuple(member.write for member in self._members[form])
        return writers

    def _flush_around_origins(self, form: Format, members: dict[Member, None], pending: list[Entry]) -> None:
        data = b"".join([entry.wire(form, self) for entry in pending])
        origins = {entry.origin for entry in pending}
        for member in tuple(members):
            if member not in origins:
                member.write(data)
            elif heard := b"".join([entry.wire(form, self) for entry in pending if entry.origin is not member]):
                member.write(heard)

    def _remember(self, event_id: str) -> None:
        self._seen[event_id] = None
        if len(self._seen) > self._seen_limit:
            del self._seen[next(iter(self._seen))]

    def _keep(self, entry: Entry) -> None:
        self._backlog.append(entry)
        if isinstance(entry.frame, MessageShown):
            self._said[entry.frame.id] = entry.frame
        if len(self._backlog) > self._backlog_limit:
            oldest = self._backlog.popleft()
            self.complete_from = self.complete_from.past(oldest.topic, oldest.offset)
            if isinstance(oldest.frame, MessageShown):
                self._said.pop(oldest.frame.id, None)
