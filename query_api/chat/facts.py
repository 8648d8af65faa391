"""What a room knows of its channel, folded from `channels`: modes, roles, and who may read."""

from __future__ import annotations

from dataclasses import dataclass, field, replace

from query_api.chat.frames import Modes, Role
from query_api.watching import may_watch
from schemas.events.channel_roles import ModeratorAdded, ModeratorRemoved, VipAdded, VipRemoved
from schemas.events.channels import PUBLIC, ChannelUpdated
from schemas.events.chat_policy import SHIELD_FOLLOWER_MIN, ChatSettingsUpdated, ShieldModeChanged
from schemas.events.support import UserSubscribed, UserUnsubscribed
from schemas.message import Event

ROLE_CHANGES = (ModeratorAdded, ModeratorRemoved, VipAdded, VipRemoved)

STANDING = (*ROLE_CHANGES, UserSubscribed, UserUnsubscribed)
"""The events that tell what somebody now is in a channel, or is no more."""

STANDING_TOPICS = frozenset(event.topic for event in STANDING)

FOLDED: tuple[type[Event], ...] = (ChannelUpdated, *ROLE_CHANGES, ChatSettingsUpdated, ShieldModeChanged)
"""The events that `evolve` looks at. The others on the topic, some of them large, need not be decoded."""


@dataclass(frozen=True, slots=True)
class Facts:
    playback_policy: str = PUBLIC
    moderators: frozenset[str] = frozenset()
    vips: frozenset[str] = frozenset()
    modes: Modes = field(default_factory=Modes)
    """As set; `shield_mode` tells whether the shield is up."""

    def may_read(self, channel_id: str, user_id: str | None, *, subscribes: bool) -> bool:
        """Whoever may watch, and whoever helps to run the channel; None is somebody who is not signed in."""
        if user_id in self.moderators or user_id in self.vips:
            return True
        return may_watch(user_id or "", channel_id, self.playback_policy, subscribes=subscribes)

    def roles_of(self, channel_id: str, user_id: str) -> list[Role]:
        """The most telling first."""
        held: dict[Role, bool] = {
            "broadcaster": user_id == channel_id,
            "moderator": user_id in self.moderators,
            "vip": user_id in self.vips,
        }
        return [role for role, holds in held.items() if holds]

    def modes_in_force(self) -> Modes:
        if not self.modes.shield_mode:
            return self.modes
        least = max(self.modes.follower_mode_min or 0, SHIELD_FOLLOWER_MIN)
        return self.modes.model_copy(update={"follower_mode_min": least, "unique_chat_mode": True})


def evolve(facts: Facts, event: Event) -> Facts:
    match event:
        case ChannelUpdated():
            return replace(facts, playback_policy=event.playback_policy)
        case ModeratorAdded():
            return replace(facts, moderators=facts.moderators | {event.target_id})
        case ModeratorRemoved():
            return replace(facts, moderators=facts.moderators - {event.target_id})
        case VipAdded():
            return replace(facts, vips=facts.vips | {event.target_id})
        case VipRemoved():
            return replace(facts, vips=facts.vips - {event.target_id})
        case ChatSettingsUpdated():
            modes = Modes(
                slow_mode_s=event.slow_mode_s,
                follower_mode_min=event.follower_mode_min,
                subscriber_mode=event.subscriber_mode,
                emote_mode=event.emote_mode,
                unique_chat_mode=event.unique_chat_mode,
                shield_mode=facts.modes.shield_mode,
            )
            return replace(facts, modes=modes)
        case ShieldModeChanged():
            return replace(facts, modes=facts.modes.model_copy(update={"shield_mode": event.active}))
    return facts


class AllFacts:
    """Of every channel; one about which nothing out of the ordinary is known takes no room."""

    def __init__(self) -> None:
        self._known: dict[str, Facts] = {}

    def of(self, channel_id: str) -> Facts:
        return self._known.get(channel_id, _ORDINARY)

    def take(self, channel_id: str, event: Event) -> None:
        facts = evolve(self.of(channel_id), event)
        if facts == _ORDINARY:
            self._known.pop(channel_id, None)
        else:
            self._known[channel_id] = facts


_ORDINARY = Facts()
