"""The edge, composed."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import TypedDict

import orjson
from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.middleware import Middleware
from starlette.middleware.cors import CORSMiddleware
from starlette.requests import Request
from starlette.responses import Response

from query_api.emote_files import emote_routes
from query_api.endpoints import ENDPOINTS
from query_api.errors import ApiError, error_response
from query_api.middleware import CORRELATION_HEADER, Correlation
from query_api.openapi import openapi_document
from query_api.probes import probe_routes
from query_api.services import Services, running_services
from query_api.serving import routes_of
from query_api.site import site_routes
from schemas.consistency import HEADER
from topology.settings import Settings

_REQUEST_HEADERS = ["Authorization", "Client-Id", "Content-Type", "Idempotency-Key", HEADER, CORRELATION_HEADER]
_ANSWER_HEADERS = [
    "Ratelimit-Limit",
    "Ratelimit-Remaining",
    "Ratelimit-Reset",
    "Retry-After",
    HEADER,
    CORRELATION_HEADER,
]


class State(TypedDict):
    services: Services


def create_app(settings: Settings) -> Starlette:
    """The ASGI application. It starts without Kafka and Postgres and says 503 until they are there."""

    @asynccontextmanager
    async def lifespan(app: Starlette) -> AsyncIterator[State]:
        async with running_services(settings) as services:
            yield {"services": services}

    document = orjson.dumps(openapi_document(ENDPOINTS))
    cors = Middleware(
        CORSMiddleware,
        allow_origins=["*"],  # tokens travel in a header, so another site cannot borrow a sign-in
        allow_methods=["GET", "POST", "PUT", "PATCH", "DELETE"],
        allow_headers=_REQUEST_HEADERS,
        expose_headers=_ANSWER_HEADERS,
        max_age=3600,
    )
    return Starlette(
        routes=[*routes_of(ENDPOINTS), *probe_routes(), *emote_routes(), *site_routes(settings, document)],
        middleware=[Middleware(Correlation), cors],
        exception_handlers={HTTPException: _unrouted},
        lifespan=lifespan,
    )


async def _unrouted(request: Request, error: Exception) -> Response:
    status = error.status_code if isinstance(error, HTTPException) else 500
    headers = getattr(error, "headers", None) or {}
    if status == 405:
        message = f"{request.method} is not possible here. There is: {headers.get('Allow', '')}."
    elif status == 404:
        message = f"There is nothing at {request.url.path}. See /docs."
    else:
        message = str(getattr(error, "detail", error))
    return error_response(ApiError(status, message, headers=headers))
