"""What was said of late: as much as the rules ask about."""

from __future__ import annotations

import hashlib
from datetime import datetime, timedelta
from functools import lru_cache
from typing import Any, NamedTuple

from commands.automod.echoes import Echoes
from commands.automod.lessons import Lessons
from commands.automod.verdict import MODEL
from commands.recent import Recent
from schemas.events.chat import (
    ChatCleared,
    HeldMessageResolved,
    MessageDeleted,
    MessageHeld,
    MessageRefused,
    MessageSent,
    RaidReceived,
    Reacted,
)
from schemas.message import Event

RATE_SPAN = timedelta(seconds=30)
_TIMES = 100
"""As many as the highest rate limit."""
_SPEAKERS = 20_000
_MESSAGES = 20_000
_HELD = 500
_RAIDS = 1_000


class Speaker(NamedTuple):
    """`times` are those of the last messages within the span that rates are measured over, the latest last."""

    times: tuple[datetime, ...] = ()
    text: str = ""
    """A digest of the last message."""

    @property
    def last(self) -> datetime | None:
        return self.times[-1] if self.times else None


class Said(NamedTuple):
    """A message that may still be answered, reacted to or taken back."""

    sender_id: str
    at: datetime


class Talk(NamedTuple):
    speakers: Recent[str, Speaker] = Recent(_SPEAKERS)
    reactors: Recent[str, Speaker] = Recent(_SPEAKERS)
    raids: Recent[str, datetime] = Recent(_RAIDS)
    """By the channel that came, when it last did."""
    messages: Recent[str, Said] = Recent(_MESSAGES)
    texts: Recent[str, datetime] = Recent(_MESSAGES)
    """By digest, when it was said."""
    held: Recent[str, MessageHeld] = Recent(_HELD)
    echoes: Echoes = Echoes()
    lessons: Lessons = Lessons()


@lru_cache(maxsize=4_096)
def digest(text: str) -> str:
    """Of what a text says, whatever its case and spacing."""
    return hashlib.blake2b(" ".join(text.casefold().split()).encode(), digest_size=12).hexdigest()


def evolve(talk: Talk, event: Event) -> Talk:
    match event:
        case MessageSent():
            return _sent(talk, event)
        case MessageRefused():
            return talk._replace(**_counted(talk, event))
        case MessageHeld():
            return talk._replace(**_counted(talk, event), held=talk.held.put(event.message_id, event))
        case HeldMessageResolved():
            return _resolved(talk, event)
        case MessageDeleted():
            return talk._replace(messages=talk.messages.drop(event.message_id))
        case ChatCleared():
            return talk._replace(messages=Recent(_MESSAGES))
        case Reacted():
            return talk._replace(reactors=_spoke(talk.reactors, event.reactor_id, "", event.occurred_at))
        case RaidReceived():
            return talk._replace(raids=talk.raids.put(event.from_id, event.occurred_at))
    return talk


def _counted(talk: Talk, event: MessageSent | MessageRefused | MessageHeld) -> dict[str, Any]:
    """For rates and copies, what AutoMod stops counts too."""
    return {
        "speakers": _spoke(talk.speakers, event.sender_id, event.text, event.occurred_at),
        "echoes": talk.echoes.heard(event.sender_id, event.text, event.occurred_at),
    }


def _resolved(talk: Talk, event: HeldMessageResolved) -> Talk:
    held = talk.held.get(event.message_id)
    if held is None:
        return talk
    lessons = talk.lessons.learn(MODEL, held.text, toxic=not event.allowed)
    return talk._replace(held=talk.held.drop(event.message_id), lessons=lessons)


def _sent(talk: Talk, event: MessageSent) -> Talk:
    messages = talk.messages.put(event.message_id, Said(event.sender_id, event.occurred_at))
    texts = talk.texts.put(digest(event.text), event.occurred_at)
    if event.actor != event.sender_id:  # held before, and counted then
        return talk._replace(messages=messages, texts=texts)
    return talk._replace(messages=messages, texts=texts, **_counted(talk, event))


def _spoke(speakers: Recent[str, Speaker], user_id: str, text: str, at: datetime) -> Recent[str, Speaker]:
    before = speakers.get(user_id) or Speaker()
    times = [time for time in before.times[1 - _TIMES :] if at - time < RATE_SPAN]
    return speakers.put(user_id, Speaker((*times, at), digest(text)))
