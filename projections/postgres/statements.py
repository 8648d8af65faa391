"""SQL for a table's changes, one statement per shape."""

from __future__ import annotations

from functools import cache
from typing import NamedTuple

from projections.tables import DELETE, REPLACE, Model, Shape, Table


def schema_name(projection: str, version: int) -> str:
    """Where one version of a projection's tables lives: `rm_stream_health_v1`."""
    return f"rm_{projection.replace('-', '_')}_v{version}"


@cache
def change_statement(schema: str, table: Table, shape: Shape, source: str) -> str:
    """Apply the rows of `source` (a FROM item with all of the table's columns, keys distinct) in this shape."""
    target = f"{schema}.{table.name}"
    if shape == DELETE:
        keys = " AND ".join(f"t.{name} = n.{name}" for name in table.key)
        return f"DELETE FROM {target} t USING {source} n WHERE {keys}"
    insert = f"INSERT INTO {target} AS t SELECT n.* FROM {source} n ON CONFLICT ({', '.join(table.key)}) DO"
    if not shape:
        return f"{insert} NOTHING"
    return f"{insert} UPDATE SET {', '.join(_assignments(table, shape))}"


def remains(schema: str, model: Model) -> list[str]:
    """Queries that count the rows with a personal text about one of the users in $1, one per column."""
    return [f"SELECT count(*) FROM {schema}.{one.table} WHERE {one.condition}" for one in _personal(model)]


def erasures(schema: str, model: Model) -> list[str]:
    """Statements that empty the personal texts about the users in $1, one per column."""
    return [f"UPDATE {schema}.{one.table} SET {one.column} = '' WHERE {one.condition}" for one in _personal(model)]


class _Personal(NamedTuple):
    table: str
    column: str
    condition: str


def _personal(model: Model) -> list[_Personal]:
    return [
        _Personal(table.name, column, f"{about.column} = ANY($1) AND ({about.where}) AND {column} <> ''")
        for table in model.tables
        for column, about in table.personal.items()
    ]


def _assignments(table: Table, shape: Shape) -> list[str]:
    if shape == REPLACE:
        return [f"{name} = excluded.{name}" for name in table.columns if name not in table.key]
    return [
        f"{name} = COALESCE(t.{name}, excluded.{name})" if name in table.once else f"{name} = excluded.{name}"
        for name in table.columns
        if name in shape
    ]
