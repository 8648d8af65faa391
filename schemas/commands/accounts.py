"""Commands on a user's account. Key: user id."""

from __future__ import annotations

from typing import ClassVar

from dataclasses_avroschema import types
from pydantic import Field

from schemas.message import SECRET, Command, personal


class AccountCommand(Command):
    topic: ClassVar[str] = "commands.accounts"
    key_field: ClassVar[str] = "user_id"
    user_id: str


class Register(AccountCommand):
    """Take a login. The user id derives from the login, so that one log decides who has it."""

    login: str = Field(json_schema_extra=personal("user_id"))
    display_name: str = Field(json_schema_extra=personal("user_id"))
    password_verifier: str = Field(json_schema_extra=SECRET)


class EraseUser(AccountCommand):
    """Let a user be no more. The actor is the system: nobody does it by accident."""


class IssueStreamKey(AccountCommand):
    """Make a stream key valid."""

    key_id: str
    key_hash: str = Field(json_schema_extra=SECRET)


class RevokeStreamKey(AccountCommand):
    """Make a stream key invalid."""

    key_id: str


class SignIn(AccountCommand):
    """Exchange a password for a bearer token, whose hash the gateway brings along."""

    password_verifier: str = Field(json_schema_extra=SECRET)
    session_id: str
    token_hash: str = Field(json_schema_extra=SECRET)
    scopes: list[str] = Field(default_factory=list)
    expires_at: types.DateTimeMicro


class SignOut(AccountCommand):
    """Make a bearer token invalid."""

    session_id: str
