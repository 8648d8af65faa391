"""An IRC line and its parts (RFC 1459 §2.3.1, IRCv3 message tags), both ways, without I/O."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field

MAX_PARAMS = 15
MAX_TAGS = 64

_COMMAND = re.compile(r"[A-Za-z]{1,32}|[0-9]{3}", re.ASCII)
_TAG_KEY = re.compile(r"\+?[A-Za-z0-9./_-]{1,128}", re.ASCII)
_BREAKS = re.compile(r"[\r\n\0]")
_ESCAPED = {";": r"\:", " ": r"\s", "\\": r"\\", "\r": r"\r", "\n": r"\n"}
_ESCAPES = str.maketrans(_ESCAPED | {"\0": ""})
_UNESCAPED = {escape[1]: character for character, escape in _ESCAPED.items()}
_ESCAPE = re.compile(r"\\(.?)", re.DOTALL)


class Malformed(ValueError):
    """A line that is no IRC message: says what is wrong with it."""


@dataclass(frozen=True, slots=True)
class Message:
    """`prefix` is who it comes from. The last parameter may hold spaces."""

    command: str
    params: tuple[str, ...] = ()
    tags: Mapping[str, str] = field(default_factory=dict)
    prefix: str = ""

    @classmethod
    def parse(cls, line: str) -> Message:
        """Of a line without its end. Raises Malformed."""
        if _BREAKS.search(line):
            raise Malformed("a line holds no CR, LF or NUL")
        rest, tags, prefix = line.lstrip(" "), {}, ""
        if rest.startswith("@"):
            head, _, rest = rest[1:].partition(" ")
            tags = _tags(head)
            rest = rest.lstrip(" ")
        if rest.startswith(":"):
            prefix, _, rest = rest[1:].partition(" ")
            rest = rest.lstrip(" ")
        command, _, rest = rest.partition(" ")
        if not _COMMAND.fullmatch(command):
            raise Malformed("a command is letters, or three digits")
        return cls(command.upper(), _params(rest), tags, prefix)

    def __str__(self) -> str:
        """The line without its end, whatever the values: a break becomes a space, so that no value makes a line.

        Raises ValueError where a parameter before the last would read as several, or as the last.
        """
        parts = []
        if self.tags:
            parts.append("@" + ";".join(f"{key}={value.translate(_ESCAPES)}" for key, value in self.tags.items()))
        if self.prefix:
            parts.append(f":{self.prefix}")
        parts.append(self.command)
        *middle, last = self.params or ("",)
        if _needs_colon(f"{self.prefix}.") or any(map(_needs_colon, middle)):
            raise ValueError("only the last parameter may be empty, hold spaces or breaks, or begin with a colon")
        parts += middle
        if self.params:
            parts.append(f":{_BREAKS.sub(' ', last)}" if _needs_colon(last) else last)
        return " ".join(parts)

    def to_bytes(self) -> bytes:
        """With the line's end."""
        return f"{self}\r\n".encode(errors="replace")


class Lines:
    """Cuts what arrives into lines. Raises Malformed for one that is too long or not UTF-8; there is no going on."""

    def __init__(self, longest: int) -> None:
        self._longest = longest
        self._rest = b""

    def receive(self, data: bytes) -> list[str]:
        *whole, self._rest = (self._rest + data).split(b"\n")
        if max(map(len, (*whole, self._rest))) > self._longest:
            raise Malformed(f"a line has at most {self._longest} bytes")
        try:
            return [text for line in whole if (text := line.rstrip(b"\r").decode())]
        except UnicodeDecodeError as error:
            raise Malformed("lines are UTF-8") from error


def _needs_colon(last: str) -> bool:
    return last == "" or last.startswith(":") or " " in last or bool(_BREAKS.search(last))


def _tags(head: str) -> dict[str, str]:
    pairs = [pair for pair in head.split(";") if pair]
    if len(pairs) > MAX_TAGS:
        raise Malformed(f"a line has at most {MAX_TAGS} tags")
    tags = {}
    for pair in pairs:
        key, _, value = pair.partition("=")
        if not _TAG_KEY.fullmatch(key):
            raise Malformed("a tag's key is letters, digits, hyphens, dots and slashes")
        tags[key] = _ESCAPE.sub(lambda match: _UNESCAPED.get(match[1], match[1]), value)
    return tags


def _params(rest: str) -> tuple[str, ...]:
    params: list[str] = []
    rest = rest.lstrip(" ")
    while rest:
        if rest.startswith(":"):
            params.append(rest[1:])
            break
        param, _, rest = rest.partition(" ")
        params.append(param)
        rest = rest.lstrip(" ")
    if len(params) > MAX_PARAMS:
        raise Malformed(f"a command has at most {MAX_PARAMS} parameters")
    return tuple(params)
