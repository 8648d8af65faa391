"""The IRC door over TCP, or TLS: lines in, lines out."""

from __future__ import annotations

import asyncio
from typing import cast

import structlog

from query_api.chat.connection import Connection
from query_api.chat.guest import POLICY_VIOLATION
from query_api.chat.house import House
from query_api.chat.irc import dialect
from query_api.chat.irc.guest import IrcGuest
from query_api.chat.irc.message import Lines, Malformed, Message
from query_api.chat.keeper import Keeper
from query_api.chat.refusal import Refused
from topology.tls import Arriving

log = structlog.get_logger(__name__)


class IrcConnection(Connection, Arriving):
    def __init__(self, house: House, keeper: Keeper) -> None:
        super().__init__(house, keeper)
        self._lines = Lines(house.limits.line)

    def arrive(self, address: str) -> str | None:
        try:
            self.admit(address)
        except Refused as refused:
            return refused.text
        return None

    def turned_away(self, code: str, reason: str) -> None:
        log.info("irc connection turned away", address=self.address, code=code, reason=reason)
        self._depart()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        super().connection_made(transport)
        too_many = self.arrive(self.address) if self._network is None else None
        if too_many is not None:
            self.end(POLICY_VIOLATION, too_many)
            return
        write = cast(asyncio.Transport, transport).write
        self.guest = IrcGuest(self.house, self._network or "", write, self.end)

    def data_received(self, data: bytes) -> None:
        for piece in self._pieces(data):
            if not self.heard(piece.count(b"\n")):  # empty lines are work too
                self.end(POLICY_VIOLATION, "you send more than anybody needs to")
                return
            try:
                lines = self._lines.receive(piece)
            except Malformed as malformed:
                self.end(POLICY_VIOLATION, str(malformed))
                return
            for line in lines:
                if self.guest is not None:
                    self.guest.receive(line)

    def end(self, code: int, why: str) -> None:
        if self._ending_at is None:
            self.send(Message("ERROR", (f"Closing link: {why}",)).to_bytes())
            self._ended()

    def ping(self) -> None:
        self.send(Message("PING", (dialect.SERVER,)).to_bytes())
