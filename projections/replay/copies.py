"""What replay asks of a store: versions of a read model beside the live one, filled, compared and switched."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, NamedTuple, Protocol

from projections.contract import Advance

Offsets = Mapping[int, int]
"""The next offset to read, by partition."""


class Print(NamedTuple):
    """A table's content as two numbers: rows, and the sum of a 64-bit hash of each, whatever their order."""

    rows: int
    hash: str


@dataclass(frozen=True)
class Window:
    """The part of a model whose events the topic still holds. Empty when it holds them all."""

    first: Offsets = field(default_factory=dict)
    """The first offset kept, of the partitions that have lost some."""
    since: datetime | None = None
    """From this time on every partition has all of its events."""


@dataclass(frozen=True)
class TableDrift:
    """One table of the live version and of the one made from the topics, side by side."""

    table: str
    live: Print
    replayed: Print
    only_live: Sequence[str] = ()
    """Some rows that only the live version has."""
    only_replayed: Sequence[str] = ()

    @property
    def equal(self) -> bool:
        return self.live == self.replayed


class Loader(Protocol):
    """Fills one version."""

    def write(self, advance: Advance, changes: Any) -> None:
        """Apply changes and progress as one. Raises Refused, Fenced."""


class Copies(Protocol):
    """One store. Every method blocks, and raises what the store's driver does while the store is away."""

    batch: int
    """Records that are best written as one."""

    plain_times: bool
    """It takes times as microseconds since 1970 instead of datetimes."""

    def live(self, projection: Any) -> int | None:
        """The version that readers see."""

    def live_revision(self, projection: Any) -> int | None:
        """The revision of the fold that made it."""

    def versions(self, projection: Any) -> list[int]:
        """All versions that exist, the live one among them."""

    def create(self, projection: Any, partitions: Sequence[int]) -> int:
        """A new empty version, ready to be filled."""

    def drop(self, projection: Any, version: int) -> None: ...

    def progress(self, projection: Any, version: int) -> dict[int, int]: ...

    def loader(self, projection: Any, version: int) -> Loader: ...

    def finish(self, projection: Any, version: int, *, for_readers: bool) -> None:
        """After the bulk: keys, and what else only readers need."""

    def switch(self, projection: Any, version: int, catch_up: Callable[[Offsets], None]) -> None:
        """Show this version to readers from one moment to the next, not behind what they saw before.

        `catch_up` fills the version up to the offsets given.
        """

    def publish_as(self, projection: Any, version: int, label: str) -> str:
        """Show this version under a name of its own, beside the live one, and return that."""

    def withdraw(self, projection: Any, label: str) -> None:
        """Take away what `publish_as` made, but for the version."""

    def fingerprint(self, projection: Any, version: int) -> tuple[dict[int, int], dict[str, Print]]:
        """Progress and content of one moment."""

    def compare(
        self, projection: Any, live: int, version: int, catch_up: Callable[[Offsets], None], window: Window
    ) -> list[TableDrift]:
        """The live version and another at the very same offsets, by table."""

    def close(self) -> None: ...
