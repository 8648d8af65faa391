"""The real chat process under all at once that strangers do to it: the room goes on, and its log tells nothing."""

from __future__ import annotations

import asyncio
import json
from collections import Counter
from collections.abc import Awaitable, Callable, Iterator
from contextlib import suppress
from typing import Any

import pytest
from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed, InvalidStatus
from websockets.frames import Frame, Opcode

from tests.engines import answers, free_ports
from tests.query_api.chatting import Chat
from tests.query_api.conftest import Edge, Member

pytestmark = pytest.mark.stack

PATIENCE_S = 60.0
SAID = 60
FORGED = "forged-token-that-nobody-may-see"
SECRET = "what-only-the-room-should-know"


@pytest.fixture(scope="module")
def chat(edge: Edge) -> Iterator[Chat]:
    port, irc_port = free_ports(2)
    settings = edge.settings.model_copy(
        update={
            "chat_port": port,
            "irc_port": irc_port,
            "chat_url": f"ws://127.0.0.1:{port}/ws",
            "chat_joins_per_minute": 30,
            "chat_connections_per_address": 20,
        }
    )
    chat = Chat.started(settings)
    yield chat
    assert chat.stop() == 0


class Siege:
    """Attacks that go on until the end; `outcomes` counts how each connection of each was answered or ended."""

    def __init__(self, chat: Chat, room: Member, loud: Member) -> None:
        self.chat, self.room, self.loud = chat, room, loud
        self.outcomes: Counter[tuple[str, str]] = Counter()
        self._addresses = iter(f"192.0.2.{number}" for number in range(1, 255))

    def attacks(self) -> list[Awaitable[None]]:
        over_websocket = {
            "oversized": self._send_all("x" * 5_000),
            "binary": self._send_all(b"\x00\xff"),
            "not UTF-8": self._raw(Frame(Opcode.TEXT, b"\xc3\x28").serialize(mask=True)),
            "tiny frames": self._raw(Frame(Opcode.PING, b"").serialize(mask=True) * 20_000),
            "fragments": self._raw(
                Frame(Opcode.TEXT, b"", fin=False).serialize(mask=True)
                + Frame(Opcode.CONT, b"", fin=False).serialize(mask=True) * 20_000
            ),
            "joins": self._ask_all(*({"type": "join", "room_id": str(number)} for number in range(40))),
            "forged token": self._ask_all({"type": "join", "room_id": self.room.id, "token": FORGED}),
            "flood": self._flood,
            "never reads": self._never_read,
        }
        over_irc = {
            "empty lines": b"NICK justinfan1\r\n" + b"\n" * 50_000,
            "endless line": b"PRIVMSG #a :" + b"x" * 20_000,
            "injection": b"NICK justinfan1\r\nJOIN #a\rQUIT\0:x,\x01b\r\n" + b"PING :a\rb\r\n" * 100,
            "channels": b"NICK justinfan1\r\n" + b"JOIN " + b",".join([b"#a"] * 2_000) + b"\r\n",
            "forged password": f"PASS oauth:{FORGED}\r\nNICK bob\r\n".encode(),
        }
        return [
            *(self._again(name, next(self._addresses), attack) for name, attack in over_websocket.items()),
            *(self._again_over_irc(name, data) for name, data in over_irc.items()),
        ]

    async def _again(self, name: str, address: str, attack: Callable[[ClientConnection, str], Awaitable[None]]) -> None:
        headers = {"X-Forwarded-For": address}
        while True:
            try:
                async with connect(self.chat.url, proxy=None, additional_headers=headers, max_queue=None) as connection:
                    await attack(connection, name)
            except ConnectionClosed as closed:
                code = closed.rcvd.code if closed.rcvd is not None else 1006
                self.outcomes[name, str(code)] += 1
            except InvalidStatus as refused:
                self.outcomes[name, str(refused.response.status_code)] += 1
            except (OSError, TimeoutError, EOFError):
                self.outcomes[name, "cut"] += 1
            await asyncio.sleep(0.01)

    async def _again_over_irc(self, name: str, data: bytes) -> None:
        while True:
            with suppress(OSError):
                reader, writer = await asyncio.open_connection("127.0.0.1", self.chat.irc_port)
                with suppress(OSError, TimeoutError):
                    writer.write(data)
                    async with asyncio.timeout(2):
                        while line := await reader.readline():
                            self.outcomes[name, line.decode().split(" ")[0 if line[:1] != b":" else 1]] += 1
                writer.transport.abort()
            await asyncio.sleep(0.01)

    def _send_all(self, message: str | bytes) -> Callable[[ClientConnection, str], Awaitable[None]]:
        async def attack(connection: ClientConnection, name: str) -> None:
            while True:
                await connection.send(message)
                await asyncio.sleep(0)

        return attack

    def _raw(self, data: bytes) -> Callable[[ClientConnection, str], Awaitable[None]]:
        async def attack(connection: ClientConnection, name: str) -> None:
            connection.transport.write(data)
            while True:
                await connection.recv()

        return attack

    def _ask_all(self, *frames: dict[str, Any]) -> Callable[[ClientConnection, str], Awaitable[None]]:
        async def attack(connection: ClientConnection, name: str) -> None:
            for frame in frames:
                await connection.send(json.dumps(frame))
            for _ in frames:
                self.outcomes[name, json.loads(await connection.recv())["code"]] += 1

        return attack

    async def _flood(self, connection: ClientConnection, name: str) -> None:
        await connection.send(json.dumps({"type": "join", "room_id": self.room.id, "token": self.loud.token}))
        number = 0
        while True:
            number += 1
            say = {"type": "message", "room_id": self.room.id, "content": f"{SECRET} {number}", "id": str(number)}
            await connection.send(json.dumps(say))
            answer = json.loads(await connection.recv())
            if answer["type"] == "error":
                self.outcomes[name, answer["code"]] += 1

    async def _never_read(self, connection: ClientConnection, name: str) -> None:
        connection.transport.pause_reading()
        while True:
            connection.transport.write(Frame(Opcode.TEXT, b'{"type":"dance"}').serialize(mask=True) * 10)
            await asyncio.sleep(0.1)


async def test_the_room_hears_everything_once_and_in_order_while_strangers_do_their_worst(
    chat: Chat, edge: Edge
) -> None:
    room, loud = edge.register(), edge.register()
    siege = Siege(chat, room, loud)
    pid = chat.running.pid
    async with (
        asyncio.timeout(PATIENCE_S * 3),
        connect(chat.url, proxy=None, additional_headers={"X-Forwarded-For": "203.0.113.1"}) as reader,
        connect(chat.url, proxy=None, additional_headers={"X-Forwarded-For": "203.0.113.2"}) as speaker,
    ):
        await reader.send(json.dumps({"type": "join", "room_id": room.id}))
        await speaker.send(json.dumps({"type": "join", "room_id": room.id, "token": room.token}))
        attacks = [asyncio.ensure_future(attack) for attack in siege.attacks()]
        try:
            accepted = []
            for number in range(SAID):
                say = {"type": "message", "room_id": room.id, "content": f"{SECRET} {number}", "id": f"o-{number}"}
                await speaker.send(json.dumps(say))
                while (frame := json.loads(await speaker.recv()))["type"] != "accepted":
                    assert frame["type"] != "error", frame
                accepted.append(frame["message_id"])
                await asyncio.sleep(0.05)
            heard = []
            while len(heard) < SAID:
                frame = json.loads(await reader.recv())
                if frame["type"] == "message" and frame["user"]["id"] == room.id:
                    heard.append(frame["id"])
        finally:
            for attack in attacks:
                attack.cancel()
            await asyncio.gather(*attacks, return_exceptions=True)
    assert heard == accepted
    assert chat.running.poll() is None
    assert chat.running.pid == pid
    assert await asyncio.to_thread(answers, f"http://127.0.0.1:{chat.settings.chat_port}/health/ready")

    for attack, answer in (
        ("oversized", "1009"),
        ("binary", "1003"),
        ("not UTF-8", "1007"),
        ("tiny frames", "1008"),
        ("fragments", "1008"),
        ("joins", "unknown_room"),
        ("joins", "join_ratelimit"),
        ("forged token", "bad_token"),
        ("forged token", "join_ratelimit"),
        ("flood", "msg_ratelimit"),
        ("empty lines", "ERROR"),
        ("endless line", "ERROR"),
        ("channels", "NOTICE"),
        ("forged password", "NOTICE"),
    ):
        assert siege.outcomes[attack, answer], f"{attack} was never answered by {answer}: {siege.outcomes}"


def test_its_log_tells_no_token_and_nothing_that_was_said(chat: Chat) -> None:
    """After the siege: what was forged, what was said, and who said it with which token."""
    log = (chat.settings.data_dir / "logs" / "chat-tests.log").read_text()
    assert "chat listens" in log
    for secret in (FORGED, SECRET, "oauth:", "Bearer", chat.settings.pepper.get_secret_value()):
        assert secret not in log
    assert "Traceback" not in log
