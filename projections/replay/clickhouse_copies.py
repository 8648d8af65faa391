"""Versions of the ClickHouse logs. Their rows hold their progress, so filling one is what the live sink does."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

from projections.clickhouse.columns import columns_of
from projections.clickhouse.database import Database
from projections.clickhouse.layout import DATABASE, create_view, key_of, storage_of, view_of
from projections.clickhouse.log import Block, EventLog
from projections.clickhouse.rollups import create_rollups, rollups_of
from projections.contract import Advance
from projections.replay.copies import Offsets, Print, TableDrift, Window
from topology.settings import Settings

_EXAMPLES = 3
_TRIES = 3


class ClickHouseCopies:
    batch = 20_000  # the larger the block, the less there is to merge
    plain_times = True

    def __init__(self, settings: Settings) -> None:
        self._database = Database(settings)

    def close(self) -> None:
        self._database.close()

    def live(self, projection: EventLog) -> int | None:
        live = self._database.live(projection.topic)
        return live.version if live else None

    def live_revision(self, projection: EventLog) -> int | None:
        live = self._database.live(projection.topic)
        return live.revision if live else None

    def versions(self, projection: EventLog) -> list[int]:
        return self._database.versions(projection.topic)

    def create(self, projection: EventLog, partitions: Sequence[int]) -> int:
        return self._database.create_version(projection.topic)

    def drop(self, projection: EventLog, version: int) -> None:
        self._database.drop_version(projection.topic, version)

    def progress(self, projection: EventLog, version: int) -> dict[int, int]:
        return self._database.progress(projection.topic, version)

    def loader(self, projection: EventLog, version: int) -> ClickHouseLoader:
        return ClickHouseLoader(self._database, projection, version)

    def finish(self, projection: EventLog, version: int, *, for_readers: bool) -> None:
        """Nothing: parts merge by themselves, and readers need not wait for it."""

    def switch(self, projection: EventLog, version: int, catch_up: Callable[[Offsets], None]) -> None:
        """The live writer cannot be held, so what it wrote while the view changed is caught up behind it. Both may
        write the same rows then; each goes on from a gapless beginning, and rows count once.
        """
        live = self.live(projection)
        if live is not None:
            catch_up(self.progress(projection, live))
        self._database.switch(projection.topic, version)
        if live is not None:
            catch_up(self.progress(projection, live))

    def publish_as(self, projection: EventLog, version: int, label: str) -> str:
        """In the same database, which analysts may read: `chat_until_...`, and the rollups likewise."""
        at = f"_{label}"
        self._database.command(create_view(DATABASE, projection.topic, version, replace=True, at=at))
        for statement in create_rollups(DATABASE, [projection.topic], at):
            self._database.command(statement)
        return f"{DATABASE}.{view_of(projection.topic)}{at}"

    def withdraw(self, projection: EventLog, label: str) -> None:
        for view in (*rollups_of(projection.topic), view_of(projection.topic)):
            self._database.command(f"DROP VIEW IF EXISTS {DATABASE}.{view}_{label}")

    def fingerprint(self, projection: EventLog, version: int) -> tuple[dict[int, int], dict[str, Print]]:
        """Rows before the progress never change, so it is read first."""
        offsets = self.progress(projection, version)
        return offsets, {view_of(projection.topic): self._print(projection, version, _between({}, offsets))}

    def compare(
        self, projection: EventLog, live: int, version: int, catch_up: Callable[[Offsets], None], window: Window
    ) -> list[TableDrift]:
        """An event appended again just behind the offsets compared takes its first row's place in the live version
        only: a difference is believed when it is still there further on.
        """
        for _ in range(_TRIES):
            offsets = self.progress(projection, live)
            catch_up(offsets)
            within = _between(window.first, offsets)
            prints = self._print(projection, live, within), self._print(projection, version, within)
            if prints[0] == prints[1]:
                return [TableDrift(view_of(projection.topic), *prints)]
        return [
            TableDrift(
                view_of(projection.topic),
                *prints,
                self._difference(projection, live, version, within),
                self._difference(projection, version, live, within),
            )
        ]

    def _print(self, projection: EventLog, version: int, within: str) -> Print:
        rows = self._database.rows(
            f"SELECT count(), toString(sum(cityHash64(formatRow('RowBinary', {_columns(projection)})))) "
            f"FROM {_events(projection, version, within)}"
        )
        return Print(*rows[0])

    def _difference(self, projection: EventLog, these: int, those: int, within: str) -> list[str]:
        key, row = key_of(projection.topic), f"formatRow('RowBinary', {_columns(projection)})"
        rows = self._database.rows(
            f"SELECT formatRow('JSONEachRow', {_columns(projection)}) FROM {_events(projection, these, within)} "
            f"AND ({key}, event_id, cityHash64({row})) NOT IN "
            f"(SELECT {key}, event_id, cityHash64({row}) FROM {_events(projection, those, within)}) LIMIT {_EXAMPLES}"
        )
        return [row.strip() for (row,) in rows]


class ClickHouseLoader:
    def __init__(self, database: Database, projection: EventLog, version: int) -> None:
        self._database, self._log, self._version = database, projection, version

    def write(self, advance: Advance, changes: Block) -> None:
        self._database.insert(self._log, self._version, advance, changes)


def _columns(projection: EventLog) -> str:
    return ", ".join(column.name for column in columns_of(projection.topic))


def _events(projection: EventLog, version: int, within: str) -> str:
    return f"{DATABASE}.{storage_of(projection.topic, version)} FINAL WHERE type != '' AND ({within})"


def _between(first: Offsets, end: Mapping[int, int]) -> str:
    """The rows from `first` on and below `end`, by partition."""
    ranges = (
        f"(_partition = {partition} AND _offset >= {first.get(partition, 0)} AND _offset < {offset})"
        for partition, offset in end.items()
    )
    return " OR ".join(ranges) or "false"
