"""What changes mean, as a dict of rows: the model that Postgres is held against."""

from __future__ import annotations

from projections.tables import DELETE, REPLACE, Changes, Row

Rows = dict[tuple[str, Row], Row]
"""By table and key."""


def apply(rows: Rows, changes: Changes) -> None:
    for table, of_table in changes.items():
        for key, change in of_table.items():
            place = (table.name, key)
            present = rows.get(place)
            if change.sets == DELETE:
                rows.pop(place, None)
            elif present is None or change.sets == REPLACE:
                rows[place] = change.row
            else:
                rows[place] = tuple(
                    new if name in change.sets and not (name in table.once and old is not None) else old
                    for name, old, new in zip(table.columns, present, change.row, strict=True)
                )
