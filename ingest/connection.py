"""One RTMP connection: bytes between a transport and a `ServerSession`, and what its events mean.

Every end has a reason, which is logged and, where the protocol has a form for it, sent. After the last word the
connection lingers: reset over bytes still under way, it would take the reason with it.
"""

from __future__ import annotations

import asyncio
import hashlib
import os
import time
from dataclasses import dataclass
from typing import Protocol, cast

import structlog
from uuid6 import uuid7

from ingest.bad_keys import BadKeys
from ingest.desk import PUBLISH_FAILED, Desk, Publication, Refused, Role
from ingest.media.became import RefusedMedia
from ingest.media.tag import MediaTag
from ingest.pump import Pump
from ingest.rtmp.events import Broken, PublishRequested, ServerEvent, Unpublished
from ingest.rtmp.handshake import RANDOM_SIZE
from ingest.rtmp.session import ServerSession
from topology.tls import Arriving

APP = "live"
SLICE = 32_768
"""Bytes parsed before the limits are looked at again."""

_log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class ConnectionLimits:
    """What one connection may take of the process. Times in seconds."""

    publish_s: float = 10.0
    """From accept to an accepted publish, which no trickle of bytes prolongs."""

    idle_s: float = 15.0
    linger_s: float = 2.0
    messages_per_s: int = 20_000
    bytes_per_s: int = 16 << 20
    unread_answers: int = 65_536
    """Bytes of answers that a peer may leave unread."""


class Owner(Protocol):
    """The server, as its connections see it."""

    desk: Desk
    bad_keys: BadKeys
    pump: Pump
    limits: ConnectionLimits

    def admit(self, connection: RtmpConnection) -> str | None:
        """None, or why the connection is one too many."""

    def leave(self, connection: RtmpConnection) -> None: ...

    def spawn(self, connection: RtmpConnection, key: str, role: Role) -> None:
        """Run `connection.ask(key, role)` and keep its task."""


class RtmpConnection(Arriving):
    def __init__(self, owner: Owner) -> None:
        self.address = ""
        self.session_id = str(uuid7())
        self._owner = owner
        self._limits = owner.limits
        self._session = ServerSession(APP, os.urandom(RANDOM_SIZE))
        self._transport: asyncio.Transport | None = None
        self._publication: Publication | None = None
        self._log = _log.bind(session_id=self.session_id)
        self._opened_at = self._last_media = time.monotonic()
        self._ending_at: float | None = None
        self._asking = False
        self._arrived = False
        self._seen_bytes = self._seen_messages = 0

    def arrive(self, address: str) -> str | None:
        """Count it, which for TLS is before its handshake; returns why it is one too many, if it is."""
        self._arrived = True
        self.address = address
        self._log = self._log.bind(address=address)
        return self._owner.admit(self)

    def turned_away(self, code: str, reason: str) -> None:
        """It arrived, and `connection_made` never came or never will."""
        if self._ending_at is None:
            self._finish(code, reason)
        self._owner.leave(self)

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast(asyncio.Transport, transport)
        self._transport.set_write_buffer_limits(high=self._limits.unread_answers)
        if not self._arrived:
            peer = transport.get_extra_info("peername")
            too_many = self.arrive(peer[0] if peer else "")
            if too_many is not None:
                self.abort("too_many_connections", too_many)
        elif self._ending_at is not None:
            self._transport.abort()

    def connection_lost(self, error: Exception | None) -> None:
        self._owner.leave(self)
        self._transport = None
        if self._ending_at is None:
            self._finish("connection_lost", str(error or "the peer closed the connection"))

    def pause_writing(self) -> None:
        self.abort("slow_reader", f"left over {self._limits.unread_answers} bytes of answers unread")

    def data_received(self, data: bytes) -> None:
        if len(data) <= SLICE:
            self._receive(data)
            return
        for start in range(0, len(data), SLICE):
            self._receive(data[start : start + SLICE])
            self._check_rate()

    def eof_received(self) -> bool:
        return False

    def check(self, now: float) -> None:
        """Called every second: end what takes too long."""
        if self._ending_at is not None:
            if now - self._ending_at > self._limits.linger_s and self._transport is not None:
                self._transport.abort()
        elif self._publication is None:
            if not self._asking and now - self._opened_at > self._limits.publish_s:
                self.cut("publish_timeout", f"no publish within {self._limits.publish_s:g} s")
        elif now - self._last_media > self._limits.idle_s:
            self.cut("idle", f"no media for {self._limits.idle_s:g} s")
        else:
            self._publication.tick(time.time())
        self._check_rate()
        self._seen_bytes, self._seen_messages = self._session.received, self._session.messages

    def cut(self, code: str, description: str) -> None:
        """End the connection from our side, saying why."""
        if self._ending_at is None:
            self._session.refuse(PUBLISH_FAILED, description)
            self._end(code, description)

    async def ask(self, key: str, role: Role) -> None:
        """Have the key judged; reading pauses meanwhile, so that nothing piles up."""
        self._log = self._log.bind(key=fingerprint(key), role=role)
        try:
            publication = await self._owner.desk.authorise(key, role, self.session_id, self.cut)
        except Refused as refused:
            await self._refuse(refused)
            return
        except Exception:
            self._log.exception("the key could not be judged")
            await self._refuse(Refused("internal_error", PUBLISH_FAILED, "internal error; try again"))
            return
        self._publication = publication
        self._asking = False
        if self._transport is None or self._ending_at is not None:
            self._release("connection_lost")
            return
        self._log = self._log.bind(stream_id=publication.stream_id)
        self._last_media = time.monotonic()
        self._log.info("publish accepted")
        self._handle(self._session.accept_publish())
        self._flush()
        if self._ending_at is None:
            self._read_media(self._transport)

    def _read_media(self, transport: asyncio.Transport) -> None:
        if transport.get_extra_info("ssl_object") is None:
            self._owner.pump.add(self, transport.get_extra_info("socket").fileno())
        else:
            transport.resume_reading()

    async def _refuse(self, refused: Refused) -> None:
        if refused.code == "bad_stream_key":
            await asyncio.sleep(self._owner.bad_keys.pause_s(self.address, time.monotonic()))
        if self._transport is not None and self._ending_at is None:
            self._session.refuse(refused.status, refused.description)
            self._end(refused.code, refused.description)

    def _receive(self, data: bytes) -> None:
        if self._ending_at is None:
            events = self._session.receive_data(data)
            if events:
                self._handle(events)
            self._flush()

    def _handle(self, events: list[ServerEvent]) -> None:
        publication, now_s = self._publication, time.time()
        for event in events:
            if isinstance(event, MediaTag):
                if publication is None:
                    return
                try:
                    publication.push(event, now_s)
                except Exception as error:
                    self._refuse_media(error)
                    return
            elif isinstance(event, PublishRequested):
                self._asking = True
                if self._transport is not None:
                    self._transport.pause_reading()
                self._owner.spawn(self, event.key, "backup" if event.backup else "primary")
            elif isinstance(event, Unpublished):
                self._end("unpublished", f"the publisher sent {event.command}")
                return
            elif isinstance(event, Broken):
                self._end(event.code, event.message)
                return
        if publication is not None:
            self._last_media = time.monotonic()

    def _refuse_media(self, error: Exception) -> None:
        if isinstance(error, RefusedMedia):
            said, logged = error.message, f"{error.code}: {error.message}"
        else:
            self._log.error("media failed", exc_info=error)
            said = logged = "internal error"
        self._session.refuse(PUBLISH_FAILED, said)
        self._end("refused_media", logged)

    def _check_rate(self) -> None:
        if self._ending_at is None:
            if self._session.messages - self._seen_messages > self._limits.messages_per_s:
                self.cut("message_flood", f"over {self._limits.messages_per_s} messages in a second")
            elif self._session.received - self._seen_bytes > self._limits.bytes_per_s:
                self.cut("byte_flood", f"over {self._limits.bytes_per_s} bytes in a second")

    def _flush(self) -> None:
        data = self._session.data_to_send()
        if data and self._transport is not None:
            self._transport.write(data)

    def _end(self, code: str, reason: str) -> None:
        self._flush()
        self._finish(code, reason)
        if self._transport is not None:
            if self._transport.can_write_eof():  # not within TLS
                self._transport.write_eof()
            if not self._transport.is_reading():
                self._transport.resume_reading()

    def abort(self, code: str, reason: str) -> None:
        """End the connection at once; nothing more is sent."""
        if self._ending_at is None:
            self._finish(code, reason)
        if self._transport is not None:
            self._transport.abort()

    def _finish(self, code: str, reason: str) -> None:
        self._owner.pump.remove(self)
        self._ending_at = time.monotonic()
        self._log.info(
            "rtmp connection ended",
            code=code,
            reason=reason,
            received=self._session.received,
            seconds=round(self._ending_at - self._opened_at, 1),
        )
        self._release(code)

    def _release(self, code: str) -> None:
        publication, self._publication = self._publication, None
        if publication is not None:
            if code in _FINAL:
                publication.end(code)
            else:
                publication.vanish(code)


_FINAL = frozenset({"unpublished", "refused_media", "key_revoked"})


def fingerprint(key: str) -> str:
    """What the log may know of a stream key."""
    return hashlib.sha256(key.encode()).hexdigest()[:8]
