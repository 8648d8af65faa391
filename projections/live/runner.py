"""One process: Faust reads, one agent per topic applies, until told to stop."""

from __future__ import annotations

import asyncio
import time
from collections import defaultdict
from collections.abc import Mapping
from typing import Any

import structlog
from confluent_kafka import KafkaException
from confluent_kafka.admin import AdminClient
from faust.types import TP, EventT

from projections.contract import Store
from projections.live.applier import Applier
from projections.live.dead_letters import DeadLetters, Raw
from projections.live.lag import Ends, LagMeter, lag_path
from schemas.sealing import KeysUnavailable
from schemas.wire import Codec
from topology.faust_app import App
from topology.kafka import client_config
from topology.readiness import announce_ready
from topology.settings import Settings
from topology.subject_keys.keyring import KafkaKeyring, open_keyring

log = structlog.get_logger()

BATCH = 500
"""Most records of a topic that one round applies."""

HAND_OVER_S = 10.0
"""How long a rebalance waits for the batches in hand; what is written later is fenced."""

RETRY_S = 1.0
CHECK_EVERY_S = 2.0
ERASE_EVERY_S = 2.0


class Runner:
    """Runs a store's projections. A new one per process: Faust apps do not start twice."""

    def __init__(self, settings: Settings, store: Store[Any, Any]) -> None:
        self._settings = settings
        self._store = store
        self._keyring = open_keyring(settings)
        self._codec = Codec(settings.schema_registry_url, self._keyring)
        dead_letters = DeadLetters(settings, self._codec)
        by_topic = defaultdict(list)
        for projection in store.projections:
            by_topic[projection.topic].append(projection)
        self._appliers = {
            topic: Applier(topic, projections, store.sink, self._codec, dead_letters)
            for topic, projections in by_topic.items()
        }
        self._held: set[TP] = set()
        """Partitions that are assigned, and whose offsets the appliers know."""
        self._queues: dict[str, asyncio.Queue[EventT[Any]]] = {}
        self._failed: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._app = self._create_app()

    async def run(self, stop: asyncio.Event) -> None:
        """Serve until `stop` is set. Raises what made it impossible to go on."""
        await self._store.sink.open()
        await self._topics_exist()
        meter = LagMeter(
            lag_path(self._settings, self._store.name), self._appliers.values(), self._ends, self._is_waiting
        )
        measuring = asyncio.create_task(meter.run())
        serving = asyncio.create_task(self._serve())
        checking = asyncio.create_task(self._check())
        stopping = asyncio.create_task(stop.wait())
        tasks: set[asyncio.Future[Any]] = {self._failed, measuring, serving, checking, stopping}
        if self._keyring is not None:
            tasks.add(asyncio.create_task(self._erase(self._keyring)))
        try:
            done, _ = await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
            for task in done:
                task.result()
        finally:
            for task in tasks:
                task.cancel()
            await self._app.stop()
            await self._store.sink.close()
            self._codec.close()

    async def _check(self) -> None:
        """Find out, without an event to write, that tables were dropped or another version was made live."""
        while True:
            await asyncio.sleep(CHECK_EVERY_S)
            for topic, applier in self._appliers.items():
                await applier.check([tp.partition for tp in self._held if tp.topic == topic])

    async def _erase(self, keyring: KafkaKeyring) -> None:
        """Empty what the tables hold of users who are erased.

        What this process reads from then on is empty already; what a rebuild that began before may have brought is
        emptied when this process starts over on the new version.
        """
        done: frozenset[str] = frozenset()
        while True:
            try:
                erased = await asyncio.to_thread(keyring.erased)
            except KeysUnavailable as error:
                log.warning("it is not known who is erased, retrying", error=str(error))
            else:
                if erased - done:
                    for applier in self._appliers.values():
                        await applier.erase(erased - done)
                    log.info("users erased", count=len(erased - done))
                done = erased
            await asyncio.sleep(ERASE_EVERY_S)

    async def _serve(self) -> None:
        await self._app.start()
        await self._app.wait_until_stopped()
        raise self._app.crash_reason or RuntimeError("the consumer stopped")

    def _create_app(self) -> App:
        name = f"projections-{self._store.name}"
        app = App(self._settings, name, self._start_offsets, self._store.fetch_min_bytes)
        for topic, applier in self._appliers.items():
            self._add_agent(app, topic, applier)
        app.on_partitions_revoked.connect(self._hand_over)
        app.on_partitions_assigned.connect(self._assigned)
        return app

    def _add_agent(self, app: App, topic: str, applier: Applier) -> None:
        async def project(stream: Any) -> None:
            queue = self._queues[topic] = stream.channel.queue
            try:
                async for event in stream.events():
                    began = time.monotonic()
                    if await self._round(applier, event, queue) < BATCH:
                        # As long as it took: a busy topic leaves half of the time to others, and its rounds grow.
                        await asyncio.sleep(max(self._store.rest_s, time.monotonic() - began))
            except Exception as error:
                if not self._failed.done():
                    self._failed.set_exception(error)

        channel = app.topic(topic, key_serializer="raw", value_serializer="raw", allow_empty=True, acks=False)
        app.agent(channel, name=f"project-{topic}", concurrency=1)(project)

    async def _round(self, applier: Applier, first: EventT[Any], queue: asyncio.Queue[EventT[Any]]) -> int:
        """Apply the event and those that wait behind it; how many."""
        events = [first]
        while len(events) < BATCH and not queue.empty():
            events.append(queue.get_nowait())
        generation = self._app.consumer_generation_id
        by_partition: dict[int, list[Raw]] = defaultdict(list)
        for event in events:
            message = event.message
            if message.generation_id == generation:
                by_partition[message.partition].append(
                    Raw(message.offset, message.timestamp, message.key, message.value)
                )
        for partition, raws in by_partition.items():
            # A rebalance may come between two partitions: whoever holds this one then reads its records again.
            if TP(applier.topic, partition) in self._held and self._app.consumer_generation_id == generation:
                await applier.apply(partition, raws)
        return len(events)

    async def _start_offsets(self, assigned: set[TP]) -> Mapping[TP, int]:
        by_topic: dict[str, list[int]] = defaultdict(list)
        for tp in assigned:
            by_topic[tp.topic].append(tp.partition)
        offsets = {
            TP(topic, partition): offset
            for topic, partitions in by_topic.items()
            for partition, offset in (await self._appliers[topic].start_offsets(partitions)).items()
        }
        self._held = set(assigned)
        return offsets

    async def _hand_over(self, _: Any, /, *arguments: Any, **__: Any) -> None:
        (revoked,) = arguments
        self._held -= set(revoked)
        idle = (self._appliers[topic].idle() for topic in {tp.topic for tp in revoked})
        try:
            await asyncio.wait_for(asyncio.gather(*idle), HAND_OVER_S)
        except TimeoutError:
            log.warning("partitions are taken while a batch is being written", partitions=len(revoked))

    async def _assigned(self, _: Any, /, *arguments: Any, **__: Any) -> None:
        (assigned,) = arguments
        log.info("partitions assigned", count=len(assigned))
        announce_ready(self._settings, f"projections-{self._store.name}")

    async def _topics_exist(self) -> None:
        """Wait for Kafka, and for whoever makes the topics."""
        admin = AdminClient(client_config(self._settings) | {"log_level": 0})
        while True:
            try:
                known = (await asyncio.to_thread(admin.list_topics, timeout=10.0)).topics
                missing = sorted(self._appliers.keys() - known.keys())
                if not missing:
                    return
                log.warning("topics are missing", topics=missing)
            except KafkaException as error:
                log.warning("Kafka is away, retrying", error=str(error))
            await asyncio.sleep(RETRY_S)

    def _ends(self, topic: str, partition: int) -> Ends | None:
        ends = self._app.ends(TP(topic, partition))
        return None if ends is None else Ends(*ends)

    def _is_waiting(self, topic: str) -> bool:
        return topic in self._queues and not self._queues[topic].empty()
