"""Where streams lie at the playback origin: public and other streams in trees of their own, so that a CDN can tell."""

from __future__ import annotations

from schemas.events.channels import PUBLIC

LIVE_TREE = "/live/"
PRIVATE_TREE = "/private/"
"""What lies here is given only to who shows a playback token."""


def stream_prefix(stream_id: str, playback_policy: str) -> str:
    """The path under which everything of a stream lies, with a slash at its end."""
    tree = LIVE_TREE if playback_policy == PUBLIC else PRIVATE_TREE
    return f"{tree}{stream_id}/"


def playback_path(stream_id: str, playback_policy: str) -> str:
    """The path of a stream's multivariant playlist."""
    return f"{stream_prefix(stream_id, playback_policy)}index.m3u8"
