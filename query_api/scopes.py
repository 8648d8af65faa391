"""What a token may do. Twitch's names where Twitch has one."""

from __future__ import annotations

SCOPES = {
    "channel:manage:broadcast": "Change the channel's title, category and language.",
    "channel:manage:stream_key": "Make and revoke stream keys.",
    "channel:manage:videos": "Delete the channel's videos.",
    "clips:edit": "Make clips, and delete own ones and those of the channel.",
    "user:edit:follows": "Follow and unfollow channels.",
    "user:manage:playback": "Make playback tokens, for oneself and for who may watch the own streams.",
    "user:read:follows": "See which channels the user follows.",
    "user:write:chat": "Send chat messages.",
    "user:write:donations": "Donate to channels.",
}
