"""Every read model says where it keeps personal texts, and whom they are about."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from typing import Any

import pytest

from projections.clickhouse.columns import columns_of
from projections.clickhouse.erasing import texts_of
from projections.models import MODELS
from projections.tables import Model, Subject
from schemas.catalog import events_of
from schemas.message import Event
from schemas.sealing import personal_of
from tests.projections.folding import record, tables_after
from topology.topics import EVENT_TOPICS

PERSONAL = [
    pytest.param(model, event, id=event.__name__)
    for model in MODELS
    for event in events_of(model.topic)
    if personal_of(event)
]


def is_about(row: dict[str, Any], subject: Subject, user_id: str) -> bool:
    """Whether an erasure of the user would empty the column in this row."""
    plain = {name: value for name, value in row.items() if isinstance(value, str)}
    columns = ", ".join(f":{name} AS {name}" for name in plain)
    with closing(sqlite3.connect(":memory:")) as database:
        holds = database.execute(f"SELECT {subject.where} FROM (SELECT {columns})", plain).fetchone()[0]
    return bool(holds) and row[subject.column] == user_id


@pytest.mark.parametrize(("model", "event"), PERSONAL)
def test_an_erasure_of_its_subject_empties_each_personal_text_and_nothing_else(
    model: Model, event: type[Event]
) -> None:
    found = personal_of(event)
    assert found
    for text, about in found.fields:
        fields: dict[str, Any] = {text: "said", about: "the subject"}
        rows = tables_after(model, record(event.__name__, **fields))
        for table in model.tables:
            for row in rows[table.name]:
                holding = {name for name, value in row.items() if value == "said"}
                subjects = table.personal
                emptied = {name for name in subjects if is_about(row, subjects[name], "the subject")}
                assert holding <= emptied, f"{table.name} keeps {text} where no erasure finds it"
                assert all(row[name] in ("said", "", None) for name in emptied)


def test_what_another_action_says_is_not_taken_for_a_blocked_term() -> None:
    channels = next(model for model in MODELS if model.name == "channels")
    actions = next(table for table in channels.tables if table.name == "channel_actions")
    (row,) = tables_after(channels, record("ChatSettingsUpdated", channel_id="1", slow_mode_s=30))[actions.name]
    assert row["detail"]
    assert not is_about(row, actions.personal["detail"], "1")


@pytest.mark.parametrize("topic", [topic.name for topic in EVENT_TOPICS])
def test_every_text_that_clickhouse_empties_is_a_column_of_the_topic(topic: str) -> None:
    columns = {column.name for column in columns_of(topic)}
    assert {column for column, _ in texts_of(topic, ["1"])} <= columns


def test_a_user_id_cannot_leave_its_quotes() -> None:
    _, where = next(texts_of("chat", ["x') OR ('a' = 'a"]))
    assert r"IN ('x\') OR (\'a\' = \'a')" in where
