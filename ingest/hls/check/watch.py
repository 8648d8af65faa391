"""Watches one media playlist as a low-latency player does, and fetches all that it leads to."""

from __future__ import annotations

import asyncio
import time
from contextlib import suppress

from ingest.hls.check.attributes import PlaylistError
from ingest.hls.check.facts import (
    Delta,
    Hinted,
    Kind,
    Load,
    Probe,
    RenditionFacts,
    Resource,
    Response,
    resource_key,
)
from ingest.hls.check.fetch import Fetcher, with_query
from ingest.hls.check.parser import parse
from ingest.hls.check.playlist import ByteRange, MediaPlaylist, Part, Position, PreloadHint, Segment
from ingest.hls.check.probes import questions

_AT_ONCE = 6
"""Media requests of one rendition at a time; hints come on top."""
_SEGMENTS_AT_FIRST = 60
"""Of what is listed at the beginning, this many of the newest are fetched."""
_DELTAS_MAX = 8
_REFUSALS_MAX = 3
_HOLD_TARGETS = 3
_HELD_MAX = 20_000
"""Segments in all playlists kept; beyond, only whole segments are waited for."""
_REMOVED_MAX = 3


class Watch:
    """Run it once."""

    def __init__(self, fetcher: Fetcher, name: str, url: str, until_s: float) -> None:
        """`until_s` is the monotonic time at which to stop."""
        self._fetcher = fetcher
        self._name = name
        self._url = url
        self._until_s = until_s
        self._loads: list[Load] = []
        self._unreadable: list[str] = []
        self._refused: list[tuple[Position, Response]] = []
        self._deltas: list[Delta] = []
        self._hints: list[Hinted] = []
        self._probes: list[Probe] = []
        self._resources: dict[str, Resource] = {}
        self._claimed: set[str] = set()
        self._delta_at_s = 0.0
        self._held = 0
        self._slots = asyncio.Semaphore(_AT_ONCE)

    async def run(self) -> RenditionFacts:
        """Watch until the time is over or the stream ends."""
        first = await self._load(None)
        removed: list[Resource] = []
        if first:
            async with asyncio.TaskGroup() as self._tasks:
                self._collect(first.playlist, _SEGMENTS_AT_FIRST)
                for question, url in questions(self._url, first.playlist):
                    self._tasks.create_task(self._ask(Probe(question, Response(url, 0)), first.playlist))
                await self._follow(first)
            removed = await self._fetch_removed()
        return RenditionFacts(
            name=self._name,
            url=self._url,
            loads=tuple(self._loads),
            unreadable=tuple(self._unreadable),
            refused=tuple(self._refused),
            deltas=tuple(self._deltas),
            hints=tuple(self._hints),
            probes=tuple(self._probes),
            resources=self._resources,
            removed=tuple(removed),
        )

    async def _follow(self, load: Load) -> None:
        while time.monotonic() < self._until_s and not load.playlist.ended:
            playlist = load.playlist
            self._ask_for_delta(load)
            blocking = playlist.control is not None and playlist.control.block_reload
            if blocking:
                self._ask_for_hints(playlist)
                wanted = playlist.next if self._held < _HELD_MAX else Position(playlist.next.segment)
                following = await self._load(wanted)
            else:
                await asyncio.sleep(min(playlist.target_s / 2, max(0.0, self._until_s - time.monotonic())))
                following = await self._load(None)
            if following:
                load = following
                self._collect(load.playlist, 0)
            elif len(self._refused) + len(self._unreadable) >= _REFUSALS_MAX:
                return
            else:
                await asyncio.sleep(1)

    async def _load(self, wanted: Position | None) -> Load | None:
        """A whole playlist, noted; None when none came, noted too."""
        hold_s = _HOLD_TARGETS * self._loads[-1].playlist.target_s if wanted else 0
        response = await self._fetcher.get(with_query(self._url, _directives(wanted)) if wanted else self._url, hold_s)
        playlist = self._read(response)
        if playlist is None:
            if wanted and response.status != 200:
                self._refused.append((wanted, response))
            return None
        load = Load(response, playlist, wanted)
        self._loads.append(load)
        self._held += len(playlist.segments)
        return load

    def _read(self, response: Response) -> MediaPlaylist | None:
        if response.status != 200:
            if not self._loads:
                self._unreadable.append(str(response))
            return None
        try:
            playlist = parse(response.body)
        except PlaylistError as error:
            self._unreadable.append(f"{error} ({response.url})")
            return None
        if not isinstance(playlist, MediaPlaylist):
            self._unreadable.append(f"a multivariant playlist came from {response.url}")
            return None
        return playlist

    def _collect(self, playlist: MediaPlaylist, at_first: int) -> None:
        """Fetch what is new. Of the listed segments at the beginning, only the newest."""
        known = self._loads[-2].playlist.next.segment if len(self._loads) > 1 else 0
        wanted = playlist.segments[-at_first:] if at_first else playlist.segments
        for segment in (*wanted, *([playlist.open] if playlist.open else [])):
            if at_first or segment.number >= known:
                self._collect_segment(segment)

    def _collect_segment(self, segment: Segment) -> None:
        if segment.map:
            self._fetch(Kind.INIT, segment.map.uri, segment.map.byte_range)
        for part in segment.parts:
            if not part.gap:
                self._fetch(Kind.PART, part.uri, part.byte_range)
        if segment.uri and not segment.gap:
            self._fetch(Kind.SEGMENT, segment.uri, segment.byte_range)

    def _fetch(self, kind: Kind, uri: str, byte_range: ByteRange | None) -> None:
        url = self._absolute(uri)
        key = resource_key(url, byte_range)
        if key not in self._claimed and not self._fetcher.full:
            self._claimed.add(key)
            self._tasks.create_task(self._keep(key, kind, url, byte_range))

    async def _keep(self, key: str, kind: Kind, url: str, byte_range: ByteRange | None) -> None:
        async with self._slots:
            self._resources[key] = Resource(kind, await self._fetcher.media(url, byte_range), byte_range)

    def _ask_for_hints(self, playlist: MediaPlaylist) -> None:
        for hint in playlist.hints:
            url = self._absolute(hint.uri)
            ranged = bool(hint.byte_range_start or hint.byte_range_length)
            if hint.kind == "PART" and not ranged and url not in self._claimed and not self._fetcher.full:
                self._claimed.add(url)
                self._tasks.create_task(self._await_hint(hint, url, _HOLD_TARGETS * playlist.target_s))

    async def _await_hint(self, hint: PreloadHint, url: str, hold_s: float) -> None:
        response = await self._fetcher.media(url, None, hold_s)
        self._hints.append(Hinted(hint, url, response))
        if response.status == 200:
            self._resources[url] = Resource(Kind.PART, response)
        else:
            self._claimed.discard(url)

    def _ask_for_delta(self, load: Load) -> None:
        control = load.playlist.control
        now_s = time.monotonic()
        if control and control.skip_until_s and len(self._deltas) < _DELTAS_MAX and now_s >= self._delta_at_s:
            self._delta_at_s = now_s + load.playlist.target_s / 4
            self._tasks.create_task(self._take_delta(load, ("YES", "v2")[len(self._deltas) % 2]))

    async def _take_delta(self, load: Load, asked: str) -> None:
        url = with_query(self._url, {**_directives(load.asked), "_HLS_skip": asked})
        response = await self._fetcher.get(url, _HOLD_TARGETS * load.playlist.target_s)
        self._deltas.append(Delta(asked, load.playlist, response, self._read(response)))

    async def _ask(self, probe: Probe, playlist: MediaPlaylist) -> None:
        response = await self._fetcher.get(probe.response.url, _HOLD_TARGETS * playlist.target_s)
        found = None
        if response.status == 200:
            with suppress(PlaylistError):
                parsed = parse(response.body)
                found = parsed if isinstance(parsed, MediaPlaylist) else None
        self._probes.append(Probe(probe.question, response, found))

    async def _fetch_removed(self) -> list[Resource]:
        """The newest of what the playlist lost, again: it should still be there."""
        last = self._loads[-1].playlist
        listed = {each.uri for each in last.listed} | {part.uri for each in last.listed for part in each.parts}
        gone: list[tuple[Kind, Segment | Part]] = []
        for segment in {each.number: each for load in self._loads for each in load.playlist.segments}.values():
            gone += [(Kind.SEGMENT, segment)] if segment.uri not in listed and not segment.gap else []
        parts = {part.uri: part for load in self._loads for each in load.playlist.listed for part in each.parts}
        gone_parts = [(Kind.PART, part) for part in parts.values() if part.uri not in listed and not part.gap]
        removed = []
        for kind, entry in [*gone[-_REMOVED_MAX:], *gone_parts[-_REMOVED_MAX:]]:
            response = await self._fetcher.media(self._absolute(entry.uri), entry.byte_range)
            removed.append(Resource(kind, response, entry.byte_range))
        return removed

    def _absolute(self, uri: str) -> str:
        return RenditionFacts(self._name, self._url, tuple(self._loads[:1])).absolute(uri)


def _directives(wanted: Position | None) -> dict[str, int]:
    if wanted is None:
        return {}
    return {"_HLS_msn": wanted.segment} | ({"_HLS_part": wanted.part} if wanted.part >= 0 else {})
