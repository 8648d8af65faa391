"""USERNOTICE: what happens in a room besides talk, with the tags that Twitch's reference gives each kind."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime

from query_api.chat.frames import Cheer, MessageShown, Raid, Subscribed, User
from query_api.chat.irc.dialect import SERVER, flag, milliseconds, said_tags
from query_api.chat.irc.message import Message
from query_api.chat.views import colour_of
from schemas.money import minor_digits, written

Tags = Mapping[str, str]


def announcement(login: str, said: MessageShown, colour: str) -> Message:
    return _with_text(login, said, {"msg-id": "announcement", "msg-param-color": colour.upper(), "system-msg": ""})


def donation(login: str, said: MessageShown, cheer: Cheer) -> Message:
    """As Twitch tells of a gift to charity. `bits` would make bots count cents of whatever currency as Bits."""
    own = {
        "msg-id": "donation",
        "msg-param-donation-amount": str(cheer.amount_minor),
        "msg-param-donation-currency": cheer.currency,
        "msg-param-exponent": str(minor_digits(cheer.currency)),
        "system-msg": f"{said.user.name} gave {written(cheer.amount_minor, cheer.currency)}!",
    }
    return _with_text(login, said, own)


def raid(login: str, came: Raid) -> Message:
    own = {
        "msg-id": "raid",
        "msg-param-displayName": came.user.name,
        "msg-param-login": came.user.login,
        "msg-param-viewerCount": str(came.viewers),
        "system-msg": f"{came.viewers} raiders from {came.user.name} have joined!",
    }
    return _bare(login, came.room_id, came.cursor, came.user, came.timestamp, own)


def subscription(login: str, subscribed: Subscribed, roles: Sequence[str]) -> Message:
    """A first one is `sub`, and a change of tier `resub`. Only the unbroken time is known, so it is both counts."""
    again = subscribed.since < subscribed.timestamp
    months, plan = str(subscribed.months), f"Tier {subscribed.tier[:1]}"
    text = f"{subscribed.user.name} subscribed at {plan}."
    if again:
        text += f" They've subscribed for {months} month{'' if months == '1' else 's'}!"
    moderates = "moderator" in roles
    own = {
        "badge-info": f"subscriber/{months}",
        "badges": ",".join((*(f"{role}/1" for role in roles), f"subscriber/{months}")),
        "mod": flag(moderates),
        "msg-id": "resub" if again else "sub",
        "msg-param-cumulative-months": months,
        "msg-param-should-share-streak": flag(again),
        "msg-param-sub-plan": subscribed.tier,
        "msg-param-sub-plan-name": plan,
        "subscriber": "1",
        "system-msg": text,
        "user-type": "mod" if moderates else "",
    }
    if again:
        own["msg-param-streak-months"] = months
    return _bare(login, subscribed.room_id, subscribed.id, subscribed.user, subscribed.timestamp, own)


def _with_text(login: str, said: MessageShown, own: Tags) -> Message:
    tags = {**said_tags(said), "login": said.user.login, **own}
    return Message("USERNOTICE", (f"#{login}", said.content), tags, SERVER)


def _bare(login: str, room_id: str, notice_id: str, user: User, at: datetime, own: Tags) -> Message:
    tags = {
        "badge-info": "",
        "badges": "",
        "color": colour_of(user.id),
        "display-name": user.name,
        "emotes": "",
        "flags": "",
        "id": notice_id,
        "login": user.login,
        "mod": "0",
        "room-id": room_id,
        "subscriber": "0",
        "tmi-sent-ts": milliseconds(at),
        "turbo": "0",
        "user-id": user.id,
        "user-type": "",
    }
    return Message("USERNOTICE", (f"#{login}",), {**tags, **own}, SERVER)
