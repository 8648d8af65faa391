"""Common Media Client Data: what a player says of itself, from a request or a report.

CTA-5004 (version 1) and CTA-5004-A (version 2). Both are dictionaries of structured fields (RFC 8941 3.2); version 2
makes lists of some values, one per object type, and adds reports of events that a player posts by itself.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

QUERY = "CMCD"
"""The query argument (CTA-5004 2.2)."""

HEADERS = ("cmcd-object", "cmcd-request", "cmcd-session", "cmcd-status")
"""The request headers (CTA-5004 2.1), in lower case."""

LATENCY = "tally-ltc"
"""A custom key for `ltc`, which hls.js 1.7 does not send by itself; it lets pages set custom keys only."""

MAX_TEXT = 4096
MAX_KEYS = 64
MAX_REPORTS = 50

STARTING, PLAYING, SEEKING, REBUFFERING, PAUSED = "s", "p", "k", "r", "a"
WAITING, ENDED, FAILED, QUIT, PRELOADING = "w", "e", "f", "q", "d"
STATES = frozenset((STARTING, PLAYING, SEEKING, REBUFFERING, PAUSED, WAITING, ENDED, FAILED, QUIT, PRELOADING))
"""Values of `sta` (CTA-5004-A)."""

_ITEM = r'-?[0-9]{1,15}(?:\.[0-9]{1,3})?|"(?:[^"\\]|\\["\\])*"|\?[01]|[A-Za-z*][A-Za-z0-9!#$%&\'*+.^_`|~:/-]*'
_PARAMETERS = re.compile(rf"(?:;\ *[A-Za-z*][A-Za-z0-9_.*-]*(?:=(?:{_ITEM}))?)*")
_KEY = re.compile(r"[A-Za-z*][A-Za-z0-9_.*-]*")
_VALUE = re.compile(_ITEM)
_ESCAPED = re.compile(r"\\(.)")
_SPACE = re.compile(r"[ \t]*")
_PRINTABLE = re.compile(r"[\x20-\x7e\t]*")
_ID = re.compile(r"[A-Za-z0-9_-]{8,64}")
_CONTENT = re.compile(r"[\x20-\x7e]{1,128}")
_TOKEN = re.compile(r"[a-z]{1,4}")
_MOST = 2**31 - 1

Item = int | float | str | bool


class CmcdError(ValueError):
    """Not CMCD, or more than is taken; says which key and what is expected."""


@dataclass(frozen=True, slots=True)
class Cmcd:
    """The keys that playback events are made of, under the specification's names; None or "" where not sent.

    Others are read over: whoever sends them may (CTA-5004 2.4).
    """

    sid: str
    """Session id: made by the player, random."""
    cid: str = ""
    """Content id."""
    v: int = 1
    br: int | None = None
    """Encoded bitrate of what is asked for, all object types together, kbit/s."""
    bl: int | None = None
    """Buffer length, the shortest of the object types, ms."""
    mtp: int | None = None
    """Measured throughput, kbit/s."""
    bs: bool = False
    """The buffer was empty since the last request."""
    bsd: int | None = None
    """For how long it was empty, ms."""
    su: bool = False
    """Wanted urgently: startup, seeking, or recovery from an empty buffer."""
    ot: str = ""
    """Object type: m is a manifest, a, v and av are media, i is an init segment."""
    ltc: int | None = None
    """Behind live, ms."""
    msd: int | None = None
    """Media start delay: from the wish to play to the first frame, ms."""
    sta: str = ""
    """State of the player, one of STATES."""
    e: str = ""
    """What a report is about: t is the time interval, ps a new state, e an error, bc a new bitrate."""
    ts: int | None = None
    """The player's clock, ms since 1970."""


def parse(text: str) -> Cmcd:
    """The value of the query argument (percent-decoded), or the four headers joined with commas. Raises CmcdError."""
    values = _dictionary(text)
    if "sid" not in values:
        raise CmcdError("sid is missing: a session id of 8 to 64 characters of A-Z, a-z, 0-9, _ and -")
    if LATENCY in values:
        values.setdefault("ltc", values[LATENCY])
    return Cmcd(**{name: read(name, values[name]) for name, read in _READERS.items() if name in values})


def parse_reports(body: bytes) -> list[Cmcd]:
    """A body of reports in event mode, one a line. Raises CmcdError, which names the line."""
    try:
        lines = [line for line in body.decode("ascii").splitlines() if line.strip()]
    except UnicodeDecodeError as error:
        raise CmcdError("reports are ASCII") from error
    if not 1 <= len(lines) <= MAX_REPORTS:
        raise CmcdError(f"{len(lines)} reports: send 1 to {MAX_REPORTS} at a time, one a line")
    return [_report(number, line) for number, line in enumerate(lines, 1)]


def _report(number: int, line: str) -> Cmcd:
    try:
        report = parse(line)
        if not report.e or report.ts is None:
            raise CmcdError("e and ts are needed in event mode")
    except CmcdError as error:
        raise CmcdError(f"line {number}: {error}") from error
    return report


def _dictionary(text: str) -> dict[str, tuple[Item, ...]]:
    """Every value as a list of items, without their parameters; the last of a repeated key stays (RFC 8941 3.2)."""
    if len(text) > MAX_TEXT:
        raise CmcdError(f"longer than {MAX_TEXT} characters")
    if not _PRINTABLE.fullmatch(text):
        raise CmcdError("holds characters that are not printable ASCII")
    values: dict[str, tuple[Item, ...]] = {}
    at = _past(_SPACE, text, 0)
    while True:
        if not (key := _KEY.match(text, at)):
            raise CmcdError(f"a key is expected at character {at}")
        at = key.end()
        values[key[0]], at = _member(text, at + 1) if text[at : at + 1] == "=" else ((True,), at)
        if len(values) > MAX_KEYS:
            raise CmcdError(f"more than {MAX_KEYS} keys")
        at = _past(_SPACE, text, _past(_PARAMETERS, text, at))
        if at == len(text):
            return values
        if text[at] != ",":
            raise CmcdError(f"a comma is expected at character {at}")
        at = _past(_SPACE, text, at + 1)


def _member(text: str, at: int) -> tuple[tuple[Item, ...], int]:
    """The item or the items of the inner list at `at`, and where they end."""
    if text[at : at + 1] != "(":
        item, at = _item(text, at)
        return (item,), at
    items = []
    at = _past(_SPACE, text, at + 1)
    while text[at : at + 1] != ")":
        item, at = _item(text, at)
        items.append(item)
        at = _past(_SPACE, text, _past(_PARAMETERS, text, at))
    return tuple(items), at + 1


def _item(text: str, at: int) -> tuple[Item, int]:
    found = _VALUE.match(text, at)
    if not found:
        raise CmcdError(f"a value is expected at character {at}")
    word = found[0]
    if word[0] == '"':
        return _ESCAPED.sub(r"\1", word[1:-1]), found.end()
    if word[0] == "?":
        return word == "?1", found.end()
    if word[0] == "-" or word[0].isdigit():
        return float(word) if "." in word else int(word), found.end()
    return word, found.end()


def _past(form: re.Pattern[str], text: str, at: int) -> int:
    """Where what `form` matches at `at` ends; `at` itself where it does not."""
    found = form.match(text, at)
    return found.end() if found else at


def _numbers(name: str, items: tuple[Item, ...], most: int = _MOST) -> list[int]:
    numbers = [round(item) for item in items if isinstance(item, int | float) and not isinstance(item, bool)]
    if len(numbers) != len(items) or not numbers or not all(0 <= number <= most for number in numbers):
        raise CmcdError(f"{name} is a number of 0 to {most}")
    return numbers


def _total(name: str, items: tuple[Item, ...]) -> int:
    return min(sum(_numbers(name, items)), _MOST)


def _least(name: str, items: tuple[Item, ...]) -> int:
    return min(_numbers(name, items))


def _most(name: str, items: tuple[Item, ...]) -> int:
    return max(_numbers(name, items))


def _time(name: str, items: tuple[Item, ...]) -> int:
    return _numbers(name, items, 10**14)[0]


def _flag(name: str, items: tuple[Item, ...]) -> bool:
    if not all(isinstance(item, bool) for item in items):
        raise CmcdError(f"{name} is true or false")
    return any(items)


def _text(form: re.Pattern[str], expected: str) -> Callable[[str, tuple[Item, ...]], str]:
    def read(name: str, items: tuple[Item, ...]) -> str:
        if len(items) != 1 or not isinstance(items[0], str) or not form.fullmatch(items[0]):
            raise CmcdError(f"{name} is {expected}")
        return items[0]

    return read


def _state(name: str, items: tuple[Item, ...]) -> str:
    if len(items) != 1 or items[0] not in STATES:
        raise CmcdError(f"{name} is one of {' '.join(sorted(STATES))}")
    return str(items[0])


_READERS: Mapping[str, Callable[[str, tuple[Item, ...]], Any]] = {
    "sid": _text(_ID, "8 to 64 characters of A-Z, a-z, 0-9, _ and -"),
    "cid": _text(_CONTENT, "a string of 1 to 128 characters"),
    "v": _least,
    "br": _total,
    "bl": _least,
    "mtp": _most,
    "bs": _flag,
    "bsd": _most,
    "su": _flag,
    "ot": _text(_TOKEN, "a token of up to 4 letters"),
    "ltc": _least,
    "msd": _least,
    "sta": _state,
    "e": _text(_TOKEN, "a token of up to 4 letters"),
    "ts": _time,
}
