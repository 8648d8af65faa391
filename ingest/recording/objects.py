"""The objects that a recording or a clip consists of: their keys, and how they are served.

    {id}/index.m3u8                     multivariant playlist
    {id}/{rendition}/media.m3u8         media playlist
    {id}/{rendition}/init{n}.mp4        init segment
    {id}/{rendition}/segment{n}.m4s     segment
    {id}/manifest.json                  what is there and what is missing

`{id}` is the stream's id, or the clip's.
"""

from __future__ import annotations

from typing import NamedTuple

from ingest.hls.entries import init_name, segment_name
from ingest.hls.playlist import MEDIA_PLAYLIST

MULTIVARIANT = "index.m3u8"
MANIFEST = "manifest.json"
_FOREVER = "public, max-age=31536000, immutable"
_AN_HOUR = "public, max-age=3600"


class Kind(NamedTuple):
    content_type: str
    cache_control: str


KINDS = {
    "m3u8": Kind("application/vnd.apple.mpegurl", _AN_HOUR),
    "json": Kind("application/json", _AN_HOUR),
    "mp4": Kind("video/mp4", _FOREVER),
    "m4s": Kind("video/mp4", _FOREVER),
}
"""By what the key ends with. None of them changes; a playlist is kept briefly so that what is deleted is gone soon."""


def ending_of(key: str) -> str:
    """What tells an object's kind."""
    return key.rpartition(".")[2]


def init_key(owner: str, rendition: str, number: int) -> str:
    return f"{owner}/{rendition}/{init_name(number)}"


def segment_key(owner: str, rendition: str, number: int) -> str:
    return f"{owner}/{rendition}/{segment_name(number)}"


def media_key(owner: str, rendition: str) -> str:
    return f"{owner}/{rendition}/{MEDIA_PLAYLIST}"


def multivariant_key(owner: str) -> str:
    return f"{owner}/{MULTIVARIANT}"


def manifest_key(owner: str) -> str:
    return f"{owner}/{MANIFEST}"


def playback_path(owner: str) -> str:
    """Of the multivariant playlist, at the playback origin."""
    return f"/vod/{multivariant_key(owner)}"
