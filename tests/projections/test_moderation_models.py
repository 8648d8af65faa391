"""Given what a channel's owner and moderators did, the read models hold these rows."""

from __future__ import annotations

from typing import Any

import pytest

from projections.contract import Record
from projections.models import channels
from tests.projections.folding import at, record, tables_after

OF_ADA: dict[str, Any] = {"channel_id": "1"}


def rows(table: str, *records: Record) -> list[dict[str, Any]]:
    return tables_after(channels.MODEL, *records)[table]


@pytest.mark.parametrize(
    ("added", "removed", "role"),
    [("ModeratorAdded", "ModeratorRemoved", "moderator"), ("VipAdded", "VipRemoved", "vip")],
)
def test_a_role_is_there_until_it_is_taken_away(added: str, removed: str, role: str) -> None:
    log = [record(added, 1, **OF_ADA, target_id="2"), record(removed, 2, **OF_ADA, target_id="2")]
    assert rows("channel_roles", log[0]) == [{**OF_ADA, "role": role, "user_id": "2", "since": at(1)}]
    assert rows("channel_roles", *log) == []


def test_a_ban_replaces_the_one_before_until_it_is_lifted() -> None:
    log = [
        record("UserBanned", 1, **OF_ADA, target_id="3", actor="2", reason="spam", expires_at=at(11)),
        record("UserBanned", 2, **OF_ADA, target_id="3", actor="1", reason="more spam", expires_at=None),
        record("UserUnbanned", 3, **OF_ADA, target_id="3", actor="2"),
    ]
    ban = {**OF_ADA, "user_id": "3"}
    assert rows("bans", log[0]) == [
        {**ban, "moderator_id": "2", "reason": "spam", "created_at": at(1), "expires_at": at(11)}
    ]
    assert rows("bans", *log[:2]) == [
        {**ban, "moderator_id": "1", "reason": "more spam", "created_at": at(2), "expires_at": None}
    ]
    assert rows("bans", *log) == []


def test_a_warning_stands_until_it_is_read_and_another_stands_anew() -> None:
    log = [
        record("UserWarned", 1, **OF_ADA, target_id="3", actor="2", reason="spoilers"),
        record("WarningAcknowledged", 2, **OF_ADA, target_id="3", actor="3"),
        record("UserWarned", 3, **OF_ADA, target_id="3", actor="2", reason="again"),
    ]
    warning = {**OF_ADA, "user_id": "3", "moderator_id": "2"}
    first = {**warning, "reason": "spoilers", "warned_at": at(1)}
    assert rows("warnings", log[0]) == [{**first, "acknowledged_at": None}]
    assert rows("warnings", *log[:2]) == [{**first, "acknowledged_at": at(2)}]
    assert rows("warnings", *log) == [{**warning, "reason": "again", "warned_at": at(3), "acknowledged_at": None}]


def test_an_unban_request_keeps_its_answer() -> None:
    ids = {**OF_ADA, "request_id": "r"}
    log = [
        record("UnbanRequested", 1, **ids, target_id="3", actor="3", text="sorry"),
        record("UnbanRequestResolved", 2, **ids, target_id="3", actor="2", approved=False, text="no"),
    ]
    asked = {**ids, "user_id": "3", "text": "sorry", "created_at": at(1)}
    unanswered = dict.fromkeys(("moderator_id", "approved", "resolved_at", "resolution_text"))
    assert rows("unban_requests", log[0]) == [{**asked, **unanswered}]
    assert rows("unban_requests", *log) == [
        {**asked, "moderator_id": "2", "approved": False, "resolved_at": at(2), "resolution_text": "no"}
    ]


def test_the_chats_settings_are_the_last_ones() -> None:
    modes = {"slow_mode_s": 30, "follower_mode_min": None, "subscriber_mode": True}
    others = {"emote_mode": False, "unique_chat_mode": True}
    log = [
        record("ChatSettingsUpdated", 1, **OF_ADA, slow_mode_s=5, follower_mode_min=10),
        record("ChatSettingsUpdated", 2, **OF_ADA, **modes, **others),
    ]
    assert rows("chat_settings", *log) == [{**OF_ADA, **modes, **others}]


def test_automod_has_a_level_for_each_category() -> None:
    log = record("AutoModSettingsUpdated", 1, **OF_ADA, levels={"bullying": 3}, toxicity_level=2, block_links=True)
    (settings,) = rows("automod_settings", log)
    levels = {name: level for name, level in settings.items() if level}
    assert levels == {**OF_ADA, "bullying": 3, "toxicity_level": 2, "block_links": True}
    assert settings["swearing"] == 0


def test_a_lowered_shield_remembers_who_raised_it() -> None:
    log = [
        record("ShieldModeChanged", 1, **OF_ADA, actor="2", active=True),
        record("ShieldModeChanged", 2, **OF_ADA, actor="1", active=False),
    ]
    assert rows("shield_modes", *log) == [{**OF_ADA, "active": False, "moderator_id": "2", "last_activated_at": at(1)}]


def test_a_blocked_term_is_there_until_it_is_removed() -> None:
    log = [
        record("BlockedTermAdded", 1, **OF_ADA, actor="2", term_id="t", text="spoiler"),
        record("BlockedTermRemoved", 2, **OF_ADA, actor="2", term_id="t"),
    ]
    term = {**OF_ADA, "term_id": "t", "moderator_id": "2", "text": "spoiler", "created_at": at(1)}
    assert rows("blocked_terms", log[0]) == [term]
    assert rows("blocked_terms", *log) == []


def test_a_removed_emote_keeps_its_pictures() -> None:
    facts = {
        "emote_id": "e",
        **OF_ADA,
        "name": "adaWave",
        "tier": "1000",
        "animated": True,
        "media_type": "image/webp",
        "image_1x": b"1",
        "image_2x": b"2",
        "image_3x": b"3",
    }
    log = [record("EmoteAdded", 1, **facts), record("EmoteRemoved", 2, **OF_ADA, emote_id="e")]
    assert rows("emotes", log[0]) == [{**facts, "added_at": at(1), "removed_at": None}]
    assert rows("emotes", *log) == [{**facts, "added_at": at(1), "removed_at": at(2)}]


def test_an_undone_span_is_kept_for_readers() -> None:
    log = record("ModerationUndone", 9, event_id="u", **OF_ADA, actor="1", target_id="2", since=at(1), until=at(5))
    assert rows("moderation_undone", log) == [
        {
            "event_id": "u",
            **OF_ADA,
            "moderator_id": "2",
            "since": at(1),
            "until": at(5),
            "undone_at": at(9),
        }
    ]


@pytest.mark.parametrize(
    ("type_", "facts", "expected"),
    [
        ("ModeratorAdded", {"target_id": "3"}, {"action": "mod", "target_id": "3"}),
        ("VipRemoved", {"target_id": "3"}, {"action": "unvip", "target_id": "3"}),
        (
            "UserBanned",
            {"target_id": "3", "reason": "spam", "expires_at": None},
            {"action": "ban", "target_id": "3", "reason": "spam"},
        ),
        (
            "UserBanned",
            {"target_id": "3", "reason": "", "expires_at": at(9)},
            {"action": "timeout", "target_id": "3", "expires_at": at(9)},
        ),
        ("UserUnbanned", {"target_id": "3"}, {"action": "unban", "target_id": "3"}),
        (
            "UserWarned",
            {"target_id": "3", "reason": "spoilers"},
            {"action": "warn", "target_id": "3", "reason": "spoilers"},
        ),
        (
            "UnbanRequestResolved",
            {"target_id": "3", "request_id": "r", "approved": True, "text": "welcome"},
            {"action": "approve_unban_request", "target_id": "3", "subject_id": "r", "reason": "welcome"},
        ),
        (
            "ModerationUndone",
            {"target_id": "3", "since": at(0), "until": at(1)},
            {"action": "undo", "target_id": "3", "detail": f"{at(0).isoformat()}/{at(1).isoformat()}"},
        ),
        (
            "ChatSettingsUpdated",
            {"slow_mode_s": 30, "follower_mode_min": 0, "subscriber_mode": True},
            {"action": "chat_settings", "detail": "slow 30, followers 0, subscribers"},
        ),
        (
            "AutoModSettingsUpdated",
            {"levels": {"swearing": 2, "bullying": 3}, "block_links": True},
            {"action": "automod_settings", "detail": "bullying 3, swearing 2, links"},
        ),
        ("ShieldModeChanged", {"active": True}, {"action": "shield_mode_on"}),
        (
            "BlockedTermAdded",
            {"term_id": "t", "text": "spoiler"},
            {"action": "add_blocked_term", "subject_id": "t", "detail": "spoiler"},
        ),
        ("BlockedTermRemoved", {"term_id": "t"}, {"action": "remove_blocked_term", "subject_id": "t"}),
    ],
)
def test_what_a_moderator_did_is_in_the_audit_log(type_: str, facts: dict[str, Any], expected: dict[str, Any]) -> None:
    blank = {"target_id": "", "subject_id": "", "reason": "", "detail": "", "expires_at": None}
    by = {"event_id": "x", **OF_ADA, "moderator_id": "2", "acted_at": at(1)}
    log = record(type_, 1, event_id="x", **OF_ADA, actor="2", **facts)
    assert rows("channel_actions", log) == [{**blank, **by, **expected}]


@pytest.mark.parametrize("type_", ["ChannelUpdated", "EmoteAdded", "UnbanRequested", "WarningAcknowledged"])
def test_what_no_moderator_did_is_not(type_: str) -> None:
    assert rows("channel_actions", record(type_, 1, **OF_ADA)) == []
