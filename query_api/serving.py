"""Serves the route table: who asks, how often, with what, and the answer with its headers."""

from __future__ import annotations

import time
from collections.abc import Iterable
from itertools import groupby
from typing import Any

import structlog
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from query_api import consistency
from query_api.endpoint import UNAUTHORISED, Answer, Call, Endpoint
from query_api.errors import ApiError, error_response
from query_api.parsing import body_of, query_of
from query_api.rate_limit import network_of, ratelimit_headers, refuse_if_spent
from query_api.services import Services
from query_api.sessions import Session
from schemas.consistency import HEADER

IDEMPOTENCY_KEY_LENGTH = 128

log = structlog.get_logger(__name__)


def routes_of(endpoints: Iterable[Endpoint[Any, Any]]) -> list[Route]:
    """One Starlette route per path, so that a method that is not there is answered with those that are."""
    ordered = sorted(endpoints, key=lambda endpoint: endpoint.path)
    return [
        _route(path, {endpoint.method: endpoint for endpoint in group})
        for path, group in groupby(ordered, key=lambda endpoint: endpoint.path)
    ]


def _route(path: str, by_method: dict[str, Endpoint[Any, Any]]) -> Route:
    async def serve(request: Request) -> Response:
        return await _serve(by_method["GET" if request.method == "HEAD" else request.method], request)

    return Route(path, serve, methods=list(by_method))


async def _serve(endpoint: Endpoint[Any, Any], request: Request) -> Response:
    headers: dict[str, str] = {"Cache-Control": "no-store"}
    try:
        answer = await _answer(endpoint, request, headers)
    except ApiError as error:
        error.headers |= headers
        return error_response(error, oauth=endpoint.oauth)
    except Exception:
        log.exception("request failed", path=endpoint.path)
        ours = ApiError(500, "Something went wrong on our side. Quote the Tally-Correlation-Id when you report it.")
        return error_response(ours, oauth=endpoint.oauth)
    if answer.consistency is not None:
        headers[HEADER] = str(answer.consistency)
    if answer.model is None:
        return Response(status_code=endpoint.status, headers=headers)
    return Response(answer.model.model_dump_json(), endpoint.status, headers, "application/json")


async def _answer(endpoint: Endpoint[Any, Any], request: Request, headers: dict[str, str]) -> Answer:
    services: Services = request.state.services
    address = network_of(request.client.host if request.client else "unknown")
    ignores_token = endpoint.oauth and not endpoint.signed_in
    session = None if ignores_token else await _session(services, request, address)
    _take(services, session.user_id if session else address, headers)
    if endpoint.needs_token and session is None:
        raise ApiError(401, "Sign in: send Authorization: Bearer <access token>.", headers=UNAUTHORISED)
    if endpoint.scopes and session is not None and session.scopes.isdisjoint(endpoint.scopes):
        raise ApiError(403, f"The token lacks the scope {' or '.join(endpoint.scopes)}. Sign in again and ask for it.")
    query = query_of(endpoint.query, request)
    body = await body_of(endpoint, request)
    if endpoint.waits and HEADER in request.headers:
        await services.consistency.wait(consistency.token_of(request.headers[HEADER]))
    call = Call(
        services=services,
        query=query,
        body=body,
        session=session,
        address=address,
        correlation_id=request.state.correlation_id,
        idempotency_key=_idempotency_key(request) if endpoint.mutates else None,
    )
    return await endpoint.handler(call)


async def _session(services: Services, request: Request, address: str) -> Session | None:
    scheme, _, token = request.headers.get("authorization", "").partition(" ")
    if scheme.lower() not in ("bearer", "oauth"):  # Twitch's validate endpoint is called with OAuth
        return None
    token = token.strip()
    session = services.sessions.remembered(token)
    if session is None:
        # Each look-up costs the address, so that guessing tokens is no faster than asking without one.
        _take(services, address, {})
        session = await services.sessions.find(token)
    if session is None:
        raise ApiError(401, "The access token is unknown, expired or revoked. Sign in again.", headers=UNAUTHORISED)
    return session


def _take(services: Services, caller: str, headers: dict[str, str]) -> None:
    allowance = services.requests.take(caller, time.monotonic())
    headers |= ratelimit_headers(allowance, time.time())
    refuse_if_spent(allowance, "Too many requests.")


def _idempotency_key(request: Request) -> str | None:
    key = request.headers.get("idempotency-key")
    if key is not None and not 0 < len(key) <= IDEMPOTENCY_KEY_LENGTH:
        raise ApiError(400, f"Idempotency-Key: must have 1 to {IDEMPOTENCY_KEY_LENGTH} characters.")
    return key
