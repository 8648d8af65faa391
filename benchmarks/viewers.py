"""Players of LL-HLS by the hundred: `python -m benchmarks.viewers PORT PATH COUNT BEGIN END`, in the monotonic clock.

Each has two connections, as players have: one asks for the next playlist (`_HLS_msn`, `_HLS_part`, a delta update,
gzipped), the other for the part that the playlist hints at, before it exists; both are held until it does. A viewer
that fell behind takes every part in turn. One JSON object on standard output: `answers` by kind, `arrived` with the
moments at which viewers had the last byte of each part, and the `cpu_s` that this took.
"""

from __future__ import annotations

import gzip
import json
import re
import sys
from collections import defaultdict

from benchmarks.http_load import HOST, Load

_PARTS = re.compile(rb'#EXT-X-(?:PART:|PRELOAD-HINT:TYPE=PART,).*?URI="(part(\d+)\.(\d+)\.m4s)"')
_REMEMBERED = 64


class Programme:
    """The stream's parts in order, as playlists told of them, with the requests that follow from each."""

    def __init__(self, path: str) -> None:
        self._path = path
        self._places: dict[bytes, int] = {}
        self._seen: dict[bytes, int] = {}
        """The place that each playlist lately seen hints at: all viewers get the same bytes."""
        self.names: list[str] = []
        self.part_requests: list[bytes] = []
        self.playlist_requests: list[bytes] = []
        """Blocks until the part in this place is listed."""

    def hinted(self, playlist: bytes) -> int:
        """The place of the part that a gzipped playlist hints at."""
        place = self._seen.get(playlist)
        if place is None:
            if len(self._seen) == _REMEMBERED:
                self._seen.clear()
            place = self._seen[playlist] = self._learn(gzip.decompress(playlist))
        return place

    def opening(self) -> bytes:
        return request(f"{self._path}media.m3u8")

    def _learn(self, text: bytes) -> int:
        found = _PARTS.findall(text)
        for name, number, index in found:
            if name not in self._places:
                self._places[name] = len(self.names)
                self.names.append(name.decode())
                self.part_requests.append(request(self._path + name.decode()))
                directives = f"_HLS_msn={int(number)}&_HLS_part={int(index)}&_HLS_skip=YES"
                self.playlist_requests.append(request(f"{self._path}media.m3u8?{directives}"))
        return self._places[found[-1][0]]


class Viewer:
    """Begins at the live edge."""

    def __init__(self, load: Load, port: int, programme: Programme, arrived: dict[str, list[float]]) -> None:
        self._load, self._programme, self._arrived = load, programme, arrived
        self._next = -1
        """Place of the part asked for next."""
        self._known = -1
        """Place of the part hinted at."""
        self._playlists = load.connect(port, self._on_playlist, keeps_body=True)
        self._parts = load.connect(port, self._on_part)
        self._playlists.ask(programme.opening())

    def _on_playlist(self, status: int, body: bytes) -> None:
        self._load.count("playlist", status)
        if status == 200:
            self._known = self._programme.hinted(body)
        if self._next < 0:
            self._next = self._known
        self._playlists.ask(self._programme.playlist_requests[self._known])
        if not self._parts.busy:
            self._ask_part()

    def _on_part(self, status: int, body: bytes) -> None:
        now = self._load.count("part", status)
        if status == 200:
            self._arrived[self._programme.names[self._next]].append(now)
        self._next += 1
        self._ask_part()

    def _ask_part(self) -> None:
        if self._next <= self._known:
            self._parts.ask(self._programme.part_requests[self._next])


def request(path: str) -> bytes:
    return f"GET {path} HTTP/1.1\r\nHost: {HOST}\r\nAccept-Encoding: gzip\r\n\r\n".encode()


def main(port: int, path: str, count: int, begin: float, end: float) -> None:
    load, programme = Load(begin, end), Programme(path)
    arrived: dict[str, list[float]] = defaultdict(list)
    viewers = [Viewer(load, port, programme, arrived) for _ in range(count)]
    print(json.dumps({**load.run(), "arrived": arrived, "viewers": len(viewers)}))


if __name__ == "__main__":
    main(int(sys.argv[1]), sys.argv[2], int(sys.argv[3]), float(sys.argv[4]), float(sys.argv[5]))
