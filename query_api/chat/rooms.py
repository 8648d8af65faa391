"""All rooms of a process, fed with the records of every partition."""

from __future__ import annotations

import asyncio
import time
from collections import OrderedDict, deque
from collections.abc import Callable, Collection, Iterator
from dataclasses import dataclass, field, replace
from typing import NamedTuple
from weakref import WeakKeyDictionary

import structlog

from query_api.chat.cursor import Cursor
from query_api.chat.decoder import Decoder
from query_api.chat.facts import STANDING, STANDING_TOPICS, AllFacts
from query_api.chat.limits import Limits
from query_api.chat.room import Room
from schemas.message import Event
from schemas.sealing import personal_of
from topology.tail import Record

QUICK_S = 0.002
"""A room that is told in less needs no rest."""

log = structlog.get_logger(__name__)


class Kept(NamedTuple):
    """A record that a room opened later may want: of `channels` decoded, since there only few are kept."""

    topic: str
    offset: int
    key: str
    content: bytes | Event
    cursor: Cursor


@dataclass(slots=True)
class Partition:
    """`at` is where it is read to; `kept` is complete from `first` on."""

    at: Cursor
    first: Cursor
    kept: deque[Kept] = field(default_factory=deque)


class Rooms:
    """Rooms are made by `open` and live on for a while after the last member has left."""

    def __init__(self, decoder: Decoder, limits: Limits, starts: list[Cursor]) -> None:
        self._decoder = decoder
        self._limits = limits
        self._partitions = [Partition(at=start, first=start) for start in starts]
        self._rooms: OrderedDict[str, Room] = OrderedDict()
        self._to_flush: dict[Room, None] = {}
        self._rested_at: WeakKeyDictionary[Room, float] = WeakKeyDictionary()
        self.facts = AllFacts()
        self.on_standing: Callable[[Event], None] = lambda event: None
        """Called when the log tells what somebody now is, or is no more."""

    def __iter__(self) -> Iterator[Room]:
        return iter(self._rooms.values())

    def get(self, channel_id: str) -> Room | None:
        return self._rooms.get(channel_id)

    def at(self, partition: int) -> Cursor:
        """Where the process has read a partition to."""
        return self._partitions[partition].at

    def reached(self, topic: str, partition: int, offset: int) -> None:
        """Everything before the offset was taken, also what is nobody's record: the marks of transactions."""
        place = self._partitions[partition]
        if offset > place.at.next_of(topic):
            place.at = place.at.past(topic, offset - 1)

    def open(self, channel_id: str, login: str, partition: int) -> Room:
        """The room, filled with what is kept of it."""
        room = self._rooms.get(channel_id)
        if room is None:
            source = self._partitions[partition]
            room = Room(channel_id, login, self._limits, lambda: self.facts.of(channel_id), self._certain(source))
            for kept in source.kept:
                if kept.key == channel_id and (event := self._event_of(kept)) is not None:
                    room.take(event, kept.topic, kept.offset, kept.cursor)
            self._forget_idle()
        self._rooms[channel_id] = room
        self._rooms.move_to_end(channel_id)
        return room

    def take(self, record: Record) -> None:
        """One record more, in its partition's order. Its value was met by the decoder."""
        partition = self._partitions[record.partition]
        partition.at = partition.at.past(record.topic, record.offset)
        content: bytes | Event = record.value
        event = self._decoder.event(record.value) if record.topic in STANDING_TOPICS else None
        if record.topic == "channels":
            if event is None:
                return
            content = event
            self.facts.take(record.key, event)
        if isinstance(event, STANDING):
            self.on_standing(event)
        kept = Kept(record.topic, record.offset, record.key, content, partition.at)
        partition.kept.append(kept)
        if len(partition.kept) > self._limits.partition_backlog:
            oldest = partition.kept.popleft()
            partition.first = oldest.cursor
        room = self._rooms.get(record.key)
        if room is None:
            return
        event = event or self._event_of(kept)
        if event is not None and room.take(event, kept.topic, kept.offset, kept.cursor):
            self.flush_soon(room)

    def forget(self, erased: Collection[str]) -> None:
        """Keep no text that is about these users. What is kept of `chat` is sealed, and opened when a room is."""
        for partition in self._partitions:
            partition.kept = deque(_without(kept, erased) for kept in partition.kept)
        for room in self._rooms.values():
            room.forget(erased)

    def flush(self) -> None:
        """Send now what waits to be sent."""
        for room in tuple(self._to_flush):
            self._flush(room)

    def _certain(self, partition: Partition) -> Cursor:
        """From where nothing is repeated: of an event in `chat` the first append may lie before what is kept."""
        first = partition.first
        return replace(first, chat=first.chat and min(first.chat + self._limits.look_back, partition.at.chat))

    def flush_soon(self, room: Room) -> None:
        """Once what happens now is done. A room that took long to tell rests as long: others have half of the loop, and
        what comes meanwhile is one write."""
        if room in self._to_flush:
            return
        self._to_flush[room] = None
        rest_s = self._rested_at.get(room, 0.0) - time.monotonic()
        loop = asyncio.get_running_loop()
        if rest_s > 0:
            loop.call_later(rest_s, self._flush, room)
        else:
            loop.call_soon(self._flush, room)

    def _flush(self, room: Room) -> None:
        if room not in self._to_flush:
            return
        del self._to_flush[room]
        began = time.monotonic()
        try:
            room.flush()
        except Exception:
            log.exception("a room could not be told", room=room.channel_id)
        ended = time.monotonic()
        if ended - began > QUICK_S:
            self._rested_at[room] = ended + (ended - began)

    def _event_of(self, kept: Kept) -> Event | None:
        return kept.content if isinstance(kept.content, Event) else self._decoder.event(kept.content)

    def _forget_idle(self) -> None:
        """The longest unopened first."""
        over = len(self._rooms) - self._limits.idle_rooms
        if over > 0:
            idle = [channel_id for channel_id, room in self._rooms.items() if room.empty]
            for channel_id in idle[:over]:
                del self._rooms[channel_id]


def _without(kept: Kept, erased: Collection[str]) -> Kept:
    event = kept.content
    personal = personal_of(type(event)) if isinstance(event, Event) else None
    if personal is None or not isinstance(event, Event):
        return kept
    gone = {name: "" for name, about in personal.fields if getattr(event, about) in erased}
    return kept._replace(content=event.model_copy(update=gone)) if gone else kept
