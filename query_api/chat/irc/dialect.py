"""What the server says, in Twitch's words: clients look for its very names, also that of the server."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import datetime

from query_api.chat.fragments import emotes_tag
from query_api.chat.frames import Badge, MessageShown, Modes
from query_api.chat.irc.message import Message
from query_api.chat.views import colour_of
from query_api.sessions import Session

SERVER = "tmi.twitch.tv"
CAPABILITIES = ("twitch.tv/commands", "twitch.tv/membership", "twitch.tv/tags")
NAMES_LENGTH = 400


def numeric(number: str, nick: str, *params: str) -> Message:
    return Message(number, (nick, *params), prefix=SERVER)


def source(login: str) -> str:
    """A user, as a message's prefix. What is no login any more, of an erased account, still makes one word."""
    login = re.sub(r"\W", "_", login)
    return f"{login}!{login}@{login}.{SERVER}"


def welcome(nick: str) -> Iterator[Message]:
    yield numeric("001", nick, "Welcome, GLHF!")
    yield numeric("002", nick, f"Your host is {SERVER}")
    yield numeric("003", nick, "This server is rather new")
    yield numeric("004", nick, "-")
    yield numeric("375", nick, "-")
    yield numeric("372", nick, "What is said here is kept in a log.")
    yield numeric("376", nick, ">")


def names(nick: str, login: str, logins: Iterable[str]) -> Iterator[Message]:
    line: list[str] = []
    for name in logins:
        if line and len(" ".join(line)) + len(name) > NAMES_LENGTH:
            yield numeric("353", nick, "=", f"#{login}", " ".join(line))
            line = []
        line.append(name)
    yield numeric("353", nick, "=", f"#{login}", " ".join(line))
    yield numeric("366", nick, f"#{login}", "End of /NAMES list")


def presence(channel: str, login: str, arrived: bool) -> Message:
    return Message("JOIN" if arrived else "PART", (f"#{channel}",), prefix=source(login))


def notice(target: str, text: str, msg_id: str = "") -> Message:
    return Message("NOTICE", (target, text), {"msg-id": msg_id} if msg_id else {}, SERVER)


def room_state(login: str, channel_id: str, modes: Modes) -> Message:
    tags = {
        "emote-only": flag(modes.emote_mode),
        "followers-only": "-1" if modes.follower_mode_min is None else str(modes.follower_mode_min),
        "r9k": flag(modes.unique_chat_mode),
        "room-id": channel_id,
        "slow": str(modes.slow_mode_s),
        "subs-only": flag(modes.subscriber_mode),
    }
    return Message("ROOMSTATE", (f"#{login}",), tags, SERVER)


def global_user_state(session: Session) -> Message:
    return Message("GLOBALUSERSTATE", (), _self_tags(session, []) | {"user-id": session.user_id}, SERVER)


def user_state(login: str, session: Session, roles: Sequence[str]) -> Message:
    return Message("USERSTATE", (f"#{login}",), _self_tags(session, roles), SERVER)


def private_message(login: str, said: MessageShown) -> Message:
    tags = said_tags(said) | {"first-msg": "0", "returning-chatter": "0"}
    if said.reply is not None:
        tags["reply-parent-msg-id"] = said.reply.message_id
        if said.reply.user is not None:
            tags["reply-parent-user-id"] = said.reply.user.id
            tags["reply-parent-user-login"] = said.reply.user.login
            tags["reply-parent-display-name"] = said.reply.user.name
            tags["reply-parent-msg-body"] = said.reply.content or ""
    return Message("PRIVMSG", (f"#{login}", said.content), tags, source(said.user.login))


def clear_message(login: str, channel_id: str, message_id: str, said: MessageShown | None) -> Message:
    who, text = (said.user.login, said.content) if said is not None else ("", "")
    tags = {"login": who, "room-id": channel_id, "target-msg-id": message_id}
    return Message("CLEARMSG", (f"#{login}", text), tags, SERVER)


def clear_chat(
    login: str, channel_id: str, target: tuple[str, str] | None = None, duration_s: int | None = None
) -> Message:
    """Of everybody, or of a user, given as id and login, who is banned or timed out."""
    tags: dict[str, str] = {"room-id": channel_id}
    if target is None:
        return Message("CLEARCHAT", (f"#{login}",), tags, SERVER)
    if duration_s is not None:
        tags = {"ban-duration": str(duration_s), **tags}
    return Message("CLEARCHAT", (f"#{login}", target[1]), tags | {"target-user-id": target[0]}, SERVER)


def _self_tags(session: Session, roles: Sequence[str]) -> dict[str, str]:
    moderates = "moderator" in roles
    return {
        "badge-info": "",
        "badges": ",".join(f"{role}/1" for role in roles),
        "color": colour_of(session.user_id),
        "display-name": session.display_name,
        "emote-sets": "0",
        "mod": flag(moderates),
        "subscriber": "0",
        "user-type": "mod" if moderates else "",
    }


def said_tags(said: MessageShown) -> dict[str, str]:
    """What a message is shown with."""
    badges: Mapping[str, Badge] = {badge.set_id: badge for badge in said.badges}
    subscriber = badges.get("subscriber")
    return {
        "badge-info": f"subscriber/{subscriber.id}" if subscriber else "",
        "badges": ",".join(f"{badge.set_id}/{badge.id}" for badge in said.badges),
        "color": said.color,
        "display-name": said.user.name,
        "emotes": emotes_tag(said.fragments),
        "flags": "",
        "id": said.id,
        "mod": flag("moderator" in badges),
        "room-id": said.room_id,
        "subscriber": flag(subscriber is not None),
        "tmi-sent-ts": milliseconds(said.timestamp),
        "turbo": "0",
        "user-id": said.user.id,
        "user-type": "mod" if "moderator" in badges else "",
    }


def flag(value: bool) -> str:
    return "1" if value else "0"


def milliseconds(moment: datetime) -> str:
    return str(int(moment.timestamp() * 1000))
