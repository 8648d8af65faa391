"""Loads one partition of one topic into one version of a read model: read, decode, fold, write."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import closing, contextmanager
from datetime import datetime
from typing import Any, NamedTuple

from confluent_kafka import Message

from projections.clickhouse.log import micros_of
from projections.contract import Advance, Fenced, Record, Refused
from projections.replay.clickhouse_copies import ClickHouseCopies
from projections.replay.copies import Copies, Loader
from projections.replay.errors import PoisonFound
from projections.replay.names import ReadModel, StoreName, read_model
from projections.replay.postgres_copies import PostgresCopies
from projections.replay.reader import Reader, offset_of
from schemas.wire import Codec, WireError
from topology.settings import Settings
from topology.subject_keys.keyring import open_keyring

_TAKEOVERS = 3
_LOOK = 100


class Load(NamedTuple):
    """A partition to load up to `stop`, or without it up to its end. Goes on from the version's own progress."""

    model: str
    version: int
    partition: int
    stop: int | None = None
    until: datetime | None = None
    """Events that occurred later are passed over."""
    skip_poison: bool = False


class Loaded(NamedTuple):
    """A step that a load made: `next_offset` is in the store."""

    load: Load
    next_offset: int
    events: int
    skipped: Sequence[PoisonFound] = ()


class Workshop:
    """What loading needs, opened on first use and kept for the next load. For one thread."""

    def __init__(self, settings: Settings) -> None:
        self.settings = settings
        self.reader = Reader(settings)
        keyring = open_keyring(settings)
        self._codec = Codec(settings.schema_registry_url, keyring)
        self._plain_codec = Codec(settings.schema_registry_url, keyring, plain_times=True)
        self._copies: dict[StoreName, Copies] = {}

    def close(self) -> None:
        self.reader.close()
        self._codec.close()
        self._plain_codec.close()
        for copies in self._copies.values():
            copies.close()

    def copies(self, store: StoreName) -> Copies:
        if store not in self._copies:
            make = PostgresCopies if store == "postgres" else ClickHouseCopies
            self._copies[store] = make(self.settings)
        return self._copies[store]

    def occurred_at(self, topic: str, partition: int, start: int) -> datetime | None:
        """When the first readable event from `start` on occurred; None without one."""
        with closing(self.reader.batches(topic, partition, start, None, _LOOK)) as batches:
            for message in (message for batch in batches for message in batch.messages):
                try:
                    at = self._codec.decode(message.value()).fields.get("occurred_at")
                except WireError:
                    continue
                if isinstance(at, datetime):
                    return at
        return None

    def load(self, load: Load, told: Callable[[Loaded], None]) -> None:
        """Raises PoisonFound, and what Kafka, the registry and the store raise; what was told is kept.

        A worker of a run that was killed may still write its last batch: reading goes on behind it.
        """
        for _ in range(_TAKEOVERS):
            try:
                return self._load(load, told)
            except Fenced as error:
                fenced = error
        raise fenced

    def _load(self, load: Load, told: Callable[[Loaded], None]) -> None:
        model = read_model(load.model)
        copies = self.copies(model.store)
        expected = copies.progress(model.projection, load.version).get(load.partition, 0)
        codec = self._plain_codec if copies.plain_times else self._codec
        until = micros_of(load.until) if load.until and copies.plain_times else load.until
        loading = _Loading(load, model, copies.loader(model.projection, load.version), codec, until)
        batches = self.reader.batches(model.topic, load.partition, expected, load.stop, copies.batch)
        with closing(batches):
            for batch in batches:
                events = loading.apply(batch.messages, expected, batch.next_offset)
                expected = batch.next_offset
                told(Loaded(load, expected, events, loading.skipped))
                loading.skipped = []


@contextmanager
def workshop(settings: Settings) -> Iterator[Workshop]:
    shop = Workshop(settings)
    try:
        yield shop
    finally:
        shop.close()


class _Loading:
    def __init__(
        self, load: Load, model: ReadModel, loader: Loader, codec: Codec, until: datetime | int | None
    ) -> None:
        self._load, self._loader, self._codec = load, loader, codec
        self._projection: Any = model.projection
        self._until = until
        self.skipped: list[PoisonFound] = []

    def apply(self, messages: Sequence[Message], expected: int, next_offset: int) -> int:
        """Returns how many events were in it."""
        records = list(self._records(messages))
        self._write(records, expected, next_offset)
        return len(messages)

    def _records(self, messages: Sequence[Message]) -> Iterator[Record]:
        decode, until = self._codec.decode, self._until
        for message in messages:
            offset = offset_of(message)
            try:
                decoded = decode(message.value())
            except WireError as error:
                self._poison(offset, str(error))
                continue
            if until is None or not _is_later(decoded.fields.get("occurred_at"), until):
                yield Record(offset, decoded.type, decoded.fields)

    def _write(self, records: list[Record], expected: int, next_offset: int) -> None:
        """All as one; halved until the poison among them is found."""
        try:
            changes = self._fold(records)
            at = records[-1].fields["occurred_at"] if records else None
            event_time = at if isinstance(at, datetime) else None
            self._loader.write(Advance(self._load.partition, expected, next_offset, event_time), changes)
        except Refused as error:
            if len(records) > 1:
                half = len(records) // 2
                between = records[half].offset
                self._write(records[:half], expected, between)
                self._write(records[half:], between, next_offset)
            else:
                self._poison(records[0].offset, str(error))
                self._write([], expected, next_offset)

    def _fold(self, records: list[Record]) -> Any:
        try:
            return self._projection.fold(records)
        except Exception as error:
            raise Refused(f"{type(error).__name__}: {error}") from error

    def _poison(self, offset: int, reason: str) -> None:
        poison = PoisonFound(self._projection.topic, self._load.partition, offset, reason)
        if not self._load.skip_poison:
            raise poison
        self.skipped.append(poison)


def _is_later(occurred_at: object, until: datetime | int) -> bool:
    """Of two times of the same form; an event without a readable time is not."""
    if isinstance(occurred_at, datetime) and isinstance(until, datetime):
        return occurred_at > until
    return isinstance(occurred_at, int) and isinstance(until, int) and occurred_at > until
