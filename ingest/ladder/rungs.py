"""Which renditions a source gets. Pure.

Costs are CPU time, measured on one core with `encoder.RungEncoder`'s options: x264 superfast encodes 120 to 140
megapixels a second at any size, libavcodec decodes 390 to 480, and scaling makes 800 or more.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from ingest.media.parameters import VideoParameters

_ENCODED_MPX_S = 120.0
_SCALED_MPX_S = 800.0
_DECODED_MPX_S = 400.0
_SLOW_RATE = 30.0
_FAST_RATE_SHARE = 1.5
"""What a rung over 30 frames a second gets of the bit rate at 30."""


@dataclass(frozen=True)
class Step:
    """A row of the table."""

    lines: int
    """Of the picture's shorter side."""
    kbps: int
    """At up to 30 frames a second."""
    rate_max: float
    """Frames a second."""


TABLE = (
    Step(240, 300, _SLOW_RATE),
    Step(360, 730, _SLOW_RATE),
    Step(480, 1_600, _SLOW_RATE),
    Step(720, 3_000, 60.0),
    Step(1080, 5_500, 60.0),
    Step(1440, 9_900, 60.0),
    Step(2160, 16_800, 60.0),
)
"""Bit rates after the H.264 column of Apple's HLS Authoring Specification, its 30 fps rows."""

NAMES = tuple(f"{step.lines}p" for step in TABLE)


@dataclass(frozen=True)
class Rung:
    """One rendition to make."""

    name: str
    width: int
    height: int
    frame_rate: float
    every: int
    """One of so many pictures of the source is encoded."""
    kbps: int

    @property
    def cores(self) -> float:
        """What scaling and encoding it costs."""
        megapixels_s = self.width * self.height * self.frame_rate / 1e6
        return megapixels_s / _ENCODED_MPX_S + megapixels_s / _SCALED_MPX_S


@dataclass(frozen=True)
class Choice:
    """The rungs from the largest, and what they cost with the decoding that all of them need."""

    rungs: tuple[Rung, ...]
    cores: float


def choose(
    video: VideoParameters, frame_rate: float, cores: float, names: Sequence[str] = NAMES, *, with_top: bool = False
) -> Choice:
    """The rungs below the source that fit the budget; the costliest goes first when they do not.

    `with_top` adds one at the source's own size, which then goes last: nothing else can be played of that size.
    """
    rate = frame_rate or _SLOW_RATE
    rungs = [_rung(step, video, rate) for step in TABLE if f"{step.lines}p" in names and _is_below(step, video)]
    top = [_top(video, rate)] if with_top else []
    decoding = video.width * video.height * rate / 1e6 / _DECODED_MPX_S
    rungs.sort(key=lambda rung: -rung.cores)
    while rungs and decoding + sum(rung.cores for rung in [*top, *rungs]) > cores:
        rungs.pop(0)
    chosen = [*top, *rungs]
    return Choice(tuple(chosen), decoding + sum(rung.cores for rung in chosen) if chosen else 0.0)


def parse_names(setting: str) -> tuple[str, ...]:
    """The rungs that a `ladder` setting allows: `off`, `auto`, or names with commas. Raises ValueError."""
    if setting == "off":
        return ()
    if setting == "auto":
        return NAMES
    names = tuple(name.strip() for name in setting.split(","))
    if unknown := [name for name in names if name not in NAMES]:
        raise ValueError(f"{unknown[0]!r} is no rung; use off, auto, or some of {', '.join(NAMES)}")
    return names


def _is_below(step: Step, video: VideoParameters) -> bool:
    return step.lines < min(video.width, video.height)


def _rung(step: Step, video: VideoParameters, rate: float) -> Rung:
    shorter = min(video.width, video.height)
    width, height = (_even(side * step.lines / shorter) for side in (video.width, video.height))
    return _with_rate(f"{step.lines}p", width, height, rate, step)


def _top(video: VideoParameters, rate: float) -> Rung:
    """Odd sizes lose a line: 4:2:0 needs even ones."""
    shorter = min(video.width, video.height)
    like = next((step for step in TABLE if step.lines >= shorter), TABLE[-1])
    return _with_rate(f"{shorter}p", video.width // 2 * 2, video.height // 2 * 2, rate, like)


def _with_rate(name: str, width: int, height: int, rate: float, step: Step) -> Rung:
    """Whole shares of the source's rate only, so that every picture of a rung is one of the source's."""
    every = 1
    while rate / every > step.rate_max * 1.01:
        every += 1
    kbps = step.kbps * _FAST_RATE_SHARE if rate / every > _SLOW_RATE * 1.01 else step.kbps
    return Rung(name, width, height, rate / every, every, round(kbps))


def _even(side: float) -> int:
    return max(2, round(side / 2) * 2)
