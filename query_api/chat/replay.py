"""What a returning guest has missed: from what the room keeps, and from Kafka where that is too little."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from dataclasses import replace
from heapq import merge

from aiokafka.errors import KafkaError

from query_api.chat.cursor import TOPICS, Cursor
from query_api.chat.decoder import Decoder
from query_api.chat.limits import Limits
from query_api.chat.log import read
from query_api.chat.refusal import Refused
from query_api.chat.room import Entry, Room
from query_api.chat.rooms import Rooms
from topology.settings import Settings
from topology.tail import Record

WAIT_S = 10.0
CATCH_UP_TRIES = 40
CATCH_UP_S = 0.05
HISTORY = "/helix/chat/messages?broadcaster_id={room_id}"


class Replays:
    """Reads for a few guests at a time; the others wait a while for their turn."""

    def __init__(self, settings: Settings, decoder: Decoder, rooms: Rooms, limits: Limits) -> None:
        self._settings, self._decoder, self._rooms, self._limits = settings, decoder, rooms, limits
        self._turns = asyncio.Semaphore(limits.replays)

    async def missed(self, room: Room, cursor: Cursor) -> list[Entry]:
        """Everything in the room after the cursor, up to now: enter it before anything else happens. Raises Refused."""
        await self._caught_up(cursor)
        if room.reaches(cursor):
            return self._whole(room, cursor, room.since(cursor))
        try:
            async with asyncio.timeout(WAIT_S), self._turns:
                return self._whole(room, cursor, await self._from_kafka(room, cursor))
        except (TimeoutError, KafkaError) as error:
            raise Refused("unavailable", "what was missed cannot be read right now; try again", 1.0) from error

    async def _caught_up(self, cursor: Cursor) -> None:
        """A guest may come from a process that is ahead of this one by a moment. Raises Refused."""
        for _ in range(CATCH_UP_TRIES):
            if self._rooms.at(cursor.partition).covers(cursor):
                return
            await asyncio.sleep(CATCH_UP_S)
        raise Refused("cursor_unknown", "the log has no such place; join without the cursor")

    async def _from_kafka(self, room: Room, cursor: Cursor) -> list[Entry]:
        start = replace(cursor, chat=max(0, cursor.chat - self._limits.look_back))
        older, limit = self._past_of(room, start), self._limits.replay_records
        reached = start
        while not room.reaches(reached):
            end = room.complete_from
            if sum(max(0, end.next_of(topic) - reached.next_of(topic)) for topic in TOPICS) > limit:
                raise too_old(room)
            async for record in self._merged(room, reached, end):
                reached = reached.past(record.topic, record.offset)
                event = self._decoder.event(record.value)
                if event is not None:
                    older.take(event, record.topic, record.offset, reached)
            reached = end.joined(cursor)
        newer = [entry for entry in room.since(reached) if not older.seen(entry.event_id)]
        return older.since(cursor) + newer

    def _past_of(self, room: Room, start: Cursor) -> Room:
        """A room to lay out the past in. It shows the room's state as it is now."""
        limits = replace(self._limits, room_backlog=self._limits.replay_entries + 1)
        return Room(room.channel_id, room.login, limits, lambda: room.facts, start)

    async def _merged(self, room: Room, start: Cursor, end: Cursor) -> AsyncIterator[Record]:
        """The room's records of all topics by time; within each in order."""
        by_topic = [
            [
                record
                async for record in read(
                    self._settings, self._decoder, topic, start.partition, start.next_of(topic), end.next_of(topic)
                )
                if record.key == room.channel_id
            ]
            for topic in TOPICS
        ]
        for record in merge(*by_topic, key=lambda record: record.timestamp_ms):
            yield record

    def _whole(self, room: Room, cursor: Cursor, entries: list[Entry]) -> list[Entry]:
        if len(entries) > self._limits.replay_entries:
            raise too_old(room)
        return [_not_before(cursor, entry) for entry in entries]


def too_old(room: Room) -> Refused:
    return Refused(
        "cursor_too_old",
        "too much was said since; join without a cursor and read the history",
        history=HISTORY.format(room_id=room.channel_id),
    )


def _not_before(seen: Cursor, entry: Entry) -> Entry:
    """The entry with a cursor that keeps what the guest saw of the other topics, in whatever order that was."""
    return entry if entry.cursor.covers(seen) else entry.moved(entry.cursor.joined(seen))
