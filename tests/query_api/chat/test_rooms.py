"""Rooms by themselves: the order, the cursors, and the one framing for all."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Callable
from typing import Any, cast

import pytest
from hypothesis import given as hypothesis_given
from hypothesis import strategies as st

from query_api.chat.cursor import TOPICS, Cursor
from query_api.chat.decoder import Decoder
from query_api.chat.frames import Modes, RoomFrame
from query_api.chat.house import partition_of
from query_api.chat.limits import Limits
from query_api.chat.refusal import Refused
from query_api.chat.replay import Replays
from query_api.chat.room import Room
from query_api.chat.rooms import Rooms
from schemas.events.channel_roles import ModeratorAdded, VipAdded
from schemas.events.chat import ChatCleared, Reacted
from schemas.events.chat_policy import ChatSettingsUpdated, ShieldModeChanged
from schemas.events.moderation import UserBanned
from schemas.message import Event
from tests.query_api.chat.test_gifts import given, subscribed
from tests.query_api.chat.test_json_socket import ADA, BOB, said
from tests.query_api.chat.town import Written, event
from topology.settings import Settings
from topology.tail import Record

PARTITION = partition_of(ADA)
BEGINNING = Cursor(PARTITION, 0, 0, 0)


class Counting:
    """A format that counts how often it frames something."""

    echoes = True
    membership = False

    def __init__(self) -> None:
        self.framed = 0

    def encode(self, frame: RoomFrame, room: Room) -> bytes:
        self.framed += 1
        return f"{frame.cursor} ".encode()


class Ear:
    def __init__(self, form: Any) -> None:
        self.format = form
        self.writes: list[bytes] = []

    @property
    def write(self) -> Callable[[bytes], None]:
        return self.writes.append

    def cursors(self) -> list[str]:
        return b"".join(self.writes).decode().split()


class Process:
    """Rooms that read a log in some interleaving of its topics."""

    def __init__(self, limits: Limits | None = None) -> None:
        self.log = Written()
        limits = limits or Limits()
        self.rooms = Rooms(cast(Decoder, self.log), limits, [Cursor(number, 0, 0, 0) for number in range(4)])
        self.replays = Replays(Settings(), cast(Decoder, self.log), self.rooms, limits)
        self._offsets = dict.fromkeys(TOPICS, 0)

    def take(self, *events: Event) -> None:
        for each in events:
            offset = self._offsets[each.topic]
            self._offsets[each.topic] += 1
            self.rooms.take(Record(each.topic, PARTITION, offset, each.key, self.log.append(each)))

    @property
    def room(self) -> Room:
        return self.rooms.open(ADA, "ada", PARTITION)


async def test_a_message_is_framed_once_however_many_are_told() -> None:
    process, form = Process(), Counting()
    ears = [Ear(form) for _ in range(50)]
    for ear in ears:
        process.room.enter(ear)
    process.take(said("hello", 1))
    await asyncio.sleep(0)
    assert form.framed == 1
    assert all(len(ear.writes) == 1 for ear in ears)


async def test_what_comes_in_one_turn_is_one_write() -> None:
    process, ear = Process(), Ear(Counting())
    process.room.enter(ear)
    process.take(*(said(f"text {number}", number) for number in range(5)))
    await asyncio.sleep(0)
    assert len(ear.writes) == 1
    assert len(ear.cursors()) == 5


async def test_one_whose_writing_fails_does_not_silence_other_rooms() -> None:
    process, ear = Process(), Ear(Counting())

    class Broken(Counting):
        def encode(self, frame: RoomFrame, room: Room) -> bytes:
            raise RuntimeError

    process.room.enter(Ear(Broken()))
    other = next(str(number) for number in range(100) if partition_of(str(number)) == PARTITION)
    process.rooms.open(other, "other", PARTITION).enter(ear)
    process.take(said("hello", 1), event(ChatCleared, channel_id=other))
    await asyncio.sleep(0)
    assert len(ear.cursors()) == 1


async def test_what_is_pending_when_somebody_enters_is_told_once() -> None:
    process, ear = Process(), Ear(Counting())
    process.room.enter(Ear(Counting()))
    process.take(said("hello", 1))
    room = process.room
    room.enter(ear, room.since(BEGINNING))
    await asyncio.sleep(0)
    assert len(ear.cursors()) == 1


async def test_a_room_that_nobody_had_open_has_what_was_kept() -> None:
    process = Process()
    process.take(said("before", 1), event(UserBanned, channel_id=ADA, target_id="9"))
    assert [entry.topic for entry in process.room.since(BEGINNING)] == ["chat", "channels"]


async def test_rooms_without_anybody_are_forgotten_the_longest_unopened_first() -> None:
    process = Process(Limits(idle_rooms=2))
    ear = Ear(Counting())
    process.rooms.open("1", "one", 0).enter(ear)
    for channel_id in ("2", "3", "4"):
        process.rooms.open(channel_id, channel_id, 0)
    assert process.rooms.get("1") is not None
    assert process.rooms.get("2") is None


async def test_a_place_beyond_the_log_is_none() -> None:
    process = Process()
    with pytest.raises(Refused) as refused:
        await process.replays.missed(process.room, Cursor(PARTITION, 99, 0, 0))
    assert refused.value.code == "cursor_unknown"


def test_the_facts_of_a_channel_are_folded() -> None:
    process = Process()
    process.take(
        event(ModeratorAdded, channel_id=ADA, target_id=BOB),
        event(VipAdded, channel_id=ADA, target_id="9"),
        event(ChatSettingsUpdated, channel_id=ADA, slow_mode_s=5, follower_mode_min=3),
        event(ShieldModeChanged, channel_id=ADA, active=True),
    )
    facts = process.room.facts
    assert facts.roles_of(ADA, BOB) == ["moderator"]
    assert facts.roles_of(ADA, ADA) == ["broadcaster"]
    assert facts.modes_in_force() == Modes(slow_mode_s=5, follower_mode_min=10, unique_chat_mode=True, shield_mode=True)


TALK = st.lists(st.sampled_from(["said", "reacted", "repeated"]), max_size=12)
DEEDS = st.lists(st.sampled_from(["banned", "modes"]), max_size=6)
GIFTS = st.lists(st.sampled_from(["given", "subscribed"]), max_size=4)


def _happened(kinds: list[str]) -> list[Event]:
    events: list[Event] = []
    for number, kind in enumerate(kinds):
        match kind:
            case "said":
                events.append(said(f"text {number}", number))
            case "reacted":
                events.append(event(Reacted, channel_id=ADA, reactor_id=BOB, emote="Kappa"))
            case "repeated" if events:
                events.append(events[-1])
            case "banned":
                events.append(event(UserBanned, channel_id=ADA, target_id=str(number)))
            case "given":
                events.append(given(f"gift {number}", donation_id=f"d-{number}"))
            case "subscribed":
                events.append(subscribed())
            case "modes":
                events.append(event(ChatSettingsUpdated, channel_id=ADA, slow_mode_s=number))
    return events


def _interleaved(data: st.DataObject, *topics: list[Event]) -> list[Event]:
    waiting, mixed = [list(topic) for topic in topics if topic], []
    while waiting:
        topic = waiting[data.draw(st.integers(0, len(waiting) - 1))]
        mixed.append(topic.pop(0))
        waiting = [topic for topic in waiting if topic]
    return mixed


@hypothesis_given(TALK, DEEDS, GIFTS, st.data())
def test_who_changes_processes_is_told_everything_once_however_each_interleaves(
    talk: list[str], deeds: list[str], gifts: list[str], data: st.DataObject
) -> None:
    """Each process reads the topics as it happens to; within a topic the order is the log's."""
    topics = said_, done, gave = _happened(talk), _happened(deeds), _happened(gifts)
    told: list[str] = []

    class Telling(Counting):
        def encode(self, frame: RoomFrame, room: Room) -> bytes:
            return f"{frame.cursor}|{frame.type}|{frame.model_dump_json(exclude={'cursor'})}\n".encode()  # type: ignore[attr-defined]

    async def visit(cursor: Cursor) -> Cursor:
        process, ear = Process(), Ear(Telling())
        order = _interleaved(data, *topics)
        behind = data.draw(st.integers(0, len(order)))
        process.take(*order[:behind])
        if not process.rooms.at(PARTITION).covers(cursor):
            process.take(*order[behind:])
            behind = len(order)
        room = process.room
        room.enter(ear, await process.replays.missed(room, cursor))
        process.take(*order[behind:])
        process.rooms.flush()
        lines = b"".join(ear.writes).decode().splitlines()
        seen = lines[: data.draw(st.integers(0, len(lines)))]
        told.extend(line.partition("|")[2] for line in seen)
        return Cursor.parse(seen[-1].partition("|")[0]) if seen else cursor

    async def travel() -> None:
        cursor = BEGINNING
        for _ in range(4):
            cursor = await visit(cursor)
        process, ear = Process(), Ear(Telling())
        process.take(*_interleaved(data, *topics))
        room = process.room
        room.enter(ear, await process.replays.missed(room, cursor))
        told.extend(line.partition("|")[2] for line in b"".join(ear.writes).decode().splitlines())

    asyncio.run(travel())
    once = {each.event_id: each for each in said_}
    for kinds, count in (
        (("message", "reaction", "subscription"), len(once) + len(gave)),
        (("user_banned", "room_state"), len(done)),
    ):
        assert sum(line.partition("|")[0] in kinds for line in told) == count
    for words in ("text", "5.00 EUR gift"):
        numbers = [int(match[1]) for line in told if (match := re.search(rf'"content":"{words} (\d+)"', line))]
        assert numbers == sorted(numbers)
