"""Attribute lists (RFC 8216bis 4.2). Pure."""

from __future__ import annotations

import re
from dataclasses import dataclass
from urllib.parse import urlsplit

_PAIR = re.compile(r'([A-Z0-9-]+)=("[^"\r\n]*"|[^",\s]+)(,|$)', re.ASCII)
_INTEGER = re.compile(r"\d{1,20}", re.ASCII)
_DECIMAL = re.compile(r"\d{1,20}(\.\d{0,20})?|\.\d{1,20}", re.ASCII)
_RESOLUTION = re.compile(r"(\d{1,6})x(\d{1,6})", re.ASCII)
_RANGE = re.compile(r"(\d{1,18})(?:@(\d{1,18}))?", re.ASCII)
_INTEGER_MAX = (1 << 64) - 1


class PlaylistError(ValueError):
    """The text is no playlist: names the line, which counts from 1, and what is wrong with it."""

    def __init__(self, line: int, reason: str) -> None:
        super().__init__(f"line {line}: {reason}")
        self.line = line
        self.reason = reason


@dataclass(frozen=True)
class Attributes:
    """The attribute list of one tag. Its readers raise PlaylistError when a value is not of the type."""

    tag: str
    line: int
    pairs: tuple[tuple[str, str], ...]
    """Names and values as written, quotes included."""

    def raw(self, name: str) -> str | None:
        return next((value for key, value in self.pairs if key == name), None)

    def quoted(self, name: str) -> str | None:
        value = self.raw(name)
        if value is None:
            return None
        if not value.startswith('"'):
            raise self._bad(name, value, "a quoted string")
        return value[1:-1]

    def enumerated(self, name: str) -> str | None:
        value = self.raw(name)
        if value is not None and value.startswith('"'):
            raise self._bad(name, value, "an enumerated string, without quotes")
        return value

    def is_yes(self, name: str) -> bool:
        value = self.enumerated(name)
        if value not in (None, "YES", "NO"):
            raise self._bad(name, value or "", "YES or NO")
        return value == "YES"

    def integer(self, name: str) -> int | None:
        value = self.raw(name)
        return None if value is None else read_integer(value, self.line, f"{self.tag} {name}")

    def decimal(self, name: str) -> float | None:
        value = self.raw(name)
        return None if value is None else read_decimal(value, self.line, f"{self.tag} {name}")

    def resolution(self, name: str) -> tuple[int, int] | None:
        value = self.raw(name)
        if value is None:
            return None
        match = _RESOLUTION.fullmatch(value)
        if match is None:
            raise self._bad(name, value, "a resolution such as 1280x720")
        return int(match[1]), int(match[2])

    def byte_range(self, name: str) -> tuple[int, int | None] | None:
        value = self.quoted(name)
        return None if value is None else read_range(value, self.line, f"{self.tag} {name}")

    def required(self, name: str) -> str:
        """A quoted string that must be there."""
        value = self.quoted(name)
        if value is None:
            raise PlaylistError(self.line, f"{self.tag} lacks {name}")
        return value

    def uri(self, name: str = "URI") -> str:
        """A quoted string that must be there and be a URI reference."""
        return read_uri(self.required(name), self.line)

    def _bad(self, name: str, value: str, wanted: str) -> PlaylistError:
        return PlaylistError(self.line, f"{self.tag} {name} is {wanted}, not {value[:80]}")


def read_uri(text: str, line: int) -> str:
    """A URI reference (RFC 3986) that can be resolved."""
    try:
        urlsplit(text)
    except ValueError as error:
        raise PlaylistError(line, f"{text[:80]!r} is no URI: {error}") from None
    if not text or " " in text:
        raise PlaylistError(line, f"{text[:80]!r} is no URI")
    return text


def read_attributes(tag: str, text: str, line: int) -> Attributes:
    """Read what stands behind the tag's colon. Raises PlaylistError."""
    pairs: dict[str, str] = {}
    at, comma = 0, False
    while at < len(text):
        match = _PAIR.match(text, at)
        if match is None:
            raise PlaylistError(line, f"{tag} has no attribute list at {text[at : at + 40]!r}")
        name, value, separator = match.groups()
        if name in pairs:
            raise PlaylistError(line, f"{tag} has {name} twice")
        pairs[name] = value
        at, comma = match.end(), bool(separator)
    if comma or not pairs:
        raise PlaylistError(line, f"{tag} ends where an attribute should be")
    return Attributes(tag, line, tuple(pairs.items()))


def read_integer(text: str, line: int, what: str) -> int:
    """A decimal-integer of up to 64 bits."""
    if not _INTEGER.fullmatch(text) or int(text) > _INTEGER_MAX:
        raise PlaylistError(line, f"{what} is a decimal integer, not {text[:80]!r}")
    return int(text)


def read_decimal(text: str, line: int, what: str) -> float:
    """A decimal-floating-point number, which has no sign and no exponent."""
    if not _DECIMAL.fullmatch(text):
        raise PlaylistError(line, f"{what} is a decimal number, not {text[:80]!r}")
    return float(text)


def read_range(text: str, line: int, what: str) -> tuple[int, int | None]:
    """Length and offset; the offset may be left out."""
    match = _RANGE.fullmatch(text)
    if match is None:
        raise PlaylistError(line, f"{what} is a byte range such as 500@0, not {text[:80]!r}")
    return int(match[1]), int(match[2]) if match[2] is not None else None
