"""Which rules failed."""

from __future__ import annotations

from ingest.hls.check.facts import Facts
from ingest.hls.check.rule import Outcome, judge
from ingest.hls.check.rules import RULES


def rules_with(outcome: Outcome, facts: Facts) -> set[str]:
    return {verdict.rule.id for verdict in judge(facts, RULES) if verdict.outcome is outcome}


def failures(facts: Facts) -> set[str]:
    return rules_with(Outcome.FAILED, facts)
