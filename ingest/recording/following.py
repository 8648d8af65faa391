"""Reads the `streams` topic from where this node left off, and turns what concerns it into errands."""

from __future__ import annotations

from pathlib import Path

from ingest.recording.errands import Errand, Errands
from ingest.tail import Followed, OnDisk, Tail
from schemas.events.recordings import ClipCreated, ClipDeleted, RecordingDeleted, RecordingPublished
from schemas.wire import Codec
from topology.settings import Settings

_TYPES = frozenset(event.__name__ for event in (RecordingPublished, RecordingDeleted, ClipCreated, ClipDeleted))


class Following(Tail):
    """An async context manager: inside it, every event for this node becomes an errand, once or more."""

    def __init__(self, settings: Settings, codec: Codec, errands: Errands, place: Path) -> None:
        def take(followed: Followed) -> None:
            fields = followed.record.fields
            if followed.record.type in _TYPES and fields["node"] == settings.node:
                known = {name: fields[name] for name in Errand.model_fields if name in fields}
                errands.add(Errand(name=f"{followed.partition}-{followed.offset:020d}", **known))

        super().__init__(settings, codec, ClipCreated.topic, OnDisk(place), take)
