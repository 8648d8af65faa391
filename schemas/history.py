"""Every version of every record type that was ever committed, one frozen file each: what old records were written with.

`python -m schemas.history` freezes the models as they are now, and refuses what could not read an earlier version.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

from schemas.avro import schema_of
from schemas.catalog import BY_FULL_NAME
from schemas.compatibility import why_incompatible
from schemas.message import Message

HISTORY = Path(__file__).parent / "history"


class BreakingChangeError(Exception):
    """A model can no longer read an earlier version; the message names the record type and the field."""


def frozen(full_name: str, history: Path = HISTORY) -> dict[int, dict[str, Any]]:
    """The frozen versions of a record type, by number."""
    return {int(path.stem): json.loads(path.read_text()) for path in (history / full_name).glob("*.avsc")}


def is_frozen(model: type[Message], history: Path = HISTORY) -> bool:
    """Whether the last frozen version says what the model says, docs aside."""
    versions = frozen(model.full_name(), history)
    return bool(versions) and _essence(versions[max(versions)]) == _essence(schema_of(model))


def check(model: type[Message], history: Path = HISTORY) -> None:
    """Raises BreakingChangeError when the model cannot read some frozen version."""
    earlier = {number: json.dumps(schema) for number, schema in frozen(model.full_name(), history).items()}
    reason = why_incompatible(json.dumps(schema_of(model)), earlier, "BACKWARD_TRANSITIVE")
    if reason:
        raise BreakingChangeError(f"{model.full_name()}: {reason}")


def freeze(model: type[Message], history: Path = HISTORY) -> Path | None:
    """Write the model's schema as its next version; None when it is frozen already. Raises BreakingChangeError."""
    if is_frozen(model, history):
        return None
    check(model, history)
    number = max(frozen(model.full_name(), history), default=0) + 1
    path = history / model.full_name() / f"{number}.avsc"
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(schema_of(model), indent=2) + "\n")
    return path


def _essence(schema: Any) -> Any:
    if isinstance(schema, dict):
        return {name: _essence(value) for name, value in schema.items() if name != "doc"}
    return [_essence(item) for item in schema] if isinstance(schema, list) else schema


def main() -> None:
    for model in BY_FULL_NAME.values():
        try:
            path = freeze(model)
        except BreakingChangeError as error:
            sys.exit(f"not frozen: {error}")
        if path:
            sys.stdout.write(f"{path}\n")


if __name__ == "__main__":
    main()
