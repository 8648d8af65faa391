"""Whether this edge lives, and whether it can serve."""

from __future__ import annotations

import asyncio

from cachetools import TTLCache
from starlette.requests import Request
from starlette.responses import JSONResponse
from starlette.routing import Route

from query_api.errors import ApiError
from query_api.services import Services

ANSWER_S = 2.0


async def live(request: Request) -> JSONResponse:
    return JSONResponse({"status": "live"})


class Ready:
    """Anybody may ask, so the engines behind are asked once a second at most."""

    def __init__(self) -> None:
        self._known: TTLCache[str, dict[str, str]] = TTLCache(1, 1.0)

    async def ready(self, request: Request) -> JSONResponse:
        """200 when Kafka and Postgres answer, else 503 that names what does not."""
        missing = self._known.get("missing")
        if missing is None:
            missing = self._known["missing"] = await _missing(request.state.services)
        if missing:
            return JSONResponse({"status": "not ready", "missing": missing}, 503, headers={"Retry-After": "1"})
        return JSONResponse({"status": "ready"})


async def _missing(services: Services) -> dict[str, str]:
    kafka, postgres = await asyncio.gather(services.beacons.reachable(ANSWER_S), _postgres_answers(services))
    missing = {}
    if not kafka:
        missing["kafka"] = "no broker answers, or the schema registry does not"
    if not postgres:
        missing["postgres"] = "the read models' database does not answer"
    return missing


async def _postgres_answers(services: Services) -> bool:
    try:
        await services.database.rows("SELECT 1")
    except ApiError:
        return False
    return True


def probe_routes() -> list[Route]:
    return [Route("/health/live", live), Route("/health/ready", Ready().ready)]
