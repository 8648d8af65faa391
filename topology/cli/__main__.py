"""Composes the command line from the modules beside this one, importing only the one that was asked for."""

from __future__ import annotations

import importlib
import sys

import typer

COMMANDS = (
    "up",
    "down",
    "status",
    "doctor",
    "logs",
    "demo",
    "keys",
    "replay",
    "moderation",
    "erase",
    "import-cdn-logs",
    "bench",
    "check-hls",
    "check",
    "test",
    "coverage",
)


def compose(names: tuple[str, ...]) -> typer.Typer:
    """The application with these commands."""
    app = typer.Typer(no_args_is_help=True, add_completion=False, help="Tally: live streaming on an event log.")
    app.callback()(lambda: None)
    for name in names:
        function = name.replace("-", "_")
        module = importlib.import_module(f"topology.cli.{function}")
        group = getattr(module, "app", None)
        if isinstance(group, typer.Typer):
            app.add_typer(group, name=name)
        else:
            app.command(name, context_settings=getattr(module, "CONTEXT", None))(getattr(module, function))
    return app


def main() -> None:
    """Run the command in `sys.argv`. Only its module is loaded: the others' libraries cost seconds."""
    asked = sys.argv[1] if len(sys.argv) > 1 else ""
    compose((asked,) if asked in COMMANDS else COMMANDS)(prog_name="tally")


if __name__ == "__main__":
    main()
