"""Rebuild: a new version filled from the topics beside the live one, then shown in its place.

An interrupted rebuild leaves its version and, in it, its progress; the next run goes on from there. The version that
was live is kept, one deep, for rollback. Nothing is sent to the outside.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

from projections.replay.copies import Offsets
from projections.replay.errors import NotPossible, PoisonFound
from projections.replay.names import ReadModel
from projections.replay.session import Session, Target

_NEAR = 2_000
"""Events behind the live version that are few enough to hold its writer for."""

_ROUNDS = 10


@dataclass(frozen=True)
class Rebuilt:
    """What became of one model. `resumed`: an earlier run had begun it."""

    model: str
    version: int
    previous: int | None
    resumed: bool
    published_as: str = ""


def rebuild(session: Session, models: Sequence[ReadModel]) -> list[Rebuilt]:
    """Raises PoisonFound, LeaseLost, Paused, WorkerFailed; what was built stays, to be gone on with."""
    label = "" if session.until is None else label_of(session.until)
    targets: list[Target] = []
    resumed: set[ReadModel] = set()
    for model in models:
        session.tidy(model)
        target = _unfinished(session, model, label)
        if target is not None:
            resumed.add(model)
        targets.append(target or session.create(model, "building", label))
    session.course.say("loading")
    try:
        session.fill(targets, for_readers=True)
        return [_show(session, target, label, target.model in resumed) for target in targets]
    except PoisonFound as poison:
        for target in targets:
            if target.model.topic == poison.topic:
                session.register.record_error(str(target.model), target.version, str(poison))
        raise


def rollback(session: Session, model: ReadModel) -> Rebuilt:
    """Show the version before, brought up to date. Raises NotPossible."""
    session.tidy(model)
    builds = session.register.builds(str(model))
    before = next((build for build in reversed(builds) if build.state == "previous"), None)
    if before is None:
        raise NotPossible(f"{model} has no version to go back to")
    if before.revision != model.projection.revision:
        raise NotPossible(f"{model} v{before.version} was made by another revision of its fold: deploy that one first")
    return _switch(session, Target(model, before.version), resumed=False)


def discard(session: Session, model: ReadModel, label: str = "") -> int:
    """Drop an unfinished version, or with a label the one made --until then. Returns how many were dropped."""
    session.tidy(model)
    gone = [
        build
        for build in session.register.builds(str(model))
        if build.label == label and build.state in ("building", "until")
    ]
    for build in gone:
        session.drop(model, build.version)
    if label:
        session.copies(model).withdraw(model.projection, label)
    return len(gone)


def label_of(until: datetime) -> str:
    """Names what a build --until is shown as: `until_20260102t030405z`."""
    at = until.astimezone(UTC)
    micros = f"_{at.microsecond:06}" if at.microsecond else ""
    return f"until_{at:%Y%m%dt%H%M%S}{micros}z"


def _unfinished(session: Session, model: ReadModel, label: str) -> Target | None:
    """A version to go on with. One of another revision is of no use, and a finished one of the same label is old."""
    found: Target | None = None
    for build in session.register.builds(str(model)):
        if build.label != label or build.state not in ("building", "until"):
            continue
        if build.state == "building" and build.revision == model.projection.revision:
            found = Target(model, build.version)
        else:
            session.drop(model, build.version)
    return found


def _show(session: Session, target: Target, label: str, resumed: bool) -> Rebuilt:
    if not label:
        return _switch(session, target, resumed)
    model = target.model
    name = session.copies(model).publish_as(model.projection, target.version, label)
    session.register.record(str(model), target.version, "until", model.projection.revision, label)
    return Rebuilt(str(model), target.version, None, resumed, name)


def _switch(session: Session, target: Target, resumed: bool) -> Rebuilt:
    model, copies = target.model, session.copies(target.model)
    session.course.say(f"catching up {model}")
    for _ in range(_ROUNDS):
        if session.catch_up(target) < _NEAR:
            break
    previous = copies.live(model.projection)
    previous_revision = copies.live_revision(model.projection)
    session.course.say(f"switching {model}")

    def catch_up(live: Offsets) -> None:
        session.catch_up(target, live)

    session.check()
    if previous is not None and previous_revision is not None:
        session.register.record(str(model), previous, "previous", previous_revision)
    copies.switch(model.projection, target.version, catch_up)
    session.register.record(str(model), target.version, "live", model.projection.revision)
    for build in session.register.builds(str(model)):
        if build.state in ("live", "previous") and build.version not in (target.version, previous):
            session.drop(model, build.version)
    return Rebuilt(str(model), target.version, previous, resumed)
