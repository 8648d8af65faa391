"""`tally replay`: read models made again from the topics, and proof that they are what the topics say."""

from __future__ import annotations

import json
import signal
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated, Any

import typer
from clickhouse_connect.driver.exceptions import ClickHouseError
from confluent_kafka import KafkaException
from confluent_kafka.schema_registry.error import SchemaRegistryError
from rich.console import Console
from rich.markup import escape

from projections.contract import Fenced
from projections.postgres.sink import AWAY
from projections.replay.course import Course
from projections.replay.errors import LeaseHeld, NotPossible, Paused, PoisonFound, ReplayError, UnknownModel
from projections.replay.names import ReadModel, StoreName, select
from projections.replay.rebuild import Rebuilt, discard, label_of, rebuild, rollback
from projections.replay.session import Session, poison_text, session
from projections.replay.status import standings
from projections.replay.verify import Verdict, fingerprint, load, save, verify, verify_against
from topology.cli.options import DEFAULT_DATA, Data, Exit, PortBase, moment_of, settings_of
from topology.cli.replay_screen import Bar, examples, standing_table, verdict_table

app = typer.Typer(no_args_is_help=True, help="Make read models again from the topics, and prove that they are right.")

Names = Annotated[
    list[str] | None, typer.Argument(metavar="NAME...", help="Read models, such as postgres.chat or clickhouse.chat.")
]
Store = Annotated[StoreName | None, typer.Option(help="Only this store's; names may leave it out then.")]
AsJson = Annotated[bool, typer.Option("--json", help="One JSON object on standard output.")]
Processes = Annotated[
    int | None, typer.Option(min=1, max=64, help="Worker processes; unless said one per core, or none for a little.")
]

_ENGINES_AWAY = (*AWAY, ClickHouseError, KafkaException, SchemaRegistryError, Fenced)
_out, _notes = Console(soft_wrap=True, highlight=False), Console(stderr=True, soft_wrap=True, highlight=False)


@app.command("status")
def show_status(
    names: Names = None,
    store: Store = None,
    data: Data = DEFAULT_DATA,
    port_base: PortBase = None,
    as_json: AsJson = False,
) -> None:
    """Say which versions there are, how far behind they are, and what is being rebuilt."""
    with _reporting(as_json):
        found = standings(settings_of(data, port_base), select(names or [], store))
        if as_json:
            _print_json({"models": [standing.__dict__ for standing in found]})
        else:
            _out.print(standing_table(found))


@app.command("rebuild")
def rebuild_models(
    names: Names = None,
    every: Annotated[bool, typer.Option("--all", help="Every read model.")] = False,
    store: Store = None,
    until: Annotated[
        str | None,
        typer.Option(metavar="TIME", help="RFC 3339: only events that had occurred by then, shown under another name."),
    ] = None,
    skip_poison: Annotated[bool, typer.Option(help="Pass over records that cannot be folded, and list them.")] = False,
    processes: Processes = None,
    data: Data = DEFAULT_DATA,
    port_base: PortBase = None,
    as_json: AsJson = False,
) -> None:
    """Fill new versions beside the live ones and switch to them. Ctrl-C pauses; the same command goes on.

    Exit status 6: a poison event stopped it; 7: another replay works on one of these models; 130: paused.
    """
    if bool(names) == every:
        raise typer.BadParameter("give the names of read models, or --all")
    moment = moment_of(until) if until is not None else None
    with _reporting(as_json), _working(names, store, data, port_base, processes) as (work, models, course):
        work.until, work.skip_poison = moment, skip_poison
        rebuilt = rebuild(work, models)
        if as_json:
            _print_json(
                {
                    "rebuilt": [one.__dict__ for one in rebuilt],
                    "events": course.events,
                    "seconds": round(course.seconds, 3),
                    "events_per_s": round(course.events_per_s),
                    "peak_mib": list(work.pool.peak_mib.values()) if work.pool is not None else [],
                    "skipped": [poison_text(poison) for poison in course.skipped],
                }
            )
        else:
            _tell_rebuilt(rebuilt, course)


@app.command("verify")
def verify_models(
    names: Names = None,
    store: Store = None,
    save_to: Annotated[Path | None, typer.Option("--save", metavar="FILE", help="Only note the state of now.")] = None,
    against: Annotated[
        Path | None, typer.Option(metavar="FILE", help="Prove that the models at a noted state's offsets equal it.")
    ] = None,
    processes: Processes = None,
    data: Data = DEFAULT_DATA,
    port_base: PortBase = None,
    as_json: AsJson = False,
) -> None:
    """Prove that the live read models are what the topics say. Exit status 1: one is not, and this says which."""
    if save_to is not None and against is not None:
        raise typer.BadParameter("--save and --against exclude each other")
    with _reporting(as_json):
        saved = load(against) if against is not None else None
        asked = names or (list(saved) if saved is not None and store is None else None)
        with _working(asked, store, data, port_base, processes) as (work, models, _):
            if save_to is not None:
                prints = fingerprint(work, models)
                save(save_to, prints)
                if as_json:
                    _print_json({"saved": str(save_to), "models": list(prints)})
                else:
                    _notes.print(f"Noted {len(prints)} read models in {save_to}")
                return
            if saved is not None:
                missing = [str(model) for model in models if str(model) not in saved]
                if missing:
                    raise NotPossible(f"{against} does not hold {', '.join(missing)}")
                verdicts = verify_against(work, {str(model): saved[str(model)] for model in models})
            else:
                verdicts = verify(work, models)
        _tell_verdicts(verdicts, as_json)


@app.command("rollback")
def roll_back(
    name: str, store: Store = None, data: Data = DEFAULT_DATA, port_base: PortBase = None, as_json: AsJson = False
) -> None:
    """Bring the version before up to date and switch back to it."""
    with _reporting(as_json), _working([name], store, data, port_base, None) as (work, models, course):
        back = rollback(work, models[0])
        if as_json:
            _print_json({"rebuilt": [back.__dict__]})
        else:
            _tell_rebuilt([back], course)


@app.command("discard")
def discard_builds(
    names: Names = None,
    store: Store = None,
    until: Annotated[str | None, typer.Option(metavar="TIME", help="The builds made --until this time.")] = None,
    data: Data = DEFAULT_DATA,
    port_base: PortBase = None,
    as_json: AsJson = False,
) -> None:
    """Drop unfinished rebuilds, or with --until what was built for that time."""
    label = label_of(moment_of(until)) if until is not None else ""
    with _reporting(as_json), _working(names, store, data, port_base, None) as (work, models, _):
        dropped = {str(model): discard(work, model, label) for model in models}
        if as_json:
            _print_json({"dropped": dropped})
        else:
            _notes.print(f"Dropped {sum(dropped.values())} versions.")


@contextmanager
def _working(
    names: list[str] | None, store: StoreName | None, data: Path, port_base: int | None, processes: int | None
) -> Iterator[tuple[Session, list[ReadModel], Course]]:
    models = select(names or [], store)
    with _stop_signals() as stopped, Bar(_notes) as bar:
        course = Course(bar.update)
        with session(settings_of(data, port_base), models, course, stopped, processes) as work:
            yield work, models, course


@contextmanager
def _stop_signals() -> Iterator[Callable[[], bool]]:
    """Whether Ctrl-C or SIGTERM came; the second one is not held back."""
    came: list[int] = []
    kinds = (signal.SIGINT, signal.SIGTERM)
    before = {kind: signal.getsignal(kind) for kind in kinds}

    def note(kind: int, _: object) -> None:
        came.append(kind)
        signal.signal(kind, before[signal.Signals(kind)])

    for kind in kinds:
        signal.signal(kind, note)
    try:
        yield lambda: bool(came)
    finally:
        for kind in kinds:
            signal.signal(kind, before[kind])


@contextmanager
def _reporting(as_json: bool) -> Iterator[None]:
    """Turn what went wrong into words, a JSON object and an exit status."""
    try:
        yield
    except UnknownModel as error:
        _fail(error, Exit.USAGE, as_json)
    except PoisonFound as error:
        _fail(error, Exit.POISON, as_json, **poison_text(error))
    except LeaseHeld as error:
        _fail(error, Exit.HELD, as_json)
    except Paused as error:
        _fail(error, Exit.INTERRUPTED, as_json)
    except (ReplayError, *_ENGINES_AWAY) as error:
        _fail(error, Exit.FAILED, as_json)


def _fail(error: Exception, status: Exit, as_json: bool, **details: Any) -> None:
    if as_json:
        _print_json({"error": type(error).__name__, "message": str(error), **details})
    _notes.print(f"[red]{escape(str(error) or repr(error))}[/]")
    raise typer.Exit(status)


def _tell_rebuilt(rebuilt: list[Rebuilt], course: Course) -> None:
    for one in rebuilt:
        where = f"shown in {one.published_as}" if one.published_as else "live"
        kept = f", v{one.previous} kept for rollback" if one.previous is not None else ""
        resumed = ", gone on from an earlier run" if one.resumed else ""
        _out.print(f"{one.model} v{one.version} is {where}{kept}{resumed}")
    _out.print(f"{course.events:,} events in {course.seconds:.1f} s, {course.events_per_s:,.0f} a second")
    for poison in course.skipped:
        _out.print(f"[yellow]passed over {escape(str(poison))}[/]")


def _tell_verdicts(verdicts: list[Verdict], as_json: bool) -> None:
    equal = all(verdict.equal for verdict in verdicts)
    if as_json:
        _print_json({"equal": equal, "models": [verdict.as_json() for verdict in verdicts]})
    else:
        _out.print(verdict_table(verdicts))
        for line in examples(verdicts):
            _out.print(line)
    if not equal:
        drifted = " ".join(verdict.model for verdict in verdicts if not verdict.equal)
        _notes.print(f"[red]Not what the topics say. This makes it right: ./tally replay rebuild {drifted}[/]")
        raise typer.Exit(Exit.FAILED)


def _print_json(value: dict[str, Any]) -> None:
    typer.echo(json.dumps(value, indent=2, default=str))
