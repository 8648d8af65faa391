"""Applies a topic's records to its projections, and sets poison aside."""

from __future__ import annotations

import asyncio
from collections.abc import Collection, Iterable, Sequence
from datetime import datetime
from itertools import groupby
from typing import Any, NamedTuple

import structlog

from projections.contract import Advance, Projection, Record, Refused, Sink
from projections.live.dead_letters import DeadLetters, Raw
from projections.live.tolerance import Tolerance
from schemas.wire import Codec, WireError

log = structlog.get_logger()

RETRY_S = 1.0


class Entry(NamedTuple):
    """A record and what came of reading it: without `record` it is poison, for `reason`."""

    raw: Raw
    record: Record | None
    reason: str = ""


class Applier:
    """One topic's. Each projection keeps a progress of its own, so records are applied only where they are new."""

    def __init__(
        self,
        topic: str,
        projections: Iterable[Projection[Any]],
        sink: Sink[Any, Any],
        codec: Codec,
        dead_letters: DeadLetters,
    ) -> None:
        self.topic = topic
        self.in_hand: dict[int, float] = {}
        """Timestamp of the oldest record being applied, by partition."""
        self.next_offsets: dict[str, dict[int, int]] = {projection.name: {} for projection in projections}
        """By projection and partition."""
        self.event_times: dict[str, datetime] = {}
        """Of the last event applied, by projection."""
        self.set_aside = dict.fromkeys(self.next_offsets, 0)
        """Records set aside since the start, by projection."""
        self._projections = {projection.name: projection for projection in projections}
        self._tolerance = {name: Tolerance() for name in self._projections}
        self._sink = sink
        self._codec = codec
        self._dead_letters = dead_letters
        self._working = asyncio.Lock()

    async def start_offsets(self, partitions: Iterable[int]) -> dict[int, int]:
        """Where to read on, for newly assigned partitions: where the projection furthest behind is."""
        partitions = list(partitions)
        for name, projection in self._projections.items():
            self.next_offsets[name] = await self._sink.progress(projection, partitions)
        return {p: min(offsets[p] for offsets in self.next_offsets.values()) for p in partitions}

    async def idle(self) -> None:
        """Wait until the batch in hand is written."""
        async with self._working:
            return

    async def erase(self, subjects: Collection[str]) -> None:
        """Empty what the projections hold of these users, behind the batch in hand. Raises Fenced."""
        async with self._working:
            for projection in self._projections.values():
                await self._sink.erase(projection, subjects)

    async def check(self, partitions: Iterable[int]) -> None:
        """Raises Fenced when the sink no longer is where the assigned partitions were left."""
        async with self._working:
            for name, projection in self._projections.items():
                offsets = self.next_offsets[name]
                standing = {p: offsets[p] for p in partitions if p in offsets}
                if standing:
                    await self._sink.check(projection, standing)

    async def apply(self, partition: int, raws: Sequence[Raw]) -> None:
        """Apply consecutive records of one partition. Raises Fenced, TooMuchPoison."""
        async with self._working:
            self.in_hand[partition] = raws[0].timestamp
            try:
                entries = await self._read(raws)
                for name in self._projections:
                    await self._project(name, partition, entries)
            finally:
                del self.in_hand[partition]

    async def _read(self, raws: Sequence[Raw]) -> list[Entry]:
        while True:
            try:
                return await asyncio.to_thread(self._decode, raws)
            except Exception as error:  # whatever the registry's client meets: no record's fault
                log.warning("the schema registry is away, retrying", topic=self.topic, error=repr(error))
                await asyncio.sleep(RETRY_S)

    def _decode(self, raws: Sequence[Raw]) -> list[Entry]:
        return [self._entry(raw) for raw in raws]

    def _entry(self, raw: Raw) -> Entry:
        try:
            decoded = self._codec.decode(raw.value)
        except WireError as error:
            return Entry(raw, None, f"{type(error).__name__}: {error}")
        return Entry(raw, Record(raw.offset, decoded.type, decoded.fields))

    async def _project(self, name: str, partition: int, entries: Sequence[Entry]) -> None:
        start = self.next_offsets[name][partition]
        fresh = (entry for entry in entries if entry.raw.offset >= start)
        for readable, run in groupby(fresh, key=lambda entry: entry.record is not None):
            if readable:
                await self._write(name, partition, [*run])
            else:
                for entry in run:
                    await self._set_aside(name, partition, entry.raw, entry.reason)

    async def _write(self, name: str, partition: int, entries: Sequence[Entry]) -> None:
        """Apply all of them as one; halve until the poison among them is found."""
        records = [entry.record for entry in entries if entry.record is not None]
        at = records[-1].fields.get("occurred_at")
        try:
            await self._step(name, partition, records[-1].offset + 1, records, at if isinstance(at, datetime) else None)
        except Refused as error:
            if len(entries) == 1:
                await self._set_aside(name, partition, entries[0].raw, str(error))
            else:
                half = len(entries) // 2
                await self._write(name, partition, entries[:half])
                await self._write(name, partition, entries[half:])
        else:
            self._tolerance[name].passed(len(records))

    async def _set_aside(self, name: str, partition: int, raw: Raw, reason: str) -> None:
        self._tolerance[name].poisoned(f"{self.topic}:{partition}:{raw.offset}: {reason}")
        await self._dead_letters.set_aside(name, self.topic, partition, raw, reason)
        self.set_aside[name] += 1
        await self._step(name, partition, raw.offset + 1, (), None)

    async def _step(
        self, name: str, partition: int, next_offset: int, records: Sequence[Record], event_time: datetime | None
    ) -> None:
        """Fold and write, with the progress. Raises Refused when at least one record is poison."""
        projection = self._projections[name]
        try:
            changes = projection.fold(records)
        except Exception as error:
            raise Refused(f"{type(error).__name__}: {error}") from error
        advance = Advance(partition, self.next_offsets[name][partition], next_offset, event_time)
        await self._sink.write(projection, advance, changes)
        self.next_offsets[name][partition] = next_offset
        if event_time is not None:
            self.event_times[name] = event_time
