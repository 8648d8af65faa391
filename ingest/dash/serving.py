"""Answers with a stream's MPD, and with the time it counts in."""

from __future__ import annotations

import asyncio
import math
import time
import zlib
from collections.abc import Mapping, Sequence
from itertools import islice
from weakref import WeakKeyDictionary

from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response

from ingest.answers import GZIP, OPEN, accepts_gzip
from ingest.dash.manifest import Presentation, moment, render_mpd
from ingest.dash.periods import Periods
from ingest.dash.survey import survey
from ingest.hls.playback import Playback
from ingest.hls.window import Window

MANIFEST_PATH = "/live/{stream_id}/manifest.mpd"
TIME_PATH = "/time"
MANIFEST_TYPE = "application/dash+xml"
_FAST = 1
_AT_ONCE = 64
"""Segments taken before others on the loop have their turn."""


class Manifests:
    """Renders each stream's MPD once a change, whoever asks."""

    def __init__(self, public_url: str) -> None:
        """`public_url` is where players find the origin; empty when that is where the page comes from."""
        self._time_url = public_url.rstrip("/") + TIME_PATH
        self._streams: WeakKeyDictionary[Playback, _Manifest] = WeakKeyDictionary()

    async def answer(self, playback: Playback, request: Request, headers: Mapping[str, str]) -> Response | None:
        """None when there is nothing to play yet."""
        manifest = self._streams.get(playback)
        if manifest is None:
            manifest = self._streams[playback] = _Manifest()
        if not await manifest.refresh(playback, self._time_url):
            return None
        gzip = accepts_gzip(request)
        headers = {**headers, "Vary": "Accept-Encoding", **({"Content-Encoding": "gzip"} if gzip else {})}
        return Response(manifest.packed if gzip else manifest.plain, headers=headers, media_type=MANIFEST_TYPE)


class _Manifest:
    def __init__(self) -> None:
        self.plain = b""
        self.packed = b""
        """With gzip."""
        self._periods = Periods()
        self._shown: object = None

    async def refresh(self, playback: Playback, time_url: str) -> bool:
        """Render it again if it changed; false when there is nothing to show."""
        periods = self._periods
        while await self._take(playback):
            pass
        windows = [window for window in playback.windows() if window.ready]
        periods.forget(max((window.oldest_number for window in windows), default=0))
        if not periods.listed:
            return False
        shown = periods.version, playback.ended
        if shown != self._shown:
            self._shown = shown
            self.plain = render_mpd(_presentation(playback, windows, periods, time_url)).encode()
            self.packed = zlib.compress(self.plain, _FAST, GZIP)
        return True

    async def _take(self, playback: Playback) -> bool:
        """Some of what is new: hours, if nobody asked for the MPD before. Returns whether there may be more."""
        before = self._periods.last_number
        new = survey(playback.windows(), before, playback.ended)
        self._periods.take(islice(new, _AT_ONCE))
        if self._periods.last_number - before < _AT_ONCE - 1:
            return False
        await asyncio.sleep(0)
        return True


async def answer_time(request: Request) -> Response:
    """Unix time in ISO 8601 (urn:mpeg:dash:utc:http-iso:2014)."""
    headers = {**OPEN, "Cache-Control": "no-store"}
    return PlainTextResponse(moment(time.time()), headers=headers)


def _presentation(playback: Playback, windows: Sequence[Window], periods: Periods, time_url: str) -> Presentation:
    measured = {window.rendition.name: window.measured() for window in windows}
    return Presentation(
        started_at_s=periods.started_at_s,
        published_at_s=time.time(),
        ended=playback.ended,
        window_s=playback.listed_s,
        segment_s=playback.timeline.target_s,
        early_s=max(0.0, periods.last_s - playback.timeline.part_target_s),
        time_url=time_url,
        periods=periods.listed,
        bandwidths={name: max(1, math.ceil(each.peak)) for name, each in measured.items()},
        independent=all(window.independent for window in windows),
    )
