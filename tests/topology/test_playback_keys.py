"""Which key signs, which verify, and how one follows another."""

from __future__ import annotations

import stat
import threading
from pathlib import Path

import pytest
import structlog
from hypothesis import given
from hypothesis import strategies as st

from topology.playback_keys import CannotSign, KeyFile, KeyRing, PlaybackKey, PlaybackKeys
from topology.playback_tokens import CLOCK_SKEW_S
from topology.settings import Settings

NOW_S = 1_790_000_000.0
LONGEST_S = 3600


@pytest.fixture
def file(tmp_path: Path) -> KeyFile:
    return KeyFile(tmp_path / "playback-keys.json")


def test_the_first_key_is_made_on_first_use_and_only_its_owner_reads_it(file: KeyFile) -> None:
    kid, _ = PlaybackKeys(file, LONGEST_S).signer(NOW_S)
    assert [key.kid for key in file.read().keys] == [kid]
    assert stat.S_IMODE(file.path.stat().st_mode) == 0o600


def test_edges_that_start_at_one_time_make_one_key(file: KeyFile) -> None:
    signed: list[str] = []
    threads = [
        threading.Thread(target=lambda: signed.append(PlaybackKeys(file, LONGEST_S).signer(NOW_S)[0])) for _ in range(8)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(signed) == 8
    assert set(signed) == {key.kid for key in file.read().keys}


def test_what_is_signed_in_one_process_is_verified_in_another_at_once(file: KeyFile) -> None:
    origin = PlaybackKeys(file, LONGEST_S)
    assert origin.verifier("none", NOW_S) is None
    kid, key = PlaybackKeys(file, LONGEST_S).signer(NOW_S)
    verifier = origin.verifier(kid, NOW_S)
    assert verifier is not None
    verifier.verify(key.sign(b"text"), b"text")


def test_a_new_key_signs_at_once_and_the_one_before_verifies_until_its_last_token_expired(file: KeyFile) -> None:
    old = file.rotate(NOW_S, LONGEST_S).kid
    new = file.rotate(NOW_S + 10, LONGEST_S).kid
    keys = PlaybackKeys(file, LONGEST_S)
    assert keys.signer(NOW_S + 10)[0] == new
    last_s = NOW_S + 10 + LONGEST_S + CLOCK_SKEW_S
    assert keys.verifier(old, last_s - 1) is not None
    assert keys.verifier(old, last_s) is None
    assert keys.verifier(new, last_s) is not None


def test_a_key_with_a_grace_verifies_before_it_signs(file: KeyFile) -> None:
    old = file.rotate(NOW_S, LONGEST_S).kid
    new = file.rotate(NOW_S, LONGEST_S, grace_s=300).kid
    keys = PlaybackKeys(file, LONGEST_S)
    assert keys.signer(NOW_S + 299)[0] == old
    assert keys.verifier(new, NOW_S) is not None
    assert keys.signer(NOW_S + 300)[0] == new
    assert keys.verifier(old, NOW_S + 300 + LONGEST_S) is not None


def test_retired_keys_leave_the_file_at_the_next_rotation(file: KeyFile) -> None:
    kids = [file.rotate(NOW_S + at_s, LONGEST_S).kid for at_s in (0, 10, 20 + LONGEST_S, 20 + 9 * LONGEST_S)]
    assert [key.kid for key in file.read().keys] == [kids[2], kids[3]]


@given(st.lists(st.tuples(st.floats(0, 4 * LONGEST_S), st.floats(0, LONGEST_S)), min_size=1, max_size=6))
def test_a_token_of_any_length_can_be_verified_through_all_rotations(steps: list[tuple[float, float]]) -> None:
    ring, now_s = KeyRing(keys=(_key(0, 0.0),)), 0.0
    tokens: list[tuple[str, float]] = []
    for number, (wait_s, grace_s) in enumerate(steps, 1):
        now_s += wait_s
        signing = ring.signing(now_s)
        assert signing is not None
        tokens.append((signing.kid, now_s + LONGEST_S))
        ring = ring.with_key(_key(number, now_s + grace_s), now_s, LONGEST_S)
        known = {key.kid for key in ring.verifying(now_s, LONGEST_S)}
        assert {kid for kid, until_s in tokens if until_s > now_s} <= known


def test_an_origin_with_public_halves_verifies_and_cannot_sign(file: KeyFile, tmp_path: Path) -> None:
    kid = file.rotate(NOW_S, LONGEST_S).kid
    elsewhere = KeyFile(tmp_path / "elsewhere.json")
    elsewhere.path.write_text(file.read().public().model_dump_json())
    keys = PlaybackKeys(elsewhere, LONGEST_S)
    assert "private" not in file.read().public().model_dump_json(exclude_none=True)
    assert keys.verifier(kid, NOW_S) is not None
    with pytest.raises(CannotSign):
        keys.signer(NOW_S)


def test_a_file_that_cannot_be_read_leaves_the_keys_as_they_were_and_is_not_quoted(file: KeyFile) -> None:
    kid = file.rotate(NOW_S, LONGEST_S).kid
    keys = PlaybackKeys(file, LONGEST_S)
    assert keys.verifier(kid, NOW_S) is not None
    file.path.write_text('{"keys": [{"private": "do-not-quote-me"}]}')
    with structlog.testing.capture_logs() as logs:
        assert keys.verifier("another", NOW_S) is None
        assert keys.verifier(kid, NOW_S) is not None
    assert [line["log_level"] for line in logs] == ["error"]
    assert "do-not-quote-me" not in str(logs)


def test_without_the_file_every_token_of_before_is_refused_and_the_next_is_signed_anew(file: KeyFile) -> None:
    leaked = file.rotate(NOW_S, LONGEST_S).kid
    file.path.unlink()
    keys = PlaybackKeys(file, LONGEST_S)
    assert keys.signer(NOW_S)[0] != leaked
    assert keys.verifier(leaked, NOW_S) is None


def test_private_halves_do_not_show_in_what_is_printed(file: KeyFile) -> None:
    key = file.rotate(NOW_S, LONGEST_S)
    assert key.private
    assert key.private not in f"{key!r} {key} {file.read()!r}"


def test_the_settings_name_the_file(tmp_path: Path) -> None:
    assert KeyFile.of(Settings(data_dir=tmp_path)).path == tmp_path / "playback-keys.json"
    assert KeyFile.of(Settings(playback_keys_file="/keys/ring.json")).path == Path("/keys/ring.json")


def _key(number: int, signs_from_s: float) -> PlaybackKey:
    return PlaybackKey(kid=f"k{number}", signs_from_s=signs_from_s, public="", private="x")
