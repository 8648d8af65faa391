"""A place in a room: what was seen of the topics that a room follows."""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from typing import Self

TOPICS = ("chat", "channels", "support")
"""What a room follows. They are partitioned alike, so that a room is one partition of each."""

_PATTERN = re.compile(r"(\d{1,5}):(\d{1,18}):(\d{1,18}):(\d{1,18})", re.ASCII)


@dataclass(frozen=True, slots=True)
class Cursor:
    """Written `partition:chat:channels:support`, the next offset to see of each. Clients hand it back unread.

    One number would not do: topics interleave differently in each process, and a client may change processes.
    """

    partition: int
    chat: int
    channels: int
    support: int

    def __str__(self) -> str:
        return f"{self.partition}:{self.chat}:{self.channels}:{self.support}"

    @classmethod
    def parse(cls, text: str) -> Self:
        """Raises ValueError."""
        match = _PATTERN.fullmatch(text)
        if match is None:
            raise ValueError("a cursor is what a frame carried as `cursor`")
        return cls(*map(int, match.groups()))

    def next_of(self, topic: str) -> int:
        """The next offset to see."""
        offset: int = getattr(self, topic)
        return offset

    def past(self, topic: str, offset: int) -> Cursor:
        """The place when this was seen too."""
        return replace(self, **{topic: offset + 1})

    def covers(self, other: Cursor) -> bool:
        """Whether everything that the other has seen was seen here."""
        return all(self.next_of(topic) >= other.next_of(topic) for topic in TOPICS)

    def joined(self, other: Cursor) -> Cursor:
        """The place when everything was seen that either has."""
        return replace(self, **{topic: max(self.next_of(topic), other.next_of(topic)) for topic in TOPICS})
