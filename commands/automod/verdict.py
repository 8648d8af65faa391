"""AutoMod's verdict on a message: what it is stopped for, and by which version of the rules."""

from __future__ import annotations

import hashlib
from collections.abc import Container
from datetime import datetime
from typing import Literal, NamedTuple

from commands.automod.categories import CATEGORIES, STOPS
from commands.automod.echoes import OTHERS, Echoes
from commands.automod.folding import CONFUSABLES
from commands.automod.lessons import Lessons
from commands.automod.links import DOMAINS, has_link
from commands.automod.model import WEIGHTS, Model, features_of, level_of, unpack
from commands.automod.reading import Reading, read
from commands.automod.spam import kind_of
from commands.automod.strictness import AutoMod
from commands.automod.terms import Terms

RULES = 1
"""Counted up when what the code stops changes."""

Rule = Literal["blocked_term", "link", "spam", "category", "model"]
FOR_GOOD: frozenset[Rule] = frozenset({"blocked_term", "link", "spam"})
"""What these find is refused; for the others a moderator decides."""


class Finding(NamedTuple):
    """Why a message is stopped. `category` is the term's id, the kind of spam, or AutoMod's category."""

    rule: Rule
    category: str = ""
    level: int = 0
    score: float = 0.0


class Message(NamedTuple):
    """What is asked about. `may_link` is for those whom the channel trusts so far."""

    text: str
    sender_id: str
    at: datetime
    may_link: bool = False
    emotes: Container[str] = ()
    """The names that are emotes for the sender."""


class Ear(NamedTuple):
    """What is known of the room: the blocked terms, what was said of late, what moderators taught."""

    blocked: Terms[str]
    echoes: Echoes
    lessons: Lessons


def examine(message: Message, automod: AutoMod, ear: Ear) -> Finding | None:
    """The first reason to stop the message; those that stop it for good come first."""
    if automod.block_links and not message.may_link and has_link(message.text):
        return Finding("link")
    if automod.block_spam and (spam := _spam(message, ear.echoes)):
        return Finding("spam", spam)
    wanted = any(automod.levels.values())
    if not (wanted or automod.toxicity or ear.blocked):
        return None
    reading = read(message.text)
    if ear.blocked and (term_id := next(ear.blocked.find(reading), None)) is not None:
        return Finding("blocked_term", term_id)
    if wanted and (found := _category(reading, automod)):
        return found
    return _toxic(reading, automod, ear.lessons) if automod.toxicity else None


def _spam(message: Message, echoes: Echoes) -> str | None:
    if spam := kind_of(message.text, message.emotes):
        return spam
    return "copies" if echoes.others(message.sender_id, message.text, message.at) >= OTHERS else None


def _category(reading: Reading, automod: AutoMod) -> Finding | None:
    """The worst that it holds."""
    found = [stop for stop in STOPS.find(reading) if stop.level <= automod.levels.get(stop.category, 0)]
    worst = min(found, default=None)
    return Finding("category", worst.category, worst.level) if worst is not None else None


def _toxic(reading: Reading, automod: AutoMod, lessons: Lessons) -> Finding | None:
    features = features_of(reading.folded)
    score = MODEL.score(features, lessons.taught(features))
    level = level_of(score)
    if level is None or level > automod.toxicity:
        return None
    return Finding("model", "toxicity", level, round(score, 4))


def _version() -> str:
    data = b"".join(source.read_bytes() for source in (CATEGORIES, CONFUSABLES, DOMAINS, WEIGHTS))
    return f"{RULES}-{hashlib.sha256(data).hexdigest()[:12]}"


MODEL: Model = unpack(WEIGHTS.read_bytes())
VERSION = _version()
"""Of rules, lists and model together: the same version says the same of the same message in the same room."""
