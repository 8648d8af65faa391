"""How a stream's segments fall into Periods. Pure.

A Period's Representations have all of its segments, by the same init segments. So a new one begins at a discontinuity,
and where a rendition comes, goes or changes its init segment. What has been shown of a segment stays.
"""

from __future__ import annotations

import math
from collections import deque
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import NamedTuple

from ingest.dash.line import Line
from ingest.hls.entries import Rendition, Ticks

PERIODS_MAX = 64
"""Listed at a time: with more, an MPD reaches less far back."""
_USUAL_S = 2.0
"""Taken for the duration of a stream's first segment until it is closed."""


class Offer(NamedTuple):
    """A segment in one rendition."""

    rendition: Rendition
    init: int
    ticks: Ticks
    open: bool
    """It grows."""


class Moment(NamedTuple):
    """A segment in all renditions that have it."""

    number: int
    starts_at_s: float
    media_s: float
    duration_s: float
    discontinuities: int
    offers: Mapping[str, Offer]


@dataclass
class Representation:
    rendition: Rendition
    init: int
    line: Line = field(default_factory=Line)


@dataclass
class Period:
    first_number: int
    """Names it, for ever."""
    start_s: float
    """Since the presentation's start."""
    starts_at_s: float
    """Unix time of the same."""
    media_s: float
    """Media time of the same."""
    discontinuities: int
    representations: dict[str, Representation]
    oldest_number: int
    """Of what it still lists."""
    last_number: int

    @property
    def end_s(self) -> float:
        """Where its media ends, since the presentation's start."""
        ends = (each.line.end / each.rendition.timescale for each in self.representations.values())
        return self.start_s + max(ends) - self.media_s


class Periods:
    """Give it each segment when all renditions that are there have begun it, and once more when it has grown."""

    def __init__(self) -> None:
        self.listed: deque[Period] = deque()
        self.started_at_s = 0.0
        """Unix time from which the presentation counts, in whole milliseconds."""
        self.last_number = -1
        """Of what was taken."""
        self.last_s = _USUAL_S
        """Duration of the last segment that is closed: what an open one is taken to have."""

    @property
    def version(self) -> tuple[int, ...]:
        """Another after each change; call only when something is listed."""
        ends = (each.line.end for each in self.listed[-1].representations.values())
        return self.listed[0].oldest_number, self.last_number, *ends

    def take(self, moments: Iterable[Moment]) -> None:
        """Segments that follow the last one; the first may be the last one again."""
        for moment in moments:
            if moment.number == self.last_number:
                self._correct(moment)
            else:
                self.last_number = moment.number
                if moment.offers:
                    self._add(moment)
            if moment.offers and not any(offer.open for offer in moment.offers.values()):
                self.last_s = moment.duration_s

    def forget(self, oldest_number: int) -> None:
        """Segments before this one."""
        while self.listed and (self.listed[0].oldest_number < oldest_number or len(self.listed) > PERIODS_MAX):
            period = self.listed[0]
            if len(self.listed) > PERIODS_MAX or period.last_number < oldest_number:
                self.listed.popleft()
                continue
            for _ in range(oldest_number - period.oldest_number):
                for each in period.representations.values():
                    each.line.drop()
            period.oldest_number = oldest_number

    def _add(self, moment: Moment) -> None:
        period = self.listed[-1] if self.listed else None
        inits = {name: offer.init for name, offer in moment.offers.items()}
        if (
            period is None
            or moment.number != period.last_number + 1
            or period.discontinuities != moment.discontinuities
            or {name: each.init for name, each in period.representations.items()} != inits
        ):
            period = self._begin(moment)
            self.listed.append(period)
        period.last_number = moment.number
        for name, each in period.representations.items():
            each.line.add(self._ticks(moment.offers[name]))

    def _begin(self, moment: Moment) -> Period:
        before = self.listed[-1] if self.listed else None
        if not self.started_at_s:
            self.started_at_s = math.floor(moment.starts_at_s * 1000) / 1000
            start_s = 0.0
        elif before and moment.number == before.last_number + 1 and before.discontinuities == moment.discontinuities:
            start_s = before.start_s + moment.media_s - before.media_s
        else:
            # The clock may have been set back, and a publisher may have sent faster than it passes.
            start_s = max(moment.starts_at_s - self.started_at_s, before.end_s if before else 0.0)
        return Period(
            first_number=moment.number,
            start_s=start_s,
            starts_at_s=moment.starts_at_s,
            media_s=moment.media_s,
            discontinuities=moment.discontinuities,
            representations={
                name: Representation(offer.rendition, offer.init) for name, offer in moment.offers.items()
            },
            oldest_number=moment.number,
            last_number=moment.number,
        )

    def _correct(self, moment: Moment) -> None:
        period = self.listed[-1] if self.listed else None
        if period is None or period.last_number != moment.number:
            return
        for name, each in period.representations.items():
            if offer := moment.offers.get(name):
                each.line.correct(self._ticks(offer))

    def _ticks(self, offer: Offer) -> Ticks:
        if not offer.open:
            return offer.ticks
        usual = offer.ticks.start + round(self.last_s * offer.rendition.timescale)
        return Ticks(offer.ticks.start, max(offer.ticks.end, usual))
