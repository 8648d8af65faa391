"""The objects that a recording or a clip consists of: their keys, and how they are served.

    {home}/index.m3u8                     multivariant playlist
    {home}/{rendition}/media.m3u8         media playlist
    {home}/{rendition}/init{n}.mp4        init segment
    {home}/{rendition}/segment{n}.m4s     segment
    {home}/thumbnails.vtt                 which tile shows which time
    {home}/thumbnails/sprite{n}.jpg       sheet of tiles
    {home}/thumbnails/cover.jpg           a picture to be shown in lists
    {home}/manifest.json                  what is there and what is missing

`{home}` is the stream's id, or the clip's; of what is not public `private/` and the id.
"""

from __future__ import annotations

from typing import NamedTuple

from ingest.answers import MEDIA_TYPE, PLAYLIST_TYPE
from ingest.hls.entries import init_name, segment_name
from ingest.hls.playlist import MEDIA_PLAYLIST
from ingest.thumbnails.vtt import VTT_NAME, VTT_TYPE
from schemas.events.channels import PUBLIC

MULTIVARIANT = "index.m3u8"
MANIFEST = "manifest.json"
THUMBNAILS = "thumbnails"
COVER = f"{THUMBNAILS}/cover.jpg"
PRIVATE_HOMES = "private/"
"""What lies in the store under this is given only to who shows a playback token."""
_FOREVER = "public, max-age=31536000, immutable"
AN_HOUR = "public, max-age=3600"


class Kind(NamedTuple):
    content_type: str
    cache_control: str


KINDS = {
    "m3u8": Kind(PLAYLIST_TYPE, AN_HOUR),
    "json": Kind("application/json", AN_HOUR),
    "vtt": Kind(VTT_TYPE, AN_HOUR),
    "jpg": Kind("image/jpeg", _FOREVER),
    "mp4": Kind(MEDIA_TYPE, _FOREVER),
    "m4s": Kind(MEDIA_TYPE, _FOREVER),
}
"""By what the key ends with. None of them changes; a playlist is kept briefly so that what is deleted is gone soon."""


def ending_of(key: str) -> str:
    """What tells an object's kind."""
    return key.rpartition(".")[2]


def home_of(vod_id: str, playback_policy: str) -> str:
    """Under which all objects of a recording or a clip lie."""
    return vod_id if playback_policy == PUBLIC else PRIVATE_HOMES + vod_id


def homes_of(vod_id: str) -> tuple[str, str]:
    """Where it may lie, to those who do not know who may watch it."""
    return vod_id, PRIVATE_HOMES + vod_id


def init_key(home: str, rendition: str, number: int) -> str:
    return f"{home}/{rendition}/{init_name(number)}"


def segment_key(home: str, rendition: str, number: int) -> str:
    return f"{home}/{rendition}/{segment_name(number)}"


def media_key(home: str, rendition: str) -> str:
    return f"{home}/{rendition}/{MEDIA_PLAYLIST}"


def multivariant_key(home: str) -> str:
    return f"{home}/{MULTIVARIANT}"


def manifest_key(home: str) -> str:
    return f"{home}/{MANIFEST}"


def sheet_name(number: int) -> str:
    """Of a sheet, below the home."""
    return f"{THUMBNAILS}/sprite{number}.jpg"


def vtt_key(home: str) -> str:
    return f"{home}/{VTT_NAME}"


def cover_key(home: str) -> str:
    return f"{home}/{COVER}"


def thumbnail_path(playback_path: str) -> str:
    """Of the cover at the playback origin, beside the playlist: `{width}x{height}` stands for a size in pixels."""
    return f"{playback_path.rpartition('/')[0]}/thumbnail-{{width}}x{{height}}.jpg"
