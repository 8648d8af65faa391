"""The Faust app of a live projection process, on a transport that suits an exactly-once sink.

Faust is pinned: what is replaced here (`Transport.Consumer`, `_create_worker_consumer`, `seek_to_committed`) is an
internal of that version. Each replacement is held by a test on a real broker.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable, Mapping
from typing import Any, ClassVar, cast

import faust
from aiokafka import AIOKafkaConsumer
from aiokafka.coordinator.assignors.roundrobin import RoundRobinPartitionAssignor
from faust.app.base import BootStrategy
from faust.transport.consumer import RecordMap
from faust.transport.drivers.aiokafka import AIOKafkaConsumerThread, Consumer, Transport
from faust.types import TP

from topology.kafka import aiokafka_options
from topology.settings import Settings

StartOffsets = Callable[[set[TP]], Awaitable[Mapping[TP, int]]]
"""The next offset to read of each partition, as the sinks have it."""

FETCH_MAX_WAIT_MS = 100
"""Longest that a fetch waits on an idle broker. aiokafka has one fetch in flight per broker, and a partition drained
meanwhile waits for its end: under load on other topics Faust's own 1500 ms would be this partition's latency. Shorter
costs CPU while idle: 25 ms 5 % of a core, 100 ms 2 %."""

REST_S = 0.015
"""After a batch of less than so many records; whoever has more to catch up with does not rest."""
MANY = 500

SESSION_TIMEOUT_MS = 6_000
"""How long the group waits for a killed process before its partitions move; brokers allow no less."""


class LogTooShort(Exception):
    """A sink is ahead of its topic: without this the events of a log that was lost or replaced would be skipped."""


class _ConsumerThread(AIOKafkaConsumerThread):
    """Reads committed records only, with a short wait, through the settings that every client shares."""

    app: App
    _rested_at: float = 0.0

    async def getmany(self, active_partitions: set[TP] | None, timeout: float) -> RecordMap:  # noqa: ASYNC109  # Faust's
        """What came since the last time. Each time costs two changes of thread, so a busy topic comes in batches."""
        await asyncio.sleep(max(0.0, self._rested_at - time.monotonic()))
        records = await super().getmany(active_partitions, timeout)
        if 0 < sum(map(len, records.values())) < MANY:
            self._rested_at = time.monotonic() + REST_S
        return records

    def _create_worker_consumer(self, transport: Transport) -> AIOKafkaConsumer:
        return AIOKafkaConsumer(
            **aiokafka_options(self.app.settings),
            client_id=self.app.conf.id,
            group_id=self.app.conf.id,
            partition_assignment_strategy=(RoundRobinPartitionAssignor,),
            isolation_level="read_committed",
            enable_auto_commit=False,
            auto_offset_reset="earliest",
            fetch_max_wait_ms=FETCH_MAX_WAIT_MS,
            fetch_min_bytes=self.app.fetch_min_bytes,
            session_timeout_ms=SESSION_TIMEOUT_MS,
            heartbeat_interval_ms=SESSION_TIMEOUT_MS // 4,
            rebalance_timeout_ms=2 * SESSION_TIMEOUT_MS,
        )


class _Consumer(Consumer):
    """Starts where the sinks are: the group's offsets are neither read nor written."""

    app: App

    def _new_consumer_thread(self) -> AIOKafkaConsumerThread:
        return _ConsumerThread(self, loop=self.loop, beacon=self.beacon)

    async def seek_to_committed(self) -> Mapping[TP, int]:
        """Faust calls this after every assignment, with the flow stopped and before it clears the agents' queues.

        Raises LogTooShort.
        """
        offsets = await self.app.start_offsets(self.assignment())
        ends = await self.highwaters(*offsets)
        for tp, offset in offsets.items():
            if offset > ends[tp]:
                raise LogTooShort(
                    f"{tp.topic}:{tp.partition} ends at {ends[tp]} and the sink has read to {offset}: "
                    "it is not the log that the sink was built from"
                )
        await self.seek_wait(offsets)
        return offsets


class _Transport(Transport):
    Consumer: ClassVar[type[Consumer]] = _Consumer


class _ConsumerOnly(BootStrategy):
    enable_kafka_producer = False
    enable_sensors = False
    enable_web = False


class App(faust.App):
    """`start_offsets` is asked on every assignment. A fetch waits up to 100 ms for `fetch_min_bytes`."""

    BootStrategy = _ConsumerOnly

    def __init__(
        self, settings: Settings, name: str, start_offsets: StartOffsets, fetch_min_bytes: int = 1, **options: Any
    ) -> None:
        self.settings = settings
        self.start_offsets = start_offsets
        self.fetch_min_bytes = fetch_min_bytes
        super().__init__(
            name,
            topic_allow_declare=False,
            topic_disable_leader=True,
            stream_wait_empty=False,
            **options,
        )

    def _create_directories(self) -> None:
        """Without tables there is nothing to keep in them."""

    def _new_transport(self) -> Transport:
        return _Transport(self.conf.broker_consumer, self)

    def ends(self, tp: TP) -> tuple[int, int] | None:
        """The next offset to fetch and the end of the committed records; None before the first answer."""
        assignment = cast(_Consumer, self.consumer)._thread._ensure_consumer()._subscription.subscription.assignment
        state = assignment and assignment.state_value(tp)
        if not state or state.lso is None or not state.has_valid_position:
            return None
        return state.position, state.lso
