"""Who follows whom now."""

from __future__ import annotations

from projections.contract import Fields
from projections.tables import REPLACE, Change, Model, Table

FOLLOWS = Table(
    "follows",
    {"channel_id": "text", "follower_id": "text", "followed_at": "timestamptz"},
    key_width=2,
    indexes=("(channel_id, followed_at DESC, follower_id)", "(follower_id, followed_at DESC, channel_id)"),
)


def _user_followed(e: Fields) -> Change:
    return Change(FOLLOWS, (e["channel_id"], e["follower_id"], e["occurred_at"]), REPLACE)


def _user_unfollowed(e: Fields) -> Change:
    return FOLLOWS.delete(e["channel_id"], e["follower_id"])


MODEL = Model(
    name="follows",
    topic="follows",
    tables=(FOLLOWS,),
    on={"UserFollowed": _user_followed, "UserUnfollowed": _user_unfollowed},
)
