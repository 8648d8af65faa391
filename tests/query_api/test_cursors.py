from __future__ import annotations

import base64
from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from query_api.errors import ApiError
from query_api.pages import by_count, by_time, cursor_of, keys_of, paged

PRINTABLE = st.text(st.characters(min_codepoint=0x20, max_codepoint=0x7E), max_size=100)


@given(st.integers(0, 2**63 - 1), PRINTABLE)
def test_a_cursor_gives_back_a_count_and_an_id(count: int, item: str) -> None:
    assert keys_of(cursor_of((count, item), by_count), by_count) == (count, item)


@given(st.datetimes(timezones=st.just(UTC)), PRINTABLE)
def test_a_cursor_gives_back_a_time_to_the_microsecond(time: datetime, item: str) -> None:
    assert keys_of(cursor_of((time, item), by_time), by_time) == (time, item)


@given(st.text(max_size=400))
def test_anything_else_is_refused_by_name(text: str) -> None:
    with pytest.raises(ApiError, match="after"):
        keys_of(text, by_time)


@pytest.mark.parametrize("keys", ['[-1,"a"]', f'[{2**63},"a"]', '[1,"\\u0000"]', "[1]", "{}", "null"])
def test_a_forged_cursor_cannot_reach_the_database(keys: str) -> None:
    forged = base64.urlsafe_b64encode(keys.encode()).decode()
    with pytest.raises(ApiError):
        keys_of(forged, by_count)


def test_a_cursor_of_another_list_is_refused() -> None:
    with pytest.raises(ApiError):
        keys_of(cursor_of((3, "a"), by_count), by_time)


@pytest.mark.parametrize("time", ["3", '"0001-01-01T00:00:00+14:00"', '"2026-01-01T00:00:00"'])
def test_a_forged_time_cannot_reach_the_database(time: str) -> None:
    with pytest.raises(ApiError):
        keys_of(base64.urlsafe_b64encode(f'[{time},"a"]'.encode()).decode(), by_time)


def test_only_a_row_too_many_makes_a_next_page() -> None:
    rows = [{"n": 2, "id": "b"}, {"n": 1, "id": "a"}]
    whole, last = paged(rows, 2, by_count, lambda row: (row["n"], row["id"]))  # type: ignore[arg-type]
    assert (len(whole), last.cursor) == (2, None)
    cut, next_page = paged(rows, 1, by_count, lambda row: (row["n"], row["id"]))  # type: ignore[arg-type]
    assert len(cut) == 1
    assert next_page.cursor is not None
    assert keys_of(next_page.cursor, by_count) == (2, "b")
