"""Finds any of many terms in a text at about the cost of finding one."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from itertools import groupby, islice
from typing import Generic, Literal, TypeVar

from commands.automod.folding import fold
from commands.automod.reading import ANCHOR, Reading, Way, even, flat

K = TypeVar("K")
Kind = Literal["whole", "head", "tail", "inner"]

MOST_FAR = 20_000
MOST_NEAR = 2_500
"""Comparisons for a text: a channel whose thousand terms all begin alike is its own trouble, not its neighbours'."""

_GLOB = re.compile(r"(?:[^\W_]|\*)+")
_STARS = re.compile(r"\*+")
_SIGNS = re.compile(r"[^\w\s*-]")


@dataclass(frozen=True)
class Term(Generic[K]):
    """`globs` are its words. `literal` must stand in the text too where the term holds signs, as in `c++`."""

    key: K
    globs: tuple[str, ...]
    at: int
    """Which of the words it is looked up by."""
    literal: str

    @cached_property
    def patterns(self) -> tuple[re.Pattern[str], ...]:
        """Compiled when it is nearly found for the first time: most terms never are."""
        return tuple(map(_pattern, self.globs))

    @cached_property
    def pieces(self) -> tuple[str, ...]:
        """What must stand in the word it is looked up by."""
        return tuple(flat(piece) for piece in self.globs[self.at].split("*"))


Table = Mapping[int, Mapping[str, tuple[Term[K], ...]]]
"""Length of the anchor, then the anchor."""


@dataclass(frozen=True, slots=True)
class Terms(Generic[K]):
    """`*` stands for any letters of a word, or alone for any word. All else is matched from border to border of words.

    A letter may be said more often than the term has it, as in `heeey`, and not less.
    A change copies one table, and compiles no more than the term: the owner keeps this as state.
    """

    whole: Mapping[str, tuple[Term[K], ...]] = field(default_factory=dict)
    head: Table[K] = field(default_factory=dict)
    tail: Table[K] = field(default_factory=dict)
    inner: Table[K] = field(default_factory=dict)

    def __bool__(self) -> bool:
        return bool(self.whole or self.head or self.tail or self.inner)

    def add(self, key: K, text: str) -> Terms[K]:
        """With one more. A text without a letter or digit is no term and adds nothing."""
        folded = even(fold(text))
        globs = _globs(folded)
        if not globs:
            return self
        at, kind, anchor = _anchored(globs)
        term = Term(key, globs, at, folded.replace("*", "") if _SIGNS.search(folded) else "")
        return self._with(kind, anchor, (*self._found(kind, anchor), term))

    def drop(self, key: K, text: str) -> Terms[K]:
        """Without the term that was added under this key and text."""
        globs = _globs(even(fold(text)))
        if not globs:
            return self
        _, kind, anchor = _anchored(globs)
        return self._with(kind, anchor, tuple(term for term in self._found(kind, anchor) if term.key != key))

    def find(self, reading: Reading) -> Iterator[K]:
        """The terms that the text holds, each as often as it is found."""
        for way in reading.ways:
            if not self.has_nothing(way):
                yield from self.found(way, reading.folded)

    def found(self, way: Way, folded: str) -> Iterator[K]:
        """Those that one way of reading a text holds."""
        for index, term in islice(self._near(way), MOST_NEAR):
            if _stands(term, way, index) and term.literal in folded:
                yield term.key

    def _near(self, way: Way) -> Iterator[tuple[int, Term[K]]]:
        """Terms that may stand in the text, and where."""
        flats = way.flats
        yield from _among(self.whole, enumerate(flats))
        for size, table in self.head.items():
            yield from _among(table, enumerate(word[:size] for word in flats), way.joined)
        for size, table in self.tail.items():
            yield from _among(table, enumerate(word[-size:] for word in flats), way.joined)
        for size, table in self.inner.items():
            yield from _among(table, _pieces(flats, size), way.joined)

    def has_nothing(self, way: Way) -> bool:
        """Whether no word is near a term. So it is with most texts, and whole tables tell it at once."""
        flats = way.flats
        if not self.whole.keys().isdisjoint(flats):
            return False
        for size, table in self.head.items():
            if not table.keys().isdisjoint(way.heads if size == ANCHOR else [word[:size] for word in flats]):
                return False
        for size, table in self.tail.items():
            if not table.keys().isdisjoint([word[-size:] for word in flats]):
                return False
        return not any(_any_within(table, " ".join(flats), size) for size, table in self.inner.items())

    def _found(self, kind: Kind, anchor: str) -> tuple[Term[K], ...]:
        if kind == "whole":
            return self.whole.get(anchor, ())
        table: Table[K] = getattr(self, kind)
        return table.get(len(anchor), {}).get(anchor, ())

    def _with(self, kind: Kind, anchor: str, terms: tuple[Term[K], ...]) -> Terms[K]:
        if kind == "whole":
            return replace(self, whole=_put(self.whole, anchor, terms))
        table: Table[K] = getattr(self, kind)
        changed = _put(table, len(anchor), _put(table.get(len(anchor), {}), anchor, terms))
        parts = {"head": self.head, "tail": self.tail, "inner": self.inner, kind: changed}
        return Terms(self.whole, **parts)


class Settled(Generic[K]):
    """Terms that change no more, and the words that are near none of them: most texts have no others."""

    def __init__(self, terms: Terms[K]) -> None:
        self._terms = terms
        self._far: set[str] = set()

    def find(self, reading: Reading) -> Iterator[K]:
        """As the terms do."""
        for way in reading.ways:
            if self._far.issuperset(way.flats):
                continue
            if not self._terms.has_nothing(way):
                yield from self._terms.found(way, reading.folded)
                continue
            if len(self._far) > MOST_FAR:
                self._far.clear()
            self._far.update(way.flats)


V = TypeVar("V")
W = TypeVar("W")


def _put(table: Mapping[V, W], key: V, value: W) -> Mapping[V, W]:
    """A copy; an empty value is left out."""
    left = {known: kept for known, kept in table.items() if known != key}
    return left | {key: value} if value else left


def _among(
    table: Mapping[str, tuple[Term[K], ...]], places: Iterable[tuple[int, str]], but: frozenset[int] = frozenset()
) -> Iterator[tuple[int, Term[K]]]:
    return ((index, term) for index, piece in places if index not in but for term in table.get(piece, ()))


def _any_within(anchors: Mapping[str, object], text: str, size: int) -> bool:
    if len(anchors) < len(text):
        return any(map(text.__contains__, anchors))
    return not anchors.keys().isdisjoint([text[start : start + size] for start in range(len(text) - size + 1)])


def _pieces(flats: Sequence[str], size: int) -> Iterator[tuple[int, str]]:
    for index, word in enumerate(flats):
        for piece in {word[start : start + size] for start in range(len(word) - size + 1)}:
            yield index, piece


def _globs(folded: str) -> tuple[str, ...]:
    globs = tuple(_STARS.sub("*", found) for found in _GLOB.findall(folded))
    return globs if any(glob != "*" for glob in globs) else ()


_KINDS: tuple[Kind, ...] = ("whole", "head", "tail", "inner")
"""The fewer texts have it the better."""


def _anchored(globs: Sequence[str]) -> tuple[int, Kind, str]:
    """Which word to look the term up by, and how."""
    choices = [(index, *_anchor(glob)) for index, glob in enumerate(globs) if glob != "*"]
    return min(choices, key=lambda choice: (_KINDS.index(choice[1]), -len(choice[2])))


def _anchor(glob: str) -> tuple[Kind, str]:
    pieces = [flat(piece) for piece in glob.split("*")]
    if len(pieces) == 1:
        return "whole", pieces[0]
    if pieces[0]:
        return "head", pieces[0][:ANCHOR]
    if pieces[-1]:
        return "tail", pieces[-1][-ANCHOR:]
    return "inner", max(pieces, key=len)[:ANCHOR]


def _stands(term: Term[K], way: Way, index: int) -> bool:
    first = index - term.at
    words = way.words[max(first, 0) : first + len(term.globs)]
    if first < 0 or len(words) < len(term.globs) or not all(map(way.flats[index].__contains__, term.pieces)):
        return False
    return all(pattern.fullmatch(word) for pattern, word in zip(term.patterns, words, strict=True))


def _pattern(glob: str) -> re.Pattern[str]:
    """Linear: what a star has found once is not looked for again."""
    first, *others = glob.split("*")
    if not others:
        return re.compile(_runs(first))
    *middle, last = others
    found = "".join(f"(?>.*?{_runs(piece, after_star=True, before_star=True)})" for piece in middle)
    return re.compile(f"{_runs(first, before_star=True)}{found}.*{_runs(last, after_star=True)}")


def _runs(piece: str, *, after_star: bool = False, before_star: bool = False) -> str:
    """Each letter at least as often as it stands; next to a star, which takes the rest, just as often."""
    runs = [(letter, len(list(group))) for letter, group in groupby(piece)]
    just = {index for index, wanted in ((0, after_star), (len(runs) - 1, before_star)) if wanted}
    return "".join(f"{letter}{{{times}{'' if at in just else ','}}}" for at, (letter, times) in enumerate(runs))
