"""What `tally replay` shows to people."""

from __future__ import annotations

from collections.abc import Sequence
from types import TracebackType

from rich.console import Console
from rich.markup import escape
from rich.progress import BarColumn, Progress, TaskProgressColumn, TextColumn, TimeElapsedColumn
from rich.table import Table

from projections.replay.course import Course
from projections.replay.status import Standing
from projections.replay.verify import Verdict


class Bar:
    """Percent, events a second, time to go and the first error, while it lasts; nothing where nobody watches."""

    def __init__(self, console: Console) -> None:
        self._console = console
        self._progress = Progress(
            TextColumn("{task.description}"),
            BarColumn(),
            TaskProgressColumn(),
            TextColumn("{task.fields[pace]}"),
            TimeElapsedColumn(),
            console=console,
            transient=True,
            disable=not console.is_terminal,
        )
        self._task = self._progress.add_task("looking", total=None, pace="")
        self._error = ""

    def __enter__(self) -> Bar:
        self._progress.start()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self._progress.stop()

    def update(self, course: Course) -> None:
        eta = f" · {course.eta_s:,.0f} s to go" if course.eta_s is not None else ""
        self._progress.update(
            self._task,
            description=course.doing,
            total=course.total or None,
            completed=course.done,
            pace=f"{course.events_per_s:,.0f} events/s{eta}",
        )
        if course.first_error and not self._error:
            self._error = course.first_error
            self._console.print(f"[yellow]passing over {escape(self._error)}[/]")


def standing_table(standings: Sequence[Standing]) -> Table:
    table = Table("read model", "version", "behind", "rebuild", "before", "until", "notes")
    for one in standings:
        notes = [one.error or ""]
        if one.stale:
            notes.append("made by another revision: rebuild it")
        if one.expired:
            notes.append(f"{one.expired:,} events expired")
        table.add_row(
            one.model,
            "[red]none[/]" if one.version is None else f"v{one.version}",
            f"{one.behind:,}",
            "" if one.building is None else f"v{one.building} {one.built_share or 0:.0%}",
            "" if one.previous is None else f"v{one.previous}",
            ", ".join(one.until),
            escape("; ".join(note for note in notes if note)),
        )
    return table


def verdict_table(verdicts: Sequence[Verdict]) -> Table:
    table = Table("read model", "table", "rows", "rows from topics", "verdict")
    for verdict in verdicts:
        for one in verdict.tables:
            said = "[green]equal[/]" if one.equal else "[red]differs[/]"
            if verdict.window.first:
                said += f", but for what {sum(verdict.window.first.values()):,} expired events made"
            table.add_row(verdict.model, one.table, f"{one.live.rows:,}", f"{one.replayed.rows:,}", said)
    return table


def examples(verdicts: Sequence[Verdict]) -> list[str]:
    """Some rows by which the tables differ, one a line."""
    return [
        f"{verdict.model} {one.table}: {side} {escape(row)}"
        for verdict in verdicts
        for one in verdict.tables
        for side, rows in (("only in the live version", one.only_live), ("only from the topics", one.only_replayed))
        for row in rows
    ]
