"""A user's account: login, password, stream keys, sessions. Secrets are known by their hashes only."""

from __future__ import annotations

import hmac
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from commands.deciders.envelope import SYSTEM, caused_by, require_owner
from commands.identity import LOGIN_PATTERN, secret_hash, user_id_of
from commands.rejection import Rejected
from schemas.commands.accounts import EraseUser, IssueStreamKey, Register, RevokeStreamKey, SignIn, SignOut
from schemas.events.accounts import (
    SessionIssued,
    SessionRevoked,
    StreamKeyIssued,
    StreamKeyRevoked,
    UserErased,
    UserRegistered,
)
from schemas.message import Command, Event

MAX_STREAM_KEYS = 10
MAX_SESSIONS = 50
MAX_DISPLAY_NAME = 50
MAX_SCOPES = 50


@dataclass(frozen=True, slots=True)
class Session:
    """A bearer token that has not been revoked."""

    session_id: str
    expires_at: datetime


@dataclass(frozen=True, slots=True)
class Account:
    """Registered while `password_hash` is set. `sessions` are in order of issue."""

    password_hash: str = ""
    key_ids: tuple[str, ...] = ()
    sessions: tuple[Session, ...] = ()
    erased: bool = False


def initial_state() -> Account:
    return Account()


def decide(command: Command, account: Account) -> Sequence[Event]:
    match command:
        case Register():
            return _register(command, account)
        case EraseUser():
            return _erase(command, account)
        case SignIn():
            return _sign_in(command, account)
        case SignOut():
            return _sign_out(command, account)
        case IssueStreamKey():
            return _issue_stream_key(command, account)
        case RevokeStreamKey():
            return _revoke_stream_key(command, account)
    raise TypeError(f"{type(command).__name__} is no command on accounts")


def evolve(account: Account, event: Event) -> Account:
    match event:
        case UserRegistered():
            return replace(account, password_hash=event.password_hash)
        case UserErased():
            return Account(erased=True)
        case StreamKeyIssued():
            return replace(account, key_ids=(*account.key_ids, event.key_id))
        case StreamKeyRevoked():
            return replace(account, key_ids=tuple(key_id for key_id in account.key_ids if key_id != event.key_id))
        case SessionIssued():
            unexpired = tuple(session for session in account.sessions if session.expires_at > event.occurred_at)
            return replace(account, sessions=(*unexpired, Session(event.session_id, event.expires_at)))
        case SessionRevoked():
            kept = tuple(session for session in account.sessions if session.session_id != event.session_id)
            return replace(account, sessions=kept)
    return account


def reply(event: Event) -> dict[str, str]:
    match event:
        case UserRegistered():
            return {"user_id": event.user_id}
        case StreamKeyIssued():
            return {"key_id": event.key_id}
        case SessionIssued():
            return {"session_id": event.session_id}
    return {}


def _register(command: Register, account: Account) -> Sequence[Event]:
    if account.erased:  # first, for the command's texts are empty: their key is destroyed
        raise Rejected("login_taken", "somebody has this login; choose another")
    if not LOGIN_PATTERN.fullmatch(command.login):
        raise Rejected("login_invalid", "a login is 3 to 25 characters of a-z, 0-9 and _")
    if command.user_id != user_id_of(command.login):
        raise Rejected("login_invalid", "the user id is not the login's")
    if not 1 <= len(command.display_name.strip()) <= MAX_DISPLAY_NAME:
        raise Rejected("display_name_invalid", f"a display name is 1 to {MAX_DISPLAY_NAME} characters")
    if account.password_hash:
        raise Rejected("login_taken", "somebody has this login; choose another")
    return [
        UserRegistered(
            **caused_by(command),
            user_id=command.user_id,
            login=command.login,
            display_name=command.display_name.strip(),
            password_hash=secret_hash(command.password_verifier),
        )
    ]


def _erase(command: EraseUser, account: Account) -> Sequence[Event]:
    if not command.actor.startswith(SYSTEM):
        raise Rejected("unauthorised", "only an operator may do this")
    if account.erased:
        return []
    if not account.password_hash:
        raise Rejected("unknown_user", "nobody has this user id")
    keys = [
        StreamKeyRevoked(**caused_by(command, index), user_id=command.user_id, key_id=key_id)
        for index, key_id in enumerate(account.key_ids)
    ]
    sessions = [
        SessionRevoked(**caused_by(command, index), user_id=command.user_id, session_id=session.session_id)
        for index, session in enumerate(account.sessions, len(keys))
    ]
    erased = UserErased(**caused_by(command, len(keys) + len(sessions)), user_id=command.user_id)
    return [*keys, *sessions, erased]


def _sign_in(command: SignIn, account: Account) -> Sequence[Event]:
    # An account nobody has is compared too, and refused in the same words: who asks learns nothing of who exists.
    if not hmac.compare_digest(secret_hash(command.password_verifier), account.password_hash or secret_hash("")):
        raise Rejected("bad_credentials", "login or password is wrong")
    if not account.password_hash:
        raise Rejected("bad_credentials", "login or password is wrong")
    if len(command.scopes) > MAX_SCOPES:
        raise Rejected("too_many_scopes", f"a token carries at most {MAX_SCOPES} scopes")
    if command.expires_at <= command.issued_at:
        raise Rejected("already_expired", "the token's end lies in the past")
    issued = SessionIssued(
        **caused_by(command),
        user_id=command.user_id,
        session_id=command.session_id,
        token_hash=command.token_hash,
        scopes=command.scopes,
        expires_at=command.expires_at,
    )
    unexpired = [session for session in account.sessions if session.expires_at > command.issued_at]
    if len(unexpired) < MAX_SESSIONS:
        return [issued]
    oldest = SessionRevoked(**caused_by(command, 1), user_id=command.user_id, session_id=unexpired[0].session_id)
    return [oldest, issued]


def _sign_out(command: SignOut, account: Account) -> Sequence[Event]:
    require_owner(command, command.user_id)
    if all(session.session_id != command.session_id for session in account.sessions):
        return []
    return [SessionRevoked(**caused_by(command), user_id=command.user_id, session_id=command.session_id)]


def _issue_stream_key(command: IssueStreamKey, account: Account) -> Sequence[Event]:
    require_owner(command, command.user_id)
    if not account.password_hash:
        raise Rejected("unknown_user", "nobody has this user id")
    if len(account.key_ids) >= MAX_STREAM_KEYS:
        raise Rejected("too_many_stream_keys", f"a channel has at most {MAX_STREAM_KEYS} stream keys; revoke one first")
    return [
        StreamKeyIssued(**caused_by(command), user_id=command.user_id, key_id=command.key_id, key_hash=command.key_hash)
    ]


def _revoke_stream_key(command: RevokeStreamKey, account: Account) -> Sequence[Event]:
    require_owner(command, command.user_id)
    if command.key_id not in account.key_ids:
        raise Rejected("unknown_stream_key", "the account has no such stream key; it may be revoked already")
    return [StreamKeyRevoked(**caused_by(command), user_id=command.user_id, key_id=command.key_id)]
