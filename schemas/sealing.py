"""Personal texts under the key of the user they are about, so that destroying one key erases them in every copy.

AES-SIV (RFC 5297), for it is deterministic: deciding the same command again gives the same bytes. The record's type and
id and the field's name are bound to each text, so that nobody can move one to another place.
"""

from __future__ import annotations

from base64 import b64decode, b64encode
from collections.abc import Mapping
from functools import cache
from typing import Any, NamedTuple, Protocol

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESSIV

from schemas.message import Event, Message

MARK = "\x02s1:"
"""What a sealed text begins with. No text that a decider lets through begins with a control character, so texts from
before sealing read as they are.
"""

KEY_BYTES = 64
"""AES-256-SIV takes two keys of 256 bits."""


class SealBroken(ValueError):
    """A sealed text that its subject's key does not open: it was changed, moved or sealed under another key."""


class KeysUnavailable(Exception):
    """The keys cannot be looked up now. No reason to take a record for poison, or a user for erased: try again."""


class Keyring(Protocol):
    """The users' keys. `reading` and `writing` raise KeysUnavailable too. Safe to share between threads."""

    def is_erased(self, subject: str) -> bool:
        """Whether the subject's key was destroyed, as far as is known. Raises KeysUnavailable."""

    def knows(self, subject: str) -> bool:
        """Whether the others would answer at once, without asking Kafka."""

    def close(self) -> None:
        """Let go of what it holds; may be called twice."""

    def writing(self, subject: str) -> AESSIV | None:
        """The subject's key, made when there is none; None when it was erased."""

    def reading(self, subject: str) -> AESSIV | None:
        """The subject's key; None when it was erased, or never was."""


class Personal(NamedTuple):
    """Which of a record type's texts are personal data: `fields` is field to subject field."""

    full_name: str
    id_field: str
    fields: tuple[tuple[str, str], ...]

    def subjects(self, values: Mapping[str, Any]) -> set[str]:
        """The users whom a record with these values has texts of."""
        return {values[subject] for name, subject in self.fields if values[name]}

    def seal(self, values: dict[str, Any], keyring: Keyring) -> None:
        """Seal the texts in place; those of an erased user become empty. Raises KeysUnavailable."""
        for name, subject in self.fields:
            text = values[name]
            if text:
                key = keyring.writing(values[subject])
                sealed = key and key.encrypt(text.encode("utf-8", "surrogatepass"), self._place(values, name))
                values[name] = MARK + b64encode(sealed).decode() if sealed else ""

    def open(self, values: dict[str, Any], keyring: Keyring) -> None:
        """Open the texts in place; those of an erased user become empty. Raises SealBroken, KeysUnavailable."""
        for name, subject in self.fields:
            text = values[name]
            if text.startswith(MARK):
                key = keyring.reading(values[subject])
                values[name] = "" if key is None else _opened(key, text, name, self._place(values, name))
            elif text and keyring.is_erased(values[subject]):  # from before texts were sealed
                values[name] = ""

    def _place(self, values: Mapping[str, Any], name: str) -> list[bytes]:
        return [f"{self.full_name}/{name}/{values[self.id_field]}".encode()]  # the id comes last: it may hold anything


@cache
def personal_of(model: type[Message]) -> Personal | None:
    """None for a record type without personal texts."""
    fields = tuple(
        (name, extra["personal"])
        for name, field in model.model_fields.items()
        if isinstance(extra := field.json_schema_extra, dict) and isinstance(extra.get("personal"), str)
    )
    id_field = "event_id" if issubclass(model, Event) else "command_id"
    return Personal(model.full_name(), id_field, fields) if fields else None  # type: ignore[arg-type]


def _opened(key: AESSIV, text: str, name: str, place: list[bytes]) -> str:
    try:
        return key.decrypt(b64decode(text[len(MARK) :], validate=True), place).decode("utf-8", "surrogatepass")
    except (InvalidTag, ValueError) as error:
        raise SealBroken(f"{name} is sealed, and the key of its subject does not open it") from error
