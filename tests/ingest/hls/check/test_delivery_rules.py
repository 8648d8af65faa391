"""What is wrong in answers and in bytes is found, and nothing else is."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import pytest

from ingest.hls.check.facts import Kind, Question, RenditionFacts, Resource, Response, resource_key
from ingest.hls.check.playlist import ByteRange, Position
from tests.ingest.hls.check.good import MEDIA_HEADERS, NAMES, Spoiled, facts, part_bytes
from tests.ingest.hls.check.spoilers import (
    both,
    headers,
    loads,
    probes,
    resources,
    swap,
)
from tests.ingest.hls.check.verdicts import failures

VIDEO = NAMES[0]
TO_SEGMENT_23 = r"(?s)(?<=init.mp4\"\n).*(?=#EXT-X-PROGRAM-DATE-TIME:.{29}\n#EXTINF:2.0,\nsegment23)"


def _part(number: int, index: int, data: bytes) -> Callable[[RenditionFacts], RenditionFacts]:
    """Other bytes of a part of the first video rendition, and of its segment."""

    def edit(rendition: RenditionFacts) -> RenditionFacts:
        if rendition.name != VIDEO:
            return rendition
        parts = [part_bytes(VIDEO, number, each) for each in range(2)]
        parts[index] = data
        bodies = {f"part{number}.{index}.m4s": data, f"segment{number}.m4s": b"".join(parts)}
        changed = {
            key: replace(
                found, response=replace(found.response, body=bodies.get(key.rpartition("/")[2], found.response.body))
            )
            for key, found in rendition.resources.items()
        }
        return replace(rendition, resources=changed)

    return edit


def _refused(rendition: RenditionFacts) -> RenditionFacts:
    return replace(rendition, refused=((Position(27, 1), Response(rendition.url, 500)),))


def _untrue_hint(rendition: RenditionFacts) -> RenditionFacts:
    hinted = rendition.hints[0]
    return replace(rendition, hints=(replace(hinted, url=hinted.url + "?other"),))


def _failed_hint(rendition: RenditionFacts) -> RenditionFacts:
    hinted = rendition.hints[0]
    return replace(rendition, hints=(replace(hinted, response=replace(hinted.response, status=404)),))


def _ranges(status: int, size: int) -> Callable[[RenditionFacts], RenditionFacts]:
    """A resource of which 100 bytes were asked for."""

    def edit(rendition: RenditionFacts) -> RenditionFacts:
        asked = ByteRange(100, 0)
        response = Response(f"{rendition.url}/all.m4s", status, MEDIA_HEADERS, bytes(size))
        key = resource_key(response.url, asked)
        return replace(rendition, resources={**rendition.resources, key: Resource(Kind.SEGMENT, response, asked)})

    return edit


def _early_answer(rendition: RenditionFacts) -> RenditionFacts:
    """The second load is again what the first was."""
    first, second, third = rendition.loads
    return replace(rendition, loads=(first, replace(second, playlist=first.playlist), third))


def _no_delta(rendition: RenditionFacts) -> RenditionFacts:
    return replace(rendition, deltas=(replace(rendition.deltas[0], playlist=None),))


def _whole_delta(rendition: RenditionFacts) -> RenditionFacts:
    return replace(rendition, deltas=(replace(rendition.deltas[0], playlist=rendition.last),))


def _skipping_answer(rendition: RenditionFacts) -> RenditionFacts:
    probe = rendition.probes[0]
    assert probe.playlist is not None
    return replace(rendition, probes=(replace(probe, playlist=replace(probe.playlist, skipped=3)),))


def _playlist_headers(**said: str) -> Spoiled:
    return Spoiled(headers={name.replace("_", "-"): value for name, value in said.items()})


DIRECTIVES = {
    "a reload that does not block": (Spoiled(facts=_early_answer), {"reload-blocks"}),
    "a reload that fails": (Spoiled(facts=_refused), {"reload-blocks"}),
    "a reload that is held too long": (
        Spoiled(facts=loads(lambda index, one: replace(one, asked_at_s=one.asked_at_s - 9))),
        {"reload-in-time"},
    ),
    "a far segment waited for": (Spoiled(facts=probes(503, Question.SEGMENT_TOO_FAR)), {"segment-too-far-400"}),
    "a far part waited for": (Spoiled(facts=probes(503, Question.PART_TOO_FAR)), {"part-too-far-400"}),
    "a part alone answered": (Spoiled(facts=probes(200, Question.PART_ALONE)), {"part-alone-400"}),
    "nonsense answered": (Spoiled(facts=probes(200, Question.NO_NUMBER)), {"absurd-directive-400"}),
    "a negative number answered": (Spoiled(facts=probes(500, Question.NEGATIVE)), {"absurd-directive-400"}),
    "no next segment for a part past the last": (
        Spoiled(facts=probes(404, Question.PAST_LAST_PART)),
        {"past-last-part"},
    ),
    "an old segment refused": (Spoiled(facts=probes(400, Question.LONG_AGO)), {"long-gone-segment"}),
    "directives minded after the end": (Spoiled(ended=True, facts=_skipping_answer), {"no-directives-after-end"}),
    "a hint that never comes": (Spoiled(facts=_untrue_hint), {"hint-comes-true"}),
    "a hinted part that is refused": (Spoiled(facts=_failed_hint), {"hint-comes-true"}),
    "an unknown name answered": (Spoiled(facts=probes(200, Question.UNKNOWN_NAME)), {"unknown-404"}),
    "_HLS_skip refused": (Spoiled(facts=_no_delta), {"skip-answered"}),
    "_HLS_skip unheard": (Spoiled(facts=_whole_delta), {"skip-answered"}),
    "too much skipped": (
        Spoiled(delta=both(swap("SEGMENTS=9", "SEGMENTS=12"), swap(TO_SEGMENT_23, ""))),
        {"skip-keeps-boundary"},
    ),
    "skipped and miscounted": (
        Spoiled(delta=swap("SEGMENTS=9", "SEGMENTS=8")),
        {"skip-counts-right", "delta-is-whole"},
    ),
    "another segment in the delta": (
        Spoiled(delta=swap("EXTINF:2.0,\nsegment22", "EXTINF:1.9,\nsegment22")),
        {"delta-is-whole"},
    ),
    "a tag lost in the delta": (Spoiled(delta=swap("^#EXT-X-SERVER-CONTROL.*\n", "")), {"delta-is-whole"}),
}

BYTES = {
    "an init segment of noise": (
        Spoiled(resource=resources("init", body=b"noise, and more of it")),
        {"init-readable"},
    ),
    "a segment cut short": (
        Spoiled(resource=lambda uri, one: resources("segment15", body=one.response.body[:-1])(uri, one)),
        {"fragments-whole"},
    ),
    "a segment that is not its parts": (
        Spoiled(resource=lambda uri, one: resources("segment24", body=one.response.body[:-1] + b"!")(uri, one)),
        {"segment-is-its-parts"},
    ),
    "a fragment at another time": (
        Spoiled(facts=_part(23, 1, part_bytes(VIDEO, 23, 1, tick=900))),
        {"decode-times-continue"},
    ),
    "EXTINF that are not the media's": (
        Spoiled(playlist=swap("EXTINF:2.0,\nsegment15", "EXTINF:1.9,\nsegment15")),
        {"extinf-true"},
    ),
    "a part that does not last as it says": (
        Spoiled(playlist=lambda name, text: text.replace('DURATION=1.0,URI="part26.0', 'DURATION=0.9,URI="part26.0')),
        {"part-duration-true", "parts-fill-segment"},
    ),
    "an independent part without a keyframe": (
        Spoiled(playlist=lambda name, text: text.replace('part26.1.m4s"\n', 'part26.1.m4s",INDEPENDENT=YES\n', 1)),
        {"independent-true"},
    ),
    "a keyframe in the middle": (
        Spoiled(facts=_part(23, 0, part_bytes(VIDEO, 23, 0, keyframe=9))),
        {"independent-first", "segments-start-with-keyframe"},
    ),
    "an independent part that does not say so": (
        Spoiled(playlist=lambda name, text: text.replace('part26.0.m4s",INDEPENDENT=YES', 'part26.0.m4s"')),
        {"independent-said"},
    ),
    "another init segment without a discontinuity": (
        Spoiled(playlist=swap("^(#EXTINF:2.0,\nsegment15)", r'#EXT-X-MAP:URI="init.mp4?2"\n\1')),
        {"new-init-is-discontinuity"},
    ),
}

HTTP = {
    "an unknown type of playlist": (_playlist_headers(content_type="text/plain"), {"playlist-type"}),
    "a playlist that nothing names": (
        Spoiled(headers={"content-type": "text/plain"}, facts=loads(lambda _, one: replace(one, url=one.url[:-5]))),
        {"playlist-recognisable", "playlist-type"},
    ),
    "an unknown type of media": (Spoiled(resource=headers("part", content_type="text/html")), {"media-type"}),
    "a playlist without gzip": (_playlist_headers(content_encoding="identity"), {"playlist-gzip"}),
    "a listed segment that is not there": (
        Spoiled(resource=resources("segment15", status=404)),
        {"listed-is-available"},
    ),
    "a byte range answered with everything": (Spoiled(facts=_ranges(200, 300)), {"byte-ranges"}),
    "a byte range that comes short": (Spoiled(facts=_ranges(206, 99)), {"byte-ranges"}),
    "media that are redirected": (Spoiled(resource=resources("part", redirected=True)), {"no-redirects"}),
    "media for one site only": (
        Spoiled(resource=headers("part", access_control_allow_origin=None)),
        {"other-sites"},
    ),
    "media that caches may not keep": (
        Spoiled(resource=headers("segment", cache_control="no-store")),
        {"media-cacheable"},
    ),
    "media kept for seconds": (Spoiled(resource=headers("segment", cache_control="max-age=9")), {"media-cacheable"}),
    "a plain playlist kept long": (
        _playlist_headers(cache_control="max-age=30"),
        {"plain-playlist-brief"},
    ),
    "a blocking answer that caches may not keep": (
        _playlist_headers(cache_control="no-cache"),
        {"blocking-playlist-cacheable"},
    ),
    "an error kept long": (Spoiled(facts=probes(400, Question.PART_ALONE, max_age=60)), {"errors-brief"}),
    "a cookie": (_playlist_headers(set_cookie="viewer=1"), {"no-cookies"}),
    "a copy for each site": (_playlist_headers(vary="Origin, Accept-Encoding"), {"no-vary"}),
}


@pytest.mark.parametrize(("spoiled", "broken"), DIRECTIVES.values(), ids=DIRECTIVES)
def test_a_wrong_answer_to_directives_breaks_its_rule(spoiled: Spoiled, broken: set[str]) -> None:
    assert failures(facts(spoiled)) == broken


@pytest.mark.parametrize(("spoiled", "broken"), BYTES.values(), ids=BYTES)
def test_wrong_bytes_break_their_rule(spoiled: Spoiled, broken: set[str]) -> None:
    assert failures(facts(spoiled)) == broken


@pytest.mark.parametrize(("spoiled", "broken"), HTTP.values(), ids=HTTP)
def test_wrong_headers_break_their_rule(spoiled: Spoiled, broken: set[str]) -> None:
    assert failures(facts(spoiled)) == broken
