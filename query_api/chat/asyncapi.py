"""The AsyncAPI 3 document of the JSON socket, from the models that validate: `python -m query_api.chat.asyncapi`."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any, get_args

import orjson
from pydantic import BaseModel
from pydantic.json_schema import models_json_schema

from query_api.chat.frames import AnyClientFrame, AnyServerFrame
from query_api.openapi import VERSION
from topology.settings import Settings

PAGE = Path(__file__).parents[2] / "docs" / "asyncapi.json"

_DESCRIPTION = """\
One WebSocket message is one JSON object with a `type`. Join a room to read it; a token in `join` signs the connection
in.

Everything that happens in a room comes in the order of the log, with a `cursor`. After a disconnect, `join` with the
last cursor as `after` brings what was missed, once and in order. `accepted` and `error` answer what was asked, and come
only once the outcome is in the log.

Close codes: 1003 a binary message, 1007 not UTF-8, 1008 a limit or an ended session, 1009 a message over 4 KiB,
1012 the server restarts.
"""


def asyncapi_document(url: str) -> dict[str, Any]:
    """The whole document; `url` is the socket's."""
    client, server = _models(AnyClientFrame), _models(AnyServerFrame)
    references, definitions = models_json_schema(
        [*((model, "validation") for model in client), *((model, "serialization") for model in server)],
        ref_template="#/components/schemas/{model}",
    )
    names = {key: schema["$ref"].rpartition("/")[2] for key, schema in references.items()}
    keyed = [(model, names[model, "validation"]) for model in client]
    keyed += [(model, names[model, "serialization"]) for model in server]
    protocol, _, rest = url.partition("://")
    host, _, path = rest.partition("/")
    return {
        "asyncapi": "3.0.0",
        "info": {
            "title": "Tally chat",
            "version": VERSION,
            "description": _DESCRIPTION,
            "license": {"name": "MIT"},
        },
        "defaultContentType": "application/json",
        "servers": {"chat": {"host": host, "protocol": protocol}},
        "channels": {
            "socket": {
                "address": f"/{path}",
                "title": "The JSON socket",
                "servers": [{"$ref": "#/servers/chat"}],
                "messages": {name: {"$ref": f"#/components/messages/{name}"} for _, name in keyed},
            }
        },
        "operations": {
            "receive": _operation("receive", "What a client says.", [names[m, "validation"] for m in client]),
            "send": _operation("send", "What the server says.", [names[m, "serialization"] for m in server]),
        },
        "components": {
            "messages": {name: _message(model, name) for model, name in keyed},
            "schemas": definitions["$defs"],
        },
    }


def _models(union: Any) -> tuple[type[BaseModel], ...]:
    """The members of an annotated union."""
    models: tuple[type[BaseModel], ...] = get_args(get_args(union)[0])
    return models


def _message(model: type[BaseModel], name: str) -> dict[str, Any]:
    return {
        "name": model.model_json_schema()["properties"]["type"]["const"],
        "summary": (model.__doc__ or "").strip().splitlines()[0],
        "payload": {"$ref": f"#/components/schemas/{name}"},
    }


def _operation(action: str, summary: str, names: list[str]) -> dict[str, Any]:
    return {
        "action": action,
        "summary": summary,
        "channel": {"$ref": "#/channels/socket"},
        "messages": [{"$ref": f"#/channels/socket/messages/{name}"} for name in names],
    }


def render() -> str:
    """The committed document."""
    document = asyncapi_document(Settings.model_fields["chat_url"].default)
    return orjson.dumps(document, option=orjson.OPT_INDENT_2).decode() + "\n"


if __name__ == "__main__":
    sys.stdout.write(f"{PAGE}\n")
    PAGE.write_text(render())
