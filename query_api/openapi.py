"""The OpenAPI 3.1 document, from the route table and the models that validate."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from pydantic import BaseModel
from pydantic.json_schema import models_json_schema

from query_api.endpoint import Endpoint, Nothing, Upload
from query_api.errors import ErrorBody, OAuthErrorBody
from query_api.scopes import SCOPES
from query_api.serving import IDEMPOTENCY_KEY_LENGTH
from schemas.consistency import HEADER

VERSION = "0.1.0"
"""Of the API."""

References = dict[tuple[Any, Any], str]
"""A model's component, by the model and the direction it travels in."""

_REF = "#/components/schemas/{model}"

_DESCRIPTION = f"""\
Twitch Helix's form where Helix has one. Ids are strings, times RFC 3339.

**Pages.** Lists take `first` (1 to 100) and `after`; `pagination.cursor` leads to the next page.

**Writing.** An `Idempotency-Key` makes a retry safe: the same key does a thing once and gives the same answer.
A write answers with `{HEADER}`; send it back on a read, which then waits until it sees the write.

**Limits.** Every answer carries `Ratelimit-Limit`, `Ratelimit-Remaining` and `Ratelimit-Reset` (Unix time).
`Client-Id` is accepted and ignored: limits are per user, or per address without a token.
"""

_ERRORS = {
    400: "Something in the request is wrong; the message names it.",
    401: "No token, or one that does not hold.",
    403: "The token may not do this.",
    404: "There is no such thing.",
    408: "The body did not arrive in time.",
    409: "The state of things forbids it.",
    413: "The body is too large.",
    415: "The body is of a kind that is not read here.",
    422: "The text is too long, or the user has a role that stands against it.",
    429: "Too many requests.",
    503: "Something behind this is away or late; see Retry-After.",
}

_IDEMPOTENCY_KEY = {
    "name": "Idempotency-Key",
    "in": "header",
    "description": "Chosen by the client; a retry with the same key is not done twice.",
    "schema": {"type": "string", "minLength": 1, "maxLength": IDEMPOTENCY_KEY_LENGTH},
}
_CONSISTENCY = {
    "name": HEADER,
    "in": "header",
    "description": "From an earlier write: this read waits up to 5 s to see it.",
    "schema": {"type": "string", "pattern": r"^[a-z-]+:\d+:\d+$", "examples": ["follows:3:1042"]},
}


def openapi_document(endpoints: Iterable[Endpoint[Any, Any]]) -> dict[str, Any]:
    """The whole document."""
    endpoints = tuple(endpoints)
    names, components = _schemas(endpoints)
    paths: dict[str, dict[str, Any]] = {}
    for endpoint in endpoints:
        paths.setdefault(endpoint.path, {})[endpoint.method.lower()] = _operation(endpoint, names)
    return {
        "openapi": "3.1.0",
        "info": {"title": "Tally", "version": VERSION, "description": _DESCRIPTION, "license": {"name": "MIT"}},
        "servers": [{"url": "/"}],
        "tags": [{"name": tag} for tag in dict.fromkeys(endpoint.tag for endpoint in endpoints)],
        "paths": paths,
        "components": {
            "schemas": components,
            "securitySchemes": {
                "token": {"type": "oauth2", "flows": {"password": {"tokenUrl": "/oauth2/token", "scopes": SCOPES}}}
            },
        },
    }


def _schemas(endpoints: tuple[Endpoint[Any, Any], ...]) -> tuple[References, dict[str, Any]]:
    """The references, and the components they lead to."""
    models: dict[tuple[type[BaseModel], Any], None] = {(ErrorBody, "serialization"): None}
    models[OAuthErrorBody, "serialization"] = None
    for endpoint in endpoints:
        if not issubclass(endpoint.body, (Nothing, Upload)):
            models[endpoint.body, "validation"] = None
        if endpoint.answer is not None:
            models[endpoint.answer, "serialization"] = None
    schemas, definitions = models_json_schema(list(models), ref_template=_REF)
    references: References = {key: schema["$ref"] for key, schema in schemas.items()}
    return references, definitions["$defs"]


def _operation(endpoint: Endpoint[Any, Any], references: References) -> dict[str, Any]:
    operation: dict[str, Any] = {
        "operationId": endpoint.handler.__name__,
        "tags": [endpoint.tag],
        "summary": endpoint.summary,
        "description": _described(endpoint),
        "parameters": _parameters(endpoint),
        "responses": _responses(endpoint, references),
    }
    if issubclass(endpoint.body, Upload):
        operation["requestBody"] = {"required": True, "content": {kind: {} for kind in endpoint.media_types}}
    elif not issubclass(endpoint.body, Nothing):
        schema = {"schema": {"$ref": references[endpoint.body, "validation"]}}
        kinds = ["application/x-www-form-urlencoded"] if endpoint.oauth else ["application/json"]
        if endpoint.text_body:
            kinds.append("text/plain")
        operation["requestBody"] = {"required": True, "content": dict.fromkeys(kinds, schema)}
    if endpoint.needs_token:
        operation["security"] = [{"token": [scope]} for scope in endpoint.scopes] or [{"token": []}]
    elif not endpoint.oauth:
        operation["security"] = [{}, {"token": []}]
    return operation


def _described(endpoint: Endpoint[Any, Any]) -> str:
    scopes = " or ".join(f"`{scope}`" for scope in endpoint.scopes)
    scope = f"Needs the scope {scopes}." if scopes else ""
    return " ".join(filter(None, (endpoint.description, scope)))


def _parameters(endpoint: Endpoint[Any, Any]) -> list[dict[str, Any]]:
    schema = endpoint.query.model_json_schema()
    parameters = []
    for name, described in schema.get("properties", {}).items():
        in_path = f"{{{name}}}" in endpoint.path
        parameter = {
            "name": name,
            "in": "path" if in_path else "query",
            "required": in_path or name in schema.get("required", ()),
            "schema": {key: value for key, value in _without_null(described).items() if key != "description"},
        }
        if "description" in described:
            parameter["description"] = described["description"]
        parameters.append(parameter)
    if endpoint.mutates:
        parameters.append(_IDEMPOTENCY_KEY)
    if endpoint.waits:
        parameters.append(_CONSISTENCY)
    return parameters


def _without_null(schema: dict[str, Any]) -> dict[str, Any]:
    """A parameter can be left out but cannot be null."""
    options: list[dict[str, Any]] = [option for option in schema.get("anyOf", ()) if option != {"type": "null"}]
    if len(options) != 1:
        return schema
    return {key: value for key, value in schema.items() if key not in ("anyOf", "default")} | options[0]


def _responses(endpoint: Endpoint[Any, Any], references: References) -> dict[str, Any]:
    done: dict[str, Any] = {"description": "Done."}
    if endpoint.answer is not None:
        done["content"] = {"application/json": {"schema": {"$ref": references[endpoint.answer, "serialization"]}}}
    if endpoint.mutates:
        done["headers"] = {
            HEADER: {"description": "Send it on a read that must see this.", "schema": {"type": "string"}}
        }
    body = OAuthErrorBody if endpoint.oauth else ErrorBody
    content = {"application/json": {"schema": {"$ref": references[body, "serialization"]}}}
    return {str(endpoint.status): done} | {
        str(status): {"description": _ERRORS[status], "content": content} for status in sorted(_statuses(endpoint))
    }


def _statuses(endpoint: Endpoint[Any, Any]) -> set[int]:
    statuses = {400, 429, 503, *endpoint.rejections}
    if not endpoint.oauth or endpoint.needs_token:
        statuses.add(401)  # a token that does not hold is told even where none is needed
    if endpoint.scope is not None:
        statuses.add(403)
    if not issubclass(endpoint.body, Nothing):
        statuses |= {408, 413, 415}
    if "{" in endpoint.path:
        statuses.add(404)
    return statuses
