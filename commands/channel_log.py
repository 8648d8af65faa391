"""Everything that a channel's chat depends on, read from Kafka in order of time."""

from __future__ import annotations

import heapq
import time
from collections import OrderedDict
from collections.abc import Iterator
from contextlib import closing
from datetime import datetime

from aiokafka.partitioner import murmur2
from confluent_kafka import Consumer, KafkaError, KafkaException, Message, TopicPartition
from pydantic import ValidationError

from commands.aggregate import aggregates
from schemas.catalog import BY_FULL_NAME
from schemas.message import Event
from schemas.wire import Codec, WireError
from topology.kafka import consumer_config
from topology.settings import Settings
from topology.topics import PARTITIONS

CHAT = "chat"
_CHUNK = 5_000
_TIMEOUT_S = 30.0
_REPEATS = 10_000
"""An append that was repeated after a crash lies close behind the first."""


def channel_events(settings: Settings, codec: Codec, channel_id: str, chat_since: datetime) -> Iterator[Event]:
    """The channel's facts from the beginning, and its chat since then, each event once; up to where the log ends now.

    Facts are held in memory. What cannot be read is passed over: `tally replay` names it. Raises KafkaException.
    """
    partition = (murmur2(channel_id.encode()) & 0x7FFFFFFF) % PARTITIONS
    with closing(_Reader(settings, codec, channel_id)) as reader:
        topics = aggregates(settings)[CHAT].facts
        facts = [event for topic in topics for event in reader.events(TopicPartition(topic, partition, 0))]
        facts.sort(key=_time)
        since_ms = int(chat_since.timestamp() * 1000)
        chat = reader.events(reader.at(TopicPartition(CHAT, partition, since_ms)))
        yield from heapq.merge(facts, _once(chat), key=_time)


def _time(event: Event) -> datetime:
    return event.occurred_at


def _once(events: Iterator[Event]) -> Iterator[Event]:
    seen: OrderedDict[str, None] = OrderedDict()
    for event in events:
        if event.event_id in seen:
            continue
        seen[event.event_id] = None
        if len(seen) > _REPEATS:
            seen.popitem(last=False)
        yield event


class _Reader:
    """One partition after another; decodes only the channel's records."""

    def __init__(self, settings: Settings, codec: Codec, channel_id: str) -> None:
        self._codec = codec
        self._key = channel_id.encode()
        options = {"enable.partition.eof": True, "fetch.wait.max.ms": 100, "queued.max.messages.kbytes": 32_768}
        self._consumer = Consumer(consumer_config(settings, "tally.channel-log") | options)

    def close(self) -> None:
        self._consumer.close()

    def at(self, place: TopicPartition) -> TopicPartition:
        """Where the place's time, in ms, begins; it may be the end."""
        (found,) = self._consumer.offsets_for_times([place], timeout=_TIMEOUT_S)
        if found.error is not None:
            raise KafkaException(found.error)
        return found

    def events(self, place: TopicPartition) -> Iterator[Event]:
        """The channel's, from there to the end."""
        self._consumer.assign([place])
        deadline = time.monotonic() + _TIMEOUT_S
        while time.monotonic() < deadline:
            for message in self._consumer.consume(_CHUNK, 0.1):
                deadline = time.monotonic() + _TIMEOUT_S
                error = message.error()
                if error is not None and error.code() == KafkaError._PARTITION_EOF:
                    return
                if error is not None:
                    raise KafkaException(error)
                event = self._event(message) if message.key() == self._key else None
                if event is not None:
                    yield event
        raise KafkaException(KafkaError(KafkaError._TIMED_OUT, f"nothing from Kafka for {_TIMEOUT_S:.0f} s"))

    def _event(self, message: Message) -> Event | None:
        try:
            decoded = self._codec.decode(message.value())
            event = BY_FULL_NAME[decoded.full_name].model_validate(decoded.fields)
        except (WireError, ValidationError):
            return None
        return event if isinstance(event, Event) else None
