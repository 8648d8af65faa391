"""Rules about the bytes of segments and parts (section 3, CMAF ISO 23000-19)."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import pairwise

from ingest.hls.check.facts import Kind, RenditionFacts
from ingest.hls.check.mp4 import Fragment, Init, Mp4Error, Run, Track
from ingest.hls.check.playlist import Part, Segment
from ingest.hls.check.rule import Rule, Severity, each_rendition

_JOINT_S = 0.0015
"""Tracks whose timestamps come in milliseconds may be off by one where fragments meet."""
_FRAME_S = 0.05
"""A frame at 20 frames a second, or two of AAC."""


def _bad_inits(rendition: RenditionFacts) -> Iterator[str]:
    for key, init in rendition.inits.items():
        if isinstance(init, Mp4Error):
            yield f"{key}: {init}"


def _bad_fragments(rendition: RenditionFacts) -> Iterator[str]:
    for key, found in rendition.media.items():
        if isinstance(found, Mp4Error):
            yield f"{key}: {found}"


def _compared(rendition: RenditionFacts) -> Iterator[tuple[Segment, bytes, bytes]]:
    """Closed segments with their bytes and those of their parts, where all but gaps were listed and fetched."""
    for segment in rendition.segments.values():
        if abs(sum(part.duration_s for part in segment.parts) - segment.duration_s) > _FRAME_S:
            continue
        whole = rendition.find(segment.uri, segment.byte_range)
        parts = [rendition.find(part.uri, part.byte_range) for part in segment.parts if not part.gap]
        if whole and parts and all(parts):
            yield segment, whole.response.body, b"".join(part.response.body for part in parts if part)


def _not_its_parts(rendition: RenditionFacts) -> Iterator[str]:
    for segment, whole, parts in _compared(rendition):
        if whole != parts:
            at = next((at for at, pair in enumerate(zip(whole, parts, strict=False)) if pair[0] != pair[1]), None)
            where = f"they differ at byte {at}" if at is not None else f"{len(whole)} and {len(parts)} bytes"
            yield f"segment {segment.number} is not its {len(segment.parts)} parts: {where}"


def _read_segments(rendition: RenditionFacts) -> Iterator[tuple[Segment, Init, tuple[Fragment, ...]]]:
    for segment in rendition.segments.values():
        init, fragments = rendition.init_of(segment), rendition.fragments(segment)
        if init and fragments:
            yield segment, init, fragments


def _read_parts(rendition: RenditionFacts) -> Iterator[tuple[Segment, int, Part, Init, tuple[Fragment, ...]]]:
    still_open = rendition.last.open
    for segment in (*rendition.segments.values(), *([still_open] if still_open else [])):
        init = rendition.init_of(segment)
        for index, part in enumerate(segment.parts):
            fragments = rendition.fragments(part)
            if init and fragments:
                yield segment, index, part, init, fragments


def _runs(fragments: tuple[Fragment, ...], track: Track) -> list[Run]:
    return [run for fragment in fragments for run in fragment.runs if run.track == track.number]


def _main_track(init: Init) -> Track:
    """The track whose time the playlist tells: video where there is some."""
    return next((track for track in init.tracks if track.handler == "vide"), init.tracks[0])


def _gaps_s(segment: Segment) -> float:
    """How long of it parts with GAP=YES last: there may be no media, or the frame before them lasts on."""
    return sum(part.duration_s for part in segment.parts if part.gap)


def _broken_times(rendition: RenditionFacts) -> Iterator[str]:
    ends: dict[int, int] = {}
    before: Segment | None = None
    for segment, init, fragments in _read_segments(rendition):
        if before is None or before.number + 1 != segment.number or segment.discontinuity or before.map != segment.map:
            ends = {}
        excused_s = _gaps_s(segment) + (_gaps_s(before) if before else 0.0)
        excused_s += _FRAME_S if excused_s else _JOINT_S
        before = segment
        for track in init.tracks:
            for run in _runs(fragments, track):
                gap_s = (run.decode_time - ends.get(track.number, run.decode_time)) / track.timescale
                if not -_JOINT_S <= gap_s <= excused_s:
                    yield f"segment {segment.number}, track {track.number}: tfdt is {gap_s:+.4f} s off the end before"
                ends[track.number] = run.end


def _lasting_s(fragments: tuple[Fragment, ...], init: Init) -> float:
    track = _main_track(init)
    return sum(sum(run.durations) for run in _runs(fragments, track)) / track.timescale


def _wrong_extinf(rendition: RenditionFacts) -> Iterator[str]:
    said_s = media_s = gaps_s = 0.0
    before = -1
    for segment, init, fragments in _read_segments(rendition):
        if segment.number != before + 1:
            said_s = media_s = gaps_s = 0.0
        before = segment.number
        said_s += segment.duration_s
        media_s += _lasting_s(fragments, init)
        gaps_s += _gaps_s(segment)
        if not -_FRAME_S <= said_s - media_s <= gaps_s + _FRAME_S:
            yield f"up to segment {segment.number} EXTINF add up to {said_s:.3f} s, the media to {media_s:.3f} s"
            said_s = media_s = gaps_s = 0.0


def _wrong_part_duration(rendition: RenditionFacts) -> Iterator[str]:
    """By where parts end since their segment began: a frame may last on into the next part."""
    began, began_at, said_s = -1, 0.0, 0.0
    for segment, index, part, init, fragments in _read_parts(rendition):
        track = _main_track(init)
        runs = _runs(fragments, track)
        if not runs:
            continue
        said_s = sum(before.duration_s for before in segment.parts[: index + 1])
        if segment.number != began:
            began = segment.number
            began_at = runs[0].decode_time / track.timescale - (said_s - part.duration_s)
        media_s = runs[-1].end / track.timescale - began_at
        frame_s = max((duration for run in runs for duration in run.durations), default=0) / track.timescale
        if abs(media_s - said_s) > max(_FRAME_S, frame_s):
            yield (
                f"up to part {index} of segment {segment.number} DURATION add up to {said_s:.3f} s, "
                f"the media to {media_s:.3f} s"
            )
            began = -1


def _syncs(fragments: tuple[Fragment, ...], init: Init) -> list[bool]:
    return [sync for run in _runs(fragments, _main_track(init)) for sync in run.sync]


def _not_independent(rendition: RenditionFacts) -> Iterator[str]:
    for segment, index, part, init, fragments in _read_parts(rendition):
        if part.independent and not any(_syncs(fragments, init)):
            yield f"part {index} of segment {segment.number} has INDEPENDENT=YES and no sync sample"


def _late_sync(rendition: RenditionFacts) -> Iterator[str]:
    for segment, index, part, init, fragments in _read_parts(rendition):
        syncs = _syncs(fragments, init)
        if part.independent and any(syncs) and not syncs[0]:
            yield f"part {index} of segment {segment.number} has INDEPENDENT=YES and does not start with a sync sample"


def _unmarked(rendition: RenditionFacts) -> Iterator[str]:
    for segment, index, part, init, fragments in _read_parts(rendition):
        if not part.independent and any(_syncs(fragments, init)):
            yield f"part {index} of segment {segment.number} has a sync sample and no INDEPENDENT=YES"


def late_keyframes(rendition: RenditionFacts) -> list[str]:
    """Of each fetched segment that does not start with one."""
    syncs = ((segment, _syncs(fragments, init)) for segment, init, fragments in _read_segments(rendition))
    return [
        f"segment {segment.number} does not start with a sync sample" for segment, sync in syncs if sync and not sync[0]
    ]


def _unmarked_init(rendition: RenditionFacts) -> Iterator[str]:
    for before, after in pairwise(rendition.segments.values()):
        if after.number == before.number + 1 and before.map != after.map and not after.discontinuity:
            yield f"segment {after.number} has another EXT-X-MAP and no EXT-X-DISCONTINUITY"


def _has_init(rendition: RenditionFacts) -> bool:
    return any(resource.kind is Kind.INIT and resource.arrived for resource in rendition.resources.values())


def _has_segments(rendition: RenditionFacts) -> bool:
    return any(_read_segments(rendition))


def _has_parts(rendition: RenditionFacts) -> bool:
    return any(_read_parts(rendition))


RULES: tuple[Rule, ...] = (
    Rule(
        "init-readable", "CMAF 7.3.1", Severity.MUST,
        "Init segments are ISO base media files with tracks",
        each_rendition(_has_init, _bad_inits),
    ),
    Rule(
        "fragments-whole", "CMAF 7.3.2", Severity.MUST,
        "Segments and parts are whole fragments of the init segment's tracks",
        each_rendition(lambda rendition: bool(rendition.media), _bad_fragments),
    ),
    Rule(
        "segment-is-its-parts", "3.2", Severity.MUST,
        "A segment is its parts, one behind the other",
        each_rendition(lambda rendition: any(_compared(rendition)), _not_its_parts),
    ),
    Rule(
        "decode-times-continue", "Apple 7.3", Severity.MUST,
        "Each fragment's tfdt is where the one before it ended, save at gaps",
        each_rendition(_has_segments, _broken_times),
    ),
    Rule(
        "extinf-true", "Apple 8.1", Severity.MUST,
        "The EXTINF of segments in a row add up to their media and gaps, within a frame",
        each_rendition(_has_segments, _wrong_extinf),
    ),
    Rule(
        "part-duration-true", "4.4.4.9", Severity.MUST,
        "Parts end, by their DURATION, where their media do, within a frame",
        each_rendition(_has_parts, _wrong_part_duration),
    ),
    Rule(
        "independent-true", "4.4.4.9", Severity.MUST,
        "A part with INDEPENDENT=YES has a sync sample",
        each_rendition(_has_parts, _not_independent),
    ),
    Rule(
        "independent-first", "CMAF 7.3.2", Severity.SHOULD,
        "A part with INDEPENDENT=YES starts with a sync sample",
        each_rendition(_has_parts, _late_sync),
    ),
    Rule(
        "independent-said", "4.4.4.9", Severity.SHOULD,
        "A part with a sync sample has INDEPENDENT=YES",
        each_rendition(_has_parts, _unmarked),
    ),
    Rule(
        "segments-start-with-keyframe", "Apple 7.4", Severity.MUST,
        "Segments start with a sync sample",
        each_rendition(_has_segments, late_keyframes),
    ),
    Rule(
        "new-init-is-discontinuity", "4.4.4.3", Severity.MUST,
        "Where the init segment changes, EXT-X-DISCONTINUITY says so",
        each_rendition(lambda rendition: len(rendition.segments) > 1, _unmarked_init),
    ),
)  # fmt: skip
