"""The ways in which a text may be read: as it stands, with digits and signs for letters, with letters apart."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from functools import lru_cache
from itertools import groupby
from typing import NamedTuple

from commands.automod.folding import fold


class Way(NamedTuple):
    """A text's words; in `flats` each run of a letter stands once. Those at `joined` were put together of pieces."""

    words: tuple[str, ...]
    flats: tuple[str, ...]
    heads: tuple[str, ...]
    """The first letters of `flats`, as many as an anchor has."""
    joined: frozenset[int] = frozenset()


class Reading(NamedTuple):
    """A text in each of the ways it reads, the plain one first."""

    folded: str
    ways: Sequence[Way]


ANCHOR = 3
"""Letters by which a term with a wildcard is looked up; the rest of it is compared then."""
MAX_RUN = 4
"""A longer run of one letter says no more."""

_WORD = re.compile(r"[^\W_]+")
_LONG_RUN = re.compile(r"([^\W_])\1{4,}")
_AGAIN = re.compile(r"([^\W_])(?=\1)")
_PLAIN = re.compile(r"\s*+(?:(?:[^\W\d_]{2,}+|[aeiou]|\d++)?+[.,!?:;]*+(?:\s++|$))*+")
"""What most texts are: a quick way to tell that they read in one way only."""
_ODD = re.compile(
    r"[^\W\d_][0-9@$|+(<€£]|[0-9$|+(<€£][^\W\d_]|@\w{1,3}\b"  # a letter beside what stands for one
    r"|[^\W_][^\w\s]+[^\W_]|_"  # letters apart by signs
    r"|(?<!\w)[^\W\daeiou_](?!\w)"  # or by spaces
)
"""Where a text reads in more ways than one."""

_SPELT = {"0": "o", "3": "e", "4": "a", "5": "s", "6": "g", "7": "t", "8": "b", "9": "g", "@": "a", "$": "s", "+": "t"}
_SPELT |= {"(": "c", "<": "c", "€": "e", "£": "l"}
_AS_I = str.maketrans(_SPELT | dict.fromkeys("1!|", "i"))
_AS_L = str.maketrans(_SPELT | dict.fromkeys("1!|", "l"))
_APOSTROPHES = str.maketrans("", "", "'’")
_ENDS = '.,!?;:"”)]}>~*'
_MENTION = 4
"""Nobody's name is shorter: `@ss` mentions nobody."""
_JOINED = 3
_LONE = re.compile(r"[^\W\daeiou_]")


@lru_cache(maxsize=4_096)
def read(text: str) -> Reading:
    """Costs are linear in the text's length. Much of what a chat says, it says again: the latest are kept."""
    folded = even(fold(text))
    if _PLAIN.fullmatch(folded) or not _ODD.search(folded):
        return Reading(folded, (_way(folded),))
    chunks = folded.split()
    ways = [_way(folded)]
    for table in (_AS_I, _AS_L):
        spelt = [_spelt(chunk, table) for chunk in chunks]
        ways += [_way(" ".join(spelt)), _joined(spelt)]
    return Reading(folded, tuple(dict.fromkeys(ways)))


def even(folded: str) -> str:
    """Without apostrophes, and with no run of a letter longer than says something."""
    if "'" in folded or "’" in folded:
        folded = folded.translate(_APOSTROPHES)
    if len(folded) - len(flat(folded)) < MAX_RUN:
        return folded
    return _LONG_RUN.sub(lambda run: run[1] * MAX_RUN, folded)


@lru_cache(maxsize=256)
def flat(folded: str) -> str:
    """With each run of a letter once."""
    return _AGAIN.sub("", folded)


def _way(folded: str) -> Way:
    words, flattened = tuple(_WORD.findall(folded)), flat(folded)
    return _made(words, words if flattened == folded else tuple(_WORD.findall(flattened)))


def _made(words: tuple[str, ...], flats: tuple[str, ...], joined: frozenset[int] = frozenset()) -> Way:
    return Way(words, flats, tuple([word[:ANCHOR] for word in flats]), joined)


def _spelt(chunk: str, table: dict[int, str]) -> str:
    """Its digits and signs as letters, if they stand among letters."""
    core = chunk.rstrip(_ENDS)
    if core.startswith("@") and len(core) > _MENTION:
        return chunk
    if core.isalpha() or not any(character.isalpha() for character in core):
        return chunk
    return core.translate(table)


def _joined(spelt: Iterable[str]) -> Way:
    """Without the signs within chunks, and with single letters put together."""
    words = tuple(_gathered([squeezed for chunk in spelt if (squeezed := _squeezed(chunk))[0]]))
    texts = tuple(text for text, _ in words)
    return _made(texts, tuple(map(flat, texts)), frozenset(at for at, (_, joined) in enumerate(words) if joined))


def _squeezed(chunk: str) -> tuple[str, bool]:
    letters = "".join(_WORD.findall(chunk))
    return letters, letters != chunk.rstrip(_ENDS)


def _gathered(words: Sequence[tuple[str, bool]]) -> Iterator[tuple[str, bool]]:
    """`f u c k` and `f uck` as one word; `a` and `i` are words of their own."""
    lone = ""  # a single consonant, which goes with what comes after
    for single, group in groupby(words, key=lambda word: len(word[0]) == 1):
        run = list(group)
        if not single:
            yield (lone + run[0][0], True) if lone else run[0]
            yield from run[1:]
            lone = ""
        elif len(run) >= _JOINED:
            yield "".join(letter for letter, _ in run), True
        else:
            lone = run[-1][0] if _LONE.fullmatch(run[-1][0]) else ""
            yield from run[:-1] if lone else run
    if lone:
        yield lone, False
