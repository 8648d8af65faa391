"""A media playlist's bytes: each form rendered once a change, and of a long one only what changed."""

from __future__ import annotations

import zlib

from ingest.answers import GZIP
from ingest.hls.playlist import MediaState, Zones, delta_head, settled, unsettled, zones

_FAST = 1


class Rendered:
    """The forms of one playlist between two changes; what is settled is kept for longer, gzipped too."""

    def __init__(self) -> None:
        self._forms: dict[tuple[bool, bool], bytes] = {}
        self._settled_for: tuple[int, int, Zones] | None = None
        self._settled = b""
        self._packed_head = b""
        self._packer: zlib._Compress | None = None
        """Has taken in what is settled; each form goes on with a copy."""

    def change(self) -> None:
        """The playlist is not what it was."""
        self._forms.clear()

    def known(self, skip: bool, gzip: bool) -> bytes | None:
        return self._forms.get((skip, gzip))

    def render(self, state: MediaState, skip: bool, gzip: bool) -> bytes:
        """In UTF-8; a delta update with `skip`, if there is something to leave out."""
        at = zones(state)
        rest = unsettled(state, at).encode()
        if skip and at.skip_until:
            plain = delta_head(state, at).encode() + rest
            form = zlib.compress(plain, _FAST, GZIP) if gzip else plain
        else:
            self._settle(state, at)
            form = self._packed(rest) if gzip else self._settled + rest
        self._forms[skip, gzip] = form
        return form

    def _settle(self, state: MediaState, at: Zones) -> None:
        first = state.closed[0] if state.closed else state.open
        wanted = (first.number if first else -1, state.target_s, at)
        if self._settled_for != wanted:
            self._settled_for = wanted
            self._settled = settled(state, at).encode()
            self._packer = None

    def _packed(self, rest: bytes) -> bytes:
        if self._packer is None:
            self._packer = zlib.compressobj(_FAST, zlib.DEFLATED, GZIP)
            self._packed_head = self._packer.compress(self._settled)
        packer = self._packer.copy()
        return self._packed_head + packer.compress(rest) + packer.flush()
