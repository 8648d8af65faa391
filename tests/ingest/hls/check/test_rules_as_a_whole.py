"""The table of rules: each can pass, each can fail, each says where it comes from."""

from __future__ import annotations

import json
import re
from dataclasses import replace

import pytest
from rich.console import Console

from ingest.hls.check.facts import Facts, Kind, Resource, Response, resource_key
from ingest.hls.check.playlist import ByteRange, Position
from ingest.hls.check.report import as_json, conforms, show
from ingest.hls.check.rule import Outcome, judge
from ingest.hls.check.rules import RULES
from tests.ingest.hls.check.good import MEDIA_HEADERS, Spoiled, facts
from tests.ingest.hls.check.spoilers import after, before, both, drop, swap
from tests.ingest.hls.check.test_delivery_rules import BYTES, DIRECTIVES, HTTP
from tests.ingest.hls.check.test_playlist_rules import BESIDE, GROWING, IN_ONE, MULTIVARIANT
from tests.ingest.hls.check.verdicts import failures, rules_with

DATED_DISCONTINUITY = before("#EXT-X-PROGRAM-DATE-TIME:.*\n#EXTINF:2.0,\nsegment15", "#EXT-X-DISCONTINUITY")
DATE_RANGE = before("#EXT-X-PRELOAD", '#EXT-X-DATERANGE:ID="a",START-DATE="2026-01-01T00:00:00Z"')


def _with_range(whole: Facts) -> Facts:
    response = Response("https://media.example/all.m4s", 206, MEDIA_HEADERS, bytes(7))
    asked = ByteRange(7, 3)
    first = whole.renditions[0]
    ranged = {**first.resources, resource_key(response.url, asked): Resource(Kind.PART, response, asked)}
    return replace(whole, renditions=(replace(first, resources=ranged), *whole.renditions[1:]))


GOOD = {
    "live": Spoiled(),
    "ended": Spoiled(ended=True),
    "a dated discontinuity": Spoiled(playlist=DATED_DISCONTINUITY),
    "date ranges, skippable": Spoiled(
        playlist=both(DATE_RANGE, swap("CAN-SKIP-UNTIL=12.0", "CAN-SKIP-UNTIL=12.0,CAN-SKIP-DATERANGES=YES")),
        delta=DATE_RANGE,
    ),
    "a gap": Spoiled(playlist=before("#EXTINF:2.0,\nsegment12", "#EXT-X-GAP")),
    "byte ranges": Spoiled(whole=_with_range),
    "the end while watched": Spoiled(
        facts=lambda rendition: replace(
            rendition,
            loads=(
                *rendition.loads,
                replace(rendition.loads[2], playlist=replace(rendition.last, ended=True, hints=())),
            ),
        )
    ),
}


@pytest.mark.parametrize("spoiled", GOOD.values(), ids=GOOD)
def test_a_good_stream_breaks_no_rule(spoiled: Spoiled) -> None:
    assert failures(facts(spoiled)) == set()


def test_each_rule_passes_on_a_good_stream() -> None:
    passed = set().union(*(rules_with(Outcome.PASSED, facts(spoiled)) for spoiled in GOOD.values()))
    assert {rule.id for rule in RULES} - passed == set()


def test_each_rule_fails_on_a_bad_stream() -> None:
    tables = (IN_ONE, GROWING, BESIDE, MULTIVARIANT, DIRECTIVES, BYTES, HTTP)
    failed = set().union(*(broken for table in tables for _, broken in table.values()))
    assert {rule.id for rule in RULES} - failed == set()


def test_each_rule_has_its_own_name_and_a_section() -> None:
    assert len({rule.id for rule in RULES}) == len(RULES) >= 45
    assert all(re.fullmatch(r"[a-z0-9-]+", rule.id) for rule in RULES)
    assert all(re.fullmatch(r"(\d|B|Apple \d|CMAF \d)[\d.]*|CDN|CORS", rule.section) for rule in RULES)


def test_rules_of_low_latency_are_not_applicable_to_a_classic_stream() -> None:
    lines = "PART|EXT-X-SERVER-CONTROL|EXT-X-PRELOAD-HINT|EXT-X-RENDITION-REPORT"
    classic = drop(f"#(EXT-X-PART|{lines})")
    bare = replace(
        facts(Spoiled(playlist=classic)).renditions[0], deltas=(), hints=(), probes=(), removed=(), refused=()
    )
    loads = tuple(replace(load, asked=None) for load in bare.loads)
    outcomes = rules_with(Outcome.NOT_APPLICABLE, Facts("x", (replace(bare, loads=loads),)))
    assert {"part-inf", "preload-hint", "block-reload-offered", "reload-blocks", "skip-answered"} <= outcomes
    assert {"rendition-reports", "part-cadence", "segment-is-its-parts", "hint-comes-true"} <= outcomes


def test_a_should_that_fails_does_not_break_conformance_and_a_must_does() -> None:
    should = judge(facts(Spoiled(headers={"set-cookie": "a=b"})), RULES)
    must = judge(facts(Spoiled(headers={"content-encoding": "identity"})), RULES)
    assert conforms(should)
    assert not conforms(must)


def test_no_report_shows_the_tokens_of_urls() -> None:
    def secret(response: Response) -> Response:
        return replace(response, url=f"{response.url}?_HLS_msn=3&token=hush", status=200)

    seen = facts(
        Spoiled(
            headers={"content-encoding": "identity"},
            resource=lambda _, one: replace(one, response=replace(secret(one.response), headers={}, body=b"broken")),
            facts=lambda rendition: replace(
                rendition,
                loads=tuple(replace(load, response=secret(load.response)) for load in rendition.loads),
                refused=((Position(1), replace(secret(rendition.loads[0].response), status=500)),),
            ),
        )
    )
    renditions = tuple(replace(each, name=f"{each.name}?token=hush") for each in seen.renditions)
    seen = replace(seen, url=f"{seen.url}?token=hush", renditions=renditions)
    told = json.dumps(as_json(seen, judge(seen, RULES)))
    assert "hush" not in told
    assert "_HLS_msn=3" in told


def test_the_reports_name_rule_section_and_evidence() -> None:
    seen = facts(Spoiled(playlist=after("#EXT-X-VERSION", "#EXT-X-PLAYLIST-TYPE:EVENT")))
    verdicts = judge(seen, RULES)
    told = json.loads(json.dumps(as_json(seen, verdicts)))
    broken = next(rule for rule in told["rules"] if rule["id"] == "live-without-type")
    assert not told["conforms"]
    assert (broken["section"], broken["severity"], broken["outcome"]) == ("RFC 8216bis 6.2.2", "MUST", "failed")
    assert "EXT-X-PLAYLIST-TYPE is EVENT" in broken["evidence"][0]
    assert sum(told["counts"].values()) == len(RULES)
    console = Console(width=200, record=True, file=None, quiet=False, force_terminal=False)
    with console.capture() as shown:
        show(seen, verdicts, console)
    assert "live-without-type" in shown.get()
    assert broken["evidence"][0] in shown.get()
