"""`docs/events.md` from the models, so that the page cannot drift: `python -m schemas.reference` writes it."""

from __future__ import annotations

import inspect
import json
from pathlib import Path
from typing import Any

from schemas.avro import schema_of
from schemas.catalog import COMMANDS, EVENTS
from schemas.message import Command, Event, Message

PAGE = Path(__file__).parents[1] / "docs" / "events.md"

HEAD = """# Events and commands

Written by `python -m schemas.reference` from the models in `schemas/`; a test holds it against them.

Every event carries the envelope first: {event}.
Every command carries: {command}.

Fields marked *personal* hold personal data, sealed under the key of the user whom the field in brackets names
([privacy](privacy.md)). Fields marked *secret* hold hashes of secrets and reach no analyst table.
"""


def render() -> str:
    """The whole page as Markdown."""
    head = HEAD.format(event=_envelope(Event), command=_envelope(Command))
    return head + _part("Events", EVENTS, Event) + _part("Commands", COMMANDS, Command)


def _envelope(base: type[Message]) -> str:
    return ", ".join(f"`{name}`" for name in base.model_fields)


def _part(title: str, models: tuple[type[Message], ...], base: type[Message]) -> str:
    lines, topic = ["", f"## {title}"], ""
    for model in models:
        if model.topic != topic:
            topic = model.topic
            lines += ["", f"### `{topic}` (key: `{model.key_field}`)"]
        lines += ["", f"**{model.__name__}** — {inspect.getdoc(model)}", ""]
        own = [field for field in schema_of(model)["fields"] if field["name"] not in base.model_fields]
        lines += ["| field | type | meaning |", "|---|---|---|", *map(_row, own)] if own else ["No fields of its own."]
    return "\n".join(lines) + "\n"


def _row(field: dict[str, Any]) -> str:
    subject = field.get("personal")
    marks = [f"*personal* (`{subject}`)" if isinstance(subject, str) else "*personal*"] if subject else []
    marks += ["*secret*"] if field.get("secret") else []
    meaning = " ".join([*marks, field.get("doc", "")]).strip()
    return f"| `{field['name']}` | {_type_name(field['type'])} | {meaning} |"


def _type_name(avro: Any) -> str:
    if isinstance(avro, list):
        return " or ".join(_type_name(choice) for choice in avro)
    if isinstance(avro, dict):
        if avro["type"] == "array":
            return f"array of {_type_name(avro['items'])}"
        return str(avro.get("logicalType", avro["type"]))
    return str(avro) if isinstance(avro, str) else json.dumps(avro)


if __name__ == "__main__":
    PAGE.write_text(render())
