"""What the chat's rules look at: the channel's facts, who follows and subscribes, lessons, what was said of late."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Any, NamedTuple

from rpds import HashTrieMap

from commands.automod.lessons import Lessons
from commands.automod.verdict import MODEL
from commands.deciders import bans, emotes, policy, roles
from commands.deciders.chat import talk
from schemas.events.accounts import UserRegistered
from schemas.events.channels import PUBLIC, ChannelUpdated
from schemas.events.follows import UserFollowed, UserUnfollowed
from schemas.events.lessons import LessonTaught
from schemas.events.support import DonationReceived, UserSubscribed, UserUnsubscribed, months_of
from schemas.message import Event


@dataclass(frozen=True, slots=True)
class Subscription:
    tier: str
    since: datetime

    def months(self, now: datetime) -> int:
        """The month it is in, counted from 1: a badge's number."""
        return months_of(self.since, now)


class Room(NamedTuple):
    exists: bool = False
    open_to: str = PUBLIC
    """Who may watch, and so be in the room: a playback policy."""
    roles: roles.Roles = roles.Roles()
    bans: bans.Bans = bans.Bans()
    policy: policy.Policy = policy.Policy()
    emotes: emotes.Emotes = HashTrieMap()
    followers: HashTrieMap[str, datetime] = HashTrieMap()
    """Since when who follows."""
    subscribers: HashTrieMap[str, Subscription] = HashTrieMap()
    lessons: Lessons = Lessons()
    talk: talk.Talk = talk.Talk()


def initial_state() -> Room:
    return Room()


def evolve(room: Room, event: Event) -> Room:
    if event.topic == "chat":  # ninety-nine events of a hundred; what they change stands last
        return Room(*room[:-1], talk.evolve(room.talk, event))
    if event.topic != "channels":
        return _met(room, event)
    changed = {}
    for name, evolve_part in _PARTS.items():
        before = getattr(room, name)
        after = evolve_part(before, event)
        if after is not before:
            changed[name] = after
    return room._replace(**changed) if changed else room


def _met(room: Room, event: Event) -> Room:
    match event:
        case UserRegistered():
            return room._replace(exists=True)
        case UserFollowed():
            return room._replace(followers=room.followers.insert(event.follower_id, event.occurred_at))
        case UserUnfollowed():
            return room._replace(followers=room.followers.discard(event.follower_id))
        case UserSubscribed():
            subscription = Subscription(event.tier, event.since)
            return room._replace(subscribers=room.subscribers.insert(event.subscriber_id, subscription))
        case UserUnsubscribed():
            return room._replace(subscribers=room.subscribers.discard(event.subscriber_id))
        case DonationReceived() if event.message:
            return room._replace(talk=talk.given(room.talk, event))
        case LessonTaught():
            lessons = room.lessons.learn(MODEL, event.message_id, event.text, toxic=not event.allowed)
            return room._replace(lessons=lessons)
    return room


def _open_to(before: str, event: Event) -> str:
    return event.playback_policy if isinstance(event, ChannelUpdated) else before


_PARTS: dict[str, Callable[[Any, Event], Any]] = {
    "open_to": _open_to,
    "roles": roles.evolve,
    "bans": bans.evolve,
    "policy": policy.evolve,
    "emotes": emotes.evolve,
}
"""Of a room, those that the channel's own events may change."""
