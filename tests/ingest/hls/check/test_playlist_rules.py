"""What is wrong in the text of playlists is found, and nothing else is."""

from __future__ import annotations

from dataclasses import replace

import pytest

from ingest.hls.check.facts import RenditionFacts
from tests.ingest.hls.check.good import Spoiled, facts
from tests.ingest.hls.check.spoilers import (
    after,
    before,
    both,
    drop,
    in_multivariant,
    loads,
    only_first_rendition,
    second_client,
    swap,
    when,
)
from tests.ingest.hls.check.verdicts import failures

DISCONTINUITY = before("#EXT-X-PROGRAM-DATE-TIME:.*\n#EXTINF:2.0,\nsegment15", "#EXT-X-DISCONTINUITY")
DATED = r"#EXT-X-PROGRAM-DATE-TIME:.*\n"
DATE_RANGE = '#EXT-X-DATERANGE:ID="a",START-DATE="2026-01-01T00:00:00Z"'
OLD_PARTS = r"\n".join(f'#EXT-X-PART:DURATION=1.0,URI="part12.{index}.m4s",INDEPENDENT=YES' for index in range(2))
PART_END = r',URI="part26.0.m4s"'

IN_ONE = {
    "version below the tags": (Spoiled(playlist=swap("VERSION:9", "VERSION:5")), {"version-suffices"}),
    "version above the tags": (Spoiled(playlist=swap("VERSION:9", "VERSION:12")), {"version-not-higher"}),
    "a segment over the target": (
        Spoiled(playlist=swap("EXTINF:2.0,\nsegment12", "EXTINF:2.5,\nsegment12")),
        {"target-duration", "extinf-true"},
    ),
    "a segment without a map": (
        Spoiled(playlist=both(drop("#EXT-X-MAP"), before("#EXTINF:2.0,\nsegment12", '#EXT-X-MAP:URI="init.mp4"'))),
        {"map-first", "new-init-is-discontinuity"},
    ),
    "a discontinuity without its sequence": (
        Spoiled(playlist=both(DISCONTINUITY, drop("#EXT-X-DISCONTINUITY-SEQUENCE"))),
        {"discontinuity-sequence-said"},
    ),
    "a type though segments go": (
        Spoiled(playlist=after("#EXT-X-VERSION", "#EXT-X-PLAYLIST-TYPE:EVENT")),
        {"live-without-type", "delta-is-whole"},
    ),
    "no program time": (
        Spoiled(playlist=drop("#EXT-X-PROGRAM-DATE-TIME")),
        {"program-date-time", "delta-is-whole"},
    ),
    "an undated discontinuity": (
        Spoiled(playlist=swap(rf"^{DATED}(#EXTINF:2.0,\nsegment15)", r"#EXT-X-DISCONTINUITY\n\1")),
        {"discontinuity-dated"},
    ),
    "a date range without times": (
        Spoiled(playlist=both(drop("#EXT-X-PROGRAM-DATE-TIME"), before("#EXT-X-PRELOAD", DATE_RANGE))),
        {"date-range-dated", "program-date-time", "delta-is-whole"},
    ),
    "a gap whose parts are there": (
        Spoiled(playlist=before("#EXTINF:2.0,\nsegment24", "#EXT-X-GAP")),
        {"gap-parts", "delta-is-whole"},
    ),
    "a short hold-back": (Spoiled(playlist=swap(",HOLD-BACK=6.0", ",HOLD-BACK=5.9")), {"hold-back"}),
    "parts without their target": (
        Spoiled(playlist=drop("#EXT-X-PART-INF")),
        {"part-inf"},
    ),
    "a part over the target": (
        Spoiled(playlist=swap("PART:DURATION=1.0" + PART_END, "PART:DURATION=1.01" + PART_END)),
        {"part-at-most-target"},
    ),
    "a part under 85 %": (
        Spoiled(
            playlist=when("part24.0", swap(r'DURATION=1.0,URI="part24.0.m4s".*', 'DURATION=0.84,URI="part24.0.m4s"'))
        ),
        {"part-at-least-85", "parts-fill-segment", "part-duration-true", "independent-said"},
    ),
    "no part hold-back": (Spoiled(playlist=swap(",PART-HOLD-BACK=3.0", "")), {"part-hold-back"}),
    "a part hold-back under twice": (
        Spoiled(playlist=swap("PART-HOLD-BACK=3.0", "PART-HOLD-BACK=1.9")),
        {"part-hold-back-twice", "part-hold-back-thrice"},
    ),
    "a part hold-back under thrice": (
        Spoiled(playlist=swap("PART-HOLD-BACK=3.0", "PART-HOLD-BACK=2.9")),
        {"part-hold-back-thrice"},
    ),
    "a near skip boundary": (Spoiled(playlist=swap("UNTIL=12.0", "UNTIL=11.0")), {"skip-boundary"}),
    "skipping date ranges only": (
        Spoiled(playlist=swap("CAN-SKIP-UNTIL=12.0", "CAN-SKIP-DATERANGES=YES")),
        {"skip-date-ranges", "skip-keeps-boundary"},
    ),
    "no blocking reload": (Spoiled(playlist=swap("CAN-BLOCK-RELOAD=YES,", "")), {"block-reload-offered"}),
    "no preload hint": (Spoiled(playlist=drop("#EXT-X-PRELOAD-HINT")), {"preload-hint"}),
    "two hints of a type": (
        Spoiled(playlist=swap("^(#EXT-X-PRELOAD-HINT.*)$", r"\1\n\1")),
        {"one-hint-a-type"},
    ),
    "a hint after the end": (
        Spoiled(ended=True, playlist=before("#EXT-X-ENDLIST", '#EXT-X-PRELOAD-HINT:TYPE=PART,URI="part26.0.m4s"')),
        {"no-hint-after-end"},
    ),
    "parts that do not fill their segment": (
        Spoiled(playlist=when("part24.1", drop("#EXT-X-PART:.*part24.1"))),
        {"parts-fill-segment"},
    ),
    "parts far from the edge": (
        Spoiled(playlist=before("#EXTINF:2.0,\nsegment12", OLD_PARTS)),
        {"old-parts-unlisted", "independent-true"},
    ),
    "no parts near the edge": (
        Spoiled(playlist=when("part24.0", drop("#EXT-X-PART:.*part24"))),
        {"near-parts-listed"},
    ),
    "a tag after the first part": (
        Spoiled(
            playlist=when("part24.1", before('#EXT-X-PART:DURATION=1.0,URI="part24.1', '#EXT-X-MAP:URI="init.mp4"'))
        ),
        {"tags-before-parts"},
    ),
}

GROWING = {
    "a media sequence that falls": (
        Spoiled(
            later=swap("MEDIA-SEQUENCE:11", "MEDIA-SEQUENCE:1"), delta=swap("MEDIA-SEQUENCE:11", "MEDIA-SEQUENCE:1")
        ),
        {"sequence-never-falls", "segments-never-change", "reload-blocks", "reports-true"},
    ),
    "a discontinuity number that moves": (
        Spoiled(later=swap("DISCONTINUITY-SEQUENCE:0", "DISCONTINUITY-SEQUENCE:1")),
        {"discontinuity-sequence-steady"},
    ),
    "a segment under another name": (
        Spoiled(later=swap("^segment15.m4s", "other15.m4s")),
        {"segments-never-change"},
    ),
    "a segment with another duration": (
        Spoiled(later=swap("EXTINF:2.0,\nsegment15", "EXTINF:1.99,\nsegment15")),
        {"segments-never-change"},
    ),
    "a part under another name": (
        Spoiled(later=when("part24.0", swap('"part24.0', '"other24.0'))),
        {"segments-never-change"},
    ),
    "another target duration": (
        Spoiled(later=swap("TARGETDURATION:2", "TARGETDURATION:1"), delta=swap("TARGETDURATION:2", "TARGETDURATION:1")),
        {"target-never-changes", "target-duration", "old-parts-unlisted"},
    ),
    "life after the end": (
        Spoiled(facts=lambda rendition: _ended_first(rendition)),
        {"end-is-the-end"},
    ),
    "times that jump": (
        Spoiled(
            playlist=swap(rf"^{DATED}(#EXTINF:2.0,\nsegment15)", r"#EXT-X-PROGRAM-DATE-TIME:2020-01-01T00:00:00Z\n\1")
        ),
        {"dates-continue"},
    ),
    "parts that come late": (
        Spoiled(facts=loads(lambda index, response: replace(response, got_at_s=index * 2.5))),
        {"part-cadence"},
    ),
    "segments that come late": (
        Spoiled(facts=loads(lambda index, response: replace(response, got_at_s=response.got_at_s + 4 * (index > 0)))),
        {"segment-cadence", "part-cadence"},
    ),
    "removed media that are gone": (
        Spoiled(facts=lambda rendition: _gone(rendition)),
        {"removed-still-there"},
    ),
    "a window under three targets": (
        Spoiled(playlist=lambda name, text: _short(text)),
        {"window-of-three-targets", "window-of-six-segments", "delta-is-whole"},
    ),
}

BESIDE = {
    "a report that is missing": (
        Spoiled(playlist=drop("#EXT-X-RENDITION-REPORT:.*720", only="audio")),
        {"rendition-reports"},
    ),
    "a report with an absolute URI": (
        Spoiled(playlist=swap(r'"\.\./720', '"https://media.example/live/720', only="audio")),
        {"reports-relative"},
    ),
    "a report that is behind": (
        Spoiled(later=swap(r'720/media.m3u8",LAST-MSN=2\d', '720/media.m3u8",LAST-MSN=20', only="audio")),
        {"reports-true"},
    ),
    "a report that is ahead": (
        Spoiled(later=swap(r'720/media.m3u8",LAST-MSN=2\d', '720/media.m3u8",LAST-MSN=30', only="audio")),
        {"reports-true"},
    ),
    "another target in one": (
        Spoiled(playlist=swap("TARGETDURATION:2", "TARGETDURATION:3", only="audio")),
        {"same-target", "near-parts-listed", "hold-back", "skip-boundary", "delta-is-whole"},
    ),
    "another server control in one": (
        Spoiled(playlist=swap("CAN-SKIP-UNTIL=12.0", "CAN-SKIP-UNTIL=14.0", only="audio")),
        {"same-server-control"},
    ),
    "a type in one": (
        Spoiled(ended=True, playlist=swap("SEQUENCE:10", "SEQUENCE:0\n#EXT-X-PLAYLIST-TYPE:VOD", only="audio")),
        {"same-type"},
    ),
    "no times in one": (
        Spoiled(ended=True, playlist=drop("#EXT-X-PROGRAM-DATE-TIME", only="audio")),
        {"all-dated"},
    ),
    "other discontinuities in one": (
        Spoiled(playlist=swap("DISCONTINUITY-SEQUENCE:0", "DISCONTINUITY-SEQUENCE:4", only="audio")),
        {"same-discontinuities"},
    ),
    "other boundaries in one": (
        Spoiled(ended=True, playlist=swap(r"(DATE-TIME:.*)\.000", r"\1.250", only="audio")),
        {"segments-aligned"},
    ),
}

MULTIVARIANT = {
    "a peak above BANDWIDTH": (
        Spoiled(multivariant=in_multivariant(r"INF:BANDWIDTH=\d+", "INF:BANDWIDTH=2000")),
        {"bandwidth-covers-peak"},
    ),
    "no AVERAGE-BANDWIDTH": (
        Spoiled(multivariant=in_multivariant(r",AVERAGE-BANDWIDTH=\d+", "")),
        {"average-bandwidth"},
    ),
    "an untrue AVERAGE-BANDWIDTH": (
        Spoiled(multivariant=in_multivariant(r"AVERAGE-BANDWIDTH=\d+", "AVERAGE-BANDWIDTH=2000")),
        {"average-bandwidth-true"},
    ),
    "no CODECS": (Spoiled(multivariant=in_multivariant('CODECS=".*?",', "")), {"codecs"}),
    "a codec too few": (Spoiled(multivariant=in_multivariant(",mp4a.40.2", "")), {"codecs-true"}),
    "a codec too many": (Spoiled(multivariant=in_multivariant("40.2", "40.2,ac-3")), {"codecs-true"}),
    "another profile": (Spoiled(multivariant=in_multivariant("64001f", "4d401f")), {"codecs-true"}),
    "no RESOLUTION": (Spoiled(multivariant=in_multivariant(r",RESOLUTION=\d+x\d+", "")), {"resolution"}),
    "another RESOLUTION": (Spoiled(multivariant=in_multivariant("x360", "x480")), {"resolution-true"}),
    "no FRAME-RATE": (Spoiled(multivariant=in_multivariant(",FRAME-RATE=25.000", "")), {"frame-rate"}),
    "another FRAME-RATE": (Spoiled(multivariant=in_multivariant("=25.000", "=30.000")), {"frame-rate-true"}),
    "a group that is not there": (
        Spoiled(multivariant=in_multivariant(',AUDIO="aac"', ',AUDIO="opus"')),
        {"groups-exist", "codecs-true", "average-bandwidth-true"},
    ),
    "a default that is not autoselected": (
        Spoiled(multivariant=in_multivariant("AUTOSELECT=YES,", "")),
        {"groups-sound"},
    ),
    "two members of a name": (
        Spoiled(multivariant=in_multivariant("^(#EXT-X-MEDIA.*)$", r"\1\n\1")),
        {"groups-sound"},
    ),
    "no LANGUAGE": (Spoiled(multivariant=in_multivariant('LANGUAGE="und",', "")), {"language"}),
    "no word of independence": (
        Spoiled(multivariant=in_multivariant("#EXT-X-INDEPENDENT-SEGMENTS\n", "")),
        {"independent-segments-said"},
    ),
    "a session in the path": (Spoiled(whole=second_client(frozenset({"s123/media.m3u8"}))), {"no-session"}),
    "an unreadable rendition": (
        Spoiled(facts=only_first_rendition(lambda rendition: replace(rendition, unreadable=("line 3: nonsense",)))),
        {"playlist-syntax"},
    ),
}


@pytest.mark.parametrize(("spoiled", "broken"), IN_ONE.values(), ids=IN_ONE)
def test_a_fault_in_a_media_playlist_breaks_its_rule(spoiled: Spoiled, broken: set[str]) -> None:
    assert failures(facts(spoiled)) == broken


@pytest.mark.parametrize(("spoiled", "broken"), GROWING.values(), ids=GROWING)
def test_a_change_that_is_not_allowed_breaks_its_rule(spoiled: Spoiled, broken: set[str]) -> None:
    assert failures(facts(spoiled)) == broken


@pytest.mark.parametrize(("spoiled", "broken"), BESIDE.values(), ids=BESIDE)
def test_renditions_that_do_not_match_break_a_rule(spoiled: Spoiled, broken: set[str]) -> None:
    assert failures(facts(spoiled)) == broken


@pytest.mark.parametrize(("spoiled", "broken"), MULTIVARIANT.values(), ids=MULTIVARIANT)
def test_a_fault_in_the_multivariant_playlist_breaks_its_rule(spoiled: Spoiled, broken: set[str]) -> None:
    assert failures(facts(spoiled)) == broken


def _gone(rendition: RenditionFacts) -> RenditionFacts:
    """What had left the playlist is not found."""
    resource = rendition.removed[0]
    return replace(rendition, removed=(replace(resource, response=replace(resource.response, status=404)),))


def _short(text: str) -> str:
    """Of the closed segments only the last two."""
    head, *segments = text.split("#EXT-X-PROGRAM-DATE-TIME")
    number = int(head.split("MEDIA-SEQUENCE:")[1].split()[0])
    dropped = sum("#EXTINF" in segment for segment in segments) - 2
    head = head.replace(f"MEDIA-SEQUENCE:{number}", f"MEDIA-SEQUENCE:{number + dropped}")
    return "#EXT-X-PROGRAM-DATE-TIME".join([head, *segments[dropped:]])


def _ended_first(rendition: RenditionFacts) -> RenditionFacts:
    """Ended in the second load, and in the third something follows."""
    second, third = (
        replace(load, playlist=replace(load.playlist, ended=True, hints=())) for load in rendition.loads[1:]
    )
    return replace(rendition, loads=(rendition.loads[0], second, third), hints=())
