"""Avro schemas from the models. The committed `.avsc` files are this module's output, held by a test."""

from __future__ import annotations

import json
from functools import cache
from pathlib import Path
from typing import Any

from schemas.catalog import BY_FULL_NAME
from schemas.message import Message

AVSC_DIR = Path(__file__).parent / "avsc"


@cache
def schema_of(model: type[Message]) -> dict[str, Any]:
    """The Avro schema of a model: full name, docs, and `personal` / `secret` as field properties."""
    schema: dict[str, Any] = json.loads(model.avro_schema())
    namespace, _, name = model.full_name().rpartition(".")
    schema["name"], schema["namespace"] = name, namespace
    for field in schema["fields"]:
        extra = model.model_fields[field["name"]].json_schema_extra
        if isinstance(extra, dict):
            field.update(extra)
    return schema


def avsc_path(model: type[Message]) -> Path:
    return AVSC_DIR / f"{model.full_name()}.avsc"


def write_all() -> None:
    """Write every `.avsc`: `python -m schemas.avro` after a model changed."""
    AVSC_DIR.mkdir(exist_ok=True)
    for model in BY_FULL_NAME.values():
        avsc_path(model).write_text(json.dumps(schema_of(model), indent=2) + "\n")


if __name__ == "__main__":
    write_all()
