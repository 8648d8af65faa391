"""How the read models stand: which versions there are, how far behind the live one is, what is being built."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import closing
from dataclasses import dataclass

from projections.replay.copies import Copies
from projections.replay.loading import workshop
from projections.replay.names import ReadModel
from projections.replay.reader import Extent
from projections.replay.register import Register
from topology.settings import Settings


@dataclass(frozen=True)
class Standing:
    """One model's. Lags and totals are in offsets."""

    model: str
    version: int | None
    stale: bool
    """The live version was made by another revision of the fold than today's."""
    behind: int
    expired: int
    """Records that the topic's retention has taken: no rebuild can bring back what they made."""
    previous: int | None
    building: int | None
    """The version of an unfinished rebuild."""
    built_share: float | None
    """How much of it is done, 0 to 1."""
    until: Sequence[str]
    """Labels of builds --until."""
    error: str | None


def standings(settings: Settings, models: Sequence[ReadModel]) -> list[Standing]:
    """Takes no lease and changes nothing but its own missing tables."""
    with closing(Register(settings)) as register, workshop(settings) as shop:
        extents: dict[str, dict[int, Extent]] = {}
        found = []
        for model in models:
            if model.topic not in extents:
                partitions = shop.reader.partitions(model.topic)
                extents[model.topic] = {p: shop.reader.extent(model.topic, p) for p in partitions}
            found.append(_standing(model, shop.copies(model.store), register, extents[model.topic]))
        return found


def _standing(model: ReadModel, copies: Copies, register: Register, extents: dict[int, Extent]) -> Standing:
    builds = register.builds(str(model))
    version = copies.live(model.projection)
    existing = {*copies.versions(model.projection)} - {version}
    building = next((b for b in builds if b.state == "building" and not b.label and b.version in existing), None)
    previous = next((b.version for b in reversed(builds) if b.state == "previous" and b.version in existing), None)
    return Standing(
        model=str(model),
        version=version,
        stale=version is not None and copies.live_revision(model.projection) != model.projection.revision,
        behind=_behind(model, copies, version, extents),
        expired=sum(extent.first for extent in extents.values()),
        previous=previous,
        building=building.version if building is not None else None,
        built_share=_share(model, copies, building.version, extents) if building is not None else None,
        until=[build.label for build in builds if build.state == "until"],
        error=building.error if building is not None else None,
    )


def _behind(model: ReadModel, copies: Copies, version: int | None, extents: dict[int, Extent]) -> int:
    progress: dict[int, int] = copies.progress(model.projection, version) if version is not None else {}
    return sum(max(0, extent.end - max(extent.first, progress.get(p, 0))) for p, extent in extents.items())


def _share(model: ReadModel, copies: Copies, version: int, extents: dict[int, Extent]) -> float | None:
    total = sum(extent.end - extent.first for extent in extents.values())
    return 1 - _behind(model, copies, version, extents) / total if total else None
