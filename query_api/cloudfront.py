"""CloudFront's signed URLs and signed cookies, by a custom policy for everything below a stream's prefix.

See "Serving private content with signed URLs and signed cookies" in the CloudFront Developer Guide.
"""

from __future__ import annotations

from base64 import b64encode
from datetime import UTC, datetime
from pathlib import Path

from botocore.signers import CloudFrontSigner
from cryptography.hazmat.primitives.asymmetric.padding import PKCS1v15
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey
from cryptography.hazmat.primitives.hashes import SHA1
from cryptography.hazmat.primitives.serialization import load_pem_private_key

from query_api.playback_links import Grant, Link
from topology.settings import Settings

_URL_SAFE = str.maketrans("+=/", "-_~")


class CloudFrontLinks:
    """CloudFront checks these itself; it knows neither viewers nor (in a policy) countries."""

    binds = False

    def __init__(self, settings: Settings) -> None:
        """Raises ValueError when a setting is missing or the key is no RSA key."""
        if not settings.cloudfront_key_pair_id or not settings.cloudfront_private_key_file:
            raise ValueError(
                "TALLY_CLOUDFRONT_BASE_URL needs TALLY_CLOUDFRONT_KEY_PAIR_ID and TALLY_CLOUDFRONT_PRIVATE_KEY_FILE"
            )
        key = load_pem_private_key(Path(settings.cloudfront_private_key_file).read_bytes(), password=None)
        if not isinstance(key, RSAPrivateKey):
            raise ValueError("TALLY_CLOUDFRONT_PRIVATE_KEY_FILE: must hold an RSA private key in PEM")
        self._key = key
        self._key_pair_id = settings.cloudfront_key_pair_id
        self._base = settings.cloudfront_base_url.rstrip("/")
        self._signer = CloudFrontSigner(self._key_pair_id, self._sign)

    def link(self, grant: Grant) -> Link:
        """The multivariant playlist's address; its query opens everything below the stream's prefix."""
        until = datetime.fromtimestamp(grant.expires_s, UTC)
        policy = self._signer.build_policy(f"{self._base}{grant.prefix}*", until)
        url = self._signer.generate_presigned_url(f"{self._base}{grant.playback_path}", policy=policy)
        cookies = {
            "CloudFront-Policy": _encoded(policy.encode()),
            "CloudFront-Signature": _encoded(self._sign(policy.encode())),
            "CloudFront-Key-Pair-Id": self._key_pair_id,
        }
        return Link(url, url.partition("?")[2], cookies=cookies)

    def _sign(self, message: bytes) -> bytes:
        return self._key.sign(message, PKCS1v15(), SHA1())  # noqa: S303  # the hash that CloudFront verifies with


def _encoded(data: bytes) -> str:
    return b64encode(data).decode().translate(_URL_SAFE)
