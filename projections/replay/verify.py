"""Proof that a read model is what the topics say: a shadow is made from them up to the very same offsets, and both are
compared by row counts and content hashes.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from projections.replay.copies import Offsets, Print, TableDrift, Window
from projections.replay.errors import NotPossible
from projections.replay.names import ReadModel, read_model
from projections.replay.session import Session, Target


@dataclass(frozen=True)
class Verdict:
    """`window` is not empty when the topic has lost events: only what it still holds was compared."""

    model: str
    version: int
    tables: Sequence[TableDrift]
    window: Window = Window()  # noqa: RUF009  # immutable

    @property
    def equal(self) -> bool:
        return all(table.equal for table in self.tables)

    def as_json(self) -> dict[str, Any]:
        tables = [
            {
                "table": one.table,
                "equal": one.equal,
                "live": one.live._asdict(),
                "replayed": one.replayed._asdict(),
                "only_live": list(one.only_live),
                "only_replayed": list(one.only_replayed),
            }
            for one in self.tables
        ]
        expired = sum(self.window.first.values())
        return {"model": self.model, "equal": self.equal, "events_expired": expired, "tables": tables}


@dataclass(frozen=True)
class Fingerprint:
    """A model at one moment."""

    offsets: Offsets
    tables: Mapping[str, Print]


def fingerprint(session: Session, models: Sequence[ReadModel]) -> dict[str, Fingerprint]:
    """Raises NotPossible for a model that is not there."""
    prints = {}
    for model in models:
        prints[str(model)] = Fingerprint(*session.copies(model).fingerprint(model.projection, _live(session, model)))
    return prints


def verify(session: Session, models: Sequence[ReadModel]) -> list[Verdict]:
    """Compare each live version with the topics. Poison is passed over, as the live runner did.

    Raises NotPossible, LeaseLost, Paused, WorkerFailed.
    """
    session.skip_poison = True
    live = {model: _live(session, model) for model in models}
    stops = {str(model): session.copies(model).progress(model.projection, live[model]) for model in models}
    targets = _shadows(session, models, stops)
    verdicts = []
    for target in targets:
        model, version = target.model, live[target.model]
        session.course.say(f"comparing {model}")
        window = session.window(model)

        def catch_up(offsets: Offsets, target: Target = target) -> None:
            session.catch_up(target, offsets)

        tables = session.copies(model).compare(model.projection, version, target.version, catch_up, window)
        verdicts.append(Verdict(str(model), version, tables, window))
        session.drop(model, target.version)
    return verdicts


def verify_against(session: Session, saved: Mapping[str, Fingerprint]) -> list[Verdict]:
    """Compare fingerprints taken earlier with the live versions where these stand at the same offsets, and else with
    what the topics give up to there. Raises NotPossible where the topics have lost events since the beginning.
    """
    session.skip_poison = True
    verdicts, others = [], []
    for name, before in saved.items():
        model = read_model(name)
        copies = session.copies(model)
        version = copies.live(model.projection)
        now = Fingerprint(*copies.fingerprint(model.projection, version)) if version is not None else None
        if version is not None and now is not None and _same_place(now.offsets, before.offsets):
            verdicts.append(Verdict(name, version, _side_by_side(before, now.tables)))
            continue
        if session.window(model).first:
            raise NotPossible(f"{name}: the topic has lost events, so it cannot give the state of that moment")
        others.append(model)
    for target in _shadows(session, others, {name: before.offsets for name, before in saved.items()}):
        tables = session.copies(target.model).fingerprint(target.model.projection, target.version)[1]
        verdicts.append(Verdict(str(target.model), target.version, _side_by_side(saved[str(target.model)], tables)))
        session.drop(target.model, target.version)
    return verdicts


def save(path: Path, prints: Mapping[str, Fingerprint]) -> None:
    models = {
        name: {"offsets": dict(made.offsets), "tables": {table: made.tables[table]._asdict() for table in made.tables}}
        for name, made in prints.items()
    }
    path.write_text(json.dumps({"made_at": datetime.now(UTC).isoformat(), "models": models}, indent=2) + "\n")


def load(path: Path) -> dict[str, Fingerprint]:
    """Raises NotPossible for a file that `save` did not write."""
    try:
        models: dict[str, Any] = json.loads(path.read_text())["models"]
        return {
            str(read_model(name)): Fingerprint(
                {int(partition): int(offset) for partition, offset in made["offsets"].items()},
                {table: Print(**content) for table, content in made["tables"].items()},
            )
            for name, made in models.items()
        }
    except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
        raise NotPossible(f"{path} is not a fingerprint: {error}") from error


def _live(session: Session, model: ReadModel) -> int:
    version = session.copies(model).live(model.projection)
    if version is None:
        raise NotPossible(f"{model} is not there: start its projection, or rebuild it")
    return version


def _shadows(session: Session, models: Sequence[ReadModel], stops: Mapping[str, Offsets]) -> list[Target]:
    for model in models:
        session.tidy(model)
    targets = [session.create(model, "shadow") for model in models]
    session.course.say("loading")
    session.fill(targets, stops, for_readers=False)
    return targets


def _same_place(one: Offsets, other: Offsets) -> bool:
    return {p: o for p, o in one.items() if o} == {p: o for p, o in other.items() if o}


def _side_by_side(before: Fingerprint, now: Mapping[str, Print]) -> list[TableDrift]:
    nothing = Print(0, "0")
    return [
        TableDrift(table, before.tables.get(table, nothing), now.get(table, nothing))
        for table in sorted({*before.tables, *now})
    ]
