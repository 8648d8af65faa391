"""Where streams and recordings lie at the playback origin. What is not public has a tree of its own: a CDN can tell."""

from __future__ import annotations

from schemas.events.channels import PUBLIC

LIVE_TREE = "/live/"
PRIVATE_TREE = "/private/"
"""What lies here is given only to who shows a playback token."""
VOD_TREE = "/vod/"
PRIVATE_VOD = "vod/"
"""Below a private stream or clip in `PRIVATE_TREE`: its recording. What opens all of a stream opens this too."""


def stream_prefix(stream_id: str, playback_policy: str) -> str:
    """The path under which everything of a stream lies, with a slash at its end."""
    tree = LIVE_TREE if playback_policy == PUBLIC else PRIVATE_TREE
    return f"{tree}{stream_id}/"


def playback_path(stream_id: str, playback_policy: str) -> str:
    """The path of a stream's multivariant playlist."""
    return f"{stream_prefix(stream_id, playback_policy)}index.m3u8"


def recording_path(vod_id: str, playback_policy: str) -> str:
    """The path of the multivariant playlist of a recording, whose id is its stream's, or of a clip."""
    prefix = f"{VOD_TREE}{vod_id}/" if playback_policy == PUBLIC else f"{PRIVATE_TREE}{vod_id}/{PRIVATE_VOD}"
    return f"{prefix}index.m3u8"
