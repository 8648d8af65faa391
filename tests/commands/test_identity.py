"""Ids and secrets: what every gateway relies on."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from commands import identity


@pytest.mark.parametrize(
    ("written", "kept"),
    [("ada", "ada"), ("  Ada_99 ", "ada_99"), ("abc", "abc"), ("a" * 25, "a" * 25)],
)
def test_a_login_is_kept_in_one_form(written: str, kept: str) -> None:
    assert identity.normalise_login(written) == kept


@pytest.mark.parametrize("login", ["", "ab", "a" * 26, "has space", "ünicode", "semi;colon", "new\nline", "abc\n\nabc"])
def test_what_can_be_no_login_is_refused(login: str) -> None:
    with pytest.raises(ValueError, match="3 to 25"):
        identity.normalise_login(login)


def test_a_user_id_is_decimal_and_always_the_same_for_a_login() -> None:
    assert identity.user_id_of("ada") == identity.user_id_of(" ADA ")
    assert identity.user_id_of("ada").isdecimal()
    assert int(identity.user_id_of("ada")) < 2**63
    assert identity.user_id_of("ada") != identity.user_id_of("adb")


def test_a_stream_key_names_its_channel() -> None:
    user_id = identity.user_id_of("ada")
    key = identity.new_stream_key(user_id)

    assert identity.channel_of_key(key) == user_id
    assert identity.new_stream_key(user_id) != key


@given(st.text(max_size=80))
def test_no_other_text_passes_for_a_stream_key(text: str) -> None:
    with pytest.raises(ValueError, match="stream key"):
        identity.channel_of_key(text)


def test_a_verifier_depends_on_login_password_and_pepper() -> None:
    verifier = identity.password_verifier("ada", "correct horse", "pepper")

    assert verifier == identity.password_verifier("ADA", "correct horse", "pepper")
    others = {
        identity.password_verifier("adb", "correct horse", "pepper"),
        identity.password_verifier("ada", "correct-horse", "pepper"),
        identity.password_verifier("ada", "correct horse", "salt"),
    }
    assert len({verifier, *others}) == 4
    assert identity.secret_hash(verifier) != verifier


def test_a_command_id_is_one_per_actor_scope_and_key() -> None:
    one = identity.command_id_of("1", "POST /helix/donations", "k")

    assert one == identity.command_id_of("1", "POST /helix/donations", "k")
    assert one != identity.command_id_of("2", "POST /helix/donations", "k")
    assert one != identity.command_id_of("1", "POST /helix/donations", "k2")
    assert one != identity.command_id_of("1", "POST /helix/follows", "k")


def test_ids_made_later_sort_later_and_tokens_never_repeat() -> None:
    ids = [identity.new_id() for _ in range(100)]

    assert ids == sorted(ids)
    assert len({identity.new_token() for _ in range(100)}) == 100


def test_the_events_of_a_command_have_ids_of_their_own() -> None:
    assert identity.derived_id("c", 0) == identity.derived_id("c", 0)
    assert len({identity.derived_id("c", 0), identity.derived_id("c", 1), identity.derived_id("d", 0)}) == 3
