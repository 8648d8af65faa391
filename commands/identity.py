"""Ids, stream keys, tokens and the hashes of secrets: what gateways put on commands."""

from __future__ import annotations

import hashlib
import hmac
import re
import secrets
import string
import uuid

from uuid6 import uuid7

LOGIN_PATTERN = re.compile(r"[a-z0-9_]{3,25}")
"""What a login looks like, to be matched in full."""

_STREAM_KEY_PATTERN = re.compile(r"live_(?P<user_id>[0-9]{1,20})_[A-Za-z0-9]{32}")
_KEY_ALPHABET = string.ascii_letters + string.digits
_COMMANDS = uuid.UUID("6f3c1f0e-4f1a-5c86-9d43-0d7f2f6d6f57")

# OWASP's scrypt parameters at 16 MiB: N = 2^14, r = 8, p = 5.
_SCRYPT_N, _SCRYPT_R, _SCRYPT_P = 2**14, 8, 5
_SCRYPT_MEMORY = 64 * 2**20


def normalise_login(login: str) -> str:
    """The login in the one form it is kept and compared in. Raises ValueError when it can be no login."""
    normalised = login.strip().lower()
    if not LOGIN_PATTERN.fullmatch(normalised):
        raise ValueError("a login is 3 to 25 characters of a-z, 0-9 and _")
    return normalised


def user_id_of(login: str) -> str:
    """The user id a login always has: 63 bits of its SHA-256, in decimal. It is also the id of the user's channel."""
    digest = hashlib.sha256(normalise_login(login).encode()).digest()
    return str(int.from_bytes(digest[:8], "big") >> 1)


def new_stream_key(user_id: str) -> str:
    """A fresh stream key, `live_<user id>_<32 random characters>`: shown once, kept only as a hash."""
    return f"live_{user_id}_{''.join(secrets.choice(_KEY_ALPHABET) for _ in range(32))}"


def channel_of_key(key: str) -> str:
    """The channel a stream key says it is for; whether it is valid, the decider knows. Raises ValueError."""
    match = _STREAM_KEY_PATTERN.fullmatch(key)
    if match is None:
        raise ValueError("not in the form of a stream key")
    return match["user_id"]


def new_token() -> str:
    """A fresh bearer token: 256 random bits, safe in URLs."""
    return secrets.token_urlsafe(32)


def new_id() -> str:
    """A fresh id that sorts by time of making (UUIDv7)."""
    return str(uuid7())


def secret_hash(secret: str) -> str:
    """SHA-256, hex. Enough for secrets that are random themselves; passwords go through `password_verifier` before."""
    return hashlib.sha256(secret.encode()).hexdigest()


def password_verifier(login: str, password: str, pepper: str) -> str:
    """What a gateway sends in place of a password (hex). Takes about 0.2 s of one core without holding the GIL.

    The salt is derived, from the login under the pepper: a gateway has no account to read a random one from.
    """
    salt = hmac.digest(pepper.encode(), normalise_login(login).encode(), "sha256")
    return hashlib.scrypt(
        password.encode(), salt=salt, n=_SCRYPT_N, r=_SCRYPT_R, p=_SCRYPT_P, maxmem=_SCRYPT_MEMORY, dklen=32
    ).hex()


def command_id_of(actor: str, scope: str, idempotency_key: str) -> str:
    """The command id of an actor's `Idempotency-Key` within a scope such as `POST /helix/donations`.

    The actor is part of it, so that nobody can meet another's commands; the free text comes last, so that no two
    triples read the same.
    """
    return str(uuid.uuid5(_COMMANDS, f"{actor}\n{scope}\n{idempotency_key}"))


def derived_id(command_id: str, index: int) -> str:
    """The id of a command's event number `index`: a repeated append carries the same one, so readers can drop it."""
    return str(uuid.uuid5(_COMMANDS, f"{command_id}\nevent\n{index}"))
