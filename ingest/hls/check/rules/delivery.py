"""Rules about HTTP: types, compression, caches, other sites."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from urllib.parse import urlsplit

from ingest.hls.check.facts import Facts, Kind, Load, RenditionFacts, Resource, Response
from ingest.hls.check.rule import Check, Rule, Severity, each_rendition

_PLAYLIST_TYPES = ("application/vnd.apple.mpegurl", "audio/mpegurl")
_PLAYLIST_NAMES = (".m3u8", ".m3u")
_MEDIA_TYPES = ("video/mp4", "audio/mp4", "video/iso.segment", "audio/iso.segment", "application/mp4", "video/mp2t",
                "audio/aac", "audio/mpeg", "audio/ac3", "audio/eac3", "text/vtt", "text/plain")  # fmt: skip
_LONG_S = 3600
_DIRECTED_TARGETS = 4
_GZIP_LEAST = 200
"""Bytes below which compressing is not worth a header."""


def _type_of(response: Response) -> str:
    return response.headers.get("content-type", "").partition(";")[0].strip().lower()


def _playlists(facts: Facts) -> list[Response]:
    return [
        *facts.multivariant_loads,
        *(load.response for each in facts.renditions for load in each.loads),
        *(delta.response for each in facts.renditions for delta in each.deltas if delta.playlist),
    ]


def _resources(facts: Facts) -> list[Response]:
    return [found.response for each in facts.renditions for found in each.resources.values() if found.arrived]


def _everything(facts: Facts) -> list[Response]:
    return [*_playlists(facts), *_resources(facts)]


def _responses(find: Callable[[Facts], list[Response]], breaks: Callable[[Response], Iterable[str]]) -> Check:
    def check(facts: Facts) -> list[str] | None:
        found = find(facts)
        return [f"{text}: {one.url}" for one in found for text in breaks(one)] if found else None

    return check


def _not_as_playlist(response: Response) -> Iterator[str]:
    named = urlsplit(response.url).path.endswith(_PLAYLIST_NAMES)
    if not named and _type_of(response) not in _PLAYLIST_TYPES:
        yield f"neither a playlist's name nor its type, but {_type_of(response)!r}"


def _odd_playlist_type(response: Response) -> Iterator[str]:
    if _type_of(response) not in _PLAYLIST_TYPES:
        yield f"Content-Type is {_type_of(response)!r}"


def _odd_media_type(response: Response) -> Iterator[str]:
    if _type_of(response) not in _MEDIA_TYPES:
        yield f"Content-Type is {_type_of(response)!r}"


def _uncompressed(response: Response) -> Iterator[str]:
    if len(response.body) >= _GZIP_LEAST and response.headers.get("content-encoding", "") != "gzip":
        yield f"{len(response.body)} bytes came without gzip"


def _closed_to_others(response: Response) -> Iterator[str]:
    if not response.headers.get("access-control-allow-origin"):
        yield "there is no Access-Control-Allow-Origin"


def _cookies(response: Response) -> Iterator[str]:
    if "set-cookie" in response.headers:
        yield "a cookie is set"


def _varies(response: Response) -> Iterator[str]:
    words = {word.strip().lower() for word in response.headers.get("vary", "").split(",")}
    for word in sorted(words - {"", "accept-encoding"}):
        yield f"Vary has {word}"


def _not_kept(response: Response) -> Iterator[str]:
    age_s = response.max_age_s
    if (age_s or 0) < _LONG_S:
        yield f"a cache may keep it for {age_s if age_s is not None else 'an unsaid number of'} seconds"


def _redirected(response: Response) -> Iterator[str]:
    if response.redirected:
        yield "media was redirected"


def _not_available(rendition: RenditionFacts) -> Iterator[str]:
    for resource in rendition.resources.values():
        if not resource.arrived:
            yield f"a listed {resource.kind}: {resource.response}"


def _short_range(rendition: RenditionFacts) -> Iterator[str]:
    for resource in _ranged(rendition):
        wanted = resource.byte_range.length if resource.byte_range else 0
        if resource.response.status == 200:
            yield f"a byte range was answered with everything: {resource.response.url}"
        elif resource.arrived and len(resource.response.body) != wanted:
            yield f"{len(resource.response.body)} bytes came of {wanted}: {resource.response.url}"


def _ranged(rendition: RenditionFacts) -> list[Resource]:
    return [resource for resource in rendition.resources.values() if resource.byte_range]


def _live_loads(rendition: RenditionFacts, blocking: bool) -> list[Load]:
    return [load for load in rendition.loads if not load.playlist.ended and bool(load.asked) == blocking]


def _plain_kept_long(rendition: RenditionFacts) -> Iterator[str]:
    for load in _live_loads(rendition, blocking=False):
        age_s, limit_s = load.response.max_age_s, max(1.0, load.playlist.target_s / 2)
        if age_s is None or age_s > limit_s:
            yield f"a cache may keep a plain playlist for {age_s} s; half a target duration is {limit_s} s"


def _blocking_not_kept(rendition: RenditionFacts) -> Iterator[str]:
    for load in _live_loads(rendition, blocking=True):
        if not load.response.max_age_s:
            yield "a cache may not keep the answer to a blocking reload, so each viewer's reaches the origin"


def _errors_kept_long(rendition: RenditionFacts) -> Iterator[str]:
    for probe in rendition.probes:
        limit_s = rendition.first.target_s * (_DIRECTED_TARGETS if "_HLS_" in probe.response.url else 1)
        if probe.response.status >= 400 and (probe.response.max_age_s or 0) > limit_s:
            yield f"a cache may keep an error for {probe.response.max_age_s} s: {probe.response.url}"


def _live_media(facts: Facts) -> list[Response]:
    return [
        found.response
        for each in facts.renditions
        for found in each.resources.values()
        if found.arrived and found.kind is not Kind.INIT
    ]


RULES: tuple[Rule, ...] = (
    Rule(
        "playlist-recognisable", "4", Severity.MUST,
        "Playlists have a name in .m3u8 or a playlist's Content-Type",
        _responses(_playlists, _not_as_playlist),
    ),
    Rule(
        "playlist-type", "Apple 10.4", Severity.SHOULD,
        "Playlists have a playlist's Content-Type",
        _responses(_playlists, _odd_playlist_type),
    ),
    Rule(
        "media-type", "Apple 10.4", Severity.SHOULD,
        "Media have the Content-Type of their format",
        _responses(_resources, _odd_media_type),
    ),
    Rule(
        "playlist-gzip", "Apple 10.1", Severity.MUST,
        "Playlists come in gzip to clients that take it",
        _responses(_playlists, _uncompressed),
    ),
    Rule(
        "listed-is-available", "6.2.1", Severity.MUST,
        "What a playlist lists can be fetched at once",
        each_rendition(lambda rendition: bool(rendition.resources), _not_available),
    ),
    Rule(
        "byte-ranges", "6.2.1", Severity.MUST,
        "Byte ranges are answered with exactly their bytes",
        each_rendition(lambda rendition: bool(_ranged(rendition)), _short_range),
    ),
    Rule(
        "no-redirects", "Apple 8.18", Severity.MUST,
        "Media are not redirected",
        _responses(_resources, _redirected),
    ),
    Rule(
        "other-sites", "CORS", Severity.SHOULD,
        "Players of other sites may read",
        _responses(_everything, _closed_to_others),
    ),
    Rule(
        "media-cacheable", "CDN", Severity.SHOULD,
        "Segments and parts never change, and caches may keep them for an hour or more",
        _responses(_live_media, _not_kept),
    ),
    Rule(
        "plain-playlist-brief", "B.1", Severity.SHOULD,
        "A live playlist asked for without directives is kept for half a target duration at most",
        each_rendition(lambda rendition: bool(_live_loads(rendition, blocking=False)), _plain_kept_long),
    ),
    Rule(
        "blocking-playlist-cacheable", "B.1", Severity.SHOULD,
        "Caches may keep the answer to a blocking reload",
        each_rendition(lambda rendition: bool(_live_loads(rendition, blocking=True)), _blocking_not_kept),
    ),
    Rule(
        "errors-brief", "B.1", Severity.SHOULD,
        "Errors are kept for a target duration at most, those of requests with directives for four",
        each_rendition(
            lambda rendition: any(probe.response.status >= 400 for probe in rendition.probes), _errors_kept_long
        ),
    ),
    Rule(
        "no-cookies", "CDN", Severity.SHOULD,
        "No cookie is set, so that caches may store",
        _responses(_everything, _cookies),
    ),
    Rule(
        "no-vary", "CDN", Severity.SHOULD,
        "Vary names Accept-Encoding at most",
        _responses(_everything, _varies),
    ),
)  # fmt: skip
