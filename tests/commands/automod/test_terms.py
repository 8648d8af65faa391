"""Which texts hold which terms."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from commands.automod.reading import read
from commands.automod.terms import Terms

NONE: Terms[str] = Terms()


def holds(text: str, *terms: str) -> bool:
    matcher = NONE
    for term in terms:
        matcher = matcher.add(term, term)
    return any(True for _ in matcher.find(read(text)))


@pytest.mark.parametrize(
    "text",
    [
        "badger",
        "a BADGER!",
        "(badger)",
        "bаdger",  # Cyrillic а
        "b​adger",  # zero-width space
        "baaaadgerrr",
        "b4dg3r",
        "b@dger",
        "@badger",
        "b.a.d.g.e.r",
        "b-a-d-g-e-r",
        "b a d g e r",
        "b  a  d  g  e  r",
        "b_a_d_g_e_r",
        "bad.ger",
        "b adger",
        "b*a*d*g*e*r",
        "ḃ̸ä̷d̶g̵e̴r̸",
    ],
)
def test_evasions_are_seen_through(text: str) -> None:
    assert holds(text, "badger")


@pytest.mark.parametrize(
    "text",
    ["badgers", "a badge", "honeybadger", "bad germ", "badge r", "bager", "b a d", "", "   ", "!!!", "💀"],
)
def test_a_term_is_a_whole_word(text: str) -> None:
    assert not holds(text, "badger")


@pytest.mark.parametrize(
    ("term", "text"),
    [
        ("hate*", "haters"),
        ("hate*", "hate"),
        ("hate*", "h8 h4ters"),
        ("*berry", "strawberry"),
        ("*err*", "strawberries"),
        ("b*d", "bad"),
        ("b*d", "baaaad"),
        ("b*d", "bd"),
        ("n*gg*t", "nugget"),
        ("game * spoiler", "the game is spoiler"),
        ("go home", "GO   home!"),
        ("go home*", "go homeward"),
        ("don't go", "dont go"),
        ("dont go", "don’t go"),
        ("c++", "I like C++"),
        ("discord.gg/x", "join discord.gg/x now"),
        ("2+2=5", "2+2=5"),
        ("zzzzzzz", "zzzzzzzzz"),
    ],
)
def test_a_term_is_found(term: str, text: str) -> None:
    assert holds(text, term)


@pytest.mark.parametrize(
    ("term", "text"),
    [
        ("hate*", "whatever"),
        ("*berry", "berries"),
        ("b*d", "bade"),
        ("game * spoiler", "the game spoiler"),
        ("go home", "go to home"),
        ("boot", "bot"),  # fewer letters than the term has
        ("c++", "vitamin c"),
        ("<3", "3 lives"),
        ("*shit*", "push it"),
        ("*shit*", "push-it"),  # put together of pieces, so that only all of it counts
    ],
)
def test_a_term_is_not_found(term: str, text: str) -> None:
    assert not holds(text, term)


def test_one_of_many_is_told_by_its_key() -> None:
    matcher: Terms[int] = Terms()
    for number in range(1_000):
        matcher = matcher.add(number, f"term{number:03}end*")

    assert set(matcher.find(read("here is term417ending"))) == {417}


def test_terms_that_all_begin_alike_are_told_apart() -> None:
    matcher: Terms[int] = Terms()
    for number in range(1_000):
        matcher = matcher.add(number, f"alike*{number}x")

    assert set(matcher.find(read("alike and alike789x"))) == {789, 89, 9}


def test_a_dropped_term_is_not_found() -> None:
    both = NONE.add("1", "hate*").add("2", "hateful")

    assert set(both.drop("1", "hate*").find(read("hateful"))) == {"2"}
    assert not both.drop("1", "hate*").drop("2", "hateful")


@pytest.mark.parametrize("text", ["", "***", "!?", "💀"])
def test_what_has_no_letter_is_no_term(text: str) -> None:
    assert not NONE.add("1", text)


_LETTERS = st.text("ab* 1@.é", max_size=12)


@given(_LETTERS, st.text("ab 1@.é", max_size=40))
def test_a_term_is_found_where_its_pattern_matches_from_border_to_border(term: str, text: str) -> None:
    assert holds(f"x {term.replace('*', '')} {text}", term) or "*" in term or not any(map(str.isalnum, term))


@given(st.lists(st.text(max_size=20), max_size=6), st.text(max_size=80))
def test_no_term_and_no_text_is_too_strange(terms: list[str], text: str) -> None:
    matcher = NONE
    for term in terms:
        matcher = matcher.add(term, term)
    found = set(matcher.find(read(text)))

    assert found <= set(terms)
    for term in terms:
        matcher = matcher.drop(term, term)
    assert not matcher


@given(_LETTERS, _LETTERS, st.text("ab 1@.é", max_size=40))
def test_a_second_term_hides_nothing(first: str, second: str, text: str) -> None:
    assert not holds(text, first) or holds(text, first, second)
