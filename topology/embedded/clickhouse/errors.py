"""ClickHouse's error form: code, text, name and the HTTP status that its server gives."""

from __future__ import annotations

import re

_PREFIX = re.compile(r"^(?:Streaming (?:query|insert \w+) failed: )?(?:Code: (\d+)\. DB::Exception: )+")
_SUFFIX = re.compile(r"\.?\s*\(([A-Z0-9_]+)\)(?:\s*\(version [^()]*(?:\([^()]*\))?\))?\.?\s*$")
_SCOPE = re.compile(r":? In scope SELECT formatQuerySingleLine\(.*", re.DOTALL)

_BAD_REQUEST = {6, 26, 27, 33, 36, 38, 41, 53, 62, 69, 72, 117, 118, 130, 167, 168, 457}
_NOT_FOUND = {46, 47, 50, 56, 60, 63, 73, 81, 99, 115}
_STATUS = {
    **dict.fromkeys(_BAD_REQUEST, 400),
    **dict.fromkeys(_NOT_FOUND, 404),
    48: 501,
    159: 408,
    164: 403,
    194: 401,
    202: 503,
    209: 503,
    276: 413,
    497: 403,
    516: 403,
}


class ClickHouseError(Exception):
    """A refusal as a ClickHouse server words it; `code` and `name` are from its table of errors."""

    def __init__(self, code: int, name: str, message: str) -> None:
        super().__init__(message)
        self.code = code
        self.name = name
        self.message = message

    @property
    def status(self) -> int:
        return _STATUS.get(self.code, 500)

    def text(self, version: str) -> str:
        return f"Code: {self.code}. DB::Exception: {self.message}. ({self.name}) (version {version} (chDB))\n"

    @classmethod
    def parse(cls, error: Exception) -> ClickHouseError:
        """What the engine said; 1002 UNKNOWN_EXCEPTION for text of another form."""
        text = str(error)
        prefix, suffix = _PREFIX.match(text), _SUFFIX.search(text)
        message = text[prefix.end() if prefix else 0 : suffix.start() if suffix else None]
        message = _SUFFIX.sub("", _SCOPE.sub("", message)).rstrip(". \n")
        if not prefix:
            return cls(1002, "UNKNOWN_EXCEPTION", message)
        return cls(int(prefix[1]), suffix[1] if suffix else "UNKNOWN_EXCEPTION", message)


def access_denied(message: str) -> ClickHouseError:
    return ClickHouseError(497, "ACCESS_DENIED", message)


def not_implemented(message: str) -> ClickHouseError:
    return ClickHouseError(48, "NOT_IMPLEMENTED", message)
