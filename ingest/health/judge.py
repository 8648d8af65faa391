"""What the figures mean: codes named as in YouTube's stream health, with hysteresis."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from ingest.health.measure import SegmentSeen
from ingest.health.sample import Status

_CLEAR_AFTER = 3
"""Good segments in a row before a code is taken back."""


@dataclass(frozen=True)
class Rule:
    """When a code holds for a segment, and after how many such segments in a row it is said."""

    severity: Status
    raise_after: int
    holds: Callable[[SegmentSeen], bool]


RULES: Mapping[str, Rule] = {
    "gopSizeLong": Rule("warning", 2, lambda seen: seen.keyframe_distance_s > 4.1),
    "gopSizeOver": Rule("error", 1, lambda seen: seen.forced_cut),
    "bitrateLow": Rule("warning", 2, lambda seen: seen.bitrate_kbps * 1000 < seen.pixels * seen.frame_rate * 0.005),
    "frameRateMismatch": Rule(
        "warning", 2, lambda seen: abs(seen.frame_rate - seen.declared_frame_rate) > 0.1 * seen.declared_frame_rate > 0
    ),
    "videoIngestionStarved": Rule("error", 2, lambda seen: seen.wall_s > 1.25 * seen.duration_s),
    "videoIngestionFasterThanRealtime": Rule("warning", 3, lambda seen: seen.wall_s < 0.75 * seen.duration_s),
    "audioVideoSkew": Rule("warning", 2, lambda seen: abs(seen.skew_s) > 0.5),
    "timestampGaps": Rule("warning", 2, lambda seen: seen.gaps > 0),
    "clockDrift": Rule("warning", 2, lambda seen: abs(seen.drift_s) > 3.0),
    "noAudioStream": Rule("warning", 2, lambda seen: seen.audio_frames == 0),
    "noVideoStream": Rule("warning", 2, lambda seen: seen.video_frames == 0),
    "unsupportedProfile": Rule("warning", 1, lambda seen: seen.unplayable),
    "storageFailed": Rule("error", 1, lambda seen: not seen.stored),
}
"""Each code's rule. A segment may break several."""


@dataclass(frozen=True)
class Verdict:
    """How the stream is doing now, and what is remembered to say so."""

    status: Status = "ok"
    codes: tuple[str, ...] = ()
    """Sorted; empty when ok."""
    bad: Mapping[str, int] = field(default_factory=dict)
    """Segments in a row for which a code held that is not said yet."""
    good: Mapping[str, int] = field(default_factory=dict)
    """Segments in a row for which a code that is said did not hold."""


def judge(before: Verdict, seen: SegmentSeen) -> Verdict:
    """The verdict after one more segment."""
    codes, bad, good = [], {}, {}
    for code, rule in RULES.items():
        holds, said = rule.holds(seen), code in before.codes
        if said and not holds:
            good[code] = before.good.get(code, 0) + 1
            said = good[code] < _CLEAR_AFTER
        elif holds and not said:
            bad[code] = before.bad.get(code, 0) + 1
            said = bad[code] >= rule.raise_after
        if said:
            codes.append(code)
    severities = {RULES[code].severity for code in codes}
    status: Status = "error" if "error" in severities else "warning" if severities else "ok"
    return Verdict(status, tuple(sorted(codes)), bad, good)
