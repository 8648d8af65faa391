"""Reads one topic-partition from an offset on, in batches, up to its end or an offset given."""

from __future__ import annotations

import time
from collections.abc import Generator, Iterator
from typing import NamedTuple

from confluent_kafka import Consumer, KafkaError, KafkaException, Message, TopicPartition

from projections.replay.errors import NotPossible
from topology.kafka import consumer_config
from topology.settings import Settings

BATCH = 10_000
"""Records that are folded and written as one."""

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
                "fetch.wait.max.ms": 10,
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

    def batches(self, topic: str, partition: int, start: int, stop: int | None) -> Generator[Batch]:
        """Every committed record from `start` on, below `stop`; without it, up to where the log ends as it is read.

        Close it before the next. Raises KafkaException, NotPossible.
        """
        if stop is not None and start >= stop:
            return
        self._consumer.assign([TopicPartition(topic, partition, start)])
        try:
            yield from self._read(start, stop)
        finally:
            self._consumer.unassign()

    def _read(self, start: int, stop: int | None) -> Iterator[Batch]:
        pending: list[Message] = []
        reached = start
        for message in self._arriving():
            offset = offset_of(message)
            if offset < start:
                raise NotPossible(f"{message.topic()}[{message.partition()}] ends before {start}: was it made anew?")
            at_end = message.error() is not None
            if at_end or (stop is not None and offset >= stop):
                reached = offset if at_end and (stop is None or offset < stop) else stop or offset
                break
            pending.append(message)
            reached = offset + 1
            if len(pending) == BATCH:
                yield Batch(pending, reached)
                pending, start = [], reached
        if pending or reached > start:
            yield Batch(pending, reached)

    def _arriving(self) -> Iterator[Message]:
        """Messages as they come; the log's end is one with the error _PARTITION_EOF. Raises KafkaException."""
        silent_since = time.monotonic()
        while True:
            for message in self._consumer.consume(BATCH, _POLL_S):
                error = message.error()
                if error is not None and error.code() != KafkaError._PARTITION_EOF:
                    raise KafkaException(error)
                silent_since = time.monotonic()
                yield message
            if time.monotonic() - silent_since > _TIMEOUT_S:
                raise KafkaException(KafkaError(KafkaError._TIMED_OUT, f"nothing from Kafka for {_TIMEOUT_S:.0f} s"))
