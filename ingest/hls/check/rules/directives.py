"""Rules about blocking reloads and preload hints (6.2.5, 6.2.6)."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator

from ingest.hls.check.facts import Probe, Question, RenditionFacts, Response
from ingest.hls.check.rule import Check, Rule, Severity, each_rendition

_HOLD_TARGETS = 3
_GRACE_S = 2.0
_UNAVAILABLE = 503


def _blocked(rendition: RenditionFacts) -> bool:
    return bool(rendition.refused) or any(load.asked for load in rendition.loads)


def _not_blocked(rendition: RenditionFacts) -> Iterator[str]:
    for load in rendition.loads:
        if load.asked and not load.playlist.ended and not load.playlist.has(load.asked):
            yield f"asked for {tuple(load.asked)}, got a playlist that ends at {tuple(load.playlist.last or ())}"
    for asked, response in rendition.refused:
        if not _given_up(rendition, response):
            yield f"asked for {tuple(asked)}, got {response}"


def _given_up(rendition: RenditionFacts, response: Response) -> bool:
    """It was held for as long as it had to be, and nothing came."""
    return response.status == _UNAVAILABLE and response.took_s > _HOLD_TARGETS * rendition.first.target_s - _GRACE_S


def _held_long(rendition: RenditionFacts) -> Iterator[str]:
    limit_s = _HOLD_TARGETS * rendition.first.target_s + _GRACE_S
    answers = [(load.asked, load.response) for load in rendition.loads if load.asked]
    for asked, response in [*answers, *rendition.refused]:
        if response.took_s > limit_s:
            yield f"the answer to {tuple(asked)} took {response.took_s:.2f} s"


def _asked(*questions: Question) -> Callable[[RenditionFacts], Iterator[Probe]]:
    def find(rendition: RenditionFacts) -> Iterator[Probe]:
        return (probe for probe in rendition.probes if probe.question in questions)

    return find


def _answered_with(status: int, *questions: Question) -> Check:
    find = _asked(*questions)

    def breaks(rendition: RenditionFacts) -> Iterable[str]:
        for probe in find(rendition):
            if probe.response.status != status:
                yield f"{probe.question}: {probe.response}"

    return each_rendition(lambda rendition: any(find(rendition)), breaks)


def _answered_whole(question: Question) -> Check:
    find = _asked(question)

    def breaks(rendition: RenditionFacts) -> Iterable[str]:
        for probe in find(rendition):
            if probe.playlist is None:
                yield f"{question}: {probe.response}"
            elif probe.playlist.skipped:
                yield f"{question}: the answer skips segments"

    return each_rendition(lambda rendition: any(find(rendition)), breaks)


def _hints_untrue(rendition: RenditionFacts) -> Iterator[str]:
    listed = {
        rendition.absolute(part.uri)
        for load in rendition.loads
        for segment in load.playlist.listed
        for part in segment.parts
        if not part.gap
    }
    unseen = {rendition.absolute(hint.uri) for hint in rendition.last.hints}
    for hinted in rendition.hints:
        if hinted.response.status in (200, 206):
            # A playlist that ends may have its last parts only within their segment.
            if hinted.url not in listed and hinted.url not in unseen and not rendition.last.ended:
                yield f"{hinted.url} was delivered but never listed"
        elif not _given_up(rendition, hinted.response) and (hinted.response.status != 404 or hinted.url in listed):
            yield f"a hinted part: {hinted.response}"


RULES: tuple[Rule, ...] = (
    Rule(
        "reload-blocks", "6.2.5.2", Severity.MUST,
        "A blocking reload is answered when the playlist has what was asked for, not before, or given up by 503",
        each_rendition(_blocked, _not_blocked),
    ),
    Rule(
        "reload-in-time", "6.2.5.2", Severity.SHOULD,
        "A blocking reload is given up after three target durations",
        each_rendition(_blocked, _held_long),
        timed=True,
    ),
    Rule(
        "segment-too-far-400", "6.2.5.2", Severity.SHOULD,
        "_HLS_msn more than two segments ahead gets 400",
        _answered_with(400, Question.SEGMENT_TOO_FAR),
    ),
    Rule(
        "part-too-far-400", "6.2.5.2", Severity.SHOULD,
        "_HLS_part further ahead than the Advance Part Limit gets 400",
        _answered_with(400, Question.PART_TOO_FAR),
    ),
    Rule(
        "part-alone-400", "6.2.5.2", Severity.MUST,
        "_HLS_part without _HLS_msn gets 400",
        _answered_with(400, Question.PART_ALONE),
    ),
    Rule(
        "absurd-directive-400", "6.2.5.2", Severity.SHOULD,
        "_HLS_msn that is no decimal integer gets 400",
        _answered_with(400, Question.NO_NUMBER, Question.NEGATIVE),
    ),
    Rule(
        "past-last-part", "6.2.5.2", Severity.MUST,
        "A part past a segment's last stands for the next segment's first",
        _answered_whole(Question.PAST_LAST_PART),
    ),
    Rule(
        "long-gone-segment", "6.2.5.2", Severity.MUST,
        "A segment that left the playlist is answered with the whole playlist",
        _answered_whole(Question.LONG_AGO),
    ),
    Rule(
        "no-directives-after-end", "6.2.5.2", Severity.MUST,
        "An ended playlist is delivered whole whatever the directives",
        _answered_whole(Question.AFTER_END),
    ),
    Rule(
        "hint-comes-true", "6.2.6", Severity.MUST,
        "A hinted part can be asked for before it is listed, then is listed; or is not found, as when it is a gap",
        each_rendition(lambda rendition: bool(rendition.hints), _hints_untrue),
    ),
    Rule(
        "unknown-404", "6.2.6", Severity.SHOULD,
        "A name that no playlist has gets 404",
        _answered_with(404, Question.UNKNOWN_NAME),
    ),
)  # fmt: skip
