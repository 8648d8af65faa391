"""What the endpoints work with: one of each per process."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass

from query_api.beacons import Beacons
from query_api.chat.limits import Limits
from query_api.chat_processes import ChatProcesses, chat_processes
from query_api.consistency import Consistency
from query_api.database import Database
from query_api.emote_pictures import EmotePainter
from query_api.gateway import Gateway
from query_api.passwords import Passwords
from query_api.playback_links import LinkMaker, link_maker
from query_api.rate_limit import TokenBuckets
from query_api.sessions import Sessions
from schemas.wire import Codec
from topology.settings import Settings
from topology.subject_keys.keyring import open_keyring

CREDENTIALS_PER_ADDRESS = 240
"""Registrations and sign-ins a minute."""

GIFTS_PER_USER = 100
"""Donations and subscriptions a minute: each is a line in a chat."""

SIGN_INS_PER_LOGIN = 20
"""Tries of one login's password a minute, from wherever they come."""

EMOTES_PER_USER = 200
EMOTES_S = 4 * 3600.0
"""A whole set at once, then 50 an hour: the pictures lie in the log for ever, also those of removed emotes."""


@dataclass(frozen=True, slots=True)
class Services:
    """Made by `running_services`."""

    settings: Settings
    database: Database
    sessions: Sessions
    consistency: Consistency
    gateway: Gateway
    beacons: Beacons
    chat_processes: ChatProcesses
    links: LinkMaker
    passwords: Passwords
    painter: EmotePainter
    requests: TokenBuckets
    credentials: TokenBuckets
    sign_ins: TokenBuckets
    gifts: TokenBuckets
    emotes: TokenBuckets
    sends: TokenBuckets


@asynccontextmanager
async def running_services(settings: Settings) -> AsyncIterator[Services]:
    """Start everything an edge needs; Kafka and Postgres may still be away, and may go away."""
    codec = await asyncio.to_thread(Codec, settings.schema_registry_url, open_keyring(settings))
    async with AsyncExitStack() as stack:
        stack.callback(codec.close)
        database = await stack.enter_async_context(Database(settings))
        gateway = Gateway(settings, codec)
        beacons = Beacons(settings, codec)
        await stack.enter_async_context(gateway.running())
        await stack.enter_async_context(beacons.running())
        yield Services(
            settings=settings,
            database=database,
            sessions=Sessions(database),
            consistency=Consistency(database),
            gateway=gateway,
            beacons=beacons,
            chat_processes=await stack.enter_async_context(chat_processes(settings)),
            links=link_maker(settings),
            passwords=Passwords(settings),
            painter=EmotePainter(),
            requests=TokenBuckets(settings.requests_per_minute),
            credentials=TokenBuckets(CREDENTIALS_PER_ADDRESS),
            sign_ins=TokenBuckets(SIGN_INS_PER_LOGIN),
            gifts=TokenBuckets(GIFTS_PER_USER),
            emotes=TokenBuckets(EMOTES_PER_USER, EMOTES_S),
            sends=TokenBuckets(Limits().sends_per_30_s, 30.0),
        )
