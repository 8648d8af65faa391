"""Rules about the multivariant playlist and whether it says the truth of its renditions (4.4.6, Apple 9)."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from statistics import median

from ingest.hls.check.codecs import same_codec
from ingest.hls.check.facts import Facts, RenditionFacts
from ingest.hls.check.mp4 import Init, Track
from ingest.hls.check.playlist import MultivariantPlaylist, Variant
from ingest.hls.check.rule import Check, Rule, Severity
from ingest.hls.check.rules.media import late_keyframes

_PEAK_TOLERANCE, _LIVE_PEAK_TOLERANCE = 1.1, 1.25
"""Apple 1.27 and 1.29."""
_AVERAGE_TOLERANCE = 0.1
_FRAME_RATE_TOLERANCE = 0.02
_STILL = 1.5
"""FRAME-RATE is the highest rate: a frame that lasts so much longer than the usual one does not count."""
_PEAK_TARGETS = (0.5, 1.5)
"""The durations over which the peak is taken, in target durations (section 4.1)."""


def segment_bit_rates(rendition: RenditionFacts) -> tuple[float, float] | None:
    """Peak and average segment bit rate (4.1) of the fetched segments, bit/s; None when none was fetched."""
    sizes = {
        segment.number: (len(found.response.body), segment.duration_s)
        for segment in rendition.segments.values()
        if segment.duration_s and (found := rendition.find(segment.uri, segment.byte_range))
    }
    if not sizes:
        return None
    least_s, most_s = (factor * rendition.last.target_s for factor in _PEAK_TARGETS)
    peak = 0.0
    for first in sizes:
        total, lasting_s = 0, 0.0
        number = first
        while number in sizes and lasting_s + sizes[number][1] <= most_s:
            total, lasting_s = total + sizes[number][0], lasting_s + sizes[number][1]
            number += 1
            if lasting_s >= least_s:
                peak = max(peak, total * 8 / lasting_s)
    average = sum(size for size, _ in sizes.values()) * 8 / sum(lasting_s for _, lasting_s in sizes.values())
    return peak or average, average


def _each_variant(
    applies: Callable[[Facts, Variant], bool], breaks: Callable[[Facts, Variant], Iterable[str]]
) -> Check:
    def check(facts: Facts) -> list[str] | None:
        variants = facts.multivariant.variants if facts.multivariant else ()
        relevant = [variant for variant in variants if applies(facts, variant)]
        return [f"{one.uri}: {text}" for one in relevant for text in breaks(facts, one)] if relevant else None

    return check


def _playlist(
    applies: Callable[[MultivariantPlaylist], bool], breaks: Callable[[MultivariantPlaylist], Iterable[str]]
) -> Check:
    def check(facts: Facts) -> list[str] | None:
        if facts.multivariant is None or not applies(facts.multivariant):
            return None
        return list(breaks(facts.multivariant))

    return check


def _renditions(facts: Facts, variant: Variant) -> list[list[RenditionFacts]]:
    """What plays together: the variant's own, then the choices of each group."""
    uris = [[variant.uri]]
    for kind, group in (("AUDIO", variant.audio), ("VIDEO", variant.video)):
        media = facts.multivariant.media if facts.multivariant else ()
        members = [one.uri for one in media if one.uri and (one.kind, one.group) == (kind, group)]
        # A variant of sound alone names the group that its own playlist is in.
        uris.append([] if variant.uri in members else members)
    choices = [[found for uri in row if (found := facts.rendition(uri))] for row in uris]
    return [row for row in choices if row]


def _measured(facts: Facts, variant: Variant) -> tuple[float, float] | None:
    """Peak and average of the costliest combination, bit/s."""
    peak = average = 0.0
    for choices in _renditions(facts, variant):
        rates = [rate for choice in choices if (rate := segment_bit_rates(choice))]
        if not rates:
            return None
        peak += max(rate[0] for rate in rates)
        average += max(rate[1] for rate in rates)
    return (peak, average) if peak else None


def _has_rates(facts: Facts, variant: Variant) -> bool:
    return _measured(facts, variant) is not None


def _peak_above(facts: Facts, variant: Variant) -> Iterator[str]:
    measured = _measured(facts, variant)
    live = any(not rendition.last.ended for choices in _renditions(facts, variant) for rendition in choices)
    if measured and measured[0] > variant.bandwidth * (_LIVE_PEAK_TOLERANCE if live else _PEAK_TOLERANCE):
        yield f"BANDWIDTH is {variant.bandwidth}, the measured peak {measured[0]:.0f} bit/s"


def _average_off(facts: Facts, variant: Variant) -> Iterator[str]:
    measured = _measured(facts, variant)
    said = variant.average_bandwidth
    if measured and said and abs(said - measured[1]) > measured[1] * _AVERAGE_TOLERANCE:
        yield f"AVERAGE-BANDWIDTH is {said}, the measured average {measured[1]:.0f} bit/s"


def _tracks(facts: Facts, variant: Variant, handler: str) -> list[Track]:
    """The tracks of this kind in the init segments in use at the end."""
    found = []
    for choices in _renditions(facts, variant):
        for rendition in choices:
            last = rendition.last.listed[-1] if rendition.last.listed else None
            init = rendition.init_of(last) if last else None
            found += [track for track in (init.tracks if init else ()) if track.handler == handler]
    return found


def _all_tracks(facts: Facts, variant: Variant) -> list[Track]:
    return [*_tracks(facts, variant, "vide"), *_tracks(facts, variant, "soun")]


def _has_video(facts: Facts, variant: Variant) -> bool:
    return bool(_tracks(facts, variant, "vide"))


def _codecs_wrong(facts: Facts, variant: Variant) -> Iterator[str]:
    tracks = _all_tracks(facts, variant)
    for track in tracks:
        if not any(same_codec(said, track.codec) for said in variant.codecs):
            yield f"CODECS is {','.join(variant.codecs)!r} and lacks {track.codec!r}, which a track has"
    for said in variant.codecs:
        if not any(same_codec(said, track.codec) for track in tracks):
            yield f"CODECS has {said!r}, which no track has"


def _resolution_wrong(facts: Facts, variant: Variant) -> Iterator[str]:
    sizes = {(track.width, track.height) for track in _tracks(facts, variant, "vide")}
    if variant.resolution not in sizes:
        yield f"RESOLUTION is {variant.resolution}, the track's {' or '.join(map(str, sorted(sizes)))}"


def measured_frame_rate(rendition: RenditionFacts) -> float | None:
    """Frames a second over all fetched segments with video, but for frames that stand still for longer than most."""
    durations: list[float] = []
    for segment in rendition.segments.values():
        init = rendition.init_of(segment)
        for fragment in rendition.fragments(segment) or ():
            for run in fragment.runs:
                track = init.track(run.track) if init else None
                if track and track.handler == "vide":
                    durations += (duration / track.timescale for duration in run.durations)
    limit = _STILL * median(durations) if durations else 0.0
    usual = [duration for duration in durations if duration < limit]
    return len(usual) / sum(usual) if any(usual) else None


def _frame_rate_wrong(facts: Facts, variant: Variant) -> Iterator[str]:
    rendition = facts.rendition(variant.uri)
    measured = measured_frame_rate(rendition) if rendition else None
    said = variant.frame_rate
    if measured and said and abs(measured - said) > said * _FRAME_RATE_TOLERANCE:
        yield f"FRAME-RATE is {said}, the measured rate {measured:.3f}"


def _lacks(what: str) -> Callable[[Facts, Variant], Iterator[str]]:
    def breaks(_: Facts, variant: Variant) -> Iterator[str]:
        if not getattr(variant, what.lower().replace("-", "_")):
            yield f"EXT-X-STREAM-INF lacks {what}"

    return breaks


def _unknown_groups(playlist: MultivariantPlaylist) -> Iterator[str]:
    groups = {(media.kind, media.group) for media in playlist.media}
    for variant in playlist.variants:
        for kind, group in (("AUDIO", variant.audio), ("VIDEO", variant.video), ("SUBTITLES", variant.subtitles)):
            if group is not None and (kind, group) not in groups:
                yield f"line {variant.line}: {kind}={group!r} names no group of EXT-X-MEDIA"


def _has_groups(playlist: MultivariantPlaylist) -> bool:
    return bool(playlist.media) or any(one.audio or one.video or one.subtitles for one in playlist.variants)


def _bad_groups(playlist: MultivariantPlaylist) -> Iterator[str]:
    names = Counter((media.kind, media.group, media.name) for media in playlist.media)
    for (kind, group, name), count in names.items():
        if count > 1:
            yield f"{kind} group {group!r} has {count} members of the NAME {name!r}"
    defaults = Counter((media.kind, media.group) for media in playlist.media if media.default)
    for (kind, group), count in defaults.items():
        if count > 1:
            yield f"{kind} group {group!r} has {count} members with DEFAULT=YES"
    for media in playlist.media:
        if media.default and not media.autoselect:
            yield f"line {media.line}: DEFAULT=YES comes with AUTOSELECT=YES"


def _no_language(playlist: MultivariantPlaylist) -> Iterator[str]:
    for media in playlist.media:
        if media.kind != "VIDEO" and media.language is None:
            yield f"line {media.line}: EXT-X-MEDIA lacks LANGUAGE"


def _independence_unsaid(facts: Facts) -> list[str] | None:
    if facts.multivariant is None:
        return None
    with_video = [
        rendition
        for rendition in facts.renditions
        if rendition.loads and any(_is_video(init) for init in rendition.inits.values())
    ]
    if not with_video or any(late_keyframes(rendition) for rendition in with_video):
        return None
    if facts.multivariant.independent_segments:
        return []
    return [
        f"{each.name}: EXT-X-INDEPENDENT-SEGMENTS is neither here nor in the multivariant playlist"
        for each in with_video
        if not each.last.independent_segments
    ]


def _is_video(init: object) -> bool:
    return isinstance(init, Init) and any(track.handler == "vide" for track in init.tracks)


def _sessions(facts: Facts) -> list[str] | None:
    if len(facts.multivariant_uris) < 2:
        return None
    first, other = facts.multivariant_uris[:2]
    return [f"another client was given {uri}" for uri in sorted(other - first)]


def _always(*_: object) -> bool:
    return True


RULES: tuple[Rule, ...] = (
    Rule(
        "bandwidth-covers-peak", "Apple 9.13", Severity.MUST,
        "BANDWIDTH covers the measured peak of all that plays together (within a tenth, a quarter while live)",
        _each_variant(_has_rates, _peak_above),
    ),
    Rule(
        "average-bandwidth", "Apple 9.14", Severity.MUST,
        "Each variant says AVERAGE-BANDWIDTH",
        _each_variant(_always, _lacks("AVERAGE-BANDWIDTH")),
    ),
    Rule(
        "average-bandwidth-true", "4.4.6.2", Severity.SHOULD,
        "AVERAGE-BANDWIDTH is within a tenth of the measured average",
        _each_variant(lambda facts, one: one.average_bandwidth is not None and _has_rates(facts, one), _average_off),
    ),
    Rule(
        "codecs", "Apple 9.1", Severity.MUST,
        "Each variant says CODECS",
        _each_variant(_always, _lacks("CODECS")),
    ),
    Rule(
        "codecs-true", "6.2.4", Severity.MUST,
        "CODECS has exactly the codecs of the init segments",
        _each_variant(lambda facts, one: bool(one.codecs) and bool(_all_tracks(facts, one)), _codecs_wrong),
    ),
    Rule(
        "resolution", "Apple 9.2", Severity.MUST,
        "Each variant with video says RESOLUTION",
        _each_variant(_has_video, _lacks("RESOLUTION")),
    ),
    Rule(
        "resolution-true", "4.4.6.2", Severity.SHOULD,
        "RESOLUTION is that of the video track",
        _each_variant(lambda facts, one: one.resolution is not None and _has_video(facts, one), _resolution_wrong),
    ),
    Rule(
        "frame-rate", "Apple 9.15", Severity.MUST,
        "Each variant with video says FRAME-RATE",
        _each_variant(_has_video, _lacks("FRAME-RATE")),
    ),
    Rule(
        "frame-rate-true", "4.4.6.2", Severity.SHOULD,
        "FRAME-RATE is the measured one, within 2 %",
        _each_variant(lambda facts, one: one.frame_rate is not None and _has_video(facts, one), _frame_rate_wrong),
    ),
    Rule(
        "groups-exist", "4.4.6.2", Severity.MUST,
        "AUDIO, VIDEO and SUBTITLES name groups that are there",
        _playlist(_has_groups, _unknown_groups),
    ),
    Rule(
        "groups-sound", "4.4.6.1.1", Severity.MUST,
        "The members of a group have different names, one default at most, and defaults are autoselected",
        _playlist(lambda playlist: bool(playlist.media), _bad_groups),
    ),
    Rule(
        "language", "Apple 8.10", Severity.MUST,
        "Audio and subtitles have a LANGUAGE",
        _playlist(lambda playlist: any(media.kind != "VIDEO" for media in playlist.media), _no_language),
    ),
    Rule(
        "independent-segments-said", "Apple 9.12", Severity.MUST,
        "If segments start with sync samples, EXT-X-INDEPENDENT-SEGMENTS is in the multivariant or all video playlists",
        _independence_unsaid,
    ),
    Rule(
        "no-session", "CDN", Severity.SHOULD,
        "Two clients are given the same URIs, so that a cache serves both",
        _sessions,
    ),
)  # fmt: skip
