"""`docs/hls-rules.md` from the rules, so that it cannot drift: `python -m ingest.hls.check.reference`."""

from __future__ import annotations

from pathlib import Path

from ingest.hls.check.report import section_name
from ingest.hls.check.rules import RULES

PAGE = Path(__file__).parents[3] / "docs" / "hls-rules.md"

HEAD = """# The rules of `check-hls`

Written by `python -m ingest.hls.check.reference` from `ingest/hls/check/rules/`; a test holds it against them.

`./tally check-hls URL` watches a stream for `--seconds` (20) as a low-latency player on another site does: it reads
the multivariant playlist and every media playlist in it, waits for each part by blocking reload, asks for hinted parts
before they exist, takes delta updates, fetches init segments, segments and parts, and tries directives that make no
sense. Then it judges what it saw. An ended stream is checked as it stands. It follows URIs and takes no name for
granted, so it checks anybody's HLS.

Each rule passes, fails with evidence, or is not applicable: the stream has nothing that the rule is about (a classic
playlist no parts, an ended one no reloads), or nothing of it came by while it was watched.

Sections are those of [RFC 8216bis](https://datatracker.ietf.org/doc/draft-pantos-hls-rfc8216bis/) unless they say
Apple (the HLS authoring specification for Apple devices), CMAF (ISO/IEC 23000-19), CORS (the Fetch standard) or CDN
(what lets one copy in a cache serve all viewers). MUST and SHOULD are as the section has it. Rules marked *timed* can
also fail because the network or the watching machine was slow.

| rule | section | | says |
|---|---|---|---|
"""


def render() -> str:
    """The whole page as Markdown."""
    rows = (
        f"| `{rule.id}` | {section_name(rule.section).removeprefix('RFC 8216bis ')} | {rule.severity} "
        f"| {rule.text}{' (*timed*)' if rule.timed else ''} |\n"
        for rule in RULES
    )
    return HEAD + "".join(rows)


if __name__ == "__main__":
    PAGE.write_text(render())
