"""A rule, and what comes of it."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from enum import StrEnum

from ingest.hls.check.facts import Facts, RenditionFacts
from ingest.hls.check.playlist import MediaPlaylist


class Severity(StrEnum):
    """In the words of RFC 2119."""

    MUST = "MUST"
    SHOULD = "SHOULD"


class Outcome(StrEnum):
    PASSED = "passed"
    FAILED = "failed"
    NOT_APPLICABLE = "not applicable"
    """The stream has nothing that the rule is about, or nothing of it was seen."""


_TOKEN = re.compile(r"(?<=[?&])(?!_HLS_)[\w.~%-]+=[^&#\s'\"]*&?")
"""Queries of URLs but for delivery directives: tokens stand there."""

Check = Callable[[Facts], list[str] | None]
"""The evidence of each break; None when the rule is not applicable."""


@dataclass(frozen=True)
class Rule:
    id: str
    section: str
    """Of RFC 8216bis by number alone; other documents by name."""
    severity: Severity
    text: str
    check: Check
    timed: bool = False
    """True when a busy machine or network between can break it."""


@dataclass(frozen=True)
class Verdict:
    rule: Rule
    outcome: Outcome
    evidence: tuple[str, ...] = ()


def judge(facts: Facts, rules: Iterable[Rule]) -> tuple[Verdict, ...]:
    """Apply each rule."""
    return tuple(_judge(facts, rule) for rule in rules)


def _judge(facts: Facts, rule: Rule) -> Verdict:
    evidence = rule.check(facts)
    if evidence is None:
        return Verdict(rule, Outcome.NOT_APPLICABLE)
    shown = tuple(dict.fromkeys(_TOKEN.sub("", text) for text in evidence))
    return Verdict(rule, Outcome.FAILED if evidence else Outcome.PASSED, shown)


def each_rendition(
    applies: Callable[[RenditionFacts], bool], breaks: Callable[[RenditionFacts], Iterable[str]]
) -> Check:
    """A check of every rendition with a readable playlist that the rule applies to."""

    def check(facts: Facts) -> list[str] | None:
        relevant = [each for each in facts.renditions if each.loads and applies(each)]
        return [f"{each.name}: {text}" for each in relevant for text in breaks(each)] if relevant else None

    return check


def each_playlist(applies: Callable[[MediaPlaylist], bool], breaks: Callable[[MediaPlaylist], Iterable[str]]) -> Check:
    """A check of every state of every media playlist that the rule applies to."""

    def check(facts: Facts) -> list[str] | None:
        relevant = [
            (each.name, load.playlist) for each in facts.renditions for load in each.loads if applies(load.playlist)
        ]
        return [f"{name}: {text}" for name, playlist in relevant for text in breaks(playlist)] if relevant else None

    return check


def always(_: object) -> bool:
    return True


def is_live(playlist: MediaPlaylist) -> bool:
    return not playlist.ended


def is_low_latency(playlist: MediaPlaylist) -> bool:
    """True for a live playlist with parts."""
    return is_live(playlist) and playlist.has_parts
