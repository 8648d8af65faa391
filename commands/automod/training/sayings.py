"""What the model is trained on: this project's own phrases filled in, among talk and words that packages ship."""

from __future__ import annotations

import random
import re
import tomllib
from collections.abc import Iterator, Mapping, Sequence
from importlib import resources
from typing import NamedTuple

from commands.automod.categories import CATEGORIES

PHRASES = resources.files("commands.automod.training") / "phrases.toml"
SEED = 20_261_127
EACH_INSULT, EACH_TALK = 24, 72
"""How often a frame is filled."""
EACH_LINE = 3
RANDOM_WORDS = 4_000
"""Texts of words that mean nothing together: so that what the phrases lack is not taken for an insult."""
LONG_INSULTS, LONG_TALK = 4_000, 20_000
"""Texts of several sentences, with an insult among them and without."""
MOST_SENTENCES = 4
RUDE = ("bullying", "disability", "misogyny", "race_ethnicity_or_religion", "sexuality_sex_or_gender")
"""AutoMod's categories whose words are said of people, and those of their levels that are of use for nothing else."""
RUDE_LEVELS = ("1", "2")

_SLOTS = {"noun": "nouns", "adj": "adjs", "thing": "things", "bad": "bad"}
_SLOT = re.compile(r"\{(\w+)\}")
_ARTICLE = re.compile(r"\{a\} (\w)")
_STOPS = (". ", ", ", " ")
Parts = Mapping[str, Sequence[str]]


class Saying(NamedTuple):
    text: str
    insult: bool


class Talk(NamedTuple):
    """What others wrote: sentences that insult nobody, and words."""

    sentences: Sequence[str]
    words: Sequence[str]


def sayings(talk: Talk, seed: int = SEED) -> list[Saying]:
    """The same for the same talk and seed."""
    rnd = random.Random(seed)  # noqa: S311  # of training data
    phrases = tomllib.loads(PHRASES.read_text("utf-8"))
    insults, fine = list(_insults(phrases["insult"], rnd)), list(_fine(phrases["fine"], rnd))
    known = {word for text in insults for word in text.split()}
    words = [word for word in talk.words if word not in known]
    loose = [" ".join(rnd.choices(words, k=rnd.randint(1, 6))) for _ in range(RANDOM_WORDS)]
    harmless = (talk.sentences, fine, loose)
    mixed = [_mixed(rnd.choice(insults), harmless, rnd) for _ in range(LONG_INSULTS)]
    long = [_joined(harmless, rnd.randint(1, MOST_SENTENCES), rnd) for _ in range(LONG_TALK)]
    return [
        *(Saying(text, True) for text in (*insults, *mixed)),
        *(Saying(text, False) for text in (*fine, *talk.sentences, *loose, *long)),
    ]


def _insults(phrases: Parts, rnd: random.Random) -> Iterator[str]:
    rude = {**phrases, "nouns": [*phrases["nouns"], *_listed()]}
    yield from _filled(phrases["frames"], EACH_INSULT, rude, rnd)
    yield from [*phrases["lines"]] * EACH_LINE


def _fine(phrases: Parts, rnd: random.Random) -> Iterator[str]:
    faults = {"nouns": phrases["mild_nouns"], "adjs": phrases["mild_adjs"]}
    yield from _filled(phrases["frames"], EACH_TALK, phrases, rnd)
    yield from _filled(phrases["own_faults"], EACH_TALK, faults, rnd)
    yield from [*phrases["lines"]] * EACH_LINE


def _listed() -> Iterator[str]:
    """Single words of AutoMod's own lists."""
    lists = tomllib.loads(CATEGORIES.read_text("utf-8"))
    for category in RUDE:
        for level in RUDE_LEVELS:
            yield from (word.strip("*") for word in lists[category][level] if " " not in word)


def _filled(frames: Sequence[str], times: int, parts: Parts, rnd: random.Random) -> Iterator[str]:
    for frame in frames:
        yield from {_said(frame, parts, rnd): None for _ in range(times)}


def _said(frame: str, parts: Parts, rnd: random.Random) -> str:
    """With every slot filled; `{a}` as the word behind it asks."""
    text = _SLOT.sub(lambda slot: rnd.choice(parts[_SLOTS[slot[1]]]) if slot[1] in _SLOTS else slot[0], frame)
    return _ARTICLE.sub(lambda found: f"{'an' if found[1] in 'aeiou' else 'a'} {found[1]}", text)


def _joined(kinds: Sequence[Sequence[str]], sentences: int, rnd: random.Random) -> str:
    return ". ".join(rnd.choice(rnd.choice(kinds)) for _ in range(sentences))


def _mixed(insult: str, kinds: Sequence[Sequence[str]], rnd: random.Random) -> str:
    """The insult before, behind or between other sentences."""
    before, behind = rnd.randint(0, 2), rnd.randint(0, 2)
    parts = [_joined(kinds, before, rnd), insult, _joined(kinds, behind, rnd)]
    return rnd.choice(_STOPS).join(part for part in parts if part)
