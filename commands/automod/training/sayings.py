"""What the model is trained on: this project's own phrases, filled in, and the words of AutoMod's own lists."""

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
EACH_FRAME = 24
"""How often a frame is filled."""
EACH_LINE = 3
RUDE = ("bullying", "disability", "misogyny", "race_ethnicity_or_religion", "sexuality_sex_or_gender")
"""The categories whose words are said of people."""
_WORST = ("1", "2")
_SLOT = re.compile(r"\{(\w+)\}")


class Saying(NamedTuple):
    text: str
    insult: bool


Parts = Mapping[str, Sequence[str]]


def sayings(seed: int = SEED) -> list[Saying]:
    """The same for the same seed."""
    rnd = random.Random(seed)  # noqa: S311  # of training data
    phrases = tomllib.loads(PHRASES.read_text("utf-8"))
    insult, fine = phrases["insult"], phrases["fine"]
    rude = insult | {"nouns": [*insult["nouns"], *_listed()]}
    faults = {"nouns": fine["mild_nouns"], "adjs": fine["mild_adjs"]}
    return [
        *(Saying(text, True) for text in _filled(insult["frames"], rude, rnd)),
        *(Saying(text, True) for text in insult["lines"] * EACH_LINE),
        *(Saying(text, False) for text in _filled(fine["frames"], fine, rnd)),
        *(Saying(text, False) for text in _filled(fine["own_faults"], faults, rnd)),
        *(Saying(text, False) for text in fine["lines"] * EACH_LINE),
    ]


def _listed() -> Iterator[str]:
    """Single words of AutoMod's lists that are no use but to insult."""
    lists = tomllib.loads(CATEGORIES.read_text("utf-8"))
    for category in RUDE:
        for level in _WORST:
            yield from (word.strip("*") for word in lists[category][level] if " " not in word)


def _filled(frames: Sequence[str], parts: Parts, rnd: random.Random) -> Iterator[str]:
    for frame in frames:
        yield from {_said(frame, parts, rnd): None for _ in range(EACH_FRAME)}


def _said(frame: str, parts: Parts, rnd: random.Random) -> str:
    """With every slot filled; `{a}` as the word behind it asks."""
    text = _SLOT.sub(lambda slot: slot[0] if slot[1] == "a" else rnd.choice(parts[_PARTS[slot[1]]]), frame)
    return re.sub(r"\{a\} (\w)", lambda found: f"{'an' if found[1] in 'aeiou' else 'a'} {found[1]}", text)


_PARTS = {"noun": "nouns", "adj": "adjs", "thing": "things", "bad": "bad"}
