"""What CloudFront would verify: botocore's signatures against the public half of the key."""

from __future__ import annotations

import json
import time
from base64 import b64decode
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.asymmetric.padding import PKCS1v15
from cryptography.hazmat.primitives.hashes import SHA1

from query_api.playback_links import Grant, TokenLinks, link_maker
from topology.playback_keys import PlaybackKeys
from topology.playback_tokens import Asked, check, claims_of
from topology.settings import Settings

NOW_S = time.time()
GRANT = Grant("s-1", "/private/s-1/index.m3u8", int(NOW_S) + 86_400, viewer="7", country="DE")
COOKIES = ("CloudFront-Policy", "CloudFront-Signature", "CloudFront-Key-Pair-Id")
KEY = rsa.generate_private_key(65537, 2048)


def pem(key: rsa.RSAPrivateKey | ec.EllipticCurvePrivateKey) -> bytes:
    plain = serialization.NoEncryption()
    return key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, plain)


def cloudfront_settings(directory: Path, **changed: Any) -> Settings:
    (directory / "key.pem").write_bytes(pem(KEY))
    cloudfront = {
        "cloudfront_base_url": "https://d111111abcdef8.cloudfront.net/",
        "cloudfront_key_pair_id": "K2JCJMDEHXQW5F",
        "cloudfront_private_key_file": str(directory / "key.pem"),
    }
    return Settings.model_validate({"data_dir": directory, **cloudfront, **changed})


def decoded(value: str) -> bytes:
    return b64decode(value.translate(str.maketrans("-_~", "+=/")))


def test_a_signed_url_opens_everything_of_the_stream_until_it_expires(tmp_path: Path) -> None:
    link = link_maker(cloudfront_settings(tmp_path)).link(GRANT)
    url = urlsplit(link.url)
    assert url._replace(query="").geturl() == "https://d111111abcdef8.cloudfront.net/private/s-1/index.m3u8"
    assert url.query == link.query
    query = {name: values[0] for name, values in parse_qs(url.query).items()}
    assert query["Key-Pair-Id"] == "K2JCJMDEHXQW5F"
    policy = decoded(query["Policy"])
    KEY.public_key().verify(decoded(query["Signature"]), policy, PKCS1v15(), SHA1())
    (statement,) = json.loads(policy)["Statement"]
    assert statement == {
        "Resource": "https://d111111abcdef8.cloudfront.net/private/s-1/*",
        "Condition": {"DateLessThan": {"AWS:EpochTime": GRANT.expires_s}},
    }


def test_the_signed_cookies_say_the_same(tmp_path: Path) -> None:
    link = link_maker(cloudfront_settings(tmp_path)).link(GRANT)
    query = parse_qs(link.query)
    assert link.cookies == {name: query[name.removeprefix("CloudFront-")][0] for name in COOKIES}


def test_a_changed_policy_does_not_verify(tmp_path: Path) -> None:
    cookies = link_maker(cloudfront_settings(tmp_path)).link(GRANT).cookies
    policy = decoded(cookies["CloudFront-Policy"]).replace(b"s-1", b"s-2")
    with pytest.raises(InvalidSignature):
        KEY.public_key().verify(decoded(cookies["CloudFront-Signature"]), policy, PKCS1v15(), SHA1())


def test_half_a_setting_is_refused_at_the_start(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="TALLY_CLOUDFRONT_KEY_PAIR_ID"):
        link_maker(cloudfront_settings(tmp_path, cloudfront_key_pair_id=""))


def test_a_key_that_cloudfront_does_not_take_is_refused_at_the_start(tmp_path: Path) -> None:
    settings = cloudfront_settings(tmp_path)
    (tmp_path / "key.pem").write_bytes(pem(ec.generate_private_key(ec.SECP256R1())))
    with pytest.raises(ValueError, match="RSA"):
        link_maker(settings)


def test_without_cloudfront_the_link_carries_a_token_of_ours(tmp_path: Path) -> None:
    settings = Settings(data_dir=tmp_path, playback_url="https://play.example/")
    links = link_maker(settings)
    assert isinstance(links, TokenLinks)
    link = links.link(GRANT)
    assert link.url == f"https://play.example/private/s-1/index.m3u8?token={link.token}"
    keys = PlaybackKeys.of(settings)
    claims = claims_of(link.token, lambda kid: keys.verifier(kid, NOW_S))
    assert (claims.stream_id, claims.path, claims.viewer, claims.country) == ("s-1", "/private/s-1/", "7", "DE")
    assert claims.expires_s == GRANT.expires_s
    check(claims, Asked(GRANT.playback_path, country="DE"), time.time())
