"""A change that could not read old records fails the build."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from pydantic import create_model

from schemas.avro import schema_of
from schemas.catalog import BY_FULL_NAME
from schemas.events.chat import MessageSent
from schemas.history import HISTORY, BreakingChangeError, check, freeze, frozen, is_frozen
from schemas.message import Message

MODELS = pytest.mark.parametrize("model", BY_FULL_NAME.values(), ids=BY_FULL_NAME)


@MODELS
def test_every_model_reads_all_of_its_frozen_versions(model: type[Message]) -> None:
    check(model)


@MODELS
def test_every_model_is_frozen(model: type[Message]) -> None:
    assert is_frozen(model), "run: python -m schemas.history, and commit the new version with the change"


def test_no_record_type_of_the_past_was_dropped() -> None:
    assert {folder.name for folder in HISTORY.iterdir()} <= set(BY_FULL_NAME), "old records of it could not be read"


@MODELS
def test_versions_are_numbered_without_a_gap(model: type[Message]) -> None:
    numbers = sorted(frozen(model.full_name()))
    assert numbers == list(range(1, len(numbers) + 1))


def changed(**fields: Any) -> type[Message]:
    """MessageSent with other fields, as a change of the model would make it."""
    return create_model("MessageSent", __base__=MessageSent, __doc__=MessageSent.__doc__, **fields)


@pytest.mark.parametrize(
    ("fields", "named"),
    [
        ({"text": (int, ...)}, "text"),
        ({"mood": (str, ...)}, "mood"),
        ({"reply_parent_id": (str, "")}, "reply_parent_id"),
    ],
    ids=["another type", "a new field without a default", "None taken away"],
)
def test_a_breaking_change_is_refused_by_field(fields: dict[str, Any], named: str, tmp_path: Path) -> None:
    freeze(MessageSent, tmp_path)
    with pytest.raises(BreakingChangeError, match=f"tally.chat.MessageSent: field '{named}'"):
        freeze(changed(**fields), tmp_path)
    with pytest.raises(BreakingChangeError, match=named):
        check(changed(**fields))


def test_a_new_field_with_a_default_becomes_the_next_version(tmp_path: Path) -> None:
    freeze(MessageSent, tmp_path)
    wider = changed(mood=(str, "calm"))
    assert not is_frozen(wider, tmp_path)
    path = freeze(wider, tmp_path)
    assert path == tmp_path / "tally.chat.MessageSent" / "2.avsc"
    assert frozen("tally.chat.MessageSent", tmp_path)[2] == schema_of(wider)
    assert freeze(wider, tmp_path) is None


def test_every_earlier_version_counts_and_not_the_last_alone(tmp_path: Path) -> None:
    freeze(MessageSent, tmp_path)
    freeze(changed(mood=(str, "calm")), tmp_path)
    with pytest.raises(BreakingChangeError, match="against version 1"):
        freeze(changed(mood=(str, ...)), tmp_path)


def test_a_change_of_docs_needs_no_version(tmp_path: Path) -> None:
    freeze(MessageSent, tmp_path)
    reworded = create_model("MessageSent", __base__=MessageSent, __doc__="Somebody said something.")
    assert freeze(reworded, tmp_path) is None
