"""Runs one aggregate's decider on the partitions the consumer group gives it: fence, catch up, decide, append."""

from __future__ import annotations

import math
import threading
import time
from collections import defaultdict
from collections.abc import Callable, Container, Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import partial

import structlog
from confluent_kafka import Consumer, KafkaError, KafkaException, Message, TopicPartition

from commands.aggregate import Aggregate
from commands.batch import Verdict
from commands.inbox import Batch, read_batch
from commands.log_reader import LogReader, Stopping
from commands.outage import Outage
from commands.partition import Decided, Partition, write
from commands.writer import PlainWriter, TransactionalWriter, Writer
from schemas.wire import Codec
from topology.kafka import consumer_config
from topology.settings import Settings
from topology.tail import Place
from topology.topics import PARTITIONS

ROUND_S = 0.01
"""At the least between two rounds: under load each takes several commands, for the same requests to Kafka."""
MAX_BATCH = 500
POLL_S = 0.2
SETTLE_S = 0.01
"""How soon what was decided is settled when no more comes."""

STANDBY_S = 5.0
JOIN_TIMEOUT_S = 30.0
RESTART_S = 1.0
SESSION_TIMEOUT_MS = 6_000

log = structlog.get_logger()


class Runner:
    """One thread's work. `ready` is set once partitions are held, or others hold them all."""

    def __init__(self, aggregate: Aggregate, settings: Settings, codec: Codec, stopping: threading.Event) -> None:
        self.ready = threading.Event()
        self._aggregate = aggregate
        self._settings = settings
        self._codec = codec
        self._stopping = stopping

    def run(self) -> None:
        """Until `stopping` is set. A decider that was fenced, or whose broker failed it, starts over from the log."""
        with structlog.contextvars.bound_contextvars(aggregate=self._aggregate.name):
            while not self._stopping.is_set():
                try:
                    with Term(self._aggregate, self._settings, self._codec, self._stopping) as term:
                        term.serve(self.ready)
                except Stopping:
                    return
                except KafkaException as error:
                    log.warning("starting over from the log", reason=str(error))
                except Exception:
                    log.exception("starting over from the log")
                self._stopping.wait(RESTART_S)


class Term:
    """One membership of the consumer group, from joining it to leaving it."""

    def __init__(self, aggregate: Aggregate, settings: Settings, codec: Codec, stopping: threading.Event) -> None:
        self._aggregate = aggregate
        self._settings = settings
        self._codec = codec
        self._stopping = stopping
        self._partitions: dict[int, Partition] = {}
        self._writers: dict[int, Writer] = {}
        self._round_at = 0.0
        """When the next round may begin."""
        self._failure: Exception | None = None
        self._outage = Outage()
        self._pool = ThreadPoolExecutor(PARTITIONS, thread_name_prefix=f"{aggregate.name}-writer")
        self._reader = LogReader(settings, codec, stopping)
        self._consumer = Consumer(
            consumer_config(settings, f"tally.deciders.{aggregate.name}")
            | {
                # A decider that comes back under its node's name takes its partitions up at once; the group need not
                # first find out that its former self is dead.
                "group.instance.id": settings.node,
                "partition.assignment.strategy": "cooperative-sticky",
                "session.timeout.ms": SESSION_TIMEOUT_MS,
                "heartbeat.interval.ms": SESSION_TIMEOUT_MS // 3,
                "queued.max.messages.kbytes": 16_384,
                "error_cb": self._outage.notice,
            }
        )
        # One for all partitions, so that a batch of several is one round; a transaction's is fenced with its partition.
        self._shared = None if aggregate.transactional else self._plain_writer()

    def __enter__(self) -> Term:
        self._consumer.subscribe(
            [self._aggregate.commands_topic], on_assign=self._take, on_revoke=self._release, on_lost=self._release
        )
        return self

    def __exit__(self, *_: object) -> None:
        self._consumer.close()
        self._reader.close()
        self._pool.shutdown()

    def serve(self, ready: threading.Event) -> None:
        """Decide what arrives. Raises Stopping, KafkaException."""
        began = time.monotonic()
        standby_at, join_by = began + STANDBY_S, began + JOIN_TIMEOUT_S
        while not self._stopping.is_set():
            messages = self._arrived()
            if messages:
                self._decide(messages)
            else:
                self._settle()
            if self._joined():
                join_by = math.inf
                self._outage.check()
                if self._partitions or time.monotonic() > standby_at:
                    ready.set()
            else:
                self._outage.forget()
                if time.monotonic() > join_by:
                    raise KafkaException(KafkaError(KafkaError._TIMED_OUT, "the consumer group did not let us in"))

    def _joined(self) -> bool:
        return bool(self._consumer.memberid())

    def _arrived(self) -> list[Message]:
        unsettled = any(writer.unsettled for writer in self._writers.values())
        arrived = []
        if (first := self._consumer.poll(SETTLE_S if unsettled else POLL_S)) is not None:
            time.sleep(max(0.0, self._round_at - time.monotonic()))
            arrived = [first, *self._consumer.consume(MAX_BATCH - 1, 0)]
            self._round_at = time.monotonic() + ROUND_S
        if self._failure is not None:
            raise self._failure
        messages = []
        for message in arrived:
            error = message.error()
            if error is not None:  # whichever: a group's member that was fenced or lost its coordinator may fall silent
                raise KafkaException(error)
            messages.append(message)
        return messages

    def _decide(self, messages: list[Message]) -> None:
        arrived: dict[int, list[Message]] = defaultdict(list)
        for message in messages:
            arrived[message.partition() or 0].append(message)
        batches = {
            number: read_batch(self._aggregate, self._codec, of_partition)
            for number, of_partition in arrived.items()
            if number in self._partitions
        }
        verdicts = self._verdicts(batches)
        by_writer: dict[Writer, list[Decided]] = defaultdict(list)
        for number, batch in batches.items():
            by_writer[self._writers[number]].append(Decided(self._partitions[number], batch, verdicts[number]))
        self._all([partial(write, writer, decided) for writer, decided in by_writer.items()])

    def _verdicts(self, batches: dict[int, Batch]) -> dict[int, list[Verdict]]:
        """Accept and refuse on facts as fresh as the commands, asking for fresh ones only when it matters."""
        fresh = not self._aggregate.facts
        if any(type(command) in self._aggregate.strict for batch in batches.values() for command in batch.commands):
            self._read_log(batches)
            fresh = True
        verdicts = {number: self._partitions[number].decide(batch) for number, batch in batches.items()}
        if not fresh and any(verdict.rejected for decided in verdicts.values() for verdict in decided):
            self._read_log(batches)
            verdicts = {number: self._partitions[number].decide(batch) for number, batch in batches.items()}
        return verdicts

    def _all(self, writes: Sequence[Callable[[], None]]) -> None:
        """Do all, each beside the others; the first failure counts when all have ended."""
        if len(writes) == 1:
            writes[0]()
            return
        ended = [self._pool.submit(write) for write in writes]
        for each in ended:
            each.exception()
        for each in ended:
            each.result()

    def _take(self, _: Consumer, assigned: list[TopicPartition]) -> None:
        # A callback that raises would leave the consumer without the assignment it then gives back on closing.
        try:
            self._take_up([place.partition for place in assigned])
        except Exception as error:
            self._failure = error

    def _take_up(self, numbers: list[int]) -> None:
        if not numbers:
            return
        began = time.monotonic()
        # Only now, with every predecessor fenced, do the committed offsets and the log's end stand still.
        for number, writer in zip(numbers, self._pool.map(self._writer, numbers), strict=True):
            self._partitions[number] = Partition(self._aggregate, number, self._codec)
            self._writers[number] = writer
        own = [(self._aggregate.name, number) for number in numbers]
        self._reader.follow(own, self._aggregate.history)
        self._reader.follow(self._facts(numbers))
        read = self._read_log()
        self._reader.forget(own)
        log.info("deciding", partitions=numbers, events=read, seconds=round(time.monotonic() - began, 2))

    def _release(self, _: Consumer, revoked: list[TopicPartition]) -> None:
        numbers = [place.partition for place in revoked if place.partition in self._partitions]
        if not numbers:
            return
        try:
            self._settle()
        except Exception as error:
            self._failure = error
        for number in numbers:
            del self._partitions[number], self._writers[number]
        self._reader.forget(self._facts(numbers))
        log.info("no longer deciding", partitions=numbers)

    def _facts(self, numbers: list[int]) -> list[Place]:
        return [(topic, number) for topic in self._aggregate.facts for number in numbers]

    def _read_log(self, partitions: Container[int] = range(PARTITIONS)) -> int:
        read = 0
        for logged in self._reader.read_to_end(partitions):
            self._partitions[logged.place[1]].memory.apply(logged.event, logged.offset)
            read += 1
        return read

    def _settle(self) -> None:
        for writer in self._writers.values():
            if writer.unsettled:
                writer.settle()

    def _writer(self, number: int) -> Writer:
        if self._shared is not None:
            return self._shared
        name = f"tally.{self._aggregate.name}.{number}"
        return TransactionalWriter(self._settings, name, self._consumer, self._outage, self._stopping)

    def _plain_writer(self) -> Writer:
        return PlainWriter(self._settings, self._consumer, self._outage, self._stopping)
