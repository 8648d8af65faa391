"""Which published recordings this node sees to, and since when: small files, a fold of the events."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path

import structlog
from pydantic import BaseModel, ConfigDict, ValidationError

from ingest.files import replace_file

_log = structlog.get_logger(__name__)


class Published(BaseModel):
    """A recording that can be played."""

    model_config = ConfigDict(frozen=True)

    stream_id: str
    channel_id: str
    published_at: datetime


class PublishedShelf:
    """A file a recording in `directory`. Adding or removing again changes nothing."""

    def __init__(self, directory: Path) -> None:
        self._directory = directory
        directory.mkdir(parents=True, exist_ok=True)
        self._known: dict[str, Published] = {}
        for path in directory.glob("*.json"):
            try:
                published = Published.model_validate_json(path.read_bytes())
            except ValidationError as error:
                _log.error("published recording unreadable", path=str(path), error=str(error))
            else:
                self._known[published.stream_id] = published

    def add(self, published: Published) -> None:
        """Raises OSError."""
        replace_file(self._path(published.stream_id), published.model_dump_json().encode())
        self._known[published.stream_id] = published

    def remove(self, stream_id: str) -> None:
        self._known.pop(stream_id, None)
        self._path(stream_id).unlink(missing_ok=True)

    def older_than(self, moment: datetime) -> list[Published]:
        """Those published before the moment, the oldest first."""
        old = [published for published in self._known.values() if published.published_at < moment]
        return sorted(old, key=lambda published: published.published_at)

    def _path(self, stream_id: str) -> Path:
        return self._directory / f"{stream_id}.json"
