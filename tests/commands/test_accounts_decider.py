"""What accounts allow."""

from __future__ import annotations

from datetime import datetime, timedelta

import pytest

from commands.deciders import accounts
from commands.identity import secret_hash, user_id_of
from schemas.commands.accounts import EraseUser, IssueStreamKey, Register, RevokeStreamKey, SignIn, SignOut
from schemas.commands.chat import SendMessage
from schemas.events.accounts import (
    SessionIssued,
    SessionRevoked,
    StreamKeyIssued,
    StreamKeyRevoked,
    UserErased,
    UserRegistered,
)
from schemas.events.follows import UserFollowed
from tests.commands.scenario import BOB, NOON, Scenario, happened, wish

ADA = user_id_of("ada")


def ada_registered() -> UserRegistered:
    return happened(UserRegistered, user_id=ADA, login="ada", display_name="Ada", password_hash=secret_hash("verifier"))


def registration(login: str = "ada", user_id: str = ADA, display_name: str = "Ada") -> Register:
    return wish(
        Register, actor=ADA, user_id=user_id, login=login, display_name=display_name, password_verifier="verifier"
    )


def sign_in(
    verifier: str = "verifier", at_s: float = 0.0, expires_at: datetime = NOON + timedelta(hours=4), scopes: int = 1
) -> SignIn:
    return wish(
        SignIn,
        at_s,
        user_id=ADA,
        password_verifier=verifier,
        session_id="s-new",
        token_hash="th",
        scopes=["chat:edit"] * scopes,
        expires_at=expires_at,
    )


def session(name: str, at_s: float = 0.0, hours: float = 4.0) -> SessionIssued:
    expires_at = NOON + timedelta(seconds=at_s, hours=hours)
    return happened(
        SessionIssued, at_s, user_id=ADA, session_id=name, token_hash=f"hash of {name}", expires_at=expires_at
    )


def key(name: str) -> StreamKeyIssued:
    return happened(StreamKeyIssued, user_id=ADA, key_id=name, key_hash=f"hash of {name}")


def test_a_free_login_can_be_taken_and_only_a_hash_of_the_verifier_is_kept() -> None:
    Scenario(accounts).when(registration(display_name=" Ada ")).then(ada_registered())


def test_a_taken_login_cannot_be_taken_again() -> None:
    Scenario(accounts).given(ada_registered()).when(registration()).then_rejected("login_taken")


@pytest.mark.parametrize("login", ["Ada", "a", "a b", "x" * 26, ""])
def test_what_is_no_login_cannot_be_taken(login: str) -> None:
    Scenario(accounts).when(registration(login=login)).then_rejected("login_invalid")


def test_a_login_cannot_be_taken_under_anothers_id() -> None:
    Scenario(accounts).when(registration(user_id=BOB)).then_rejected("login_invalid")


@pytest.mark.parametrize("display_name", ["", "   ", "x" * 51])
def test_a_display_name_is_neither_empty_nor_long(display_name: str) -> None:
    Scenario(accounts).when(registration(display_name=display_name)).then_rejected("display_name_invalid")


def test_the_right_password_opens_a_session() -> None:
    Scenario(accounts).given(ada_registered()).when(sign_in()).then(
        happened(
            SessionIssued,
            user_id=ADA,
            session_id="s-new",
            token_hash="th",
            scopes=["chat:edit"],
            expires_at=NOON + timedelta(hours=4),
        )
    )


def test_a_wrong_password_opens_nothing() -> None:
    Scenario(accounts).given(ada_registered()).when(sign_in("guess")).then_rejected("bad_credentials")


@pytest.mark.parametrize("verifier", ["verifier", ""])
def test_nobody_signs_in_to_an_account_that_does_not_exist(verifier: str) -> None:
    Scenario(accounts).when(sign_in(verifier)).then_rejected("bad_credentials")


def test_a_session_does_not_begin_expired() -> None:
    Scenario(accounts).given(ada_registered()).when(sign_in(expires_at=NOON)).then_rejected("already_expired")


def test_a_token_does_not_carry_endless_scopes() -> None:
    Scenario(accounts).given(ada_registered()).when(sign_in(scopes=51)).then_rejected("too_many_scopes")


def test_one_session_too_many_ends_the_oldest() -> None:
    full = [session(f"s{number}") for number in range(accounts.MAX_SESSIONS)]

    Scenario(accounts).given(ada_registered(), *full).when(sign_in()).then(
        happened(SessionRevoked, user_id=ADA, session_id="s0"),
        happened(
            SessionIssued,
            user_id=ADA,
            session_id="s-new",
            token_hash="th",
            scopes=["chat:edit"],
            expires_at=NOON + timedelta(hours=4),
        ),
    )


def test_expired_sessions_do_not_count() -> None:
    expired = [session(f"s{number}", hours=0.5) for number in range(accounts.MAX_SESSIONS)]

    Scenario(accounts).given(ada_registered(), *expired).when(sign_in(at_s=3600)).then(
        happened(
            SessionIssued,
            user_id=ADA,
            session_id="s-new",
            token_hash="th",
            scopes=["chat:edit"],
            expires_at=NOON + timedelta(hours=4),
        )
    )


def test_signing_out_ends_the_session() -> None:
    Scenario(accounts).given(ada_registered(), session("s1"), session("s2")).when(
        wish(SignOut, actor=ADA, user_id=ADA, session_id="s1")
    ).then(happened(SessionRevoked, user_id=ADA, session_id="s1"))


def test_signing_out_twice_changes_nothing() -> None:
    Scenario(accounts).given(
        ada_registered(), session("s1"), happened(SessionRevoked, user_id=ADA, session_id="s1")
    ).when(wish(SignOut, actor=ADA, user_id=ADA, session_id="s1")).then_nothing()


def test_an_owner_gets_a_stream_key() -> None:
    Scenario(accounts).given(ada_registered()).when(
        wish(IssueStreamKey, actor=ADA, user_id=ADA, key_id="k1", key_hash="hash of k1")
    ).then(key("k1"))


def test_our_own_processes_may_act_for_an_owner() -> None:
    Scenario(accounts).given(ada_registered()).when(
        wish(IssueStreamKey, actor="system:up", user_id=ADA, key_id="k1", key_hash="hash of k1")
    ).then(key("k1"))


def test_nobody_gets_a_key_for_no_account() -> None:
    Scenario(accounts).when(wish(IssueStreamKey, actor=ADA, user_id=ADA, key_id="k1", key_hash="h")).then_rejected(
        "unknown_user"
    )


def test_an_account_has_a_limited_number_of_keys() -> None:
    Scenario(accounts).given(ada_registered(), *(key(f"k{n}") for n in range(accounts.MAX_STREAM_KEYS))).when(
        wish(IssueStreamKey, actor=ADA, user_id=ADA, key_id="k", key_hash="h")
    ).then_rejected("too_many_stream_keys")


def test_a_revoked_key_makes_room_for_another() -> None:
    Scenario(accounts).given(
        ada_registered(),
        *(key(f"k{n}") for n in range(accounts.MAX_STREAM_KEYS)),
        happened(StreamKeyRevoked, user_id=ADA, key_id="k3"),
    ).when(wish(IssueStreamKey, actor=ADA, user_id=ADA, key_id="k", key_hash="hash of k")).then(key("k"))


def test_an_owner_revokes_a_key() -> None:
    Scenario(accounts).given(ada_registered(), key("k1")).when(
        wish(RevokeStreamKey, actor=ADA, user_id=ADA, key_id="k1")
    ).then(happened(StreamKeyRevoked, user_id=ADA, key_id="k1"))


def test_a_key_is_revoked_once() -> None:
    Scenario(accounts).given(ada_registered(), key("k1"), happened(StreamKeyRevoked, user_id=ADA, key_id="k1")).when(
        wish(RevokeStreamKey, actor=ADA, user_id=ADA, key_id="k1")
    ).then_rejected("unknown_stream_key")


@pytest.mark.parametrize(
    "command",
    [
        wish(SignOut, actor=BOB, user_id=ADA, session_id="s1"),
        wish(IssueStreamKey, actor=BOB, user_id=ADA, key_id="k2", key_hash="h"),
        wish(RevokeStreamKey, actor=BOB, user_id=ADA, key_id="k1"),
    ],
)
def test_others_may_not_touch_an_account(command: SignOut | IssueStreamKey | RevokeStreamKey) -> None:
    Scenario(accounts).given(ada_registered(), key("k1"), session("s1")).when(command).then_rejected("unauthorised")


def test_the_caller_is_told_what_was_made() -> None:
    assert accounts.reply(ada_registered()) == {"user_id": ADA}
    assert accounts.reply(key("k1")) == {"key_id": "k1"}
    assert accounts.reply(session("s1")) == {"session_id": "s1"}
    assert accounts.reply(happened(SessionRevoked, user_id=ADA, session_id="s1")) == {}


def test_no_secret_is_told_to_the_caller() -> None:
    for event in (ada_registered(), key("k1"), session("s1")):
        assert not any("hash" in value for value in accounts.reply(event).values())


def test_commands_and_events_of_others_are_not_accounts() -> None:
    with pytest.raises(TypeError, match="SendMessage"):
        accounts.decide(wish(SendMessage, channel_id=ADA, sender_login="ada", text="hi"), accounts.initial_state())
    followed = happened(UserFollowed, channel_id=ADA, follower_id=BOB)
    assert accounts.evolve(accounts.initial_state(), followed) == accounts.initial_state()


def erasure(actor: str = "system:erase") -> EraseUser:
    return wish(EraseUser, actor=actor, user_id=ADA)


def test_an_erased_users_keys_and_sessions_end_first() -> None:
    Scenario(accounts).given(ada_registered(), key("k"), session("s")).when(erasure()).then(
        happened(StreamKeyRevoked, user_id=ADA, key_id="k"),
        happened(SessionRevoked, user_id=ADA, session_id="s"),
        happened(UserErased, user_id=ADA),
    )


def test_who_is_erased_signs_in_no_more_and_the_login_stays_taken() -> None:
    erased = Scenario(accounts).given(ada_registered(), happened(UserErased, user_id=ADA))
    erased.when(sign_in()).then_rejected("bad_credentials")
    erased.when(registration()).then_rejected("login_taken")
    erased.when(registration(login="", display_name="")).then_rejected("login_taken")  # as the codec leaves it


def test_erasing_again_changes_nothing() -> None:
    Scenario(accounts).given(ada_registered(), happened(UserErased, user_id=ADA)).when(erasure()).then()


def test_nobody_is_erased_who_was_not_there() -> None:
    Scenario(accounts).when(erasure()).then_rejected("unknown_user")


def test_a_user_cannot_erase() -> None:
    Scenario(accounts).given(ada_registered()).when(erasure(actor=ADA)).then_rejected("unauthorised")
