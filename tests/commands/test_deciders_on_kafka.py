"""Commands, deciders and results on a real broker."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import AsyncIterator, Iterator
from contextlib import closing
from datetime import UTC, datetime
from typing import Any

import pytest
import pytest_asyncio

from commands import identity
from commands.client import Accepted, CommandClient, OutcomeUnknown, Rejected
from schemas.commands.accounts import IssueStreamKey, RevokeStreamKey
from schemas.commands.channels import UpdateChannel
from schemas.commands.chat import SendMessage
from schemas.commands.follows import Follow
from schemas.commands.moderation import BanUser
from schemas.commands.results import CommandAccepted
from schemas.commands.streams import AuthorisePublish, StartStream
from schemas.commands.support import Donate
from schemas.events.accounts import UserRegistered
from schemas.wire import Codec
from tests.commands.system import Deciders, Log, deciding, eventually, new_login, now, registration
from topology.settings import Settings

pytestmark = pytest.mark.stack


@pytest.fixture(scope="module")
def codec(registry: Settings) -> Iterator[Codec]:
    with closing(Codec(registry.schema_registry_url)) as made:
        made.register_all()
        yield made


@pytest.fixture(scope="module")
def log(registry: Settings, codec: Codec) -> Log:
    return Log(registry, codec)


@pytest.fixture(scope="module")
def deciders(registry: Settings, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Deciders]:
    with deciding(registry, tmp_path_factory.mktemp("deciders")) as running:
        yield running


@pytest_asyncio.fixture
async def client(registry: Settings, codec: Codec) -> AsyncIterator[CommandClient]:
    async with CommandClient(registry, codec) as running:
        yield running


async def registered(client: CommandClient) -> str:
    login = new_login()
    return (await client.submit(registration(login))).reply["user_id"]


async def test_an_accepted_command_says_where_its_event_lies(
    deciders: Deciders, client: CommandClient, log: Log
) -> None:
    command = registration(new_login())

    accepted = await client.submit(command)

    assert accepted.reply == {"user_id": command.user_id}
    assert accepted.token is not None and accepted.token.topic == "accounts"
    (event,) = [placed for placed in log.read("accounts") if placed.record.fields["user_id"] == command.user_id]
    assert (event.partition, event.offset) == (accepted.token.partition, accepted.token.offset)
    assert event.record.type == "UserRegistered"
    assert event.record.fields["event_id"] == identity.derived_id(command.command_id, 0)


async def test_a_refused_command_says_why_and_writes_nothing(
    deciders: Deciders, client: CommandClient, log: Log
) -> None:
    login = new_login()
    user_id = (await client.submit(registration(login))).reply["user_id"]

    with pytest.raises(Rejected) as refusal:
        await client.submit(registration(login))

    assert refusal.value.code == "login_taken"
    assert len([each for each in log.read("accounts") if each.record.fields["user_id"] == user_id]) == 1


async def test_every_aggregate_decides(deciders: Deciders, client: CommandClient) -> None:
    ada, bob = await registered(client), await registered(client)
    key = identity.new_stream_key(ada)
    await client.submit(now(IssueStreamKey, ada, user_id=ada, key_id="k1", key_hash=identity.secret_hash(key)))

    updated = await client.submit(now(UpdateChannel, ada, channel_id=ada, title="Hello"))
    followed = await client.submit(now(Follow, bob, channel_id=ada))
    again = await client.submit(now(Follow, bob, channel_id=ada))
    sent = await client.submit(now(SendMessage, bob, channel_id=ada, sender_login="bob", text="hi"))
    gave = await client.submit(now(Donate, bob, channel_id=ada, donation_id="d1", amount_minor=500, currency="EUR"))
    stream_id = identity.new_id()
    publishing = await client.submit(
        now(
            AuthorisePublish,
            "system:ingest",
            channel_id=ada,
            key_hash=identity.secret_hash(key),
            session_id="s1",
            node="n1",
            stream_id=stream_id,
        )
    )

    assert updated.token is not None and updated.token.topic == "channels"
    assert followed.token is not None and followed.token.topic == "follows"
    assert again == Accepted(None, {})
    assert set(sent.reply) == {"message_id"}
    assert gave.reply == {"donation_id": "d1"}
    assert publishing.reply == {
        "stream_id": stream_id,
        "resumed": "false",
        "key_id": "k1",
        "playback_policy": "public",
    }


async def test_a_stream_starts_under_the_title_its_channel_just_got(
    deciders: Deciders, client: CommandClient, log: Log
) -> None:
    ada, stream_id = await registered(client), identity.new_id()
    await client.submit(now(UpdateChannel, ada, channel_id=ada, title="Tonight", category="Chess", language="en"))
    await client.submit(now(IssueStreamKey, ada, user_id=ada, key_id="k1", key_hash="h"))
    await client.submit(
        now(
            AuthorisePublish,
            "system:ingest",
            channel_id=ada,
            key_hash="h",
            session_id="s1",
            node="n1",
            stream_id=stream_id,
        )
    )

    await client.submit(
        now(
            StartStream,
            "system:ingest",
            channel_id=ada,
            stream_id=stream_id,
            session_id="s1",
            node="n1",
            playback_path="/",
        )
    )

    (started,) = [
        placed.record.fields
        for placed in log.read("streams")
        if placed.record.type == "StreamStarted" and placed.record.fields["stream_id"] == stream_id
    ]
    assert (started["title"], started["category"], started["language"]) == ("Tonight", "Chess", "en")


async def test_a_channel_can_be_followed_as_soon_as_it_is_registered(deciders: Deciders, client: CommandClient) -> None:
    for _ in range(10):
        ada = await registered(client)
        assert (await client.submit(now(Follow, "1", channel_id=ada))).token is not None


async def test_a_key_is_refused_as_soon_as_its_revocation_is_acknowledged(
    deciders: Deciders, client: CommandClient
) -> None:
    ada = await registered(client)
    for number in range(10):
        await client.submit(now(IssueStreamKey, ada, user_id=ada, key_id=f"k{number}", key_hash=f"h{number}"))
        await client.submit(now(RevokeStreamKey, ada, user_id=ada, key_id=f"k{number}"))
        with pytest.raises(Rejected) as refusal:
            await client.submit(
                now(
                    AuthorisePublish,
                    "system:ingest",
                    channel_id=ada,
                    key_hash=f"h{number}",
                    session_id="s1",
                    node="n1",
                    stream_id="x",
                )
            )
        assert refusal.value.code == "bad_stream_key"


async def test_nobody_gives_their_way_past_a_ban_of_a_moment_ago(deciders: Deciders, client: CommandClient) -> None:
    ada = await registered(client)
    for number in range(10):
        bob = f"{ada}-{number}"
        gift: dict[str, Any] = {"channel_id": ada, "donation_id": bob, "amount_minor": 500, "currency": "EUR"}
        await client.submit(now(Donate, bob, **gift, message="hello"))
        await client.submit(now(BanUser, ada, channel_id=ada, target_id=bob))
        with pytest.raises(Rejected) as refusal:
            await client.submit(now(Donate, bob, **gift, message="hello"))
        assert refusal.value.code == "msg_banned"


async def test_submitting_twice_at_once_is_deciding_once(deciders: Deciders, client: CommandClient, log: Log) -> None:
    ada = await registered(client)
    command = now(Donate, "1", channel_id=ada, donation_id="d", amount_minor=1, currency="EUR")

    outcomes = await asyncio.gather(*(client.submit(command) for _ in range(5)))

    assert len({str(outcome.token) for outcome in outcomes}) == 1
    assert len([each for each in log.read("support") if each.record.fields["channel_id"] == ada]) == 1


async def test_many_commands_at_once_each_get_their_own_outcome(
    deciders: Deciders, client: CommandClient, log: Log
) -> None:
    ada = await registered(client)
    commands = [now(Follow, str(number), channel_id=ada) for number in range(700)]

    outcomes = await asyncio.gather(*(client.submit(command, 60) for command in commands))

    places = {placed.record.fields["command_id"]: (placed.partition, placed.offset) for placed in log.read("follows")}
    for command, outcome in zip(commands, outcomes, strict=True):
        assert outcome.token is not None
        assert places[command.command_id] == (outcome.token.partition, outcome.token.offset)


@pytest.mark.parametrize("chatting", [False, True], ids=["in a transaction", "in chat"])
async def test_a_command_id_is_decided_once_even_over_a_restart(
    registry: Settings, client: CommandClient, log: Log, deciders: Deciders, chatting: bool
) -> None:
    ada = await registered(client)
    command = (
        now(SendMessage, "1", channel_id=ada, sender_login="bob", text="hi")
        if chatting
        else now(Donate, "1", channel_id=ada, donation_id="d", amount_minor=1, currency="EUR")
    )
    first = await client.submit(command)
    again = await client.submit(command)
    assert deciders.stop() == 0
    deciders.restart()
    deciders.ready()

    after_restart = await client.submit(command)

    assert first == again == after_restart
    topic = "chat" if chatting else "support"
    assert len([each for each in log.read(topic) if each.record.fields["channel_id"] == ada]) == 1


async def test_an_unknown_outcome_is_learnt_by_submitting_again(
    registry: Settings, client: CommandClient, log: Log, deciders: Deciders
) -> None:
    command = registration(new_login())
    deciders.stop()
    with pytest.raises(OutcomeUnknown, match=command.command_id):
        await client.submit(command, 0.5)
    deciders.restart()
    deciders.ready()

    accepted = await client.submit(command, 30)

    assert accepted.reply == {"user_id": command.user_id}
    assert len([each for each in log.read("accounts") if each.record.fields["user_id"] == command.user_id]) == 1


async def test_what_was_aborted_was_never_said(
    registry: Settings, client: CommandClient, log: Log, deciders: Deciders
) -> None:
    command = registration(new_login())
    undone = UserRegistered(
        type="UserRegistered",
        event_id=identity.new_id(),
        occurred_at=datetime.now(UTC),
        actor="1",
        correlation_id="c",
        user_id=command.user_id,
        login=command.login,
        display_name="X",
        password_hash="h",
    )
    told = CommandAccepted(
        command_id=command.command_id,
        correlation_id="c",
        decided_at=datetime.now(UTC),
        event_topic="accounts",
        partition=0,
        offset=0,
        reply={"user_id": "a lie"},
    )

    pending = asyncio.create_task(client.submit(command, 30))
    log.append_aborted(("accounts", undone), ("results.accounts", told))
    accepted = await pending

    assert accepted.reply == {"user_id": command.user_id}
    deciders.stop()
    deciders.restart()
    deciders.ready()
    assert await client.submit(command) == accepted
    assert len([each for each in log.read("accounts") if each.record.fields["user_id"] == command.user_id]) == 1


async def test_what_is_no_command_is_set_aside_and_the_next_is_decided(
    deciders: Deciders, client: CommandClient, log: Log, codec: Codec
) -> None:
    command = registration(new_login())
    accepted = await client.submit(command)
    assert accepted.token is not None
    partition = accepted.token.partition
    bad = {
        b"not avro": "magic byte",
        codec.encode(now(Follow, "1", channel_id=command.user_id)): "does not belong",
        codec.encode(registration(new_login())): "key",
        b"x" * 600_000: "magic byte",
    }
    for value in bad:
        log.append_raw("commands.accounts", command.user_id, value, partition)

    await client.submit(now(IssueStreamKey, command.user_id, user_id=command.user_id, key_id="k", key_hash="h"))

    letters = [
        placed.record.fields
        for placed in log.read("dead-letters")
        if placed.record.fields["record_key"] == command.user_id.encode()
    ]
    assert [letter["record_value"] for letter in letters] == [value[:500_000] for value in bad]
    for letter, reason in zip(letters, bad.values(), strict=True):
        assert reason in letter["reason"]
        assert letter["projection"] == "decider:accounts"


async def test_results_are_read_only_of_what_is_submitted(registry: Settings, codec: Codec, deciders: Deciders) -> None:
    async with CommandClient(registry, codec, aggregates=("accounts",)) as accounts_only:
        await accounts_only.submit(registration(new_login()))
        with pytest.raises(ValueError, match="follows"):
            await accounts_only.submit(now(Follow, "1", channel_id="2"))


async def test_a_command_too_large_for_kafka_is_refused(client: CommandClient) -> None:
    with pytest.raises(Rejected) as refusal:
        await client.submit(now(UpdateChannel, "1", channel_id="1", title="x" * 2_000_000))
    assert refusal.value.code == "command_too_large"


async def test_a_client_has_a_limit(client: CommandClient, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("commands.client.MAX_PENDING", 0)
    with pytest.raises(Rejected) as refusal:
        await client.submit(now(Follow, "1", channel_id="2"))
    assert refusal.value.code == "overloaded"


async def test_each_command_has_one_result(deciders: Deciders, client: CommandClient, log: Log) -> None:
    ada = await registered(client)
    commands = [now(Follow, str(number), channel_id=ada) for number in range(50)]
    log.append(*commands)
    ids = {command.command_id for command in commands}

    eventually(lambda: len(log.results_of("follows", ids)) >= len(ids), "fifty results")

    assert Counter(each.record.type for each in log.results_of("follows", ids)) == {"CommandAccepted": 50}
