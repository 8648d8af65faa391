"""The chat process, composed: what it reads of the log, what it asks of the write side, and its doors."""

from __future__ import annotations

import asyncio
import resource
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path
from urllib.parse import urlsplit

import structlog
from confluent_kafka.schema_registry import SchemaRegistryError
from websockets.typing import Origin

from commands.client import CommandClient
from query_api.chat import loading
from query_api.chat.admission import Admission
from query_api.chat.cursor import TOPICS
from query_api.chat.decoder import Decoder
from query_api.chat.desk import Desk
from query_api.chat.directory import Directory
from query_api.chat.erasures import follow_erasures
from query_api.chat.guest import SERVICE_RESTART
from query_api.chat.house import House
from query_api.chat.irc.connection import IrcConnection
from query_api.chat.keeper import Keeper
from query_api.chat.limits import Limits, limits_of
from query_api.chat.log import Reader, end_of, follow
from query_api.chat.pages import Pages
from query_api.chat.replay import Replays
from query_api.chat.revocations import Revocations
from query_api.chat.rooms import Rooms
from query_api.chat.views import WANTED
from query_api.chat.websocket import Doorway, WebSocketConnection
from query_api.database import Database
from query_api.sessions import Sessions
from schemas.events.accounts import SessionRevoked
from schemas.sealing import KeysUnavailable
from schemas.wire import Codec
from topology.settings import Settings
from topology.subject_keys.keyring import KafkaKeyring, open_keyring
from topology.tls import Certificates, TlsDoor
from topology.topics import PARTITIONS

RETRY_S = 1.0
BACKLOG = 1024
PARTING_S = 2.0
"""Between asking everybody to connect again and closing."""
LAST_WORD_S = 0.2

log = structlog.get_logger(__name__)


@asynccontextmanager
async def running(settings: Settings) -> AsyncIterator[House]:
    """A chat process that serves; waits for Kafka and the registry as long as it takes."""
    _raise_file_limit()
    limits = limits_of(settings)
    async with AsyncExitStack() as stack:
        keyring = open_keyring(settings)
        codec = await asyncio.to_thread(Codec, settings.schema_registry_url, keyring)
        stack.callback(codec.close)
        await _registered(codec)
        if keyring is not None:
            await _caught_up(keyring)
        database = await stack.enter_async_context(Database(settings))
        client = await stack.enter_async_context(CommandClient(settings, codec, ("chat",)))
        decoder = Decoder(codec, WANTED | {SessionRevoked})
        spans, accounts, rooms = await _loaded(settings, decoder, limits)
        house = House(
            rooms=rooms,
            replays=Replays(settings, decoder, rooms, limits),
            directory=Directory(database, Sessions(database)),
            desk=Desk(client),
            admission=Admission(limits),
            limits=limits,
        )
        keeper = Keeper()
        revocations = Revocations(decoder, house.revoke)
        tasks = await stack.enter_async_context(asyncio.TaskGroup())
        work = [tasks.create_task(keeper.run())]
        if keyring is not None:
            work.append(tasks.create_task(follow_erasures(keyring, rooms)))
        starts = {(topic, number): span.end.next_of(topic) for number, span in enumerate(spans) for topic in TOPICS}
        starts |= {("accounts", number): end for number, end in enumerate(accounts)}
        readers: dict[str, Reader] = {**dict.fromkeys(TOPICS, rooms), "accounts": revocations}
        work.append(tasks.create_task(follow(settings, decoder, starts, readers)))
        stack.callback(lambda: [task.cancel() for task in work])
        await stack.enter_async_context(_listening(settings, house, keeper))
        yield house


@asynccontextmanager
async def _listening(settings: Settings, house: House, keeper: Keeper) -> AsyncIterator[None]:
    """At the end everybody is asked to connect again, and then the connections are closed."""
    doorway = Doorway(
        house, keeper, Pages(house, settings), origins_of(settings), frozenset(_listed(settings.chat_proxies))
    )
    loop = asyncio.get_running_loop()
    servers = [
        await loop.create_server(
            lambda: WebSocketConnection(doorway), settings.host, settings.chat_port, backlog=BACKLOG
        ),
        await loop.create_server(
            lambda: IrcConnection(house, keeper), settings.host, settings.irc_port, backlog=BACKLOG
        ),
    ]
    tls_door = None
    if settings.ircs_port:
        certificates = Certificates(Path(settings.ircs_certificate_file), Path(settings.ircs_key_file))
        tls_door = TlsDoor(certificates, lambda: IrcConnection(house, keeper))
        tls_door.open(settings.host, settings.ircs_port)
    log.info("chat listens", port=settings.chat_port, irc_port=settings.irc_port, ircs_port=settings.ircs_port)
    try:
        yield
    finally:
        for server in servers:
            server.close()
        if tls_door is not None:
            await tls_door.close()
        guests = [kept.guest for kept in keeper.all() if kept.guest is not None]
        for guest in guests:
            guest.ask_to_reconnect()
        if guests:
            await asyncio.sleep(PARTING_S)
        for kept in keeper.all():
            kept.end(SERVICE_RESTART, "the server restarts; connect again")
        if guests:
            await asyncio.sleep(LAST_WORD_S)


def origins_of(settings: Settings) -> list[Origin | None] | None:
    """Whose pages may connect; None is anybody's. Programs, which send no origin, always may."""
    listed = _listed(settings.chat_origins)
    if "*" in listed:
        return None
    edge = urlsplit(settings.edge_url)
    names = {edge.hostname or "", *(("localhost",) if edge.hostname == "127.0.0.1" else ())}
    port = f":{edge.port}" if edge.port else ""
    return [None, *(Origin(f"{edge.scheme}://{name}{port}") for name in sorted(names)), *map(Origin, listed)]


def _listed(setting: str) -> list[str]:
    return [item.strip() for item in setting.split(",") if item.strip()]


async def _registered(codec: Codec) -> None:
    while True:
        try:
            await asyncio.to_thread(codec.register_all)
        except (SchemaRegistryError, OSError) as error:
            log.warning("the schema registry does not answer yet", error=repr(error))
            await asyncio.sleep(RETRY_S)
        else:
            return


async def _caught_up(keyring: KafkaKeyring) -> None:
    """The users' keys are read before there is anybody whom reading them would keep waiting."""
    while True:
        try:
            await asyncio.to_thread(keyring.catch_up)
        except KeysUnavailable as error:
            log.warning("the users' keys cannot be read yet", error=str(error))
            await asyncio.sleep(RETRY_S)
        else:
            return


async def _loaded(settings: Settings, decoder: Decoder, limits: Limits) -> tuple[list[loading.Span], list[int], Rooms]:
    while True:
        try:
            partitions = range(PARTITIONS)
            spans = list(await asyncio.gather(*(loading.span_of(settings, number, limits) for number in partitions)))
            accounts = list(await asyncio.gather(*(end_of(settings, "accounts", number) for number in partitions)))
            rooms = Rooms(decoder, limits, [span.start for span in spans])
            for span in spans:
                await loading.load(settings, decoder, rooms, span)
        except Exception as error:
            log.warning("the log cannot be read yet", error=repr(error))
            await asyncio.sleep(RETRY_S)
        else:
            return spans, accounts, rooms


def _raise_file_limit() -> None:
    """A connection is a file; the soft limit is often lower than what is allowed."""
    _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
