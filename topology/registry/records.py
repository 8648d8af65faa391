"""The records of `_schemas`, in the Confluent registry's own form, so that either can read the other's topic."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any

TOPIC = "_schemas"


@dataclass(frozen=True, slots=True)
class SchemaRegistered:
    """A version of a subject. The same schema has one id under every subject."""

    subject: str
    version: int
    id: int
    schema: str


@dataclass(frozen=True, slots=True)
class LevelSet:
    """A compatibility level was set; `subject` None means for all."""

    subject: str | None
    level: str


Record = SchemaRegistered | LevelSet


def encode(record: Record) -> tuple[bytes, bytes]:
    """Key and value. Compaction keeps the last value of a key: one per subject and version."""
    if isinstance(record, SchemaRegistered):
        key = {"keytype": "SCHEMA", "subject": record.subject, "version": record.version, "magic": 1}
        value: dict[str, Any] = {
            "subject": record.subject,
            "version": record.version,
            "id": record.id,
            "schema": record.schema,
            "deleted": False,
        }
    else:
        key = {"keytype": "CONFIG", "subject": record.subject, "magic": 0}
        value = {"subject": record.subject, "compatibilityLevel": record.level}
    return json.dumps(key, separators=(",", ":")).encode(), json.dumps(value, separators=(",", ":")).encode()


def decode(key: bytes | None, value: bytes | None) -> Record | None:
    """The record; None for kinds that do not change what we serve (no-ops, tombstones, modes).

    Raises ValueError, KeyError or TypeError on bytes that no registry wrote.
    """
    if key is None or value is None:
        return None
    kind = json.loads(key)["keytype"]
    fields = json.loads(value)
    if kind == "SCHEMA" and not fields.get("deleted"):
        return SchemaRegistered(
            str(fields["subject"]), int(fields["version"]), int(fields["id"]), str(fields["schema"])
        )
    if kind == "CONFIG":
        return LevelSet(fields.get("subject"), str(fields["compatibilityLevel"]))
    return None
