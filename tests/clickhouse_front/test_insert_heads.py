"""Where an INSERT's statement ends and its data begins."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from topology.embedded.clickhouse.inserts import find_insert


@given(data=st.binary(max_size=200))
def test_no_data_byte_is_taken_for_the_statement(data: bytes) -> None:
    text = b"INSERT INTO tally.chat (`a`, `format`) FORMAT Native\n" + data
    head = find_insert(text)
    assert head is not None
    assert head.statement == "INSERT INTO tally.chat (`a`, `format`)"
    assert head.format == "Native"
    assert text[head.data_at :] == data


@pytest.mark.parametrize(
    ("text", "statement", "form", "data"),
    [
        (b"insert into t values (1)", "insert into t", "Values", b" (1)"),
        (b"INSERT INTO t (format) FORMAT CSV\r\n1", "INSERT INTO t (format)", "CSV", b"1"),
        (b"INSERT INTO t FORMAT CSV 1", "INSERT INTO t", "CSV", b"1"),
        (b"  INSERT INTO `values` (`a)b`) VALUES", "INSERT INTO `values` (`a)b`)", "Values", b""),
        (b"INSERT INTO t SETTINGS async_insert=0 FORMAT TSV\n", "INSERT INTO t SETTINGS async_insert=0", "TSV", b""),
    ],
)
def test_heads_as_clients_write_them(text: bytes, statement: str, form: str, data: bytes) -> None:
    head = find_insert(text)
    assert head is not None
    assert (head.statement, head.format, text[head.data_at :]) == (statement, form, data)


@pytest.mark.parametrize(
    "text",
    [
        b"SELECT 1 FORMAT CSV",
        b"INSERT INTO t SELECT 1 FORMAT CSV",
        b"INSERT INTO t WITH x AS (SELECT 1) SELECT * FROM x FORMAT CSV",
        b"INSERT INTO t; DROP TABLE t; INSERT INTO t FORMAT CSV",
        b"INSERT INTO t (a",
        b"",
    ],
)
def test_anything_else_is_a_statement(text: bytes) -> None:
    assert find_insert(text) is None
