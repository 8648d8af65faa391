"""The demo channel: an ordinary account, registered over REST like any other, with a key and a token kept fresh."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime, timedelta
from uuid import uuid4

import httpx
import structlog

from topology.secrets import Secrets
from topology.settings import Settings

LOGIN = "demo"
RETRY_S = 1.0
GIVE_UP_S = 60.0
READABLE_S = 15.0
"""How long a new session may take to reach the read model."""

_log = structlog.get_logger()


class DemoFailedError(Exception):
    """The edge answered, but would not make the demo channel: says what it answered."""


async def ensure(settings: Settings, give_up_s: float = GIVE_UP_S) -> Secrets:
    """Register, sign in and get a stream key where that is still to do, and keep it. Raises DemoFailedError."""
    deadline = asyncio.get_running_loop().time() + give_up_s
    async with httpx.AsyncClient(base_url=settings.edge_url, timeout=15.0) as edge:
        while True:
            try:
                return await _ensure_once(settings, edge)
            except httpx.HTTPError as error:
                said = error.response.text if isinstance(error, httpx.HTTPStatusError) else repr(error)
                if asyncio.get_running_loop().time() > deadline:
                    raise DemoFailedError(f"the demo channel could not be made: {said}") from error
                _log.warning("demo channel is tried again", reason=said)
                await asyncio.sleep(RETRY_S)


async def keep_fresh(settings: Settings) -> None:
    """Sign in again whenever the token nears its end."""
    while True:
        secrets = Secrets.load_or_make(settings.data_dir)
        await asyncio.sleep(max(RETRY_S, _left_s(secrets) - _margin_s(settings)))
        try:
            await ensure(settings)
        except DemoFailedError as error:
            _log.warning("demo token is not refreshed", reason=str(error))


def is_fresh(secrets: Secrets, settings: Settings) -> bool:
    """Whether the token still works for a while."""
    return bool(secrets.demo_token) and _left_s(secrets) > _margin_s(settings)


def _left_s(secrets: Secrets) -> float:
    if secrets.demo_token_expires_at is None:
        return 0.0
    return (secrets.demo_token_expires_at - datetime.now(UTC)).total_seconds()


def _margin_s(settings: Settings) -> float:
    return settings.session_lifetime_s / 4


async def _ensure_once(settings: Settings, edge: httpx.AsyncClient) -> Secrets:
    secrets = Secrets.load_or_make(settings.data_dir)
    if secrets.demo_stream_key and is_fresh(secrets, settings) and await _accepts(edge, secrets.demo_token):
        return secrets
    account = {"login": LOGIN, "display_name": "Demo", "password": secrets.demo_password}
    registered = await edge.post("/accounts", json=account, headers=_once())
    if registered.status_code != httpx.codes.CONFLICT:
        registered.raise_for_status()
        secrets = secrets.model_copy(update={"demo_stream_key": ""})  # a key from before belongs to data that is gone
        secrets.save(settings.data_dir)
    token, expires_at = await _sign_in(edge, secrets)
    key = secrets.demo_stream_key
    if not key:
        issued = await edge.post("/helix/streams/key", headers={**_once(), "Authorization": f"Bearer {token}"})
        key = issued.raise_for_status().json()["data"][0]["stream_key"]
    fresh = secrets.model_copy(
        update={"demo_stream_key": key, "demo_token": token, "demo_token_expires_at": expires_at}
    )
    fresh.save(settings.data_dir)
    return fresh


async def _sign_in(edge: httpx.AsyncClient, secrets: Secrets) -> tuple[str, datetime]:
    form = {"grant_type": "password", "username": LOGIN, "password": secrets.demo_password}
    answer = (await edge.post("/oauth2/token", data=form)).raise_for_status().json()
    token: str = answer["access_token"]
    deadline = asyncio.get_running_loop().time() + READABLE_S
    while not await _accepts(edge, token):
        if asyncio.get_running_loop().time() > deadline:
            raise httpx.ReadTimeout(f"the new session is not readable after {READABLE_S:.0f} s")
        await asyncio.sleep(0.1)
    return token, datetime.now(UTC) + timedelta(seconds=answer["expires_in"])


async def _accepts(edge: httpx.AsyncClient, token: str) -> bool:
    answer = await edge.get("/oauth2/validate", headers={"Authorization": f"Bearer {token}"})
    return answer.is_success


def _once() -> dict[str, str]:
    return {"Idempotency-Key": str(uuid4())}
