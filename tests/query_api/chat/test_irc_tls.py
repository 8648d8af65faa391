"""IRC over TLS: the same door, for clients that check the certificate."""

from __future__ import annotations

import asyncio
import ssl
from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path

import pytest
from pydantic import ValidationError

from query_api.chat.irc.connection import IrcConnection
from query_api.chat.limits import Limits
from tests.authority import Authority
from tests.query_api.chat.clients import PATIENCE_S, IrcClient
from tests.query_api.chat.test_json_socket import ADA
from tests.query_api.chat.town import Town
from topology import tls
from topology.settings import Settings
from topology.tls import Certificates, TlsDoor

CONNECTIONS = 3


@dataclass(frozen=True)
class Secured:
    """A town's IRC door over TLS."""

    town: Town
    authority: Authority
    port: int

    async def client(self, login: str, trust: ssl.SSLContext | None = None) -> IrcClient:
        context = trust or self.authority.trusting()
        client = IrcClient(*await asyncio.open_connection("localhost", self.port, ssl=context), login)
        await client.send("CAP REQ :twitch.tv/tags twitch.tv/commands")
        await client.send(f"PASS oauth:token-{login}")
        await client.send(f"NICK {login}")
        return client

    async def connected(self, count: int) -> None:
        async with asyncio.timeout(PATIENCE_S):
            while self.town.house.admission.connections != count:  # noqa: ASYNC110  # nothing tells of it
                await asyncio.sleep(0.02)


@pytest.fixture
async def secured(tmp_path: Path) -> AsyncIterator[Secured]:
    town, authority = Town(Limits(connections=CONNECTIONS)), Authority(tmp_path)
    town.register("bob", "ada")
    files = authority.issue(serial=7)
    door = TlsDoor(Certificates(files.certificate, files.key), lambda: IrcConnection(town.house, town.keeper))
    yield Secured(town, authority, door.open("localhost", 0))
    await door.close()
    for kept in town.keeper.all():
        kept.cut("the test is over")  # type: ignore[attr-defined]
    await asyncio.sleep(0)


async def test_a_client_that_checks_the_certificate_joins_and_speaks(secured: Secured) -> None:
    bob, ada = await secured.client("bob"), await secured.client("ada")
    for client in (bob, ada):
        await client.join("ada", ADA)
        await client.until("ROOMSTATE")
    await bob.say("within TLS")
    assert (await ada.until("PRIVMSG")).params == ("#ada", "within TLS")
    await bob.close()
    await ada.close()
    await secured.connected(0)


async def test_a_client_that_trusts_another_authority_is_not_fooled(secured: Secured, tmp_path: Path) -> None:
    (tmp_path / "other").mkdir()
    with pytest.raises(ssl.SSLCertVerificationError):
        await secured.client("bob", Authority(tmp_path / "other").trusting())
    await secured.connected(0)


async def test_what_speaks_no_tls_is_sent_away_and_counts_no_more(secured: Secured) -> None:
    reader, writer = await asyncio.open_connection("localhost", secured.port)
    writer.write(b"NICK justinfan1\r\n")
    async with asyncio.timeout(PATIENCE_S):
        assert b"001" not in await reader.read()
    writer.close()
    await secured.connected(0)


async def test_a_handshake_that_never_comes_is_ended(secured: Secured, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tls, "HANDSHAKE_S", 0.3)
    reader, writer = await asyncio.open_connection("localhost", secured.port)
    async with asyncio.timeout(PATIENCE_S):
        assert await reader.read() == b""
    writer.close()
    await secured.connected(0)


async def test_connections_are_counted_before_they_shake_hands(secured: Secured) -> None:
    silent = [await asyncio.open_connection("localhost", secured.port) for _ in range(CONNECTIONS)]
    await secured.connected(CONNECTIONS)
    with pytest.raises((ConnectionError, ssl.SSLError)):
        await secured.client("bob")
    for _, writer in silent:
        writer.close()
    await secured.connected(0)
    bob = await secured.client("bob")
    assert (await bob.until("001")).params[0] == "bob"
    await bob.close()


async def test_a_renewed_certificate_is_shown_to_the_next_client(secured: Secured) -> None:
    for serial in (7, 8):
        secured.authority.issue(serial)
        _, writer = await asyncio.open_connection("localhost", secured.port, ssl=secured.authority.trusting())
        certificate = writer.get_extra_info("peercert")
        assert int(certificate["serialNumber"], 16) == serial
        writer.close()


async def test_who_does_not_read_is_cut_within_tls_too(secured: Secured) -> None:
    bob = await secured.client("bob")
    await bob.until("376")
    (kept,) = secured.town.keeper.all()
    guest = kept.guest
    assert guest is not None
    for _ in range(4):
        guest.write(b"x" * secured.town.limits.unread)
    await secured.connected(0)
    await bob.close()


def test_irc_over_tls_without_its_files_is_a_mistake_that_is_named() -> None:
    with pytest.raises(ValidationError, match="ircs_certificate_file"):
        Settings(ircs_port=6697)
