"""The real chat process under all at once that strangers do to it: the room goes on, and its log tells nothing."""

from __future__ import annotations

import asyncio
import json
import time
from collections.abc import Iterator

import pytest
from websockets.asyncio.client import connect

from benchmarks.besiegers import FORGED, Siege
from tests.engines import answers, free_ports
from tests.query_api.chatting import Chat
from tests.query_api.conftest import Edge

pytestmark = pytest.mark.stack

PATIENCE_S = 60.0
SAID = 60
SECRET = "what-only-the-room-should-know"
ANSWERS = (
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
)
"""Every attack meets each of its answers; how soon is up to the machine."""


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


def from_address(chat: Chat, address: str) -> connect:
    """A connection that reads whether or not anybody asks it for what it read."""
    return connect(chat.url, proxy=None, additional_headers={"X-Forwarded-For": address}, max_queue=None)


def unanswered(siege: Siege) -> list[tuple[str, str]]:
    return [answer for answer in ANSWERS if not siege.outcomes[answer]]


async def test_the_room_hears_everything_once_and_in_order_while_strangers_do_their_worst(
    chat: Chat, edge: Edge
) -> None:
    room, loud = edge.register(), edge.register()
    siege = Siege(chat.url, chat.irc_port, room.id, loud.token)
    pid = chat.running.pid
    async with (
        asyncio.timeout(PATIENCE_S * 3),
        from_address(chat, "203.0.113.1") as reader,
        from_address(chat, "203.0.113.2") as speaker,
    ):
        await reader.send(json.dumps({"type": "join", "room_id": room.id}))
        await speaker.send(json.dumps({"type": "join", "room_id": room.id, "token": room.token}))
        attacks = [asyncio.ensure_future(attack) for attack in siege.attacks()]
        try:
            accepted: list[str] = []
            deadline = time.monotonic() + PATIENCE_S
            while (number := len(accepted)) < SAID or (unanswered(siege) and time.monotonic() < deadline):
                say = {"type": "message", "room_id": room.id, "content": f"{SECRET} {number}", "id": f"o-{number}"}
                await speaker.send(json.dumps(say))
                while (frame := json.loads(await speaker.recv()))["type"] != "accepted":
                    assert frame["type"] != "error", frame
                accepted.append(frame["message_id"])
                await asyncio.sleep(0.05 if number < SAID else 1.0)
            heard: list[str] = []
            while len(heard) < len(accepted):
                frame = json.loads(await reader.recv())
                if frame["type"] == "message" and frame["user"]["id"] == room.id:
                    heard.append(frame["id"])
        finally:
            gone = [attack for attack in attacks if attack.done()]
            for task in attacks:
                task.cancel()
            outcomes = await asyncio.gather(*attacks, return_exceptions=True)
    assert not unanswered(siege), siege.outcomes
    assert heard == accepted
    assert not gone, f"an attack ended by itself: {outcomes}"
    assert chat.running.poll() is None
    assert chat.running.pid == pid
    assert await asyncio.to_thread(answers, f"http://127.0.0.1:{chat.settings.chat_port}/health/ready")


def test_its_log_tells_no_token_and_nothing_that_was_said(chat: Chat) -> None:
    """After the siege: what was forged, what was said, and who said it with which token."""
    log = (chat.settings.data_dir / "logs" / "chat-tests.log").read_text()
    assert "chat listens" in log
    for secret in (FORGED, SECRET, "oauth:", "Bearer", chat.settings.pepper.get_secret_value()):
        assert secret not in log
    assert "Traceback" not in log
