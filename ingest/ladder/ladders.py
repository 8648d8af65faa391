"""The ladders of an ingest node, as its settings want them."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable

from ingest.hls.playback import Playback
from ingest.ladder.ladder import Budget, Ladder, LadderSettings
from ingest.ladder.rungs import parse_names
from topology.settings import Settings


def ladders(settings: Settings) -> Callable[[Playback], Ladder] | None:
    """Opens a stream's ladder; None when there are none. Raises ValueError on settings that cannot be met."""
    names = parse_names(settings.ladder)
    if not names:
        return None
    _require(settings.ladder_encoder)
    wanted = LadderSettings(names=names, encoder=settings.ladder_encoder)
    budget = Budget(settings.ladder_cores)
    return lambda playback: Ladder(playback, wanted, budget)


def _require(encoder: str) -> None:
    """Tried in a process of its own: this one never loads the codecs."""
    command = [sys.executable, "-m", "ingest.ladder", "--try", encoder]
    tried = subprocess.run(command, capture_output=True, text=True, check=False, timeout=60)
    if tried.returncode:
        raise ValueError(tried.stdout or "the ladder's worker does not start")
