"""Confluent's REST API over the log: what the unmodified serializers and ordinary tools call."""

from __future__ import annotations

import json
from typing import Any

from starlette.applications import Starlette
from starlette.concurrency import run_in_threadpool
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from schemas.compatibility import LEVELS
from topology.registry.errors import RegistryError
from topology.registry.log import SchemaLog
from topology.registry.records import LevelSet, SchemaRegistered
from topology.registry.state import RegistryState

MAX_BODY = 1_048_576


class SchemaJSON(JSONResponse):
    media_type = "application/vnd.schemaregistry.v1+json"


class Api:
    """One method per endpoint."""

    def __init__(self, log: SchemaLog) -> None:
        self._log = log

    async def root(self, request: Request) -> Response:
        return SchemaJSON({})

    async def types(self, request: Request) -> Response:
        return SchemaJSON(["AVRO"])

    async def mode(self, request: Request) -> Response:
        return SchemaJSON({"mode": "READWRITE"})

    async def subjects(self, request: Request) -> Response:
        prefix = request.query_params.get("subjectPrefix", "")
        state = await self._fresh()
        return SchemaJSON([name for name in state.subjects() if name.startswith(prefix)])

    async def versions(self, request: Request) -> Response:
        return SchemaJSON(sorted((await self._fresh()).versions(_subject(request))))

    async def version(self, request: Request) -> Response:
        return SchemaJSON(_full(await self._version(request)))

    async def version_text(self, request: Request) -> Response:
        return SchemaJSON(json.loads((await self._version(request)).schema))

    async def register(self, request: Request) -> Response:
        subject, schema = _subject(request), await _schema(request)
        known = self._log.state.find(subject, schema)
        if known is None:
            await run_in_threadpool(self._log.append, lambda state: state.decide_registration(subject, schema))
            known = self._log.state.find(subject, schema)
        if known is None:
            raise RegistryError(50001, "Error in the backend data store: the schema was not read back")
        return SchemaJSON({"id": known.id})

    async def look_up(self, request: Request) -> Response:
        subject, schema = _subject(request), await _schema(request)
        known = self._log.state.find(subject, schema)
        if known is None:
            state = await self._fresh()
            state.versions(subject)
            known = state.find(subject, schema)
        if known is None:
            raise RegistryError(40403, "Schema not found")
        return SchemaJSON(_full(known))

    async def by_id(self, request: Request) -> Response:
        return SchemaJSON({"schema": await self._text(request)})

    async def text_by_id(self, request: Request) -> Response:
        return SchemaJSON(json.loads(await self._text(request)))

    async def subjects_by_id(self, request: Request) -> Response:
        uses = (await self._fresh()).uses_of(request.path_params["id"])
        return SchemaJSON(sorted({use.subject for use in uses}))

    async def versions_by_id(self, request: Request) -> Response:
        uses = (await self._fresh()).uses_of(request.path_params["id"])
        return SchemaJSON([{"subject": use.subject, "version": use.version} for use in uses])

    async def compatibility(self, request: Request) -> Response:
        subject, schema = _subject(request), await _schema(request)
        state = await self._fresh()
        wanted = request.path_params.get("version")
        number = None
        if wanted is not None:
            number = state.version(subject, _version(wanted)).version
        reason = state.check(subject, schema, number)
        return SchemaJSON({"is_compatible": reason is None, "messages": [reason] if reason else []})

    async def level(self, request: Request) -> Response:
        state = await self._fresh()
        subject = request.path_params.get("subject")
        return SchemaJSON({"compatibilityLevel": state.level_of(subject) if subject else state.level})

    async def set_level(self, request: Request) -> Response:
        level = (await _body(request)).get("compatibility")
        if level not in LEVELS:
            raise RegistryError(42203, f"Invalid compatibility level. Valid values are {', '.join(LEVELS)}")
        record = LevelSet(request.path_params.get("subject"), level)
        await run_in_threadpool(self._log.append, lambda state: state.decide_level(record))
        return SchemaJSON({"compatibility": level})

    async def _fresh(self) -> RegistryState:
        await run_in_threadpool(self._log.catch_up)
        return self._log.state

    async def _version(self, request: Request) -> SchemaRegistered:
        return (await self._fresh()).version(_subject(request), _version(request.path_params["version"]))

    async def _text(self, request: Request) -> str:
        schema_id: int = request.path_params["id"]
        text = self._log.state.by_id.get(schema_id) or (await self._fresh()).by_id.get(schema_id)
        if text is None:
            raise RegistryError(40403, f"Schema {schema_id} not found")
        return text


def create_app(log: SchemaLog) -> Starlette:
    """The registry as an ASGI app."""
    api = Api(log)
    of_subject = "/subjects/{subject:path}"
    check = "/compatibility/subjects/{subject:path}/versions"
    handlers: dict[Any, Any] = {RegistryError: _refused, HTTPException: _http_error}
    return Starlette(
        routes=[
            Route("/", api.root),
            Route("/mode", api.mode),
            Route("/mode/{subject:path}", api.mode),
            Route("/schemas/types", api.types),
            Route("/schemas/ids/{id:int}", api.by_id),
            Route("/schemas/ids/{id:int}/schema", api.text_by_id),
            Route("/schemas/ids/{id:int}/subjects", api.subjects_by_id),
            Route("/schemas/ids/{id:int}/versions", api.versions_by_id),
            Route("/subjects", api.subjects),
            Route(f"{of_subject}/versions", api.versions),
            Route(f"{of_subject}/versions", api.register, methods=["POST"]),
            Route(f"{of_subject}/versions/{{version}}", api.version),
            Route(f"{of_subject}/versions/{{version}}/schema", api.version_text),
            Route(of_subject, api.look_up, methods=["POST"]),
            Route(check, api.compatibility, methods=["POST"]),
            Route(f"{check}/{{version}}", api.compatibility, methods=["POST"]),
            Route("/config", api.level),
            Route("/config", api.set_level, methods=["PUT"]),
            Route("/config/{subject:path}", api.level),
            Route("/config/{subject:path}", api.set_level, methods=["PUT"]),
        ],
        exception_handlers=handlers,
    )


async def _refused(request: Request, error: RegistryError) -> Response:
    return SchemaJSON({"error_code": error.error_code, "message": error.message}, status_code=error.status)


async def _http_error(request: Request, error: HTTPException) -> Response:
    body = {"error_code": error.status_code, "message": f"HTTP {error.status_code} {error.detail}"}
    return SchemaJSON(body, status_code=error.status_code)


def _full(known: SchemaRegistered) -> dict[str, Any]:
    return {"subject": known.subject, "version": known.version, "id": known.id, "schema": known.schema}


def _subject(request: Request) -> str:
    subject: str = request.path_params["subject"]
    return subject


def _version(text: str) -> int | None:
    """A version number; None for the latest, also written -1."""
    if text in ("latest", "-1"):
        return None
    if text.isascii() and text.isdigit() and 0 < int(text[:12]) < 2**31:
        return int(text)
    raise RegistryError(
        42202,
        f"The specified version '{text[:40]}' is not a valid version id. "
        'Allowed values are between [1, 2^31-1] and the string "latest"',
    )


async def _body(request: Request) -> dict[str, Any]:
    body = bytearray()
    async for chunk in request.stream():
        body += chunk
        if len(body) > MAX_BODY:
            raise RegistryError(413, f"The body is larger than {MAX_BODY} bytes.")
    try:
        parsed = json.loads(bytes(body))
    except (ValueError, RecursionError) as error:
        raise RegistryError(400, f"The body is not JSON: {error}") from error
    if not isinstance(parsed, dict):
        raise RegistryError(400, "The body must be a JSON object.")
    return parsed


async def _schema(request: Request) -> str:
    body = await _body(request)
    if body.get("schemaType", "AVRO") != "AVRO":
        raise RegistryError(42201, f"Invalid schema type {str(body['schemaType'])[:40]}: this registry holds AVRO.")
    if body.get("references"):
        raise RegistryError(42201, "Invalid schema: references are not supported by this registry.")
    schema = body.get("schema")
    if not isinstance(schema, str):
        raise RegistryError(42201, "Empty schema")
    return schema
