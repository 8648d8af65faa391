"""Events with blanks, and the tables that folding them gives."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any, get_origin

from projections.contract import Record
from projections.tables import Model
from schemas.catalog import BY_FULL_NAME
from tests.projections.interpreter import Rows, apply

START = datetime(2026, 3, 4, 5, 6, 7, 890123, UTC)


def at(minute: int) -> datetime:
    return START + timedelta(minutes=minute)


def record(type_: str, minute: int = 0, **fields: Any) -> Record:
    """An event with the given fields, and blanks for the others."""
    model = next(m for name, m in BY_FULL_NAME.items() if name.endswith(f".{type_}"))
    blank: dict[Any, Any] = {str: "", float: 0.0, bool: False, bytes: b"", datetime: at(0), list: [], dict: {}}
    kinds = {name: get_origin(info.annotation) or info.annotation for name, info in model.model_fields.items()}
    blanks = {name: blank.get(kind, 0) for name, kind in kinds.items()}
    unknown = fields.keys() - blanks.keys()
    assert not unknown, f"{type_} has no {unknown}"
    return Record(0, type_, blanks | {"occurred_at": at(minute)} | fields)


def tables_after(model: Model, *records: Record) -> dict[str, list[dict[str, Any]]]:
    """The model's tables, folded one by one, as lists of rows."""
    rows: Rows = {}
    for one in records:
        apply(rows, model.fold([one]))
    return {
        table.name: [
            dict(zip(table.columns, row, strict=True)) for (name, _), row in sorted(rows.items()) if name == table.name
        ]
        for table in model.tables
    }
