"""What the packager says of a segment's place in time is what libavformat reads from its bytes."""

from __future__ import annotations

from fractions import Fraction
from pathlib import Path
from typing import Literal

import pytest

from tests.ingest.media.footage import audio, media_bytes, packets, publish, record, source


@pytest.mark.parametrize("kind", ["video", "audio"])
@pytest.mark.parametrize("b_frames", [0, 2])
def test_segments_lie_where_their_ticks_say(tmp_path: Path, kind: Literal["video", "audio"], b_frames: int) -> None:
    playback = publish(tmp_path, record(b_frames=b_frames, rate=Fraction(30_000, 1001)))
    window = source(playback) if kind == "video" else audio(playback)
    entries = window.entries()
    assert len(entries) > 2
    for entry in entries:
        read = packets((window.init(entry.init) or b"") + media_bytes(window.segment(entry.number)), kind)
        assert {packet.time_base for packet in read} == {Fraction(1, window.rendition_of(entry.init).timescale)}
        shown = [
            (packet.pts, packet.pts + packet.duration) for packet in read if packet.pts is not None and packet.duration
        ]
        assert len(shown) == len(read)
        assert entry.ticks == (min(start for start, _ in shown), max(end for _, end in shown))
