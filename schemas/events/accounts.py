"""Users, their stream keys and their sessions. Key: user id, which is also the id of the user's channel."""

from __future__ import annotations

from typing import ClassVar

from dataclasses_avroschema import types
from pydantic import Field

from schemas.message import SECRET, Event, personal


class AccountEvent(Event):
    topic: ClassVar[str] = "accounts"
    key_field: ClassVar[str] = "user_id"
    user_id: str


class UserRegistered(AccountEvent):
    """A user chose a login and with it a channel."""

    login: str = Field(json_schema_extra=personal("user_id"))
    display_name: str = Field(json_schema_extra=personal("user_id"))
    password_hash: str = Field(json_schema_extra=SECRET, description="SHA-256 of the scrypt verifier, hex.")


class UserErased(AccountEvent):
    """A user is no more: the key to all personal texts about them is destroyed next. The login stays taken."""


class StreamKeyIssued(AccountEvent):
    """A stream key was made; only its hash is kept."""

    key_id: str
    key_hash: str = Field(json_schema_extra=SECRET, description="SHA-256 of the key, hex.")


class StreamKeyRevoked(AccountEvent):
    """A stream key stopped working."""

    key_id: str


class SessionIssued(AccountEvent):
    """A sign-in succeeded and a bearer token was handed out; only its hash is kept."""

    session_id: str
    token_hash: str = Field(json_schema_extra=SECRET, description="SHA-256 of the token, hex.")
    scopes: list[str] = Field(default_factory=list)
    expires_at: types.DateTimeMicro


class SessionRevoked(AccountEvent):
    """A bearer token stopped working before its time."""

    session_id: str
