"""The ladders of an ingest node, as its settings want them."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable

from ingest.hls.playback import Playback
from ingest.ladder.ladder import Budget, Ladder, LadderSettings
from ingest.ladder.rungs import parse_names
from topology.settings import Settings

_TRY_S = 60.0
_SAID = 500
"""Characters of what a worker that does not start said last."""


def ladders(settings: Settings) -> Callable[[Playback], Ladder] | None:
    """Opens a stream's ladder; None when there are none. Raises ValueError on settings that cannot be met."""
    names = parse_names(settings.ladder)
    if not names:
        return None
    _require(settings)
    wanted = LadderSettings(names=names, encoder=settings.ladder_encoder)
    budget = Budget(settings.ladder_cores)
    return lambda playback: Ladder(playback, wanted, budget)


def _require(settings: Settings) -> None:
    """Tried in a process of its own: this one never loads the codecs."""
    command = [sys.executable, "-m", "ingest.ladder", "--try", settings.ladder, settings.ladder_encoder]
    try:
        tried = subprocess.run(command, capture_output=True, text=True, check=False, timeout=_TRY_S)
    except subprocess.TimeoutExpired as error:
        raise ValueError(f"{settings.ladder_encoder} encodes nothing within {_TRY_S:.0f} s") from error
    if tried.returncode:
        raise ValueError(tried.stdout or f"the ladder's worker does not start: {tried.stderr[-_SAID:].strip()}")
