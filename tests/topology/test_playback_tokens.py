"""What a playback token opens, and everything it does not."""

from __future__ import annotations

from dataclasses import replace

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from hypothesis import given
from hypothesis import strategies as st

from topology.playback_tokens import (
    CLOCK_SKEW_S,
    MESSAGES,
    TOKEN_LENGTH,
    Asked,
    Claims,
    Reason,
    TokenRefused,
    check,
    claims_of,
    is_plain,
    sign,
)

NOW_S = 1_790_000_000
KEY, OTHER_KEY = Ed25519PrivateKey.generate(), Ed25519PrivateKey.generate()
KEYS = {"k1": KEY.public_key(), "k2": OTHER_KEY.public_key()}
CLAIMS = Claims("s-1", "/private/s-1/", NOW_S, NOW_S + 60)
INDEX = Asked("/private/s-1/index.m3u8")
TOKEN = sign(CLAIMS, "k1", KEY)

ids = st.from_regex(r"[A-Za-z0-9-]{1,64}", fullmatch=True)
claims = st.builds(
    Claims,
    stream_id=ids,
    path=ids.map(lambda name: f"/private/{name}/"),
    not_before_s=st.integers(0, 2**40),
    expires_s=st.integers(0, 2**40),
    viewer=st.none() | st.from_regex(r"[0-9]{1,20}", fullmatch=True),
    country=st.none() | st.from_regex(r"[A-Z]{2}", fullmatch=True),
)


def refusal(token: str) -> Reason:
    with pytest.raises(TokenRefused) as refused:
        claims_of(token, KEYS.get)
    return refused.value.reason


def refused_use(asked: Asked = INDEX, claims: Claims = CLAIMS, now_s: float = NOW_S) -> Reason:
    with pytest.raises(TokenRefused) as refused:
        check(claims, asked, now_s)
    return refused.value.reason


@given(claims)
def test_a_token_says_what_was_signed(claims: Claims) -> None:
    assert claims_of(sign(claims, "k1", KEY), KEYS.get) == claims


@given(st.integers(0, 8 * len(TOKEN) - 1))
def test_any_changed_bit_is_refused(bit: int) -> None:
    changed = bytearray(TOKEN.encode())
    changed[bit // 8] ^= 1 << bit % 8
    assert refusal(changed.decode("latin-1")) in {Reason.MALFORMED, Reason.UNKNOWN_KEY, Reason.BAD_SIGNATURE}


@given(st.text(max_size=40) | st.binary(max_size=40).map(lambda data: data.decode("latin-1")))
def test_what_is_no_token_is_refused_as_such(text: str) -> None:
    assert refusal(text) is Reason.MALFORMED


@given(st.integers(0, len(TOKEN)), st.text(min_size=1, max_size=3))
def test_anything_put_in_is_refused(place: int, more: str) -> None:
    assert refusal(TOKEN[:place] + more + TOKEN[place:])


def test_every_cut_off_token_is_refused() -> None:
    for length in range(len(TOKEN)):
        assert refusal(TOKEN[:length]) is Reason.MALFORMED


def test_a_signature_written_another_way_is_refused() -> None:
    # The last of 86 characters holds 4 bits that mean nothing: 16 texts read as the same 64 bytes.
    alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"
    assert {refusal(TOKEN[:-1] + letter) for letter in alphabet if letter != TOKEN[-1]} == {
        Reason.MALFORMED,
        Reason.BAD_SIGNATURE,
    }


def test_the_key_of_another_id_does_not_verify() -> None:
    assert refusal(TOKEN.replace("k1.", "k2.", 1)) is Reason.BAD_SIGNATURE
    assert refusal(TOKEN.replace("k1.", "k3.", 1)) is Reason.UNKNOWN_KEY


def test_the_signature_of_another_text_is_no_tokens() -> None:
    signed = TOKEN.rpartition(".")[0]
    foreign = sign(replace(CLAIMS, path="/private/s-2/"), "k1", KEY).rpartition(".")[2]
    assert refusal(f"{signed}.{foreign}") is Reason.BAD_SIGNATURE


def test_a_token_has_a_greatest_length() -> None:
    assert refusal("k1." + "A" * TOKEN_LENGTH + TOKEN[2:]) is Reason.MALFORMED
    with pytest.raises(ValueError, match="at most"):
        sign(replace(CLAIMS, path="/private/" + "a" * TOKEN_LENGTH + "/"), "k1", KEY)


@pytest.mark.parametrize("changed", [{"not_before_s": "1"}, {"expires_s": None}, {"stream_id": 7}, {"viewer": ["1"]}])
def test_signed_claims_of_another_shape_are_malformed(changed: dict[str, object]) -> None:
    odd = replace(CLAIMS, **changed)  # type: ignore[arg-type]
    assert refusal(sign(odd, "k1", KEY)) is Reason.MALFORMED


def test_it_opens_everything_below_its_path() -> None:
    for name in ("index.m3u8", "audio/media.m3u8", "1080p/part3.0.m4s"):
        check(CLAIMS, Asked(f"/private/s-1/{name}"), NOW_S + 59.9)


def test_it_opens_nothing_of_another_stream() -> None:
    assert refused_use(Asked("/private/s-2/index.m3u8")) is Reason.OTHER_STREAM
    assert refused_use(Asked("/private/s-10/index.m3u8")) is Reason.OTHER_STREAM
    assert refused_use(Asked("/private")) is Reason.OTHER_STREAM


def test_it_opens_nothing_beside_its_path() -> None:
    audio = replace(CLAIMS, path="/private/s-1/audio/")
    check(audio, Asked("/private/s-1/audio/media.m3u8"), NOW_S)
    assert refused_use(Asked("/private/s-1/1080p/media.m3u8"), audio) is Reason.OTHER_PATH
    assert refused_use(Asked("/vod/s-1/index.m3u8")) is Reason.OTHER_PATH
    assert refused_use(INDEX, replace(CLAIMS, path="/private/s-1")) is Reason.OTHER_PATH


@pytest.mark.parametrize(
    "path",
    ["", "/", "private", "/private/s-1/../s-2/x", "/private/s-1/./x", "/private/s-1//x", "/private/s-1/%2e%2e/s-2/x",
     "/private/s-1/.x", "/private/s-1/x\n", "/private/s-1/x y", "/private/s-1\\..\\s-2", "/private/s-1/x?y",
     "/privaté/x"],
)  # fmt: skip
def test_a_path_that_two_servers_could_read_in_two_ways_is_never_opened(path: str) -> None:
    assert not is_plain(path)
    assert refused_use(Asked(path)) is Reason.OTHER_PATH


def test_it_works_until_it_expires_and_from_its_time_on_give_or_take_the_clocks() -> None:
    assert refused_use(now_s=NOW_S + 60) is Reason.EXPIRED
    check(CLAIMS, INDEX, NOW_S - CLOCK_SKEW_S)
    assert refused_use(now_s=NOW_S - CLOCK_SKEW_S - 1) is Reason.NOT_YET_VALID


def test_a_country_has_to_be_known_and_the_same() -> None:
    german = replace(CLAIMS, country="DE")
    check(german, replace(INDEX, country="DE"), NOW_S)
    check(CLAIMS, replace(INDEX, country="FR"), NOW_S)
    assert refused_use(replace(INDEX, country="FR"), german) is Reason.OTHER_COUNTRY
    assert refused_use(INDEX, german) is Reason.OTHER_COUNTRY


def test_a_viewer_who_is_known_has_to_be_the_same() -> None:
    of_seven = replace(CLAIMS, viewer="7")
    check(of_seven, replace(INDEX, viewer="7"), NOW_S)
    check(of_seven, INDEX, NOW_S)
    for somebody_else in ("8", ""):
        assert refused_use(replace(INDEX, viewer=somebody_else), of_seven) is Reason.OTHER_VIEWER


def test_every_reason_has_words_for_people() -> None:
    assert set(MESSAGES) == set(Reason)
