"""What is told of streams' health."""

from __future__ import annotations

from ingest.appends import Appends
from ingest.media.became import HealthReport
from ingest.publishing.health_events import event_of
from ingest.publishing.journal import Entry
from schemas.wire import Codec
from topology.settings import Settings

MAX_WAITING = 20_000
"""Events: over half an hour of a hundred streams."""


class HealthReports(Appends):
    """An async context manager. `report` never waits and never fails."""

    def __init__(self, settings: Settings, codec: Codec) -> None:
        super().__init__(settings, codec, "health events", MAX_WAITING)

    def report(self, entry: Entry, became: HealthReport) -> None:
        self.put(event_of(entry, became))
