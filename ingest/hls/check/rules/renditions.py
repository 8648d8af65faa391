"""Rules about the renditions of a presentation beside each other (4.4.5.4, 6.2.4)."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from itertools import pairwise
from urllib.parse import urlsplit

from ingest.hls.check.facts import Facts, Load, RenditionFacts
from ingest.hls.check.playlist import MediaPlaylist, Position, RenditionReport
from ingest.hls.check.rule import Check, Rule, Severity, is_low_latency

_ALIGNED_S = 0.1
"""An audio frame or two: audio cannot be cut exactly where video is."""


def _readable(facts: Facts) -> list[RenditionFacts]:
    return [each for each in facts.renditions if each.loads]


def _with_reports(facts: Facts) -> list[RenditionFacts]:
    renditions = [each for each in _readable(facts) if is_low_latency(each.first)]
    return renditions if len(renditions) > 1 else []


def _place(rendition: RenditionFacts) -> str:
    return urlsplit(rendition.url)._replace(query="", fragment="").geturl()


def _reports(rendition: RenditionFacts, playlist: MediaPlaylist) -> dict[str, RenditionReport]:
    return {
        urlsplit(rendition.absolute(report.uri))._replace(query="", fragment="").geturl(): report
        for report in playlist.reports
    }


def _missing_reports(facts: Facts) -> list[str] | None:
    renditions = _with_reports(facts)
    return [
        f"{each.name}: there is no EXT-X-RENDITION-REPORT of {other.name}"
        for each in renditions
        for load in each.loads
        for other in renditions
        if not load.playlist.ended and other is not each and _place(other) not in _reports(each, load.playlist)
    ] if renditions else None  # fmt: skip


def _absolute_reports(facts: Facts) -> list[str] | None:
    seen = [(each, report) for each in _readable(facts) for load in each.loads for report in load.playlist.reports]
    return [
        f"{each.name}: the URI of EXT-X-RENDITION-REPORT is not relative: {report.uri}"
        for each, report in seen
        if urlsplit(report.uri).scheme or report.uri.startswith("//")
    ] if seen else None  # fmt: skip


def _untrue_reports(facts: Facts) -> list[str] | None:
    seen = False
    evidence = []
    for each in _with_reports(facts):
        for load in each.loads:
            reports = _reports(each, load.playlist)
            for other in facts.renditions:
                report = reports.get(_place(other)) if other.loads else None
                if report and load.asked and not load.playlist.ended:
                    seen = True
                    evidence += [f"{each.name}: {text}" for text in _untrue(load, report, other)]
    return evidence if seen else None


def _untrue(load: Load, report: RenditionReport, other: RenditionFacts) -> Iterator[str]:
    """Compares with what the other rendition had at the latest before, and at the earliest after."""
    own = load.playlist.last or Position(0)
    said = Position(
        own.segment if report.last_segment is None else report.last_segment,
        own.part if report.last_part is None else report.last_part,
    )
    # An ended playlist does not list its last parts, so its end cannot be compared by parts.
    comparable = [seen for seen in other.loads if not seen.playlist.ended]
    earlier = [seen.playlist.last for seen in comparable if seen.response.got_at_s <= load.response.asked_at_s]
    later = [seen.playlist.last for seen in comparable if seen.response.asked_at_s >= load.response.got_at_s]
    if earlier and earlier[-1] and said < earlier[-1] and earlier[-1] not in _one_on(said):
        yield f"reports {tuple(said)} of {other.name}, which was at {tuple(earlier[-1])} before"
    if later and later[0] and said > later[0] and said not in _one_on(later[0]):
        yield f"reports {tuple(said)} of {other.name}, which is at {tuple(later[0])} only"


def _one_on(position: Position) -> tuple[Position, ...]:
    """What can come next; whether the segment ends here is not known."""
    segment, part = position
    return Position(segment + 1), Position(segment + 1, 0), Position(segment, part + 1)


def _all_equal(what: str) -> Check:
    def check(facts: Facts) -> list[str] | None:
        renditions = _readable(facts)
        if len(renditions) < 2:
            return None
        values = {each.name: getattr(each.last, what) for each in renditions}
        return [f"{name}: {said}" for name, said in values.items()] if len(set(values.values())) > 1 else []

    return check


def _dated(facts: Facts) -> list[str] | None:
    dated = {
        each.name: any(segment.date_time_s is not None for segment in each.last.listed) for each in _readable(facts)
    }
    if len(dated) < 2 or not any(dated.values()):
        return None
    return [f"{name}: there is no EXT-X-PROGRAM-DATE-TIME" for name, has in dated.items() if not has]


@dataclass(frozen=True)
class _Pair:
    """A segment and the one of another rendition that starts nearest to it. Unix times."""

    first: str
    second: str
    starts_at_s: float
    other_starts_at_s: float
    discontinuity: int
    other_discontinuity: int

    @property
    def aligned(self) -> bool:
        return abs(self.other_starts_at_s - self.starts_at_s) <= _ALIGNED_S


def _starts(rendition: RenditionFacts) -> list[tuple[float, int]]:
    """When segments start, and their discontinuity sequence numbers; in the order of time."""
    return sorted(
        (segment.date_time_s, segment.discontinuity_sequence)
        for segment in rendition.segments.values()
        if segment.date_time_s is not None
    )


def _beside(facts: Facts) -> Iterator[_Pair]:
    """Each rendition's segments beside those of the next one, where both have segments."""
    for first, second in pairwise(_readable(facts)):
        ones, others = _starts(first), _starts(second)
        if not ones or not others:
            continue
        begin, end = max(ones[0][0], others[0][0]), min(ones[-1][0], others[-1][0])
        for starts_at_s, discontinuity in ones:
            if begin <= starts_at_s <= end:
                at = bisect_left(others, (starts_at_s, 0))
                near = min(others[max(0, at - 1) : at + 1], key=lambda other: abs(other[0] - starts_at_s))
                yield _Pair(first.name, second.name, starts_at_s, near[0], discontinuity, near[1])


def _each_pair(breaks: Callable[[_Pair], Iterator[str]]) -> Check:
    def check(facts: Facts) -> list[str] | None:
        pairs = list(_beside(facts))
        return [f"{pair.second}: {text}" for pair in pairs for text in breaks(pair)] if pairs else None

    return check


def _misaligned(pair: _Pair) -> Iterator[str]:
    if not pair.aligned:
        away_s = pair.other_starts_at_s - pair.starts_at_s
        yield f"none starts with that of {pair.first} at {pair.starts_at_s:.3f}; the nearest is {away_s:+.3f} s away"


def _discontinuities_differ(pair: _Pair) -> Iterator[str]:
    if pair.aligned and pair.discontinuity != pair.other_discontinuity:
        yield (
            f"the segment at {pair.other_starts_at_s:.3f} has the discontinuity sequence number "
            f"{pair.other_discontinuity}, that of {pair.first} has {pair.discontinuity}"
        )


RULES: tuple[Rule, ...] = (
    Rule(
        "rendition-reports", "B.1", Severity.MUST,
        "Each low-latency playlist reports on every other rendition",
        _missing_reports,
    ),
    Rule(
        "reports-relative", "4.4.5.4", Severity.MUST,
        "The URIs of rendition reports are relative",
        _absolute_reports,
    ),
    Rule(
        "reports-true", "4.4.5.4", Severity.MUST,
        "Rendition reports are right to within a part",
        _untrue_reports,
    ),
    Rule(
        "same-target", "6.2.4", Severity.MUST,
        "All renditions have the same target duration",
        _all_equal("target_s"),
    ),
    Rule(
        "same-server-control", "6.2.4", Severity.MUST,
        "All renditions have the same EXT-X-SERVER-CONTROL",
        _all_equal("control"),
    ),
    Rule(
        "same-type", "6.2.4", Severity.MUST,
        "All renditions have the same EXT-X-PLAYLIST-TYPE",
        _all_equal("kind"),
    ),
    Rule(
        "all-dated", "6.2.4", Severity.MUST,
        "All renditions have program times when one has",
        _dated,
    ),
    Rule(
        "same-discontinuities", "6.2.4", Severity.MUST,
        "Matching content has the same discontinuity sequence number in all renditions",
        _each_pair(_discontinuities_differ),
    ),
    Rule(
        "segments-aligned", "Apple 8.22", Severity.SHOULD,
        "Segments of all renditions start at the same times",
        _each_pair(_misaligned),
    ),
)  # fmt: skip
