"""Who may watch a channel that is not public: live, and what was recorded of it."""

from __future__ import annotations

from schemas.events.channels import PRIVATE, PUBLIC, SUBSCRIBERS

REFUSALS = {
    PRIVATE: "This stream is private. Ask the streamer for a link.",
    SUBSCRIBERS: "This stream is for subscribers only.",
}
"""For people; the page shows them."""


def may_watch(viewer_id: str, channel_id: str, playback_policy: str, *, subscribes: bool) -> bool:
    """Whether this user may watch in his own right; others need a token that the owner made for them.

    The lists of videos and of clips say the same in SQL.
    """
    if viewer_id == channel_id or playback_policy == PUBLIC:
        return True
    return playback_policy == SUBSCRIBERS and subscribes
