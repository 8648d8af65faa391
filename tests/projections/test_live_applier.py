"""Records are applied once; poison is set aside with its reason, and the records around it are applied."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterator
from contextlib import closing
from typing import Any

import asyncpg
import pytest
from confluent_kafka import Consumer, TopicPartition

from projections.live.applier import Applier
from projections.live.dead_letters import DeadLetters, Raw
from projections.live.tolerance import MAX_CONSECUTIVE, TooMuchPoison
from projections.models import chat
from projections.postgres.sink import PostgresSink
from schemas.events.chat import MessageSent
from schemas.events.follows import UserFollowed
from schemas.wire import Codec
from tests.engines import free_ports
from tests.projections.parts import ends, event
from topology.kafka import consumer_config
from topology.settings import Settings

pytestmark = pytest.mark.stack


@pytest.fixture
def codec(registry: Settings) -> Iterator[Codec]:
    with closing(Codec(registry.schema_registry_url)) as codec:
        yield codec


@pytest.fixture
async def database(dsn: str) -> AsyncIterator[asyncpg.Connection]:
    connection = await asyncpg.connect(dsn)
    yield connection
    await connection.close()


@pytest.fixture
async def sink(dsn: str) -> AsyncIterator[PostgresSink]:
    sink = PostgresSink(dsn)
    await sink.open()
    yield sink
    await sink.close()


@pytest.fixture
async def applier(registry: Settings, sink: PostgresSink, codec: Codec) -> Applier:
    """Chat's, at the beginning of partition 0."""
    applier = Applier("chat", [chat.MODEL], sink, codec, DeadLetters(registry, codec))
    assert await applier.start_offsets([0]) == {0: 0}
    return applier


def message(text: str) -> MessageSent:
    made = event(MessageSent, channel_id="1", message_id=text, sender_id="2", sender_login="ann", text=text)
    assert isinstance(made, MessageSent)
    return made


def raw(offset: int, value: bytes | None) -> Raw:
    return Raw(offset, 1.0, b"1", value)


def letters_since(settings: Settings, codec: Codec, before: dict[tuple[str, int], int]) -> list[dict[str, Any]]:
    """The dead letters appended since, by source offset."""
    letters = []
    with closing(Consumer(consumer_config(settings, "letters"))) as consumer:
        for (topic, partition), end in ends(settings, ["dead-letters"]).items():
            start = before[topic, partition]
            consumer.assign([TopicPartition(topic, partition, start)])
            letters += [dict(codec.decode(consumer.consume(1, 10)[0].value()).fields) for _ in range(start, end)]
    return sorted(letters, key=lambda letter: letter["source_offset"])


async def texts(database: asyncpg.Connection) -> set[str]:
    return {row["text"] for row in await database.fetch("SELECT text FROM tally.chat_messages")}


async def next_offset(database: asyncpg.Connection) -> int:
    offset: int = await database.fetchval("SELECT next_offset FROM tally.progress WHERE topic = 'chat'")
    return offset


async def test_records_seen_before_are_dropped(applier: Applier, codec: Codec, database: asyncpg.Connection) -> None:
    raws = [raw(offset, codec.encode(message(str(offset)))) for offset in (0, 1, 5, 6)]
    await applier.apply(0, raws[:2])
    await applier.apply(0, raws[1:])
    await applier.apply(0, raws)
    assert await texts(database) == {"0", "1", "5", "6"}
    assert await next_offset(database) == 7


async def test_an_erasure_comes_behind_the_batch_in_hand_and_leaves_nothing_of_it(
    applier: Applier, codec: Codec, database: asyncpg.Connection
) -> None:
    raws = [raw(offset, codec.encode(message(f"said {offset}"))) for offset in range(500)]
    applying = asyncio.create_task(applier.apply(0, raws))
    await asyncio.sleep(0)
    assert applier.in_hand, "the batch was read before the erasure"
    await applier.erase({"2"})
    await applying
    assert await texts(database) == {""}
    assert await database.fetchval("SELECT count(*) FROM tally.chat_messages WHERE sender_login <> ''") == 0


async def test_every_kind_of_poison_is_set_aside_with_its_reason(
    applier: Applier, registry: Settings, codec: Codec, database: asyncpg.Connection
) -> None:
    before = ends(registry, ["dead-letters"])
    good = [codec.encode(message(str(number))) for number in range(4)]
    poison = [
        good[0][:9],
        b"no record of ours",
        None,
        codec.encode(event(UserFollowed, channel_id="1", follower_id="2")),
        codec.encode(message("a NUL \0")),
        b"\x00\x7f\xff\xff\xff unknown schema",
    ]
    values = [good[0], *poison[:2], good[1], good[2], *poison[2:], good[3]]
    await applier.apply(0, [raw(offset, value) for offset, value in enumerate(values)])

    assert await texts(database) == {"0", "1", "2", "3"}
    assert await next_offset(database) == len(values)
    assert applier.set_aside == {"chat": len(poison)}
    letters = letters_since(registry, codec, before)
    assert [letter["source_offset"] for letter in letters] == [1, 2, 5, 6, 7, 8]
    assert [letter["record_value"] for letter in letters] == [value or b"" for value in poison]
    for letter, reason in zip(
        letters,
        ["not a tally", "magic byte", "a null value", "KeyError: 'UserFollowed'", "0x00", "schema id"],
        strict=True,
    ):
        assert reason in letter["reason"]
        assert (letter["projection"], letter["source_topic"], letter["source_partition"]) == ("chat", "chat", 0)
        assert letter["record_key"] == b"1"


async def test_a_letter_sent_again_after_a_crash_carries_the_same_id(
    applier: Applier, registry: Settings, codec: Codec, database: asyncpg.Connection
) -> None:
    """The first run ends after the letter and before the progress."""
    before = ends(registry, ["dead-letters"])
    await DeadLetters(registry, codec).set_aside("chat", "chat", 0, raw(0, b"poison"), "of the first run")
    await applier.apply(0, [raw(0, b"poison")])
    first, second = letters_since(registry, codec, before)
    assert first["event_id"] == second["event_id"]


async def test_a_huge_record_is_set_aside_in_part(applier: Applier, registry: Settings, codec: Codec) -> None:
    before = ends(registry, ["dead-letters"])
    await applier.apply(0, [raw(0, b"x" * 1_000_000)])
    (letter,) = letters_since(registry, codec, before)
    assert letter["record_value"] == b"x" * 500_000


async def test_too_much_poison_in_a_row_stops_before_it_passes_more(
    applier: Applier, codec: Codec, database: asyncpg.Connection
) -> None:
    good = codec.encode(message("good"))
    with pytest.raises(TooMuchPoison, match=r"in a row .* chat:0:\d+: WireError"):
        await applier.apply(0, [raw(0, good), *(raw(offset, b"poison") for offset in range(1, 100))])
    assert await next_offset(database) == 1 + MAX_CONSECUTIVE
    assert applier.in_hand == {}


async def test_a_registry_that_is_away_is_no_poison(
    registry: Settings, sink: PostgresSink, codec: Codec, database: asyncpg.Connection
) -> None:
    """The record waits until the registry answers."""
    (port,) = free_ports(1)
    value = codec.encode(message("patient"))
    with closing(Codec(f"http://127.0.0.1:{port}")) as offline:
        applier = Applier("chat", [chat.MODEL], sink, offline, DeadLetters(registry, codec))
        await applier.start_offsets([0])
        applying = asyncio.create_task(applier.apply(0, [raw(0, value)]))
        done, _ = await asyncio.wait({applying}, timeout=0.5)
        assert not done
        async with await forwarder(port, registry.schema_registry_url):
            await applying
    assert applier.set_aside == {"chat": 0}
    assert await texts(database) == {"patient"}


async def forwarder(port: int, url: str) -> asyncio.Server:
    """Passes connections on to the registry."""
    host, _, to = url.removeprefix("http://").partition(":")

    async def copy(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while data := await reader.read(65_536):
            writer.write(data)
        writer.close()

    async def forward(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        there_reader, there_writer = await asyncio.open_connection(host, int(to))
        await asyncio.gather(copy(reader, there_writer), copy(there_reader, writer))

    return await asyncio.start_server(forward, "127.0.0.1", port)
