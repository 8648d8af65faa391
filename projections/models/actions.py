"""What moderators did, one row an action: the audit log. Each topic has a table of its own; readers unite them.

The names of actions are those of Twitch's `channel.moderate` where it has one.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import Any

from projections.contract import Fields
from projections.tables import INSERT, Change, Subject, Table


def actions_table(name: str, *indexes: str, personal: Mapping[str, Subject] = MappingProxyType({})) -> Table:
    """A table of actions; `indexes` come besides those that the audit log is searched by."""
    return Table(
        name,
        {
            "event_id": "text",
            "channel_id": "text",
            "action": "text",
            "moderator_id": "text",
            "target_id": "text",
            "subject_id": "text",
            "reason": "text",
            "detail": "text",
            "expires_at": "timestamptz",
            "acted_at": "timestamptz",
        },
        append_only=True,
        personal=personal,
        indexes=(
            "(channel_id, acted_at DESC, event_id DESC)",
            "(channel_id, target_id, acted_at DESC)",
            "USING gin (to_tsvector('simple', reason))",
            *indexes,
        ),
    )


def action(table: Table, e: Fields, name: str, **more: Any) -> Change:
    """`subject_id` is the message, term or request that it was about; `detail` what was set."""
    blank = {"target_id": "", "subject_id": "", "reason": "", "detail": ""}
    ids = {"event_id": e["event_id"], "channel_id": e["channel_id"], "moderator_id": e["actor"]}
    return table.row(INSERT, **{**blank, **ids, "action": name, "acted_at": e["occurred_at"], **more})


CHANNEL_ACTIONS = actions_table(
    "channel_actions",
    personal={
        "reason": Subject("target_id"),
        "detail": Subject("channel_id", "action = 'add_blocked_term'"),
    },
)
"""On users, roles and the policy: from the topic `channels`."""


def _about_user(name: str) -> Callable[[Fields], Change]:
    return lambda e: action(CHANNEL_ACTIONS, e, name, target_id=e["target_id"], reason=e.get("reason", ""))


def _user_banned(e: Fields) -> Change:
    name = "ban" if e["expires_at"] is None else "timeout"
    about = {"target_id": e["target_id"], "reason": e["reason"], "expires_at": e["expires_at"]}
    return action(CHANNEL_ACTIONS, e, name, **about)


def _unban_request_resolved(e: Fields) -> Change:
    name = "approve_unban_request" if e["approved"] else "deny_unban_request"
    about = {"target_id": e["target_id"], "subject_id": e["request_id"], "reason": e["text"]}
    return action(CHANNEL_ACTIONS, e, name, **about)


def _moderation_undone(e: Fields) -> Change:
    span = f"{e['since'].isoformat()}/{e['until'].isoformat()}"
    return action(CHANNEL_ACTIONS, e, "undo", target_id=e["target_id"], detail=span)


def _chat_settings_updated(e: Fields) -> Change:
    modes = {
        "slow": e["slow_mode_s"],
        "followers": e["follower_mode_min"],
        "subscribers": e["subscriber_mode"],
        "emoteonly": e["emote_mode"],
        "uniquechat": e["unique_chat_mode"],
    }
    return action(CHANNEL_ACTIONS, e, "chat_settings", detail=_listed(modes))


def _automod_settings_updated(e: Fields) -> Change:
    more = {"toxicity": e["toxicity_level"], "links": e["block_links"], "spam": e["block_spam"]}
    return action(CHANNEL_ACTIONS, e, "automod_settings", detail=_listed({**dict(sorted(e["levels"].items())), **more}))


def _listed(settings: Mapping[str, Any]) -> str:
    """What is on: `slow 30, subscribers`."""
    return ", ".join(
        name if value is True else f"{name} {value}"
        for name, value in settings.items()
        if value is not None and value is not False and (value != 0 or name == "followers")
    )


def _shield_mode_changed(e: Fields) -> Change:
    return action(CHANNEL_ACTIONS, e, "shield_mode_on" if e["active"] else "shield_mode_off")


def _blocked_term_added(e: Fields) -> Change:
    return action(CHANNEL_ACTIONS, e, "add_blocked_term", subject_id=e["term_id"], detail=e["text"])


def _blocked_term_removed(e: Fields) -> Change:
    return action(CHANNEL_ACTIONS, e, "remove_blocked_term", subject_id=e["term_id"])


LOG: Mapping[str, Callable[[Fields], Change]] = {
    "ModeratorAdded": _about_user("mod"),
    "ModeratorRemoved": _about_user("unmod"),
    "VipAdded": _about_user("vip"),
    "VipRemoved": _about_user("unvip"),
    "UserBanned": _user_banned,
    "UserUnbanned": _about_user("unban"),
    "UserWarned": _about_user("warn"),
    "UnbanRequestResolved": _unban_request_resolved,
    "ModerationUndone": _moderation_undone,
    "ChatSettingsUpdated": _chat_settings_updated,
    "AutoModSettingsUpdated": _automod_settings_updated,
    "ShieldModeChanged": _shield_mode_changed,
    "BlockedTermAdded": _blocked_term_added,
    "BlockedTermRemoved": _blocked_term_removed,
}
