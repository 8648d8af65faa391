"""What a decider knows of a chat that is longer than what it reads of it."""

from __future__ import annotations

import threading
import time
from collections.abc import AsyncIterator, Iterator
from contextlib import closing, contextmanager
from dataclasses import replace
from datetime import timedelta

import pytest
import pytest_asyncio
from confluent_kafka import Producer
from confluent_kafka.admin import AdminClient, NewTopic

from commands.aggregate import History, aggregates
from commands.client import CommandClient
from commands.log_reader import LogReader
from commands.runner import Runner
from schemas.commands.chat import ResolveHeldMessage, SendMessage
from schemas.events.accounts import UserRegistered
from schemas.events.chat_policy import AutoModSettingsUpdated
from schemas.events.follows import UserFollowed
from schemas.wire import Codec
from tests.commands.scenario import happened
from tests.commands.system import PATIENCE_S, Log, new_login, now
from topology.kafka import client_config, producer_config
from topology.settings import Settings

pytestmark = pytest.mark.stack

READ = 20
INSULT = "you are such a stupid idiot"


@pytest.fixture
def codec(registry: Settings) -> Iterator[Codec]:
    with closing(Codec(registry.schema_registry_url)) as made:
        made.register_all()
        yield made


@pytest.fixture
def log(registry: Settings, codec: Codec) -> Log:
    return Log(registry, codec)


@pytest_asyncio.fixture
async def client(registry: Settings, codec: Codec) -> AsyncIterator[CommandClient]:
    async with CommandClient(registry, codec) as running:
        yield running


@contextmanager
def deciding_chat(settings: Settings, codec: Codec) -> Iterator[None]:
    """A decider that begins with the latest few events."""
    aggregate = replace(aggregates(settings)["chat"], history=History(READ, timedelta(0)))
    stopping = threading.Event()
    runner = Runner(aggregate, settings, codec, stopping)
    thread = threading.Thread(target=runner.run)
    thread.start()
    try:
        assert runner.ready.wait(PATIENCE_S)
        yield
    finally:
        stopping.set()
        thread.join()


async def said(client: CommandClient, channel: str, sender: str, text: str) -> dict[str, str]:
    """What the sender is answered."""
    return (await client.submit(now(SendMessage, sender, channel_id=channel, sender_login=sender, text=text), 60)).reply


def score_of(log: Log, message_id: str) -> float:
    (score,) = [
        each.record.fields["score"]
        for each in log.read("chat")
        if each.record.type == "MessageHeld" and each.record.fields["message_id"] == message_id
    ]
    assert isinstance(score, float)
    return score


async def test_a_model_that_is_rebuilt_scores_as_it_did(
    registry: Settings, codec: Codec, client: CommandClient, log: Log
) -> None:
    channel = new_login()
    log.append(
        happened(UserRegistered, user_id=channel, login="ada", display_name="Ada", password_hash="h"),
        happened(AutoModSettingsUpdated, channel_id=channel, toxicity_level=4),
    )
    with deciding_chat(registry, codec):
        first = (await said(client, channel, "1", INSULT))["message_id"]
        denied = now(ResolveHeldMessage, channel, channel_id=channel, message_id=first, allowed=False)
        await client.submit(denied, 60)
        second = (await said(client, channel, "2", INSULT))["message_id"]
        for number in range(2 * READ):
            await said(client, channel, str(100 + number), f"number {number}")
    with deciding_chat(registry, codec):
        third = (await said(client, channel, "3", INSULT))["message_id"]

    untaught, live, rebuilt = (score_of(log, message_id) for message_id in (first, second, third))
    assert rebuilt == live > untaught
    assert [each.record.fields["text"] for each in log.read("lessons") if each.record.fields["channel_id"] == channel]


@pytest.mark.parametrize(("history", "expected"), [(2, 5), (8, 8)])
def test_it_begins_with_so_many_events_and_with_all_that_are_young(
    registry: Settings, codec: Codec, history: int, expected: int
) -> None:
    topic, stopping = new_login(), threading.Event()
    admin = AdminClient(client_config(registry))
    admin.create_topics([NewTopic(topic, 1)])[topic].result(PATIENCE_S)
    producer = Producer(producer_config(registry))
    for age_s in [3_600] * 10 + [1] * 5:
        event = happened(UserFollowed, channel_id="1", follower_id="2")
        timestamp = int((time.time() - age_s) * 1000)
        producer.produce(topic, codec.encode(event), timestamp=timestamp)
    assert producer.flush(PATIENCE_S) == 0

    with closing(LogReader(registry, codec, stopping)) as reader:
        reader.follow([(topic, 0)], History(history, timedelta(minutes=5)))
        read = list(reader.read_to_end())

    assert len(read) == expected
