"""Spam that one message shows by itself: floods of capitals, emotes, signs, marks and mentions, and repetition."""

from __future__ import annotations

import re
from collections.abc import Container

from commands.automod.folding import marks_in

MIN_CAPITALS = 25
CAPITALS = 0.8
"""Of the letters, without emotes."""
MAX_EMOTES = 20
MAX_MENTIONS = 6
MAX_MARKS = 40
MAX_RUN = 30
MIN_SIGNS = 40
SIGNS = 0.7
"""Of what is no space."""
MIN_WORDS = 12
DISTINCT = 0.25
"""Of the words, without emotes."""

_MENTION = re.compile(r"@\w{2,}")
_RUN = re.compile(rf"(\S)\1{{{MAX_RUN - 1},}}")
_PICTURE = re.compile("[\u2600-\u27bf\U0001f000-\U0001faff]")


def kind_of(text: str, emotes: Container[str]) -> str | None:
    """Which kind of spam the message is: capitals, emotes, marks, mentions, repetition, signs; None for none.

    `emotes` are the names that are emotes here: they are neither shouted nor said twice.
    """
    if len(text) < MIN_CAPITALS and text.isascii():
        return None
    words = text.split()
    said = [word for word in words if word not in emotes] if emotes else words
    pictures = 0 if text.isascii() else len(_PICTURE.findall(text))
    if len(words) - len(said) + pictures > MAX_EMOTES:
        return "emotes"
    if text.count("@") > MAX_MENTIONS and len(set(_MENTION.findall(text.lower()))) > MAX_MENTIONS:
        return "mentions"
    if marks_in(text) > MAX_MARKS:
        return "marks"
    if (len(text) >= MAX_RUN and _RUN.search(text)) or _repeats(said):
        return "repetition"
    return _flood("".join(said))


def _repeats(said: list[str]) -> bool:
    return len(said) >= MIN_WORDS and len({word.casefold() for word in said}) <= DISTINCT * len(said)


def _flood(solid: str) -> str | None:
    letters = 0 if len(solid) < MIN_CAPITALS or solid.islower() else sum(map(str.isalpha, solid))
    if letters >= MIN_CAPITALS and sum(map(str.isupper, solid)) > CAPITALS * letters:
        return "capitals"
    if len(solid) < MIN_SIGNS or solid.isalnum():
        return None
    if len(solid) - sum(map(str.isalnum, solid)) > SIGNS * len(solid):
        return "signs"
    return None
