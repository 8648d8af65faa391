"""Shows verdicts."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from typing import Any

from rich.console import Console
from rich.markup import escape
from rich.table import Table

from ingest.hls.check.facts import Facts, shown_url
from ingest.hls.check.features import missing
from ingest.hls.check.rule import Outcome, Severity, Verdict

_EVIDENCE_MAX = 5
"""Lines shown of one rule."""
_STYLES = {Outcome.PASSED: "[green]passed[/]", Outcome.FAILED: "[red]FAILED[/]", Outcome.NOT_APPLICABLE: "[dim]n/a[/]"}


def conforms(verdicts: Sequence[Verdict]) -> bool:
    """True when no MUST failed."""
    return not any(verdict.outcome is Outcome.FAILED and verdict.rule.severity is Severity.MUST for verdict in verdicts)


def section_name(section: str) -> str:
    """As it is shown: sections of RFC 8216bis are written by number alone."""
    return f"RFC 8216bis {section}" if section[0].isdigit() or section.startswith("B.") else section


def as_json(facts: Facts, verdicts: Sequence[Verdict]) -> dict[str, Any]:
    """Keys are only ever added."""
    return {
        "url": shown_url(facts.url),
        "conforms": conforms(verdicts),
        "renditions": [shown_url(each.name) for each in facts.renditions],
        "counts": _counts(verdicts),
        "low_latency_lacks": missing(facts),
        "rules": [
            {
                "id": verdict.rule.id,
                "section": section_name(verdict.rule.section),
                "severity": verdict.rule.severity.value,
                "outcome": verdict.outcome.value,
                "text": verdict.rule.text,
                "evidence": list(verdict.evidence),
            }
            for verdict in verdicts
        ],
    }


def show(facts: Facts, verdicts: Sequence[Verdict], console: Console) -> None:
    """Print a table of the rules, what broke them, and a sum."""
    table = Table("rule", "section", "", "verdict", "says")
    for verdict in verdicts:
        rule, shown = verdict.rule, [escape(verdict.rule.text)]
        shown += [f"[red]{escape(line)}[/]" for line in verdict.evidence[:_EVIDENCE_MAX]]
        if len(verdict.evidence) > _EVIDENCE_MAX:
            shown.append(f"[red]and {len(verdict.evidence) - _EVIDENCE_MAX} more[/]")
        style = _STYLES[verdict.outcome]
        table.add_row(rule.id, section_name(rule.section), rule.severity.value, style, "\n".join(shown))
    console.print(table)
    loads = sum(len(each.loads) for each in facts.renditions)
    fetched = sum(len(each.resources) for each in facts.renditions)
    console.print(f"{len(facts.renditions)} renditions, {loads} playlists and {fetched} media resources were read.")
    console.print(", ".join(f"{count} {name}" for name, count in _counts(verdicts).items()) + ".")
    if lacks := missing(facts):
        console.print(f"For low latency it lacks {', '.join(lacks)}.")


def _counts(verdicts: Sequence[Verdict]) -> dict[str, int]:
    names = Counter(
        f"{verdict.rule.severity} failed" if verdict.outcome is Outcome.FAILED else verdict.outcome.value
        for verdict in verdicts
    )
    order = (Outcome.PASSED.value, "MUST failed", "SHOULD failed", Outcome.NOT_APPLICABLE.value)
    return {name: names[name] for name in order}
