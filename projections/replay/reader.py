"""Reads one topic-partition from an offset on, in batches, up to its end or an offset given."""

from __future__ import annotations

import time
from collections.abc import Generator, Iterator
from typing import NamedTuple

from confluent_kafka import Consumer, KafkaError, KafkaException, Message, TopicPartition

from projections.replay.errors import NotPossible
from topology.kafka import consumer_config
from topology.settings import Settings

_POLL_S = 0.05
_TIMEOUT_S = 30.0


class Extent(NamedTuple):
    """What a partition holds: offsets from `first` up to but without `end`."""

    first: int
    end: int


class Batch(NamedTuple):
    """Consecutive committed records; `next_offset` lies behind them and the aborted ones and markers passed."""

    messages: list[Message]
    next_offset: int


def offset_of(message: Message) -> int:
    """A consumed message always has one."""
    offset = message.offset()
    if offset is None:
        raise TypeError("the message was not consumed")
    return offset


class Reader:
    """One consumer, used for one partition after another. Commits nothing."""

    def __init__(self, settings: Settings) -> None:
        self._consumer = Consumer(
            consumer_config(settings, "tally-replay")
            | {
                "enable.partition.eof": True,
                "fetch.wait.max.ms": 100,
                "fetch.error.backoff.ms": 20,
                "queued.max.messages.kbytes": 32_768,
                "queued.min.messages": 50_000,
            }
        )

    def close(self) -> None:
        self._consumer.close()

    def partitions(self, topic: str) -> list[int]:
        """Raises KafkaException when the cluster is away, KeyError without the topic."""
        return sorted(self._consumer.list_topics(topic, timeout=_TIMEOUT_S).topics[topic].partitions)

    def extent(self, topic: str, partition: int) -> Extent:
        """Raises KafkaException."""
        return Extent(*self._consumer.get_watermark_offsets(TopicPartition(topic, partition), timeout=_TIMEOUT_S))

    def batches(self, topic: str, partition: int, start: int, stop: int | None, size: int) -> Generator[Batch]:
        """Every committed record from `start` on, below `stop`; without it, up to where the log ends now.

        `size` records at a time, the last time fewer. Close it before the next. Raises KafkaException, NotPossible.
        """
        first, end = self.extent(topic, partition)
        if end < start:
            raise NotPossible(f"{topic}[{partition}] ends at {end}, before {start}: was it made anew?")
        stop = end if stop is None else min(stop, end)
        start = max(start, first)
        if start >= stop:
            return
        self._consumer.assign([TopicPartition(topic, partition, start)])
        try:
            yield from self._read(start, stop, size)
        finally:
            self._consumer.unassign()

    def _read(self, start: int, stop: int, size: int) -> Iterator[Batch]:
        pending: list[Message] = []
        reached = start
        while reached < stop:
            for message in self._arrived(min(size - len(pending), stop - reached)):
                offset = offset_of(message)
                if message.error() is not None or offset >= stop:
                    stop = reached = min(offset, stop)  # what is open or aborted at the end is no record
                    break
                pending.append(message)
                reached = offset + 1
            if len(pending) == size:
                yield Batch(pending, reached)
                pending, start = [], reached
        if reached > start:
            yield Batch(pending, reached)

    def _arrived(self, most: int) -> list[Message]:
        """What has come; the end of the committed records is a message with the error _PARTITION_EOF. Waits for at
        least one. Raises KafkaException.
        """
        deadline = time.monotonic() + _TIMEOUT_S
        while time.monotonic() < deadline:
            messages = self._consumer.consume(most, _POLL_S)
            for message in messages:
                error = message.error()
                if error is not None and error.code() != KafkaError._PARTITION_EOF:
                    raise KafkaException(error)
            if messages:
                return messages
        raise KafkaException(KafkaError(KafkaError._TIMED_OUT, f"nothing from Kafka for {_TIMEOUT_S:.0f} s"))
