"""`docs/settings.md` from the settings and the port table, so that it cannot drift: `python -m topology.reference`."""

from __future__ import annotations

from pathlib import Path

from pydantic import SecretStr
from pydantic_core import PydanticUndefined

from topology.ports import DEFAULTS, OFFSETS
from topology.settings import Settings

PAGE = Path(__file__).parents[1] / "docs" / "settings.md"

HEAD = """# Settings

Written by `python -m topology.reference` from `topology/settings.py` and `topology/ports.py`; a test holds it against
them.

Every process reads its settings from `TALLY_*` environment variables. `./tally up` sets the addresses and passwords of
a local system itself, and passes the rest on to its processes.

| variable | default | what it is |
|---|---|---|
"""

PORTS = """
## Ports of a local system

`--port-base N` moves every server to N plus a fixed number, so that several systems can live side by side.

| server | usual port | with `--port-base N` |
|---|---|---|
"""


def render() -> str:
    """The whole page as Markdown."""
    settings = "".join(_setting(name) for name in Settings.model_fields)
    servers = "".join(f"| {name} | {DEFAULTS[name]} | N + {offset} |\n" for name, offset in OFFSETS.items())
    return HEAD + settings + PORTS + servers


def _setting(name: str) -> str:
    field = Settings.model_fields[name]
    default = field.default
    if default is PydanticUndefined:
        shown = "made at start"
    else:
        value = default.get_secret_value() if isinstance(default, SecretStr) else str(default)
        shown = f"`{value}`" if value else "empty"
    return f"| `TALLY_{name.upper()}` | {shown} | {field.description} |\n"


if __name__ == "__main__":
    PAGE.write_text(render())
