"""Starts a process where the log is now: what channels have set, and the latest records for who comes back."""

from __future__ import annotations

import asyncio
from collections import deque
from dataclasses import dataclass

from query_api.chat.cursor import TOPICS, Cursor
from query_api.chat.decoder import Decoder
from query_api.chat.limits import Limits
from query_api.chat.log import end_of, read
from query_api.chat.rooms import Rooms
from topology.settings import Settings


@dataclass(frozen=True, slots=True)
class Span:
    """What is read of a partition before the process serves: all of `channels`, and the end of `chat`."""

    start: Cursor
    end: Cursor


async def span_of(settings: Settings, partition: int, limits: Limits) -> Span:
    """Raises KafkaError."""
    chat, channels = await asyncio.gather(end_of(settings, "chat", partition), end_of(settings, "channels", partition))
    start = Cursor(partition, chat=max(0, chat - limits.partition_backlog), channels=0)
    return Span(start, Cursor(partition, chat, channels))


async def load(settings: Settings, decoder: Decoder, rooms: Rooms, span: Span) -> None:
    """Feed the rooms with the span, both topics by time. Raises KafkaError."""
    start, end = span.start, span.end
    number = start.partition
    chat = deque([record async for record in read(settings, decoder, "chat", number, start.chat, end.chat)])
    async for record in read(settings, decoder, "channels", number, start.channels, end.channels):
        while chat and chat[0].timestamp_ms < record.timestamp_ms:
            rooms.take(chat.popleft())
        rooms.take(record)
    for record in chat:
        rooms.take(record)
    for topic in TOPICS:
        rooms.reached(topic, number, end.next_of(topic))
