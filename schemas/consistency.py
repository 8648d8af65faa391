"""The consistency token: the place in the log that a read must have passed."""

from __future__ import annotations

from dataclasses import dataclass

HEADER = "Tally-Consistency"


@dataclass(frozen=True, slots=True)
class ConsistencyToken:
    """Written `topic:partition:offset`, as in `follows:3:1042`."""

    topic: str
    partition: int
    offset: int

    def __str__(self) -> str:
        return f"{self.topic}:{self.partition}:{self.offset}"

    @classmethod
    def parse(cls, text: str) -> ConsistencyToken:
        """Raises ValueError naming the form expected."""
        topic, _, rest = text.partition(":")
        partition, _, offset = rest.partition(":")
        if (
            not topic
            or len(text) > 120
            or not (partition.isascii() and partition.isdigit())
            or not (offset.isascii() and offset.isdigit())
        ):
            raise ValueError(f"{HEADER} must read topic:partition:offset, as in follows:3:1042")
        return cls(topic, int(partition), int(offset))
