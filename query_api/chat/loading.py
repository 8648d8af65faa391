"""Starts a process where the log is now: what channels have set, and the latest records for who comes back."""

from __future__ import annotations

import asyncio
from collections import deque
from dataclasses import dataclass
from heapq import merge

from query_api.chat.cursor import TOPICS, Cursor
from query_api.chat.decoder import Decoder
from query_api.chat.limits import Limits
from query_api.chat.log import end_of, read
from query_api.chat.rooms import Rooms
from topology.settings import Settings


@dataclass(frozen=True, slots=True)
class Span:
    """What is read of a partition before the process serves: all of `channels`, and the end of the others."""

    start: Cursor
    end: Cursor


async def span_of(settings: Settings, partition: int, limits: Limits) -> Span:
    """Raises KafkaError."""
    end = Cursor(partition, *await asyncio.gather(*(end_of(settings, topic, partition) for topic in TOPICS)))
    latest = {topic: max(0, end.next_of(topic) - limits.partition_backlog) for topic in TOPICS}
    return Span(Cursor(partition, **latest | {"channels": 0}), end)


async def load(settings: Settings, decoder: Decoder, rooms: Rooms, span: Span) -> None:
    """Feed the rooms with the span, all topics by time. Raises KafkaError."""
    start, end = span.start, span.end
    number = start.partition
    chat, support = [
        [record async for record in read(settings, decoder, topic, number, start.next_of(topic), end.next_of(topic))]
        for topic in ("chat", "support")
    ]
    shown = deque(merge(chat, support, key=lambda record: record.timestamp_ms))
    async for record in read(settings, decoder, "channels", number, start.channels, end.channels):
        while shown and shown[0].timestamp_ms < record.timestamp_ms:
            rooms.take(shown.popleft())
        rooms.take(record)
    for record in shown:
        rooms.take(record)
    for topic in TOPICS:
        rooms.reached(topic, number, end.next_of(topic))
