"""The page of HLS rules cannot drift from the rules."""

from __future__ import annotations

from ingest.hls.check.reference import PAGE, render


def test_the_committed_page_is_what_the_rules_say() -> None:
    assert PAGE.read_text() == render(), "run: python -m ingest.hls.check.reference"
