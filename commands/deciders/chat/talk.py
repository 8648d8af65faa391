"""What was said of late: as much as the rules ask about."""

from __future__ import annotations

import hashlib
from datetime import datetime, timedelta
from functools import lru_cache
from typing import NamedTuple

from commands.automod.echoes import Echoes
from commands.recent import Latest, Passing, Recent
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
from schemas.events.support import DonationReceived
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
    speakers: Latest[str, Speaker] = Recent(_SPEAKERS)
    reactors: Latest[str, Speaker] = Recent(_SPEAKERS)
    raids: Recent[str, datetime] = Recent(_RAIDS)
    """By the channel that came, when it last did."""
    messages: Latest[str, Said] = Recent(_MESSAGES)
    texts: Latest[str, datetime] = Recent(_MESSAGES)
    """By digest, when it was said."""
    held: Latest[str, MessageHeld] = Recent(_HELD)
    echoes: Echoes = Echoes()


def passing() -> Talk:
    """Nothing said yet, for a fold that goes on from each state once: what evolves changes it."""
    return Talk(Passing(_SPEAKERS), Passing(_SPEAKERS), messages=Passing(_MESSAGES), texts=Passing(_MESSAGES))


@lru_cache(maxsize=4_096)
def digest(text: str) -> str:
    """Of what a text says, whatever its case and spacing."""
    return hashlib.blake2b(" ".join(text.casefold().split()).encode(), digest_size=12).hexdigest()


def evolve(talk: Talk, event: Event) -> Talk:
    match event:
        case MessageSent():
            return _sent(talk, event)
        case MessageRefused():
            return _counted(talk, event, talk.messages, talk.texts)
        case MessageHeld():
            talk = talk._replace(held=talk.held.put(event.message_id, event))
            return _counted(talk, event, talk.messages, talk.texts)
        case HeldMessageResolved():
            return talk._replace(held=talk.held.drop(event.message_id))
        case MessageDeleted():
            return talk._replace(messages=talk.messages.drop(event.message_id))
        case ChatCleared():
            return talk._replace(messages=Recent(_MESSAGES))
        case Reacted():
            return talk._replace(reactors=_spoke(talk.reactors, event.reactor_id, "", event.occurred_at))
        case RaidReceived():
            return talk._replace(raids=talk.raids.put(event.from_id, event.occurred_at))
    return talk


def _counted(
    talk: Talk,
    event: MessageSent | MessageRefused | MessageHeld,
    messages: Latest[str, Said],
    texts: Latest[str, datetime],
) -> Talk:
    """For rates and copies, what AutoMod stops counts too."""
    speakers = _spoke(talk.speakers, event.sender_id, event.text, event.occurred_at)
    echoes = talk.echoes.heard(event.sender_id, event.text, event.occurred_at)
    return Talk(speakers, talk.reactors, talk.raids, messages, texts, talk.held, echoes)


def _sent(talk: Talk, event: MessageSent) -> Talk:
    messages = talk.messages.put(event.message_id, Said(event.sender_id, event.occurred_at))
    texts = talk.texts.put(digest(event.text), event.occurred_at)
    if event.actor != event.sender_id:  # held before, and counted then
        return talk._replace(messages=messages, texts=texts)
    return _counted(talk, event, messages, texts)


def given(talk: Talk, event: DonationReceived) -> Talk:
    """What is said with a donation may be answered and taken back as a message, under the donation's id."""
    said = Said(event.donor_id, event.occurred_at)
    return talk._replace(messages=talk.messages.put(event.donation_id, said))


def _spoke(speakers: Latest[str, Speaker], user_id: str, text: str, at: datetime) -> Latest[str, Speaker]:
    before = speakers.get(user_id) or Speaker()
    times = [time for time in before.times[1 - _TIMES :] if at - time < RATE_SPAN]
    return speakers.put(user_id, Speaker((*times, at), digest(text)))
