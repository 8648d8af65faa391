"""The keys of playback tokens: a ring in one file, of which one key signs and those before it still verify.

    now ─────────▶ signs from ──────────────────────▶ the next signs from ─────▶ + longest token: retired
      (verifies)     (signs and verifies)               (verifies)

The file has mode 0600 and is replaced whole. An origin elsewhere needs the public halves only. Keys are never logged.
"""

from __future__ import annotations

import fcntl
import os
import secrets
import time
from base64 import urlsafe_b64decode, urlsafe_b64encode
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import structlog
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from pydantic import BaseModel, ConfigDict, Field

from topology.playback_tokens import CLOCK_SKEW_S
from topology.settings import Settings

LOOK_S = 1.0
"""How often a process looks whether the file has changed, seconds; for a key it does not know, at once."""

_log = structlog.get_logger(__name__)


class CannotSign(Exception):
    """No key here signs now: the file holds public halves only, or keys that do not sign yet."""


class PlaybackKey(BaseModel):
    """One key. Both halves are raw Ed25519 keys in base64url."""

    model_config = ConfigDict(frozen=True)

    kid: str = Field(pattern=r"^[A-Za-z0-9-]{1,64}$")
    signs_from_s: float
    public: str
    private: str | None = Field(default=None, repr=False)

    @classmethod
    def make(cls, signs_from_s: float) -> PlaybackKey:
        made = Ed25519PrivateKey.generate()
        halves = made.public_key().public_bytes_raw(), made.private_bytes_raw()
        public, private = (urlsafe_b64encode(half).decode() for half in halves)
        kid = f"{int(signs_from_s)}-{secrets.token_hex(4)}"
        return cls(kid=kid, signs_from_s=signs_from_s, public=public, private=private)

    def verifier(self) -> Ed25519PublicKey:
        return Ed25519PublicKey.from_public_bytes(urlsafe_b64decode(self.public))

    def signer(self) -> Ed25519PrivateKey | None:
        return Ed25519PrivateKey.from_private_bytes(urlsafe_b64decode(self.private)) if self.private else None


class KeyRing(BaseModel):
    """Keys in the order in which they sign. Times are Unix seconds."""

    model_config = ConfigDict(frozen=True)

    keys: tuple[PlaybackKey, ...] = ()

    def signing(self, now_s: float) -> PlaybackKey | None:
        """The last key whose time has come."""
        return next((key for key in reversed(self.keys) if key.private and key.signs_from_s <= now_s), None)

    def verifying(self, now_s: float, longest_s: float) -> tuple[PlaybackKey, ...]:
        """All but those whose last token, of the longest kind, has expired."""
        retired = [
            key
            for key, following in zip(self.keys, self.keys[1:], strict=False)
            if now_s >= following.signs_from_s + longest_s + CLOCK_SKEW_S
        ]
        return tuple(key for key in self.keys if key not in retired)

    def with_key(self, new: PlaybackKey, now_s: float, longest_s: float) -> KeyRing:
        """The ring after a rotation; what was retired is gone."""
        keys = (*self.verifying(now_s, longest_s), new)
        return KeyRing(keys=tuple(sorted(keys, key=lambda key: key.signs_from_s)))

    def public(self) -> KeyRing:
        """The ring as an origin may have it."""
        return KeyRing(keys=tuple(key.model_copy(update={"private": None}) for key in self.keys))


class KeyFile:
    """The ring on disk."""

    def __init__(self, path: Path) -> None:
        self.path = path

    @classmethod
    def of(cls, settings: Settings) -> KeyFile:
        named = settings.playback_keys_file
        return cls(Path(named) if named else settings.data_dir / "playback-keys.json")

    def read(self) -> KeyRing:
        """An empty ring when there is no file. Raises ValueError for what cannot be read."""
        try:
            return KeyRing.model_validate_json(self.path.read_bytes())
        except FileNotFoundError:
            return KeyRing()

    def rotate(self, now_s: float, longest_s: float, grace_s: float = 0.0) -> PlaybackKey:
        """Add a key that signs after the grace, and drop those that are retired."""
        with self._held():
            return self._add(self.read(), now_s, longest_s, grace_s)

    def begin(self, now_s: float) -> None:
        """Make the first key if there is none."""
        with self._held():
            if not self.read().keys:
                self._add(KeyRing(), now_s, 0.0, 0.0)

    def _add(self, ring: KeyRing, now_s: float, longest_s: float, grace_s: float) -> PlaybackKey:
        new = PlaybackKey.make(now_s + grace_s)
        fresh = self.path.with_suffix(f".{os.getpid()}")
        fresh.unlink(missing_ok=True)
        with os.fdopen(os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as file:
            file.write(ring.with_key(new, now_s, longest_s).model_dump_json(indent=2, exclude_none=True))
        fresh.replace(self.path)
        return new

    @contextmanager
    def _held(self) -> Iterator[None]:
        """Two rotations at one time would lose a key."""
        self.path.parent.mkdir(parents=True, exist_ok=True)
        with os.fdopen(os.open(self.path.with_suffix(".lock"), os.O_RDWR | os.O_CREAT, 0o600)) as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            yield


@dataclass(frozen=True, slots=True)
class _Seen:
    mark: tuple[int, int, int] | None
    ring: KeyRing
    verifiers: dict[str, Ed25519PublicKey]
    at_s: float


class PlaybackKeys:
    """The ring as a running process uses it: it follows the file, and keeps what it had when that cannot be read."""

    def __init__(self, file: KeyFile, longest_s: float) -> None:
        self._file = file
        self._longest_s = longest_s
        self._seen = _Seen(None, KeyRing(), {}, float("-inf"))

    @classmethod
    def of(cls, settings: Settings) -> PlaybackKeys:
        return cls(KeyFile.of(settings), settings.playback_token_longest_s)

    def signer(self, now_s: float) -> tuple[str, Ed25519PrivateKey]:
        """The id and the key that signs now; the first one is made when there is none. Raises CannotSign."""
        if not self._ring().keys:
            self._file.begin(now_s)
            self._look()
        key = self._seen.ring.signing(now_s)
        signer = key.signer() if key else None
        if key is None or signer is None:
            raise CannotSign
        return key.kid, signer

    def verifier(self, kid: str, now_s: float) -> Ed25519PublicKey | None:
        """The key of this id, unless it is not known or retired."""
        ring = self._ring()
        if kid not in self._seen.verifiers:
            ring = self._look()
        known = any(key.kid == kid for key in ring.verifying(now_s, self._longest_s))
        return self._seen.verifiers[kid] if known else None

    def _ring(self) -> KeyRing:
        return self._look() if time.monotonic() - self._seen.at_s >= LOOK_S else self._seen.ring

    def _look(self) -> KeyRing:
        mark, ring, verifiers = self._mark(), self._seen.ring, self._seen.verifiers
        if mark != self._seen.mark:
            try:
                ring = self._file.read()
                verifiers = {key.kid: key.verifier() for key in ring.keys}
            except (OSError, ValueError):
                # The error's text may hold what it could not read.
                _log.error("playback keys cannot be read; those known so far go on", path=str(self._file.path))
                ring = self._seen.ring
        self._seen = _Seen(mark, ring, verifiers, time.monotonic())
        return ring

    def _mark(self) -> tuple[int, int, int] | None:
        try:
            found = self._file.path.stat()
        except OSError:
            return None
        return found.st_ino, found.st_mtime_ns, found.st_size
