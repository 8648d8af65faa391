"""Given what was said and done in a chat, the read models hold these rows."""

from __future__ import annotations

from typing import Any

import pytest

from projections.contract import Record
from projections.models import chat
from tests.projections.folding import at, record, tables_after

SENDER = {"channel_id": "1", "sender_id": "2", "sender_login": "ann"}
FOUND = {"rule": "category", "category": "bullying", "level": 2, "score": 0.75, "model_version": "m1"}


def rows(table: str, *records: Record) -> list[dict[str, Any]]:
    """Every event appended twice, as chat may."""
    return tables_after(chat.MODEL, *(one for one in records for _ in range(2)))[table]


def test_a_message_is_there_with_what_it_is_shown_with() -> None:
    message = {
        **SENDER,
        "message_id": "m",
        "sender_name": "Ann",
        "text": "hi",
        "reply_parent_id": None,
        "badges": ["moderator/1", "subscriber/3"],
        "emotes": "e:0-1",
        "announcement": "blue",
    }
    assert rows("chat_messages", record("MessageSent", 1, **message)) == [
        {**message, "badges": "moderator/1 subscriber/3", "sent_at": at(1)}
    ]


def test_what_automod_holds_and_refuses_is_kept_with_its_reasons() -> None:
    held = {**SENDER, **FOUND, "message_id": "h", "sender_name": "Ann", "text": "fool", "reply_parent_id": "p"}
    refused = {**SENDER, **FOUND, "message_id": "r", "text": "worse"}
    assert rows("automod_findings", record("MessageHeld", 1, **held), record("MessageRefused", 2, **refused)) == [
        {**held, "held": True, "found_at": at(1)},
        {**refused, "sender_name": "", "reply_parent_id": None, "held": False, "found_at": at(2)},
    ]


@pytest.mark.parametrize(
    ("type_", "facts", "expected"),
    [
        (
            "MessageDeleted",
            {"message_id": "m", "sender_id": "2"},
            {"action": "delete", "target_id": "2", "subject_id": "m"},
        ),
        ("ChatCleared", {}, {"action": "clear"}),
        (
            "HeldMessageResolved",
            {"message_id": "m", "sender_id": "2", "allowed": True},
            {"action": "automod_allow", "target_id": "2", "subject_id": "m"},
        ),
        (
            "HeldMessageResolved",
            {"message_id": "m", "sender_id": "2", "allowed": False},
            {"action": "automod_deny", "target_id": "2", "subject_id": "m"},
        ),
    ],
)
def test_what_a_moderator_did_is_in_the_audit_log(type_: str, facts: dict[str, Any], expected: dict[str, Any]) -> None:
    blank = {"target_id": "", "subject_id": "", "reason": "", "detail": "", "expires_at": None}
    by = {"event_id": "x", "channel_id": "1", "moderator_id": "9", "acted_at": at(1)}
    log = record(type_, 1, event_id="x", channel_id="1", actor="9", **facts)
    assert rows("chat_actions", log) == [{**blank, **by, **expected}]


def test_each_reaction_counts_once() -> None:
    reaction = {"channel_id": "1", "message_id": "m", "emote": ":wave:", "reactor_id": "2"}
    log = [record("Reacted", minute, event_id=f"x{minute}", **reaction) for minute in (1, 2)]
    assert rows("chat_reactions", *log) == [
        {"event_id": f"x{minute}", **reaction, "reacted_at": at(minute)} for minute in (1, 2)
    ]


def test_a_raid_says_who_came() -> None:
    raid = {"channel_id": "1", "from_id": "2", "from_login": "ann", "viewers": 7}
    assert rows("raids", record("RaidReceived", 1, event_id="x", **raid)) == [
        {"event_id": "x", **raid, "raided_at": at(1)}
    ]
