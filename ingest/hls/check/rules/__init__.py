"""All rules, in the order in which they are reported."""

from __future__ import annotations

from ingest.hls.check.rule import Rule
from ingest.hls.check.rules import (
    delivery,
    deltas,
    directives,
    growth,
    low_latency,
    media,
    multivariant,
    playlists,
    renditions,
)

RULES: tuple[Rule, ...] = (
    *playlists.RULES,
    *low_latency.RULES,
    *growth.RULES,
    *directives.RULES,
    *deltas.RULES,
    *renditions.RULES,
    *multivariant.RULES,
    *media.RULES,
    *delivery.RULES,
)
