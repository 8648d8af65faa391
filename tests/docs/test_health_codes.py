"""The table of health codes says what the judge does."""

from __future__ import annotations

import re
from pathlib import Path

from ingest.health.judge import RULES

PAGE = Path(__file__).parents[2] / "docs" / "stream-health.md"
ROW = re.compile(r"^\| `(\w+)` \| (\w+) \| (\d+)(?: looks?)? \| (\d+)(?: looks?)? \|", re.MULTILINE)


def test_every_rule_stands_in_the_table_with_its_severity_and_hysteresis() -> None:
    rows = ROW.findall(PAGE.read_text())
    assert rows == [
        (code, rule.severity, str(rule.raise_after), str(rule.clear_after)) for code, rule in sorted(RULES.items())
    ]
