"""The lists: what is stopped at which level."""

from __future__ import annotations

import tomllib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from commands.automod.categories import CATEGORIES, STOPS, Stop
from commands.automod.echoes import Echoes
from commands.automod.lessons import Lessons
from commands.automod.reading import read
from commands.automod.strictness import MAX_LEVEL, AutoMod
from commands.automod.terms import Terms
from commands.automod.verdict import Ear, Finding, Message, examine
from schemas.events.chat_policy import AUTOMOD_CATEGORIES
from tests.commands.scenario import NOON

LISTED = tomllib.loads(CATEGORIES.read_text("utf-8"))
ENTRIES = [
    (text, Stop(int(level), category))
    for category, levels in LISTED.items()
    for level, texts in levels.items()
    for text in texts
]
EAR = Ear(Terms(), Echoes(), Lessons())


def examined(text: str, automod: AutoMod, ear: Ear = EAR) -> Finding | None:
    return examine(Message(text, "1002", NOON), automod, ear)


def test_the_lists_are_of_the_categories_that_can_be_set() -> None:
    assert tuple(LISTED) == AUTOMOD_CATEGORIES
    assert {level for levels in LISTED.values() for level in levels} == {"1", "2", "3", "4"}


@pytest.mark.parametrize(("text", "stop"), ENTRIES)
def test_an_entry_is_found_as_it_is_and_in_capitals(text: str, stop: Stop) -> None:
    for said in (text.replace("*", "s"), text.replace("*", "s").upper()):
        assert stop in set(STOPS.find(read(said)))


def test_no_entry_stands_twice_in_a_category() -> None:
    named = [(text, stop.category) for text, stop in ENTRIES]
    assert len(named) == len(set(named))


@pytest.mark.parametrize(
    "text",
    [
        "what a spicy play",
        "the class assembles for an assessment",
        "Scunthorpe and Essex and Penistone",
        "I will pass the grape juice",
        "she shot it, what a push",
        "cockpit and peacock",
        "the raccoon in the cocoon",
        "analysis of the canal",
        "shiitake mushrooms",
        "hello from therapist to passenger",
        "cucumber, document, circumstance",
        "he is a Nigerian from Niger",
        "the title is Titanic",
    ],
)
def test_words_that_only_hold_a_bad_one_pass(text: str) -> None:
    assert examined(text, AutoMod(dict.fromkeys(AUTOMOD_CATEGORIES, MAX_LEVEL))) is None


@pytest.mark.parametrize("level", range(MAX_LEVEL + 1))
def test_a_level_stops_its_own_and_what_is_worse(level: int) -> None:
    automod = AutoMod({"swearing": level})
    stopped = [
        worse for worse, text in enumerate(("motherfucker", "fuck", "shit", "damn"), 1) if examined(text, automod)
    ]

    assert stopped == list(range(1, level + 1))


def test_the_worst_is_told() -> None:
    automod = AutoMod(dict.fromkeys(AUTOMOD_CATEGORIES, MAX_LEVEL))

    assert examined("damn, kys", automod) == Finding("category", "aggression", 1)


_TEXTS = st.lists(st.sampled_from([text for text, _ in ENTRIES] + ["you", "are", "an", "hello", "f u c k"]), max_size=6)
_LEVELS = st.fixed_dictionaries(dict.fromkeys(AUTOMOD_CATEGORIES, st.integers(0, MAX_LEVEL)))


@given(_TEXTS, _LEVELS, st.integers(0, MAX_LEVEL), st.sampled_from([*AUTOMOD_CATEGORIES, "toxicity"]))
def test_raising_a_level_never_stops_fewer(
    words: list[str], levels: dict[str, int], toxicity: int, raised: str
) -> None:
    text = " ".join(words)
    before = AutoMod(levels, toxicity)
    if raised == "toxicity":
        after = AutoMod(levels, min(toxicity + 1, MAX_LEVEL))
    else:
        after = AutoMod(levels | {raised: min(levels[raised] + 1, MAX_LEVEL)}, toxicity)

    assert examined(text, before) is None or examined(text, after) is not None


@given(st.text(max_size=500))
def test_no_text_is_too_strange(text: str) -> None:
    strictest = AutoMod(dict.fromkeys(AUTOMOD_CATEGORIES, MAX_LEVEL), MAX_LEVEL, block_links=True, block_spam=True)

    assert examined(text, AutoMod()) is None
    assert examined(text, strictest) == examined(text, strictest)
