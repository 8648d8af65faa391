"""What a command of replay works with: the lease over its models, the register, the stores, the workers."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import ExitStack, closing, contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

from projections.replay.copies import Copies, Offsets, Window
from projections.replay.course import Course
from projections.replay.errors import Paused, PoisonFound
from projections.replay.lease import Lease
from projections.replay.loading import Load, Workshop, workshop
from projections.replay.names import ReadModel, read_model
from projections.replay.pool import Finish, Pool
from projections.replay.reader import Extent
from projections.replay.register import Register, State
from topology.settings import Settings
from topology.topics import EVENT_TOPICS, FOREVER

_LITTLE = 20_000
"""Events that are loaded before worker processes would have started."""

_DISORDER = timedelta(minutes=1)
"""By how much events of one partition may stand out of the order of their times."""

_EXPIRING = frozenset(topic.name for topic in EVENT_TOPICS if topic.retention_ms != FOREVER)


@dataclass(frozen=True)
class Target:
    """A version being filled."""

    model: ReadModel
    version: int


@dataclass
class Session:
    """Everything that runs under one lease. `stopped` is asked often; when it says yes the work pauses."""

    settings: Settings
    lease: Lease
    register: Register
    shop: Workshop
    course: Course
    stopped: Callable[[], bool]
    pool: Pool | None
    """None until there is enough to do for worker processes."""
    until: datetime | None = None
    skip_poison: bool = False
    extents: dict[tuple[str, int], Extent] = field(default_factory=dict)
    _partitions: dict[str, list[int]] = field(default_factory=dict)

    def check(self) -> None:
        """Raises LeaseLost, Paused."""
        self.lease.check()
        if self.stopped():
            raise Paused("stopped; the same command goes on from here")

    def copies(self, model: ReadModel) -> Copies:
        return self.shop.copies(model.store)

    def partitions(self, model: ReadModel) -> list[int]:
        """Asked once."""
        known = self._partitions.get(model.topic)
        if known is None:
            known = self._partitions[model.topic] = self.shop.reader.partitions(model.topic)
        return known

    def extent(self, topic: str, partition: int) -> Extent:
        """Asked once."""
        known = self.extents.get((topic, partition))
        if known is None:
            known = self.extents[topic, partition] = self.shop.reader.extent(topic, partition)
        return known

    def create(self, model: ReadModel, state: State, label: str = "") -> Target:
        """A new empty version, noted in the register."""
        version = self.copies(model).create(model.projection, self.partitions(model))
        self.register.record(str(model), version, state, model.projection.revision, label)
        return Target(model, version)

    def drop(self, model: ReadModel, version: int) -> None:
        self.copies(model).drop(model.projection, version)
        self.register.forget(str(model), version)

    def tidy(self, model: ReadModel) -> None:
        """Drop what an earlier run left behind and nobody will use: comparisons, and versions the register lost. Where
        one died around the switch, note what is live.
        """
        copies = self.copies(model)
        existing, live = copies.versions(model.projection), copies.live(model.projection)
        known = {build.version: build for build in self.register.builds(str(model))}
        for version, build in known.items():
            if version not in existing:
                self.register.forget(str(model), version)
            elif version == live:
                if build.state != "live":
                    self.register.record(str(model), version, "live", build.revision)
            elif build.state == "shadow":
                self.drop(model, version)
        for version in existing:
            if version not in known and version != live:
                copies.drop(model.projection, version)

    def fill(self, targets: Sequence[Target], stops: Mapping[str, Offsets] | None = None, *, for_readers: bool) -> None:
        """Load with all workers and finish, up to `stops` (by model) or to where the topics end.

        Raises PoisonFound, LeaseLost, Paused, WorkerFailed.
        """
        starts: dict[Load, tuple[int, int]] = {}
        for target in targets:
            progress = self.copies(target.model).progress(target.model.projection, target.version)
            for partition in self.partitions(target.model):
                stop = stops[str(target.model)].get(partition, 0) if stops is not None else None
                load = self._load(target, partition, stop)
                first, end = self.extent(target.model.topic, partition)
                start = max(first, progress.get(partition, 0))
                starts[load] = start, max(start, end if stop is None else stop)
        self.course.plan(starts)
        loads = sorted(starts, key=lambda load: starts[load][0] - starts[load][1])
        finishes = [Finish(str(target.model), target.version, for_readers) for target in targets]
        if self.pool is None and self.course.total <= _LITTLE:
            self._fill_here(loads, finishes)
            return
        self.pool = self.pool or Pool(self.settings)
        self.pool.run(loads, finishes, self.course.advanced, self.check)

    def _fill_here(self, loads: Iterable[Load], finishes: Iterable[Finish]) -> None:
        for load in loads:
            self.check()
            self.shop.load(load, self.course.advanced)
        for model, version, for_readers in finishes:
            projection = read_model(model).projection
            self.copies(read_model(model)).finish(projection, version, for_readers=for_readers)

    def catch_up(self, target: Target, stops: Offsets | None = None) -> int:
        """Load here what has come meanwhile. Returns how many events it was."""
        before = self.course.events
        for partition in self.partitions(target.model):
            self.check()
            stop = stops.get(partition, 0) if stops is not None else None
            self.shop.load(self._load(target, partition, stop), self.course.advanced)
        return self.course.events - before

    def window(self, model: ReadModel) -> Window:
        """What the topic still holds, where its retention takes events away."""
        if model.topic not in _EXPIRING:
            return Window()
        first = {p: self.extent(model.topic, p).first for p in self.partitions(model)}
        expired = {partition: offset for partition, offset in first.items() if offset > 0}
        if not expired:
            return Window()
        oldest = [self.shop.occurred_at(model.topic, partition, offset) for partition, offset in expired.items()]
        return Window(expired, max(at or datetime.now(UTC) for at in oldest) + _DISORDER)

    def _load(self, target: Target, partition: int, stop: int | None) -> Load:
        return Load(str(target.model), target.version, partition, stop, self.until, self.skip_poison)


@contextmanager
def session(
    settings: Settings,
    models: Iterable[ReadModel],
    course: Course,
    stopped: Callable[[], bool] = lambda: False,
    processes: int | None = None,
) -> Iterator[Session]:
    """Take the lease on the models. Raises LeaseHeld."""
    with ExitStack() as resources:
        lease = resources.enter_context(Lease(settings, [str(model) for model in models]))
        register = resources.enter_context(closing(Register(settings)))
        shop = resources.enter_context(workshop(settings))
        pool = Pool(settings, processes) if processes is not None else None
        yield Session(settings, lease, register, shop, course, stopped, pool)


def poison_text(poison: PoisonFound) -> dict[str, object]:
    """For --json."""
    return {
        "topic": poison.topic,
        "partition": poison.partition,
        "offset": poison.offset,
        "reason": poison.reason,
    }
