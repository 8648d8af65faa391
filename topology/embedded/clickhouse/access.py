"""Who asks: the two accounts, by Basic, X-ClickHouse headers or URL parameters."""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac
from collections.abc import Mapping
from dataclasses import dataclass

from topology.embedded.clickhouse.errors import ClickHouseError
from topology.settings import Settings


@dataclass(frozen=True, slots=True)
class Account:
    """`role` is the engine's role that the account's statements run under."""

    name: str
    password_hash: bytes
    role: str

    @property
    def is_analyst(self) -> bool:
        return self.role == ANALYST


WRITER = "writer"
ANALYST = "analyst"

_NOBODY = Account("", b"", "")


def accounts_of(settings: Settings) -> tuple[Account, ...]:
    """The accounts that settings name; one without a password is off."""
    named = (
        (settings.clickhouse_user, settings.clickhouse_password, WRITER),
        (settings.clickhouse_analyst, settings.clickhouse_analyst_password, ANALYST),
    )
    return tuple(
        Account(name, _hash(password.get_secret_value()), role)
        for name, password, role in named
        if password.get_secret_value()
    )


def authenticate(accounts: tuple[Account, ...], headers: Mapping[str, str], params: Mapping[str, str]) -> Account:
    """The account whose name and password were shown. Raises ClickHouseError 194 without any, 516 with wrong ones."""
    name, password = _credentials(headers, params)
    account = next((account for account in accounts if account.name == name), _NOBODY)
    if not hmac.compare_digest(account.password_hash, _hash(password)):
        raise ClickHouseError(
            516,
            "AUTHENTICATION_FAILED",
            f"{name[:64]}: Authentication failed: password is incorrect, or there is no user with such name",
        )
    return account


def _credentials(headers: Mapping[str, str], params: Mapping[str, str]) -> tuple[str, str]:
    if "x-clickhouse-user" in headers or "x-clickhouse-key" in headers:
        return headers.get("x-clickhouse-user", ""), headers.get("x-clickhouse-key", "")
    scheme, _, encoded = headers.get("authorization", "").partition(" ")
    if scheme.lower() == "basic":
        try:
            name, _, password = base64.b64decode(encoded, validate=True).decode().partition(":")
        except (binascii.Error, UnicodeDecodeError) as error:
            raise ClickHouseError(516, "AUTHENTICATION_FAILED", "The Authorization header is malformed") from error
        return name, password
    if "user" in params or "password" in params:
        return params.get("user", ""), params.get("password", "")
    raise ClickHouseError(194, "REQUIRED_PASSWORD", "Show a user and a password")


def _hash(password: str) -> bytes:
    return hashlib.sha256(password.encode()).digest()
