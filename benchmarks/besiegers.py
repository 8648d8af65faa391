"""What strangers do to a chat process, over and over: `python -m benchmarks.besiegers URL IRC_PORT ROOM TOKEN`."""

from __future__ import annotations

import asyncio
import json
import os
import sys
from collections import Counter
from collections.abc import Awaitable, Callable
from contextlib import suppress
from typing import Any

from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed, InvalidStatus
from websockets.frames import Frame, Opcode

FORGED = "forged-token-that-nobody-may-see"
ADDRESSES = "192.0.2."

Attack = Callable[[ClientConnection, str], Awaitable[None]]


class Siege:
    """Attacks that go on until they are cancelled, with a flood by the token's user among them.

    `outcomes` counts how each connection of each attack was answered or ended.
    """

    def __init__(self, url: str, irc_port: int, room_id: str, token: str) -> None:
        self._url, self._irc_port, self._room_id, self._token = url, irc_port, room_id, token
        self.outcomes: Counter[tuple[str, str]] = Counter()
        self._addresses = iter(f"{ADDRESSES}{number}" for number in range(1, 255))

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
            "forged token": self._ask_all({"type": "join", "room_id": self._room_id, "token": FORGED}),
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

    async def _again(self, name: str, address: str, attack: Attack) -> None:
        headers = {"X-Forwarded-For": address}
        while True:
            try:
                async with connect(
                    self._url, proxy=None, additional_headers=headers, max_queue=None, close_timeout=0.5
                ) as connection:
                    try:
                        await attack(connection, name)
                    finally:
                        connection.transport.abort()  # or a farewell that is cancelled leaves it open
            except ConnectionClosed as closed:
                code = closed.rcvd.code if closed.rcvd is not None else 1006
                self.outcomes[name, str(code)] += 1
            except InvalidStatus as refused:
                self.outcomes[name, str(refused.response.status_code)] += 1
            except Exception:  # whatever the client's library meets when it is cut in the midst
                self.outcomes[name, "cut"] += 1
            await asyncio.sleep(0.01)

    async def _again_over_irc(self, name: str, data: bytes) -> None:
        while True:
            with suppress(OSError):
                reader, writer = await asyncio.open_connection("127.0.0.1", self._irc_port)
                try:
                    writer.write(data)
                    async with asyncio.timeout(2):
                        while line := await reader.readline():
                            self.outcomes[name, line.decode().split(" ")[0 if line[:1] != b":" else 1]] += 1
                finally:
                    writer.transport.abort()
            await asyncio.sleep(0.01)

    def _send_all(self, message: str | bytes) -> Attack:
        async def attack(connection: ClientConnection, name: str) -> None:
            while True:
                await connection.send(message)
                await asyncio.sleep(0)

        return attack

    def _raw(self, data: bytes) -> Attack:
        async def attack(connection: ClientConnection, name: str) -> None:
            connection.transport.write(data)
            while True:
                await connection.recv()

        return attack

    def _ask_all(self, *frames: dict[str, Any]) -> Attack:
        async def attack(connection: ClientConnection, name: str) -> None:
            for frame in frames:
                await connection.send(json.dumps(frame))
            for _ in frames:
                answer = json.loads(await connection.recv())
                self.outcomes[name, answer.get("code", answer["type"])] += 1

        return attack

    async def _flood(self, connection: ClientConnection, name: str) -> None:
        await connection.send(json.dumps({"type": "join", "room_id": self._room_id, "token": self._token}))
        number = 0
        while True:
            number += 1
            say = {"type": "message", "room_id": self._room_id, "content": f"flood {number}", "id": str(number)}
            await connection.send(json.dumps(say))
            answer = json.loads(await connection.recv())
            if answer["type"] == "error":
                self.outcomes[name, answer["code"]] += 1

    async def _never_read(self, connection: ClientConnection, name: str) -> None:
        connection.transport.pause_reading()
        while True:
            connection.transport.write(Frame(Opcode.TEXT, b'{"type":"dance"}').serialize(mask=True) * 10)
            await asyncio.sleep(0.1)


async def _besiege(url: str, irc_port: str, room_id: str, token: str) -> None:
    await asyncio.gather(*Siege(url, int(irc_port), room_id, token).attacks())


if __name__ == "__main__":
    os.nice(19)  # the server is measured, not how the two share a core
    with suppress(KeyboardInterrupt):
        asyncio.run(_besiege(*sys.argv[1:]))
