"""The streams this process plays out."""

from __future__ import annotations

from pathlib import Path


class Registry:
    """Knows every stream by id. Make one a process, and give it to `LiveStream` and `create_origin`."""

    def __init__(self, live_dir: Path) -> None:
        """`live_dir` holds a directory a stream; leftovers of a killed process are taken over or swept."""
        raise NotImplementedError
