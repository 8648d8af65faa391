"""A stream without a fault, as facts made from text and bytes; and the places where a test can spoil it."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from functools import lru_cache

from ingest.hls.check.facts import (
    Delta,
    Facts,
    Hinted,
    Kind,
    Load,
    Probe,
    Question,
    RenditionFacts,
    Resource,
    Response,
    resource_key,
)
from ingest.hls.check.parser import parse
from ingest.hls.check.playlist import MediaPlaylist, MultivariantPlaylist, Position
from ingest.media.fragment import Frame, audio_fragment, video_fragment
from ingest.media.init import init_segment
from ingest.media.parameters import AudioParameters, VideoParameters

BASE = "https://media.example/live/"
NOW_S = 1_790_000_000.0
FIRST, LAST = 10, 25
"""The segments of the first load. Each lasts 2 s and has 2 parts."""
AUDIO = AudioParameters("mp4a.40.2", 48_000, 2, 1024, bytes.fromhex("1190"))
SIZES = {"720/media.m3u8": (1280, 720), "360/media.m3u8": (640, 360)}
NAMES = [*SIZES, "audio/media.m3u8"]
PLAYLIST_HEADERS = {
    "content-type": "application/vnd.apple.mpegurl",
    "content-encoding": "gzip",
    "vary": "Accept-Encoding",
    "access-control-allow-origin": "*",
    "cache-control": "public, max-age=1",
}
MEDIA_HEADERS = {
    "content-type": "video/mp4",
    "access-control-allow-origin": "*",
    "cache-control": "public, max-age=31536000, immutable",
}
MULTIVARIANT = """#EXTM3U
#EXT-X-VERSION:6
#EXT-X-INDEPENDENT-SEGMENTS
#EXT-X-MEDIA:TYPE=AUDIO,GROUP-ID="aac",NAME="Original",DEFAULT=YES,AUTOSELECT=YES,LANGUAGE="und",CHANNELS="2",URI="audio/media.m3u8"
#EXT-X-STREAM-INF:BANDWIDTH={both},AVERAGE-BANDWIDTH={both},CODECS="avc1.64001f,mp4a.40.2",RESOLUTION=1280x720,FRAME-RATE=25.000,AUDIO="aac"
720/media.m3u8
#EXT-X-STREAM-INF:BANDWIDTH={both},AVERAGE-BANDWIDTH={both},CODECS="avc1.64001f,mp4a.40.2",RESOLUTION=640x360,FRAME-RATE=25.000,AUDIO="aac"
360/media.m3u8
#EXT-X-STREAM-INF:BANDWIDTH={sound},AVERAGE-BANDWIDTH={sound},CODECS="mp4a.40.2",AUDIO="aac"
audio/media.m3u8
"""
BLOCKED = "public, max-age=12"


def nothing(_: str, text: str) -> str:
    return text


@dataclass(frozen=True)
class Spoiled:
    """Edits of what the server would have said; each takes the rendition's name and a text or value."""

    playlist: Callable[[str, str], str] = nothing
    later: Callable[[str, str], str] = nothing
    """Of the loads after the first."""
    delta: Callable[[str, str], str] = nothing
    multivariant: Callable[[str], str] = str
    resource: Callable[[str, Resource], Resource] = lambda _, resource: resource
    """By its URI within the rendition."""
    facts: Callable[[RenditionFacts], RenditionFacts] = lambda rendition: rendition
    whole: Callable[[Facts], Facts] = lambda facts: facts
    ended: bool = False
    headers: dict[str, str] = field(default_factory=dict)
    """Of playlists."""


def facts(spoiled: Spoiled) -> Facts:
    """What would have been seen of the stream."""
    text = multivariant_text()
    multivariant = parse(spoiled.multivariant(text).encode())
    assert isinstance(multivariant, MultivariantPlaylist)
    answer = _response("index.m3u8", text.encode(), PLAYLIST_HEADERS | spoiled.headers, 0)
    uris = frozenset(NAMES)
    renditions = tuple(spoiled.facts(_rendition(name, spoiled)) for name in NAMES)
    return spoiled.whole(Facts(f"{BASE}index.m3u8", renditions, multivariant, (answer,) * 3, (uris,) * 3))


def render(name: str, first: int, last: int, parts: int, *, skipped: int = 0, ended: bool = False) -> str:
    """A media playlist of the segments `first` to `last` and `parts` parts of the one that is open."""
    lines = [
        "#EXTM3U", "#EXT-X-VERSION:9", "#EXT-X-TARGETDURATION:2",
        "#EXT-X-SERVER-CONTROL:CAN-BLOCK-RELOAD=YES,PART-HOLD-BACK=3.0,CAN-SKIP-UNTIL=12.0,HOLD-BACK=6.0",
        "#EXT-X-PART-INF:PART-TARGET=1.0", f"#EXT-X-MEDIA-SEQUENCE:{first}", "#EXT-X-DISCONTINUITY-SEQUENCE:0",
    ]  # fmt: skip
    lines += [f"#EXT-X-SKIP:SKIPPED-SEGMENTS={skipped}"] if skipped else []
    lines += ['#EXT-X-MAP:URI="init.mp4"']
    for number in range(first + skipped, last + 2):
        closed = number <= last
        count = 2 if closed else parts
        if not count:
            break
        moment = datetime.fromtimestamp(NOW_S + 2 * number, UTC).isoformat(timespec="milliseconds")
        lines.append(f"#EXT-X-PROGRAM-DATE-TIME:{moment}")
        if not ended and (last - number) * 2 + parts <= 6:
            for index in range(count):
                independent = ",INDEPENDENT=YES" if _syncs(name, index) else ""
                lines.append(f'#EXT-X-PART:DURATION=1.0,URI="part{number}.{index}.m4s"{independent}')
        lines += ["#EXTINF:2.0,", f"segment{number}.m4s"] if closed else []
    if ended:
        lines.append("#EXT-X-ENDLIST")
    else:
        at = (last + 1, parts) if parts < 2 else (last + 2, 0)
        lines.append(f'#EXT-X-PRELOAD-HINT:TYPE=PART,URI="part{at[0]}.{at[1]}.m4s"')
        reported = (last + 1, parts - 1) if parts else (last, 1)
        lines += [
            f'#EXT-X-RENDITION-REPORT:URI="../{other}",LAST-MSN={reported[0]},LAST-PART={reported[1]}'
            for other in NAMES
            if other != name
        ]
    return "\n".join([*lines, ""])


def _syncs(name: str, part: int) -> bool:
    return part == 0 or name not in SIZES


def _rendition(name: str, spoiled: Spoiled) -> RenditionFacts:
    moments: list[tuple[int, int, Position | None]]
    moments = [(0, 1, None), (1, 0, Position(LAST + 1, 1)), (1, 1, Position(LAST + 2, 0))]
    if spoiled.ended:
        moments = [(0, 0, None)]
    loads = []
    for index, (on, parts, asked) in enumerate(moments):
        text = render(name, FIRST + on, LAST + on, parts, ended=spoiled.ended)
        text = spoiled.playlist(name, spoiled.later(name, text) if index else text)
        headers = PLAYLIST_HEADERS | ({"cache-control": BLOCKED} if asked else {}) | spoiled.headers
        loads.append(Load(_response(name, text.encode(), headers, index), _media(text), asked))
    resources = {
        resource_key(f"{BASE}{_folder(name)}{uri}", None): spoiled.resource(uri, resource)
        for uri, resource in _resources(name).items()
    }
    rendition = RenditionFacts(name, BASE + name, tuple(loads), resources=resources)
    if spoiled.ended:
        probe = Probe(Question.AFTER_END, _response(name, b"", PLAYLIST_HEADERS, 1), loads[0].playlist)
        return replace(rendition, probes=(probe,))
    delta = spoiled.delta(name, render(name, FIRST + 1, LAST + 1, 1, skipped=9))
    hint = loads[1].playlist.hints[0] if loads[1].playlist.hints else None
    return replace(
        rendition,
        deltas=(Delta("YES", loads[2].playlist, _response(name, delta.encode(), PLAYLIST_HEADERS, 3), _media(delta)),),
        hints=(Hinted(hint, rendition.absolute(hint.uri), _response(hint.uri, b"", MEDIA_HEADERS, 2)),) if hint else (),
        probes=tuple(_probes(name, loads[0].playlist)),
        removed=(Resource(Kind.SEGMENT, _response("segment10.m4s", b"", MEDIA_HEADERS, 4)),),
    )


def _probes(name: str, playlist: MediaPlaylist) -> list[Probe]:
    whole = {Question.PAST_LAST_PART, Question.LONG_AGO}
    missing = {Question.UNKNOWN_NAME}
    return [
        Probe(question, _response(name, b"", PLAYLIST_HEADERS, 1), playlist)
        if question in whole
        else Probe(question, Response(BASE + name, 404 if question in missing else 400, PLAYLIST_HEADERS))
        for question in Question
        if question is not Question.AFTER_END
    ]


def _media(text: str) -> MediaPlaylist:
    playlist = parse(text.encode())
    assert isinstance(playlist, MediaPlaylist)
    return playlist


def _folder(name: str) -> str:
    return name.rpartition("/")[0] + "/"


def _response(uri: str, body: bytes, headers: dict[str, str], index: int) -> Response:
    """Asked and answered at its own second."""
    return Response(BASE + uri, 200, headers, body, asked_at_s=index, got_at_s=index + 0.5)


def bytes_of(name: str, uri: str) -> bytes | None:
    """What a URI of a rendition's playlist leads to; None for nothing."""
    if uri == "init.mp4":
        size = SIZES.get(name)
        video = VideoParameters("avc1.64001f", *size, 25.0, b"avc1", b"avcC", b"\x01\x64\x00\x1f\xff") if size else None
        return init_segment(video or AUDIO)
    if match := re.fullmatch(r"part(\d+)\.([01])\.m4s", uri):
        return part_bytes(name, int(match[1]), int(match[2]))
    if match := re.fullmatch(r"segment(\d+)\.m4s", uri):
        return b"".join(part_bytes(name, int(match[1]), index) for index in range(2))
    return None


@lru_cache
def _resources(name: str) -> dict[str, Resource]:
    found = {"init.mp4": (Kind.INIT, bytes_of(name, "init.mp4") or b"")}
    for number in range(FIRST, LAST + 3):
        uris = [f"part{number}.0.m4s", f"part{number}.1.m4s"]
        found |= {uri: (Kind.PART, bytes_of(name, uri) or b"") for uri in uris}
        found[f"segment{number}.m4s"] = Kind.SEGMENT, bytes_of(name, f"segment{number}.m4s") or b""
    return {
        uri: Resource(kind, _response(_folder(name) + uri, body, MEDIA_HEADERS, 1))
        for uri, (kind, body) in found.items()
    }


def part_bytes(name: str, number: int, index: int, *, keyframe: int = 0, tick: int = 0) -> bytes:
    """A second of 25 frames, or of 50 of audio. `keyframe` is the index of the first part's sync sample, `tick` is
    added to its time."""
    second, data = 2 * number + index, memoryview(bytes(40))
    if name in SIZES:
        frames = [
            Frame(second * 90_000 + tick + at * 3600, 3600, data, index == 0 and at == keyframe) for at in range(25)
        ]
        return video_fragment(second, frames)
    return audio_fragment(second, [Frame(second * 48_000 + at * 960, 960, data) for at in range(50)])


def multivariant_text() -> str:
    """Two pictures with the sound, and the sound alone; as many bit/s as there are."""
    picture, sound = (
        sum(len(part_bytes(name, 10, index)) for index in range(2)) * 8 // 2 + 1 for name in (NAMES[0], NAMES[2])
    )
    return MULTIVARIANT.format(both=picture + sound, sound=sound)
