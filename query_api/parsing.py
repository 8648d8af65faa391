"""From the bytes of a request to checked models. Everything wrong is named."""

from __future__ import annotations

import asyncio
import re
from functools import cache
from typing import Any, get_origin
from urllib.parse import parse_qsl

from pydantic import BaseModel, ValidationError
from starlette.requests import ClientDisconnect, Request

from query_api.endpoint import B, Endpoint, Nothing, Q, Upload
from query_api.errors import ApiError

BODY_BYTES = 65_536
BODY_S = 10.0
FORM_FIELDS = 20

_JSON = re.compile(r"application/([\w.+-]+\+)?json\b")
_FORM = "application/x-www-form-urlencoded"


def query_of(model: type[Q], request: Request) -> Q:
    """The query and path parameters. Unknown ones are ignored, as Helix does. Raises ApiError 400."""
    given: dict[str, Any] = dict(request.path_params)
    for name, many in _parameters(model).items():
        values = request.query_params.getlist(name)
        if many and values:
            given[name] = values
        elif len(values) > 1:
            raise ApiError(400, f"{name}: given {len(values)} times, takes one value.")
        elif values:
            given[name] = values[0]
    try:
        return model.model_validate(given)
    except ValidationError as error:
        raise ApiError(400, wrong_fields(error)) from error


async def body_of(endpoint: Endpoint[Q, B], request: Request) -> B:
    """The body: JSON, a form or a file. Raises ApiError 400, 408, 413 or 415."""
    model = endpoint.body
    if issubclass(model, Nothing):
        return model()
    kind = request.headers.get("content-type", "").lower()
    if issubclass(model, Upload):
        if kind.partition(";")[0].strip() not in endpoint.media_types:
            raise ApiError(415, f"Send the file as it is: Content-Type: one of {', '.join(endpoint.media_types)}.")
        return model(content=await _read(request, endpoint.upload_bytes))
    if endpoint.oauth:
        if not kind.startswith(_FORM):
            raise ApiError(415, f"Send the fields as a form: Content-Type: {_FORM}.")
    elif not (_JSON.match(kind) or (endpoint.text_body and (not kind or kind.startswith("text/plain")))):
        raise ApiError(415, "Send the body as JSON: Content-Type: application/json.")
    raw = await _read(request, BODY_BYTES)
    try:
        return model.model_validate(_form(raw)) if endpoint.oauth else model.model_validate_json(raw)
    except ValidationError as error:
        raise ApiError(400, wrong_fields(error)) from error


def wrong_fields(error: ValidationError) -> str:
    """The first few problems in one line. The values are left out: they may be secrets."""
    problems = error.errors(include_url=False, include_input=False, include_context=False)
    named = [f"{'.'.join(map(str, problem['loc'])) or 'body'}: {problem['msg']}" for problem in problems[:5]]
    return "; ".join(named) + "."


@cache
def _parameters(model: type[BaseModel]) -> dict[str, bool]:
    """Each parameter, and whether it may be repeated."""
    return {name: get_origin(field.annotation) is list for name, field in model.model_fields.items()}


async def _read(request: Request, limit: int) -> bytes:
    length = request.headers.get("content-length", "0")
    if length.isdigit() and int(length) > limit:
        raise ApiError(413, f"The body may have at most {limit} bytes.")
    body = bytearray()
    try:
        async with asyncio.timeout(BODY_S):
            async for chunk in request.stream():
                body += chunk
                if len(body) > limit:
                    raise ApiError(413, f"The body may have at most {limit} bytes.")
    except TimeoutError as error:
        raise ApiError(408, f"The body did not arrive within {BODY_S:.0f} s.") from error
    except ClientDisconnect as error:
        raise ApiError(400, "The connection closed before the body was complete.") from error
    return bytes(body)


def _form(raw: bytes) -> dict[str, str]:
    try:
        pairs = parse_qsl(raw.decode(), keep_blank_values=True, max_num_fields=FORM_FIELDS)
    except ValueError as error:
        raise ApiError(400, f"The body is not a form of at most {FORM_FIELDS} fields in UTF-8.") from error
    form = dict(pairs)
    if len(form) != len(pairs):
        raise ApiError(400, "A field of the form was given twice.")
    return form
