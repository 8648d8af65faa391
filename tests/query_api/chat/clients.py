"""One way to use both doors: what a guest does and hears, whatever it is said in."""

from __future__ import annotations

import asyncio
import json
from abc import ABC, abstractmethod
from typing import Any, NamedTuple

from websockets.asyncio.client import ClientConnection, connect

from query_api.chat.irc.message import Message
from tests.query_api.chat.town import Doors

PATIENCE_S = 20.0


class Heard(NamedTuple):
    """What a client was told: `message`, `deleted`, `user_banned`, ...; who it is about; what was said or the code."""

    kind: str
    who: str = ""
    text: str = ""


class Client(ABC):
    @abstractmethod
    async def join(self, login: str, channel_id: str) -> None: ...

    @abstractmethod
    async def say(self, text: str) -> None: ...

    @abstractmethod
    async def next(self) -> Heard: ...

    @abstractmethod
    async def close(self) -> None: ...

    async def hears(self, kind: str) -> Heard:
        """The next of a kind; what comes before does not matter."""
        async with asyncio.timeout(PATIENCE_S):
            while True:
                heard = await self.next()
                if heard.kind == kind:
                    return heard


class JsonClient(Client):
    def __init__(self, connection: ClientConnection, token: str | None) -> None:
        self.connection = connection
        self._token = token
        self._room = ""

    @classmethod
    async def open(cls, doors: Doors, login: str = "") -> JsonClient:
        connection = await connect(doors.url, compression=None, proxy=None)
        return cls(connection, f"token-{login}" if login else None)

    async def tell(self, **frame: Any) -> None:
        await self.connection.send(json.dumps(frame))

    async def frame(self) -> dict[str, Any]:
        async with asyncio.timeout(PATIENCE_S):
            told: dict[str, Any] = json.loads(await self.connection.recv())
            return told

    async def frames_until(self, kind: str) -> list[dict[str, Any]]:
        frames = [await self.frame()]
        while frames[-1]["type"] != kind:
            frames.append(await self.frame())
        return frames

    async def join(self, login: str, channel_id: str, **more: Any) -> None:
        self._room = channel_id
        token = {"token": self._token} if self._token else {}
        await self.tell(type="join", room_id=channel_id, **token, **more)

    async def say(self, text: str) -> None:
        await self.tell(type="message", room_id=self._room, content=text)

    async def next(self) -> Heard:
        frame = await self.frame()
        match frame["type"]:
            case "message":
                return Heard("message", frame["user"]["login"], frame["content"])
            case "deleted":
                return Heard("deleted", text=frame["message_id"])
            case "user_banned":
                return Heard("user_banned", frame["login"], str(frame.get("duration_s", "")))
            case "raid":
                return Heard("raid", frame["user"]["login"], str(frame["viewers"]))
            case "room_state":
                return Heard("room_state", text=str(frame["room_state"]["slow_mode_s"]))
            case "error":
                return Heard("error", text=frame["code"])
        return Heard(frame["type"])

    async def close(self) -> None:
        await self.connection.close()


class IrcClient(Client):
    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, login: str) -> None:
        self._reader, self._writer, self._login = reader, writer, login

    @classmethod
    async def open(cls, doors: Doors, login: str = "") -> IrcClient:
        client = cls(*await asyncio.open_connection("127.0.0.1", doors.irc_port), login)
        await client.send("CAP REQ :twitch.tv/tags twitch.tv/commands")
        if login:
            await client.send(f"PASS oauth:token-{login}")
        await client.send(f"NICK {login or 'justinfan123'}")
        return client

    async def send(self, line: str) -> None:
        self._writer.write(f"{line}\r\n".encode())
        await self._writer.drain()

    async def message(self) -> Message:
        async with asyncio.timeout(PATIENCE_S):
            line = await self._reader.readline()
        if not line:
            raise EOFError
        return Message.parse(line.decode().rstrip("\r\n"))

    async def until(self, command: str) -> Message:
        while (message := await self.message()).command != command:
            pass
        return message

    async def join(self, login: str, channel_id: str) -> None:
        self._channel = f"#{login}"
        await self.send(f"JOIN #{login}")

    async def say(self, text: str) -> None:
        await self.send(f"PRIVMSG {self._channel} :{text}")

    async def next(self) -> Heard:
        message = await self.message()
        match message.command:
            case "ROOMSTATE" if not getattr(self, "_joined", False):
                self._joined = True
                return Heard("joined")
            case "ROOMSTATE":
                return Heard("room_state", text=message.tags["slow"])
            case "PRIVMSG":
                return Heard("message", message.prefix.partition("!")[0], message.params[1])
            case "CLEARMSG":
                return Heard("deleted", text=message.tags["target-msg-id"])
            case "CLEARCHAT" if len(message.params) > 1:
                return Heard("user_banned", message.params[1], message.tags.get("ban-duration", ""))
            case "CLEARCHAT":
                return Heard("cleared")
            case "USERNOTICE":
                return Heard("raid", message.tags["login"], message.tags["msg-param-viewerCount"])
            case "NOTICE":
                return Heard("error", text=message.tags.get("msg-id", message.params[1]))
            case "USERSTATE" if getattr(self, "_joined", False):
                return Heard("accepted")
            case "RECONNECT":
                return Heard("reconnect")
        return Heard("")

    async def close(self) -> None:
        self._writer.close()
        await self._writer.wait_closed()
