"""What this node holds, on disk, so that a killed ingest can say what became of it when it comes back.

An entry stands from before the place is asked for until its end is known. It survives the death of the process.
"""

from __future__ import annotations

import os
from pathlib import Path

import structlog
from pydantic import BaseModel, ConfigDict, ValidationError

from ingest.desk import Role
from schemas.commands.streams import AuthorisePublish
from schemas.events.channels import PUBLIC

_log = structlog.get_logger(__name__)


class Entry(BaseModel):
    """One session's hold. `stream_id` is empty until the answer to `asked` is known."""

    model_config = ConfigDict(frozen=True)

    asked: AuthorisePublish
    stream_id: str = ""
    key_id: str = ""
    playback_policy: str = PUBLIC

    @property
    def session_id(self) -> str:
        return self.asked.session_id

    @property
    def role(self) -> Role:
        return "backup" if self.asked.role == "backup" else "primary"

    @property
    def channel_id(self) -> str:
        return self.asked.channel_id


class Journal:
    """A file a session in `directory`, readable by us only: an entry holds a stream key's hash."""

    def __init__(self, directory: Path) -> None:
        self._directory = directory
        directory.mkdir(parents=True, exist_ok=True, mode=0o700)

    def write(self, entry: Entry) -> None:
        """Put or replace the session's entry; a reader never sees half of it."""
        path = self._path(entry.session_id)
        fresh = path.with_suffix(".new")
        with os.fdopen(os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w") as file:
            file.write(entry.model_dump_json())
        fresh.replace(path)

    def remove(self, session_id: str) -> None:
        self._path(session_id).unlink(missing_ok=True)

    def entries(self) -> list[Entry]:
        """What an earlier process left."""
        found = []
        for path in sorted(self._directory.glob("*.json")):
            try:
                found.append(Entry.model_validate_json(path.read_bytes()))
            except ValidationError as error:
                _log.error("journal entry unreadable", path=str(path), error=str(error))
        return found

    def _path(self, session_id: str) -> Path:
        return self._directory / f"{session_id}.json"
