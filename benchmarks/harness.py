"""What a benchmark returns, and how it is kept: figures, ratios with their bars, the seed and the machine."""

from __future__ import annotations

import json
import os
import platform
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Literal

import psutil

RESULTS = Path(__file__).parent / "results"


@dataclass(frozen=True, slots=True)
class Ratio:
    """One figure over another of the same run (a peer's, or a limit), or a figure over its allowed maximum."""

    value: float
    bar: float
    want: Literal["<=", ">="]

    @property
    def held(self) -> bool:
        return self.value <= self.bar if self.want == "<=" else self.value >= self.bar


@dataclass(frozen=True, slots=True)
class Report:
    """A finished benchmark. `figures` may nest; every name carries its unit (`cpu_ms_per_ingest_s`)."""

    name: str
    figures: Mapping[str, Any]
    ratios: Mapping[str, Ratio] = field(default_factory=dict)
    seed: int = 0

    @property
    def held(self) -> bool:
        """Whether every bar was held."""
        return all(ratio.held for ratio in self.ratios.values())

    def as_json(self) -> dict[str, Any]:
        ratios = {
            name: {"value": round(ratio.value, 4), "bar": ratio.bar, "want": ratio.want, "held": ratio.held}
            for name, ratio in self.ratios.items()
        }
        return {
            "name": self.name,
            "figures": dict(self.figures),
            "ratios": ratios,
            "held": self.held,
            "seed": self.seed,
            "machine": machine(),
            "measured_at": datetime.now(UTC).isoformat(timespec="seconds"),
        }

    def keep(self) -> Path:
        """Write the raw result beside the earlier ones and return where."""
        RESULTS.mkdir(exist_ok=True)
        path = RESULTS / f"{self.name}-{datetime.now(UTC):%Y%m%dT%H%M%SZ}.json"
        path.write_text(json.dumps(self.as_json(), indent=2) + "\n")
        return path


def machine() -> dict[str, Any]:
    """What the figures depend on, without naming the host."""
    return {
        "cores": os.cpu_count(),
        "memory_gib": round(psutil.virtual_memory().total / 2**30, 1),
        "load_1m": round(psutil.getloadavg()[0], 2),
        "python": platform.python_version(),
        "system": f"{platform.system()} {platform.machine()}",
    }


def percentile(values: list[float], share: float) -> float:
    """The value that `share` (0-1) of the values do not exceed (nearest rank). Raises ValueError on no values."""
    if not values:
        raise ValueError("no values were measured")
    ranked = sorted(values)
    return ranked[min(len(ranked) - 1, max(0, round(share * len(ranked)) - 1))]
