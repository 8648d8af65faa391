"""Users, their sessions and their stream keys. Secrets of stream keys stay with the deciders."""

from __future__ import annotations

from projections.contract import Fields
from projections.tables import Change, Model, Subject, Table

USERS = Table(
    "users",
    {
        "user_id": "text",
        "login": "text",
        "display_name": "text",
        "created_at": "timestamptz",
        "erased_at": "timestamptz",
    },
    personal=dict.fromkeys(("login", "display_name"), Subject("user_id")),
    indexes=("(login)",),
)
SESSIONS = Table(
    "sessions",
    {
        "session_id": "text",
        "user_id": "text",
        "token_hash": "text",
        "scopes": "text[]",
        "expires_at": "timestamptz",
        "revoked_at": "timestamptz",
    },
    once=frozenset({"revoked_at"}),
    indexes=("(token_hash)",),
)
STREAM_KEYS = Table(
    "stream_keys",
    {"key_id": "text", "user_id": "text", "created_at": "timestamptz", "revoked_at": "timestamptz"},
    once=frozenset({"revoked_at"}),
    indexes=("(user_id)",),
)

_REGISTERED = frozenset({"login", "display_name", "created_at"})
_ERASED = frozenset({"login", "display_name", "erased_at"})
_ISSUED_SESSION = frozenset({"user_id", "token_hash", "scopes", "expires_at"})
_ISSUED_KEY = frozenset({"user_id", "created_at"})
_REVOKED = frozenset({"revoked_at"})


def _user_registered(e: Fields) -> Change:
    return Change(USERS, (e["user_id"], e["login"], e["display_name"], e["occurred_at"], None), _REGISTERED)


def _user_erased(e: Fields) -> Change:
    return Change(USERS, (e["user_id"], "", "", None, e["occurred_at"]), _ERASED)


def _session_issued(e: Fields) -> Change:
    row = (e["session_id"], e["user_id"], e["token_hash"], e["scopes"], e["expires_at"], None)
    return Change(SESSIONS, row, _ISSUED_SESSION)


def _session_revoked(e: Fields) -> Change:
    return Change(SESSIONS, (e["session_id"], e["user_id"], None, [], None, e["occurred_at"]), _REVOKED)


def _stream_key_issued(e: Fields) -> Change:
    return Change(STREAM_KEYS, (e["key_id"], e["user_id"], e["occurred_at"], None), _ISSUED_KEY)


def _stream_key_revoked(e: Fields) -> Change:
    return Change(STREAM_KEYS, (e["key_id"], e["user_id"], None, e["occurred_at"]), _REVOKED)


MODEL = Model(
    name="accounts",
    topic="accounts",
    tables=(USERS, SESSIONS, STREAM_KEYS),
    on={
        "UserRegistered": _user_registered,
        "UserErased": _user_erased,
        "SessionIssued": _session_issued,
        "SessionRevoked": _session_revoked,
        "StreamKeyIssued": _stream_key_issued,
        "StreamKeyRevoked": _stream_key_revoked,
    },
    revision=2,
)
