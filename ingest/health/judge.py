"""What the figures mean: codes with a severity, said and taken back with hysteresis. Pure.

Codes are named as in YouTube's stream health where it has the thing, else after OvenMediaEngine's alerts.

Rules:
- A code is said after it held for `raise_after` segments in a row, and taken back after `clear_after` without it.
- A segment that cannot tell (nothing was decoded of it) leaves a code's count as it is: looks are 10 s apart or more.
- A code that somebody raises is said at once, and taken back like the others once it is cleared.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace

from ingest.health.measure import SegmentSeen
from ingest.health.sample import Severity, Status

Holds = Callable[[SegmentSeen], bool | None]
"""None when this segment cannot tell."""

_BLACK = 20.0
"""Steps of 255: no picture that shows something is this dark all over."""
_FROZEN = 4.0
"""Steps of 255: what an encoder's rounding makes of a picture that stands still; a quiet camera's noise makes more."""
_SILENT_DBFS = -60.0
_BITS_PER_PIXEL_MIN, _BITS_PER_PIXEL_MAX = 0.005, 0.3
_HIGH_KBPS_MIN = 8_000
"""Small pictures may take more bits a pixel up to here."""


@dataclass(frozen=True)
class Rule:
    """When a code holds for a segment, and how many of those in a row it takes."""

    severity: Severity
    raise_after: int
    holds: Holds
    clear_after: int = 3


def _never(seen: SegmentSeen) -> bool:
    """Only raised by others."""
    return False


def _off(measured: float, configured: float, share: float) -> bool:
    """More than this share away from what was configured; False when either is unknown."""
    return measured > 0 < configured and abs(measured - configured) > share * configured


def _irregular(seen: SegmentSeen) -> bool:
    return seen.gop_spread_s > max(0.1 * seen.gop_max_s, 0.1)


def _bitrate_low(seen: SegmentSeen) -> bool:
    return seen.bitrate_kbps * 1000 < seen.pixels_per_s * _BITS_PER_PIXEL_MIN


def _bitrate_high(seen: SegmentSeen) -> bool:
    most = max(seen.pixels_per_s * _BITS_PER_PIXEL_MAX / 1000, _HIGH_KBPS_MIN)
    return seen.video_frames > 0 and seen.bitrate_10s_kbps > most


def _configured_bitrate(seen: SegmentSeen) -> bool:
    return seen.announced.video_kbps > 0 and _off(
        seen.bitrate_60s_kbps, seen.announced.video_kbps + seen.announced.audio_kbps, 0.5
    )


def _configured_resolution(seen: SegmentSeen) -> bool:
    """Up to a macroblock apart is cropping."""
    said = seen.announced
    known = seen.width > 0 and said.width > 0 and said.height > 0
    return known and max(abs(seen.width - said.width), abs(seen.height - said.height)) >= 16


def _silent(seen: SegmentSeen) -> bool | None:
    loudness = seen.look.loudness_dbfs
    return None if loudness is None and seen.audio_frames else loudness is not None and loudness < _SILENT_DBFS


def _black(seen: SegmentSeen) -> bool | None:
    brightness = seen.look.brightness
    return None if brightness is None and seen.video_frames else brightness is not None and brightness <= _BLACK


def _frozen(seen: SegmentSeen) -> bool | None:
    """A black picture is said as such."""
    change = seen.look.change
    return (
        None if change is None and seen.video_frames else change is not None and change < _FROZEN and not _black(seen)
    )


RULES: Mapping[str, Rule] = {
    "gopSizeLong": Rule("warning", 2, lambda seen: seen.gop_max_s > 4.1),
    "gopSizeOver": Rule("error", 1, lambda seen: seen.forced_cut),
    "gopIrregular": Rule("warning", 2, _irregular),
    "bFramesPresent": Rule("info", 2, lambda seen: seen.b_frames > 0),
    "bitrateLow": Rule("warning", 2, _bitrate_low),
    "bitrateHigh": Rule("warning", 3, _bitrate_high),
    "frameRateMismatch": Rule("warning", 2, lambda seen: _off(seen.frame_rate, seen.declared_frame_rate, 0.1)),
    "configuredBitrateMismatch": Rule("warning", 5, _configured_bitrate),
    "configuredResolutionMismatch": Rule("warning", 2, _configured_resolution),
    "configuredFrameRateMismatch": Rule(
        "warning", 2, lambda seen: _off(seen.frame_rate, seen.announced.frame_rate, 0.1)
    ),
    "videoIngestionStarved": Rule("error", 2, lambda seen: seen.wall_s > 1.25 * seen.duration_s),
    "videoIngestionFasterThanRealtime": Rule("warning", 3, lambda seen: seen.wall_s < 0.75 * seen.duration_s),
    "audioVideoSkew": Rule("warning", 2, lambda seen: abs(seen.skew_s) > 0.5),
    "timestampGaps": Rule("warning", 2, lambda seen: seen.gaps > 0),
    "clockDrift": Rule("warning", 2, lambda seen: abs(seen.drift_s) > 3.0),
    "noAudioStream": Rule("warning", 2, lambda seen: seen.audio_frames == 0),
    "noVideoStream": Rule("warning", 2, lambda seen: seen.video_frames == 0),
    "silentAudio": Rule("warning", 3, _silent, clear_after=1),
    "blackPicture": Rule("warning", 2, _black, clear_after=1),
    "frozenPicture": Rule("warning", 3, _frozen, clear_after=2),
    "storageFailed": Rule("error", 1, lambda seen: not seen.stored),
    "unsupportedProfile": Rule("error", 1, _never),
    "ladderOverloaded": Rule("warning", 1, _never),
    "recordingFailed": Rule("error", 1, _never),
}
"""Each code's rule. A segment may break several."""


@dataclass(frozen=True)
class Verdict:
    """How the stream is doing now, and what is remembered to say so."""

    status: Status = "ok"
    """The worst severity of the codes; info does not count."""
    codes: tuple[str, ...] = ()
    """Sorted."""
    raised: frozenset[str] = frozenset()
    """What others hold up, whatever the segments say."""
    bad: Mapping[str, int] = field(default_factory=dict)
    """Segments in a row for which a code held that is not said yet."""
    good: Mapping[str, int] = field(default_factory=dict)
    """Segments in a row for which a code that is said did not hold."""

    @property
    def severities(self) -> tuple[Severity, ...]:
        """Of each code, in their order."""
        return tuple(RULES[code].severity for code in self.codes)


def judge(before: Verdict, seen: SegmentSeen) -> Verdict:
    """The verdict after one more segment."""
    codes: list[str] = []
    bad: dict[str, int] = {}
    good: dict[str, int] = {}
    for code, rule in RULES.items():
        holds, said = code in before.raised or rule.holds(seen), code in before.codes
        count = (before.good if said else before.bad).get(code, 0)
        if holds is not None:
            count = count + 1 if holds is not said else 0
        counts, enough = (good, rule.clear_after) if said else (bad, rule.raise_after)
        if count >= enough:
            said = not said
        elif count:
            counts[code] = count
        if said:
            codes.append(code)
    return replace(before, status=_worst(codes), codes=tuple(sorted(codes)), bad=bad, good=good)


def raise_code(before: Verdict, code: str) -> Verdict:
    """Say a code at once, and until it is cleared. Raises KeyError for one without a rule."""
    codes = sorted({*before.codes, code})
    bad = {other: count for other, count in before.bad.items() if other != code}
    good = {other: count for other, count in before.good.items() if other != code}
    return Verdict(_worst(codes), tuple(codes), before.raised | {code}, bad, good)


def clear_code(before: Verdict, code: str) -> Verdict:
    """Hold a code up no longer: the next good segments take it back."""
    return replace(before, raised=before.raised - {code})


def _worst(codes: list[str]) -> Status:
    severities = {RULES[code].severity for code in codes}
    return "error" if "error" in severities else "warning" if "warning" in severities else "ok"
