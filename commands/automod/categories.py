"""The words that AutoMod stops, by category and by how strict it must be to stop them."""

from __future__ import annotations

import tomllib
from importlib import resources
from typing import NamedTuple

from commands.automod.terms import Settled, Terms

CATEGORIES = resources.files("commands.automod") / "data" / "categories.toml"


class Stop(NamedTuple):
    """From which level on the category stops it."""

    level: int
    category: str


def _stops() -> Settled[Stop]:
    terms: Terms[Stop] = Terms()
    for category, levels in tomllib.loads(CATEGORIES.read_text("utf-8")).items():
        for level, texts in levels.items():
            for text in texts:
                terms = terms.add(Stop(int(level), category), text)
    return Settled(terms)


STOPS = _stops()
"""Read once: about 10 ms."""
