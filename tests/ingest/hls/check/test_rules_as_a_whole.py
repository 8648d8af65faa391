"""The table of rules: each can pass, each can fail, each says where it comes from."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from dataclasses import replace

import pytest
from rich.console import Console

from ingest.hls.check.facts import Facts, Kind, RenditionFacts, Resource, Response, resource_key
from ingest.hls.check.playlist import ByteRange, Position
from ingest.hls.check.report import as_json, conforms, show
from ingest.hls.check.rule import Outcome, judge
from ingest.hls.check.rules import RULES
from ingest.media.fragment import Frame, video_fragment
from tests.ingest.hls.check.good import MEDIA_HEADERS, NAMES, PLAYLIST_HEADERS, Spoiled, facts, part_bytes
from tests.ingest.hls.check.spoilers import after, before, both, drop, only_first_rendition, swap, when
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


def _with_bodies(bodies: dict[str, bytes]) -> Callable[[RenditionFacts], RenditionFacts]:
    """Other bytes of some resources of the first rendition."""

    def edit(rendition: RenditionFacts) -> RenditionFacts:
        changed = {
            key: replace(found, response=replace(found.response, body=bodies[name]))
            for key, found in rendition.resources.items()
            if (name := key.rpartition("/")[2]) in bodies
        }
        return replace(rendition, resources={**rendition.resources, **changed})

    return only_first_rendition(edit)


def _without_part(rendition: RenditionFacts) -> RenditionFacts:
    """The second half of segment 24 is missing in the first rendition."""
    return _with_bodies({"segment24.m4s": part_bytes(NAMES[0], 24, 0)})(rendition)


def _lasting_on(rendition: RenditionFacts) -> RenditionFacts:
    """The last picture of a part lasts a second and a half, so none begins in the next."""
    data = memoryview(bytes(40))
    frames = [Frame(48 * 90_000 + at * 3600, 3600, data, at == 0) for at in range(12)]
    body = video_fragment(48, [*frames, Frame(48 * 90_000 + 12 * 3600, 38 * 3600, data, False)])
    return _with_bodies({"part24.0.m4s": body, "segment24.m4s": body})(rendition)


def _overlapping(rendition: RenditionFacts) -> RenditionFacts:
    """The last picture of a part lasts for a few frames' time of the next."""
    data = memoryview(bytes(40))
    first = [Frame(48 * 90_000 + at * 3600, 3600, data, at == 0) for at in range(24)]
    first.append(Frame(48 * 90_000 + 24 * 3600, 4 * 3600, data, False))
    second = [Frame(48 * 90_000 + at * 3600, 3600, data, False) for at in range(28, 50)]
    parts = [video_fragment(48, first), video_fragment(49, second)]
    bodies = {"part24.0.m4s": parts[0], "part24.1.m4s": parts[1], "segment24.m4s": b"".join(parts)}
    return _with_bodies(bodies)(rendition)


def _hint_answered(status: int, took_s: float) -> Callable[[RenditionFacts], RenditionFacts]:
    def edit(rendition: RenditionFacts) -> RenditionFacts:
        hinted = rendition.hints[0]
        answer = Response(hinted.url, status, asked_at_s=0.0, got_at_s=took_s)
        return replace(rendition, hints=(replace(hinted, response=answer),))

    return edit


def _given_up(rendition: RenditionFacts) -> RenditionFacts:
    answer = Response(rendition.url, 503, PLAYLIST_HEADERS, asked_at_s=0.0, got_at_s=6.0)
    return replace(rendition, refused=((Position(99, 1), answer),))


GAP_IN_SEGMENT_24 = when("part24.1", swap(r'(URI="part24.1.m4s")(.*)', r"\1\2,GAP=YES", only=NAMES[0]))
HINTED_GAP = swap(r'(URI="part27.0.m4s",INDEPENDENT=YES)', r"\1,GAP=YES")

GOOD = {
    "live": Spoiled(),
    "ended": Spoiled(ended=True),
    "a dated discontinuity": Spoiled(playlist=DATED_DISCONTINUITY),
    "date ranges, skippable": Spoiled(
        playlist=both(DATE_RANGE, swap("CAN-SKIP-UNTIL=12.0", "CAN-SKIP-UNTIL=12.0,CAN-SKIP-DATERANGES=YES")),
        delta=DATE_RANGE,
    ),
    "a gap": Spoiled(playlist=before("#EXTINF:2.0,\nsegment12", "#EXT-X-GAP")),
    "a part that is missing": Spoiled(playlist=GAP_IN_SEGMENT_24, facts=_without_part),
    "a picture that lasts longer than its part": Spoiled(playlist=GAP_IN_SEGMENT_24, facts=_lasting_on),
    "a picture that lasts on into the next part": Spoiled(facts=_overlapping),
    "a hinted part that becomes a gap": Spoiled(
        playlist=when('PART:DURATION=1.0,URI="part27.0', HINTED_GAP), facts=_hint_answered(404, 1.0)
    ),
    "a hint that is given up": Spoiled(facts=_hint_answered(503, 6.0)),
    "a reload that is given up": Spoiled(facts=_given_up),
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


def test_what_a_classic_stream_lacks_for_low_latency_is_told() -> None:
    classic = facts(
        Spoiled(playlist=drop("#(EXT-X-PART|EXT-X-SERVER-CONTROL|EXT-X-PRELOAD-HINT|EXT-X-RENDITION-REPORT)"))
    )
    lacks = ["parts", "blocking reload", "preload hints", "rendition reports", "delta updates"]
    assert as_json(classic, judge(classic, RULES))["low_latency_lacks"] == lacks
    assert as_json(facts(Spoiled()), ())["low_latency_lacks"] == []
    console = Console(width=200, record=True, file=None, quiet=False, force_terminal=False)
    with console.capture() as shown:
        show(classic, judge(classic, RULES), console)
    assert "For low latency it lacks parts, blocking reload, " in shown.get()


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
