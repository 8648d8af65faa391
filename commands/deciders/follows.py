"""Who follows a channel."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace

from rpds import HashTrieSet

from commands.deciders.envelope import caused_by
from commands.rejection import Rejected
from schemas.commands.follows import Follow, Unfollow
from schemas.events.accounts import UserRegistered
from schemas.events.follows import UserFollowed, UserUnfollowed
from schemas.message import Command, Event


@dataclass(frozen=True, slots=True)
class Channel:
    """`followers` is a persistent set: one more of a million costs no copy of the million."""

    exists: bool = False
    followers: HashTrieSet[str] = field(default_factory=HashTrieSet)


def initial_state() -> Channel:
    return Channel()


def decide(command: Command, channel: Channel) -> Sequence[Event]:
    match command:
        case Follow():
            return _follow(command, channel)
        case Unfollow():
            return _unfollow(command, channel)
    raise TypeError(f"{type(command).__name__} is no command on follows")


def evolve(channel: Channel, event: Event) -> Channel:
    match event:
        case UserRegistered():
            return replace(channel, exists=True)
        case UserFollowed():
            return replace(channel, followers=channel.followers.insert(event.follower_id))
        case UserUnfollowed():
            return replace(channel, followers=channel.followers.discard(event.follower_id))
    return channel


def _follow(command: Follow, channel: Channel) -> Sequence[Event]:
    if not channel.exists:
        raise Rejected("unknown_channel", "there is no such channel")
    if command.actor == command.channel_id:
        raise Rejected("cannot_follow_self", "nobody follows their own channel")
    if command.actor in channel.followers:
        return []
    return [UserFollowed(**caused_by(command), channel_id=command.channel_id, follower_id=command.actor)]


def _unfollow(command: Unfollow, channel: Channel) -> Sequence[Event]:
    if command.actor not in channel.followers:
        raise Rejected("not_following", "you do not follow this channel")
    return [UserUnfollowed(**caused_by(command), channel_id=command.channel_id, follower_id=command.actor)]
