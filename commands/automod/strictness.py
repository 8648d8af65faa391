"""What AutoMod is asked to stop."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

MAX_LEVEL = 4


@dataclass(frozen=True, slots=True)
class AutoMod:
    """Levels 0-4 a category; what is not there is 0."""

    levels: Mapping[str, int] = field(default_factory=dict)
    toxicity: int = 0
    block_links: bool = False
    block_spam: bool = False
