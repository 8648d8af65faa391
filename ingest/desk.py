"""The seam between connections and what becomes of a publish."""

from __future__ import annotations

from collections.abc import Callable
from typing import Literal, Protocol

from ingest.media.tag import MediaTag

PUBLISH_FAILED = "NetStream.Publish.Failed"
BAD_NAME = "NetStream.Publish.BadName"

Role = Literal["primary", "backup"]
"""Which of a stream's two publishers one says it is."""

Cut = Callable[[str, str], None]
"""Ends a publisher's connection from the other side: a reason code for the log, a description for the publisher."""


class Refused(Exception):
    """A publish is not allowed: `code` for the log, `status` and `description` for the publisher."""

    def __init__(self, code: str, status: str, description: str) -> None:
        super().__init__(description)
        self.code = code
        self.status = status
        self.description = description


class Publication(Protocol):
    """One publisher's hold of a stream, on the air or standing by."""

    @property
    def stream_id(self) -> str: ...

    def push(self, tag: MediaTag, now_s: float) -> None:
        """Take media. `now_s` is Unix time. Raises RefusedMedia."""

    def tick(self, now_s: float) -> None:
        """Time passes, with media or without: called every second. `now_s` is Unix time."""

    def end(self, reason: str) -> None:
        """The publisher is done: `unpublished`, `refused_media` or `key_revoked`. So is the stream, unless another
        publisher stands by."""

    def vanish(self, reason: str) -> None:
        """The publisher is gone without a word; it may come back within the grace."""


class Desk(Protocol):
    """Judges who may publish."""

    async def authorise(self, key: str, role: Role, session_id: str, cut: Cut) -> Publication:
        """The stream that the key opens, goes on with, or stands by for. Raises Refused."""
