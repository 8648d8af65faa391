"""Rendering multivariant playlists (RFC 8216bis 4.4.6). Pure."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

from ingest.hls.entries import Rendition
from ingest.hls.playlist import MEDIA_PLAYLIST

_GROUP = "audio"
_LANGUAGE = "und"
"""Undetermined (RFC 5646): publishers do not say which language they speak."""


@dataclass(frozen=True)
class Measured:
    """A rendition and the bit rates that its segments had, bit/s."""

    rendition: Rendition
    peak: float
    average: float


def multivariant_playlist(video: Sequence[Measured], audio: Measured | None, independent: bool) -> str:
    """One variant each video rendition with the sound, in this order, then the sound alone.

    `independent` says that each segment can be decoded by itself.
    """
    lines = ["#EXTM3U\n#EXT-X-VERSION:9\n"]
    if independent:
        lines.append("#EXT-X-INDEPENDENT-SEGMENTS\n")
    if audio:
        lines.append(_audio_group(audio.rendition))
    for each in [*video, audio] if audio else video:
        lines.append(_variant(each, audio))
    return "".join(lines)


def _audio_group(rendition: Rendition) -> str:
    return (
        f'#EXT-X-MEDIA:TYPE=AUDIO,GROUP-ID="{_GROUP}",NAME="Audio",LANGUAGE="{_LANGUAGE}",DEFAULT=YES,AUTOSELECT=YES,'
        f'CHANNELS="{rendition.channels}",URI="{rendition.name}/{MEDIA_PLAYLIST}"\n'
    )


def _variant(measured: Measured, audio: Measured | None) -> str:
    rendition, tracks = measured.rendition, [measured]
    if audio and audio is not measured:
        tracks.append(audio)
    attributes = [
        f"BANDWIDTH={max(1, math.ceil(sum(track.peak for track in tracks)))}",
        f"AVERAGE-BANDWIDTH={math.ceil(sum(track.average for track in tracks))}",
        f'CODECS="{",".join(track.rendition.codecs for track in tracks)}"',
    ]
    if rendition.width:
        attributes.append(f"RESOLUTION={rendition.width}x{rendition.height}")
    if rendition.frame_rate:
        attributes.append(f"FRAME-RATE={rendition.frame_rate:.3f}")
    if audio:
        attributes.append(f'AUDIO="{_GROUP}"')
    return f"#EXT-X-STREAM-INF:{','.join(attributes)}\n{rendition.name}/{MEDIA_PLAYLIST}\n"
