"""SQL for a table's changes, one statement per shape."""

from __future__ import annotations

from functools import cache

from projections.tables import DELETE, REPLACE, Shape, Table


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


def _assignments(table: Table, shape: Shape) -> list[str]:
    if shape == REPLACE:
        return [f"{name} = excluded.{name}" for name in table.columns if name not in table.key]
    return [
        f"{name} = COALESCE(t.{name}, excluded.{name})" if name in table.once else f"{name} = excluded.{name}"
        for name in table.columns
        if name in shape
    ]
