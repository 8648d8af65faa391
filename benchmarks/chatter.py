"""A made-up channel's chat: short calls and emotes that everybody says, and sentences of made-up words."""

from __future__ import annotations

import random
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

from schemas.events.accounts import UserRegistered
from schemas.events.chat import MessageSent
from schemas.events.follows import UserFollowed
from schemas.message import Event

CHANNEL = "1001"
BEGAN = datetime(2026, 10, 1, tzinfo=UTC)
CHATTERS = 2_000
CALLS = (
    "lol", "gg", "LUL", "KEKW", "Pog", "hi", "F", "wtf", "no way", "nice", "W", "L", "yes", "what", "hello everyone",
    "clip it", "hahaha", "LETS GO", "first time here", "rip",
)  # fmt: skip
SHORT = 0.45
"""Of the messages."""
WORDS = 8_000
"""The rarer the longer, as in English: said as often as their rank's inverse, they have 4 letters on average."""
LONGEST = 14
_LETTERS = "eeeeaaaoootttnnnsssrrriihhlldducmfpgwybvkxjqz"


def chatter(messages: int, seed: int) -> Iterator[Event]:
    """The channel's account, its followers, and so many messages in order of time, one each 0.5 s."""
    rnd = random.Random(seed)
    words = ["".join(rnd.choices(_LETTERS, k=2 + rank.bit_length() // 2)) for rank in range(1, WORDS + 1)]
    often = [1 / rank for rank in range(1, len(words) + 1)]
    yield _event(UserRegistered, 0, CHANNEL, user_id=CHANNEL, login="ada", display_name="Ada", password_hash="")
    for number in range(CHATTERS):
        yield _event(UserFollowed, 0, str(2_000 + number), channel_id=CHANNEL, follower_id=str(2_000 + number))
    for number in range(messages):
        short = rnd.random() < SHORT
        text = rnd.choice(CALLS) if short else " ".join(rnd.choices(words, often, k=rnd.randint(2, LONGEST)))
        user = str(2_000 + int(CHATTERS * rnd.random() ** 2))
        yield _event(
            MessageSent,
            number / 2,
            user,
            channel_id=CHANNEL,
            message_id=f"m{number}",
            sender_id=user,
            sender_login=f"user{user}",
            text=text,
        )


def _event(kind: type[Event], at_s: float, actor: str, **facts: str) -> Event:
    at = BEGAN + timedelta(seconds=at_s)
    return kind.model_validate(
        {
            "event_id": f"{kind.__name__}-{at_s}-{actor}",
            "occurred_at": at,
            "actor": actor,
            "correlation_id": "b",
            **facts,
        }
    )
