"""Changes merge per key, and the result does not depend on where batches are cut."""

from __future__ import annotations

from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from projections.tables import DELETE, INSERT, REPLACE, Change, Row, Table, by_shape, merge
from tests.projections.interpreter import Rows, apply

THING = Table(
    "things",
    {"id": "int", "a": "int", "b": "int", "first": "int"},
    once=frozenset({"first"}),
)
PAIR = Table("pairs", {"left": "int", "right": "int", "value": "int"}, key_width=2)


def upsert(*sets: str, key: int = 1, a: int = 0, b: int = 0, first: int | None = None) -> Change:
    return Change(THING, (key, a, b, first), frozenset(sets))


def rows_after(*changes: Change) -> Rows:
    """Applied one at a time."""
    rows: Rows = {}
    for change in changes:
        apply(rows, merge([change]))
    return rows


def test_an_upsert_sets_its_columns_and_leaves_the_others() -> None:
    assert rows_after(upsert("a", a=1, b=9), upsert("b", a=5, b=2)) == {("things", (1,)): (1, 1, 2, None)}


def test_an_insert_leaves_a_row_already_there() -> None:
    assert rows_after(upsert(a=1), upsert(a=2)) == {("things", (1,)): (1, 1, 0, None)}


def test_a_column_set_once_keeps_its_first_value() -> None:
    assert rows_after(upsert("first", first=7), upsert("first", first=8)) == {("things", (1,)): (1, 0, 0, 7)}


def test_a_replacement_takes_all_values_even_of_columns_set_once() -> None:
    replacement = Change(THING, (1, 3, 4, 5), REPLACE)
    assert rows_after(upsert("first", first=7), replacement) == {("things", (1,)): (1, 3, 4, 5)}


def test_a_delete_names_the_whole_key() -> None:
    assert PAIR.delete(1, 2) == Change(PAIR, (1, 2, None), DELETE)
    pairs = [Change(PAIR, (1, right, 0), INSERT) for right in (2, 3)]
    assert rows_after(*pairs, PAIR.delete(1, 2)) == {("pairs", (1, 3)): (1, 3, 0)}


def test_what_comes_after_a_delete_begins_anew() -> None:
    merged = merge([upsert("first", first=7), THING.delete(1), upsert("first", first=8)])
    assert [change.sets for change in merged[THING].values()] == [REPLACE]
    rows: Rows = {("things", (1,)): (1, 1, 1, 1)}
    apply(rows, merged)
    assert rows == {("things", (1,)): (1, 0, 0, 8)}


def test_a_batch_holds_one_change_per_key_grouped_by_shape() -> None:
    merged = merge([upsert("a", a=1), upsert("b", b=2), upsert("a", key=2, a=3), THING.delete(3)])
    assert by_shape(merged[THING]) == {
        frozenset({"a", "b"}): [(1, 1, 2, None)],
        frozenset({"a"}): [(2, 3, 0, None)],
        DELETE: [(3, None, None, None)],
    }


@st.composite
def changes(draw: st.DrawFn) -> Change:
    key, value = draw(st.integers(1, 3)), st.integers(1, 9)
    kind = draw(st.sampled_from(["delete", "replace", "upsert"]))
    if kind == "delete":
        return THING.delete(key)
    if kind == "replace":
        return Change(THING, (key, draw(value), draw(value), draw(value)), REPLACE)
    sets = draw(st.frozensets(st.sampled_from(["a", "b", "first"])))
    row: Row = (key, draw(value), draw(value), draw(value) if "first" in sets else None)
    return Change(THING, row, sets)


@given(st.lists(changes(), max_size=12), st.data())
def test_any_batching_gives_the_same_rows(log: list[Change], data: st.DataObject) -> None:
    rows: Rows = {}
    rest: list[Any] = log
    while rest:
        size = data.draw(st.integers(1, len(rest)))
        apply(rows, merge(rest[:size]))
        rest = rest[size:]
    assert rows == rows_after(*log)
