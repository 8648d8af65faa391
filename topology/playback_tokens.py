"""Playback tokens: short-lived, signed with Ed25519 (RFC 8032), each for one stream.

    <key id>.<claims: JSON, base64url>.<signature of all before, base64url>

Pure: keys, clock and what is asked for come from outside.
"""

from __future__ import annotations

import re
from base64 import urlsafe_b64decode, urlsafe_b64encode
from binascii import Error as NotBase64
from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum

import orjson
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from pydantic import TypeAdapter, ValidationError

TOKEN_LENGTH = 1024
"""Characters; a longer token is not looked at."""

CLOCK_SKEW_S = 30
"""By how much the clocks of an edge and an origin may differ, seconds."""

_TOKEN = re.compile(r"(?P<kid>[A-Za-z0-9-]{1,64})\.(?P<payload>[A-Za-z0-9_-]+)\.(?P<signature>[A-Za-z0-9_-]{86})")
_PLAIN_PATH = re.compile(r"(/[A-Za-z0-9][A-Za-z0-9._-]*)+/?")
_PURPOSE = b"tally playback token\n"
"""Signed with every token, so that no other text signed with the key can be one."""


class Reason(StrEnum):
    """Why a token does not open a path. Programs rely on these: add, never rename."""

    MISSING = "token_missing"
    MALFORMED = "token_malformed"
    UNKNOWN_KEY = "unknown_key"
    BAD_SIGNATURE = "bad_signature"
    EXPIRED = "token_expired"
    NOT_YET_VALID = "token_not_yet_valid"
    OTHER_STREAM = "other_stream"
    OTHER_PATH = "other_path"
    OTHER_COUNTRY = "other_country"
    OTHER_VIEWER = "other_viewer"


MESSAGES = {
    Reason.MISSING: "This stream is not public: it needs a playback token.",
    Reason.MALFORMED: "That is no playback token. Ask for a new one.",
    Reason.UNKNOWN_KEY: "The key of the playback token is not known here, or no longer. Ask for a new token.",
    Reason.BAD_SIGNATURE: "The playback token was changed or forged. Ask for a new one.",
    Reason.EXPIRED: "The playback token has expired. Ask for a new one.",
    Reason.NOT_YET_VALID: "The playback token is not valid yet.",
    Reason.OTHER_STREAM: "The playback token is for another stream.",
    Reason.OTHER_PATH: "The playback token is for another part of this stream.",
    Reason.OTHER_COUNTRY: "The playback token is for another country.",
    Reason.OTHER_VIEWER: "The playback token is for another viewer.",
}
"""For people: the page shows them."""


class TokenRefused(Exception):
    """A token does not open what was asked for."""

    def __init__(self, reason: Reason) -> None:
        super().__init__(MESSAGES[reason])
        self.reason = reason


@dataclass(frozen=True, slots=True)
class Claims:
    """What a token allows. Times are Unix seconds; None binds to nobody and nowhere."""

    stream_id: str
    path: str
    """All paths below this one, which ends with a slash."""
    not_before_s: int
    expires_s: int
    viewer: str | None = None
    """A user id."""
    country: str | None = None
    """ISO 3166-1, two capital letters."""


@dataclass(frozen=True, slots=True)
class Asked:
    """A path, and what is known of who asks for it."""

    path: str
    country: str | None = None
    viewer: str | None = None
    """A user id; empty for somebody who is nobody's user, None where it cannot be known."""


_CLAIMS = TypeAdapter(Claims)


def is_plain(path: str) -> bool:
    """Whether a path reads the same to everybody: no dot segments, no doubled slashes, nothing encoded."""
    return _PLAIN_PATH.fullmatch(path) is not None


def sign(claims: Claims, kid: str, key: Ed25519PrivateKey) -> str:
    """The token. Raises ValueError when the claims do not fit into one."""
    signed = f"{kid}.{_encode(orjson.dumps(claims))}"
    token = f"{signed}.{_encode(key.sign(_PURPOSE + signed.encode()))}"
    if len(token) > TOKEN_LENGTH:
        raise ValueError(f"a playback token has at most {TOKEN_LENGTH} characters")
    return token


def claims_of(token: str, key_of: Callable[[str], Ed25519PublicKey | None]) -> Claims:
    """What a token says, once its signature holds; `key_of` knows keys by id. Raises TokenRefused."""
    match = _TOKEN.fullmatch(token) if len(token) <= TOKEN_LENGTH else None
    signature = _decode(match["signature"]) if match else None
    if match is None or signature is None:
        raise TokenRefused(Reason.MALFORMED)
    key = key_of(match["kid"])
    if key is None:
        raise TokenRefused(Reason.UNKNOWN_KEY)
    try:
        key.verify(signature, _PURPOSE + token.rpartition(".")[0].encode())
    except InvalidSignature:
        raise TokenRefused(Reason.BAD_SIGNATURE) from None
    return _read(_decode(match["payload"]))


def kid_of(token: str) -> str:
    """The id of the key that a token names."""
    return token.partition(".")[0]


def check(claims: Claims, asked: Asked, now_s: float) -> None:
    """Raises TokenRefused unless the claims allow what is asked. A country that is not known is another country;
    a viewer who is not known may be the one."""
    if not is_plain(asked.path) or not claims.path.endswith("/"):
        raise TokenRefused(Reason.OTHER_PATH)
    if claims.stream_id not in asked.path.split("/")[2:3]:
        raise TokenRefused(Reason.OTHER_STREAM)
    if not asked.path.startswith(claims.path):
        raise TokenRefused(Reason.OTHER_PATH)
    if now_s >= claims.expires_s:
        raise TokenRefused(Reason.EXPIRED)
    if now_s < claims.not_before_s - CLOCK_SKEW_S:
        raise TokenRefused(Reason.NOT_YET_VALID)
    if claims.country is not None and claims.country != asked.country:
        raise TokenRefused(Reason.OTHER_COUNTRY)
    if claims.viewer is not None and asked.viewer is not None and claims.viewer != asked.viewer:
        raise TokenRefused(Reason.OTHER_VIEWER)


def _read(payload: bytes | None) -> Claims:
    try:
        return _CLAIMS.validate_json(payload or b"", strict=True)
    except ValidationError:
        raise TokenRefused(Reason.MALFORMED) from None


def _encode(data: bytes) -> str:
    return urlsafe_b64encode(data).rstrip(b"=").decode()


def _decode(text: str) -> bytes | None:
    """None for what `_encode` does not write: two texts that mean the same bytes would be two tokens."""
    try:
        data = urlsafe_b64decode(text + "=" * (-len(text) % 4))
    except (NotBase64, ValueError):
        return None
    return data if _encode(data) == text else None
