"""What the chat process answers over plain HTTP."""

from __future__ import annotations

import hmac

import httpx
import pytest
from pydantic import SecretStr

from query_api.chat import asyncapi
from query_api.chat.chatters import Chatter, Chatters, inner_secret
from query_api.chat.frames import CLIENT_FRAMES, SERVER_FRAMES
from tests.query_api.chat.clients import JsonClient
from tests.query_api.chat.test_json_socket import ADA, joined
from tests.query_api.chat.town import Doors
from topology.settings import Settings


def test_the_committed_document_is_what_the_models_say() -> None:
    assert asyncapi.PAGE.read_text() == asyncapi.render(), "run: python -m query_api.chat.asyncapi"


def test_every_reference_of_the_document_leads_somewhere() -> None:
    document = asyncapi.asyncapi_document("wss://chat.example/ws")

    def references(node: object) -> list[str]:
        if isinstance(node, dict):
            own = [node["$ref"]] if "$ref" in node else []
            return own + [ref for value in node.values() for ref in references(value)]
        return [ref for value in node for ref in references(value)] if isinstance(node, list) else []

    found = references(document)
    assert len(found) > 40
    for reference in found:
        node = document
        for part in reference.removeprefix("#/").split("/"):
            node = node[part]


def test_the_document_names_every_frame() -> None:
    messages = asyncapi.asyncapi_document("wss://chat.example/ws")["components"]["messages"].values()
    kinds = {kind for adapter in (CLIENT_FRAMES, SERVER_FRAMES) for kind in _kinds(adapter.json_schema())}
    assert {message["name"] for message in messages} == kinds


def _kinds(schema: dict[str, object]) -> list[str]:
    mapping = schema["discriminator"]["mapping"]  # type: ignore[index]
    return list(mapping)


async def test_the_document_and_the_probe_are_served(doors: Doors) -> None:
    async with httpx.AsyncClient(base_url=f"http://127.0.0.1:{doors.socket_port}") as client:
        assert (await client.get("/health/ready")).json() == {"status": "ready"}
        assert (await client.get("/asyncapi.json")).json()["asyncapi"] == "3.0.0"
        assert (await client.get("/nothing")).status_code == 404


async def test_the_edge_alone_is_told_who_is_in_a_room(doors: Doors) -> None:
    doors.town.register("bob", "ada")
    bob = await JsonClient.open(doors, "bob")
    await joined(bob)
    async with httpx.AsyncClient(base_url=f"http://127.0.0.1:{doors.socket_port}") as client:
        assert (await client.get(f"/chatters/{ADA}")).status_code == 401
        headers = {"Authorization": f"Bearer {inner_secret(doors.town.settings)}"}
        told = (await client.get(f"/chatters/{ADA}?first=10", headers=headers)).json()
        assert told["total"] == 1
        assert told["chatters"][0]["login"] == "bob"
        assert (await client.get(f"/chatters/{ADA}?first=0", headers=headers)).status_code == 400
    await bob.close()


def test_without_a_pepper_nobody_can_derive_the_edges_secret() -> None:
    open_to_all = hmac.digest(b"", b"tally chatters", "sha256").hex()
    assert inner_secret(Settings(pepper=SecretStr(""))) != open_to_all
    peppered = Settings(pepper=SecretStr("some"))
    assert inner_secret(peppered) == inner_secret(peppered)


def chatter(login: str) -> Chatter:
    return Chatter(f"id-{login}", login, login)


def test_a_user_with_two_connections_is_one_chatter_until_both_are_gone() -> None:
    chatters = Chatters(10)
    for _ in range(2):
        chatters.arrive(chatter("bob"))
    chatters.depart("id-bob")
    assert (chatters.total, len(chatters.page(10))) == (1, 1)
    chatters.depart("id-bob")
    assert (chatters.total, len(chatters.page(10))) == (0, 0)


def test_chatters_come_in_pages_by_login() -> None:
    chatters = Chatters(10)
    for login in ("eve", "ada", "bob"):
        chatters.arrive(chatter(login))
    assert [each.login for each in chatters.page(2)] == ["ada", "bob"]
    assert [each.login for each in chatters.page(2, "bob")] == ["eve"]


@pytest.mark.parametrize("count", [10, 11])
def test_chatters_are_bounded(count: int) -> None:
    chatters = Chatters(10)
    for number in range(count):
        chatters.arrive(chatter(f"login{number}"))
    assert chatters.total == 10
