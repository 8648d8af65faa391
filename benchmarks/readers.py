"""Readers of files at the pace of a live stream: `python -m benchmarks.readers PORT COUNT BEGIN END PERIOD FILES`.

The limit to which an origin is compared: in every period each reader asks for a playlist and a part, all at once, as
viewers are answered when a part appears. `arrived` holds the seconds from each period's start to the part's last byte.
"""

from __future__ import annotations

import json
import sys

from benchmarks.http_load import Load
from benchmarks.viewers import request


class Readers:
    """Files `part0.m4s` up to `part{files - 1}.m4s` take turns."""

    def __init__(self, load: Load, port: int, count: int, period_s: float, files: int) -> None:
        self._load, self._period_s = load, period_s
        self._playlists = [load.connect(port, self._on_playlist) for _ in range(count)]
        self._parts = [load.connect(port, self._on_part) for _ in range(count)]
        self._playlist_request = request("/media.m3u8")
        self._part_requests = [request(f"/part{number}.m4s") for number in range(files)]
        self._turn = 0
        self._turn_began = 0.0
        self._turn_begins = 0.0
        self.arrived: list[float] = []

    def tick(self, now: float) -> None:
        """Begin the next period when it is time. Those who still wait are passed over."""
        if now < self._turn_begins:
            return
        self._turn_begins = max(self._turn_begins + self._period_s, now)
        self._turn_began = now
        self._turn += 1
        part_request = self._part_requests[self._turn % len(self._part_requests)]
        for playlist, part in zip(self._playlists, self._parts, strict=True):
            if not playlist.busy:
                playlist.ask(self._playlist_request)
            if not part.busy:
                part.ask(part_request)

    def _on_playlist(self, status: int, body: bytes) -> None:
        self._load.count("playlist", status)

    def _on_part(self, status: int, body: bytes) -> None:
        now = self._load.count("part", status)
        if now >= self._load.begin:
            self.arrived.append(now - self._turn_began)


def main(port: int, count: int, begin: float, end: float, period_s: float, files: int) -> None:
    load = Load(begin, end)
    readers = Readers(load, port, count, period_s, files)
    print(json.dumps({**load.run(readers.tick), "arrived": readers.arrived}))


if __name__ == "__main__":
    port, count, begin, end, period_s, files = sys.argv[1:]
    main(int(port), int(count), float(begin), float(end), float(period_s), int(files))
