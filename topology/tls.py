"""Servers inside TLS: certificates that may be renewed, and a door that counts connections before their handshake.

asyncio tells a TLS connection's protocol of it after the handshake only. So connections are accepted here, admitted or
turned away at once, and shake hands within a time limit.
"""

from __future__ import annotations

import asyncio
import socket
import ssl
from abc import abstractmethod
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

import structlog

HANDSHAKE_S = 5.0
BACKLOG = 256
RETRY_S = 1.0
"""After an accept that failed, as it does when the process has no descriptors left."""

_log = structlog.get_logger(__name__)

_Stamp = tuple[int, int, int, int]


class Certificates:
    """A certificate chain and its key, in PEM files. Renewing is replacing them: each connection has them looked at.

    Raises OSError or ssl.SSLError when they cannot be loaded at first. Later the last pair that could stays in use:
    the two files are not replaced in the same instant.
    """

    def __init__(self, certificate_file: Path, key_file: Path) -> None:
        self._files = (certificate_file, key_file)
        self._stamp = self._look()
        self._context = self._load()

    def context(self) -> ssl.SSLContext:
        """For the next connection: TLS 1.2 or later."""
        try:
            stamp = self._look()
            if stamp != self._stamp:
                self._stamp = stamp
                self._context = self._load()
                _log.info("certificate reloaded", file=str(self._files[0]))
        except (OSError, ssl.SSLError) as error:
            _log.error("certificate not reloaded; the old one stays", file=str(self._files[0]), error=str(error))
        return self._context

    def _look(self) -> _Stamp:
        certificate, key = (file.stat() for file in self._files)
        return certificate.st_mtime_ns, certificate.st_ino, key.st_mtime_ns, key.st_ino

    def _load(self) -> ssl.SSLContext:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.minimum_version = ssl.TLSVersion.TLSv1_2
        context.load_cert_chain(*self._files)
        return context


class Arriving(asyncio.Protocol):
    """A connection that is counted before it is made."""

    @abstractmethod
    def arrive(self, address: str) -> str | None:
        """Count it; returns why it is one too many, if it is."""

    @abstractmethod
    def turned_away(self, code: str, reason: str) -> None:
        """It arrived, and `connection_made` never came or never will."""


class TlsDoor:
    """Listens for TLS connections; `make` gives the protocol of each."""

    def __init__(self, certificates: Certificates, make: Callable[[], Arriving]) -> None:
        self._certificates = certificates
        self._make = make
        self._shaking: set[asyncio.Task[None]] = set()
        self._listener: socket.socket | None = None
        self._accepting: asyncio.Task[None] | None = None

    def open(self, host: str, port: int) -> int:
        """Listen; returns the port, which the system chooses when `port` is 0."""
        family = socket.AF_INET6 if ":" in host else socket.AF_INET
        self._listener = socket.create_server((host, port), family=family, backlog=BACKLOG)
        self._listener.setblocking(False)
        self._accepting = asyncio.create_task(self._accept(self._listener))
        bound: int = self._listener.getsockname()[1]
        return bound

    async def close(self) -> None:
        """Stop listening, and end what is still shaking hands."""
        tasks = [*self._shaking, *([self._accepting] if self._accepting else [])]
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        if self._listener is not None:
            self._listener.close()

    async def _accept(self, listener: socket.socket) -> None:
        loop = asyncio.get_running_loop()
        while True:
            try:
                accepted, address = await loop.sock_accept(listener)
            except OSError as error:
                _log.error("connection not accepted", error=str(error))
                await asyncio.sleep(RETRY_S)
                continue
            connection = self._make()
            too_many = connection.arrive(address[0])
            if too_many is not None:
                connection.turned_away("too_many_connections", too_many)
                accepted.close()
                continue
            task = asyncio.create_task(self._shake_hands(accepted, connection))
            self._shaking.add(task)
            task.add_done_callback(self._shaking.discard)

    async def _shake_hands(self, accepted: socket.socket, connection: Arriving) -> None:
        loop = asyncio.get_running_loop()
        try:
            await loop.connect_accepted_socket(
                lambda: connection, accepted, ssl=self._certificates.context(), ssl_handshake_timeout=HANDSHAKE_S
            )
        except (OSError, ssl.SSLError, asyncio.CancelledError) as error:
            connection.turned_away("tls_handshake_failed", str(error) or f"no TLS handshake within {HANDSHAKE_S:g} s")
            with suppress(OSError):
                accepted.close()
            if isinstance(error, asyncio.CancelledError):
                raise
