"""What the moderators of a made-up channel do: each deed is a few events that follow each other."""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator
from datetime import datetime, timedelta
from typing import Any

from schemas.events import channel_roles, chat, chat_policy, emotes, lessons, moderation
from schemas.message import Event

Fact = tuple[type[Event], dict[str, Any]]

_PICTURE = b"RIFF not quite a picture WEBP"
_FINDINGS = {"rule": "category", "category": "swearing", "level": 2, "score": 0.5, "model_version": "m1"}


class Moderators:
    """Of one channel. Everything random comes from the world's own source."""

    def __init__(self, source: random.Random, new_id: Callable[[], str]) -> None:
        self._random, self._id = source, new_id
        self._banned: list[str] = []
        self._terms: list[str] = []
        self._deeds: list[Callable[[str, datetime], Iterator[Fact]]] = [
            self._bans,
            self._lifts,
            self._warns,
            self._is_asked,
            self._blocks,
            self._stops,
            self._takes_back,
            self._sets,
            self._appoints,
            self._draws,
            self._undoes,
        ]

    def deed(self, user: str, now: datetime) -> Iterator[Fact]:
        """Something that is done to or about a user; every fact is about the channel."""
        return self._random.choice(self._deeds)(user, now)

    def _bans(self, user: str, now: datetime) -> Iterator[Fact]:
        until = self._random.choice((None, now + timedelta(minutes=10)))
        self._banned.append(user)
        yield moderation.UserBanned, {"target_id": user, "target_login": "", "reason": "spam", "expires_at": until}

    def _lifts(self, user: str, now: datetime) -> Iterator[Fact]:
        if self._banned:
            yield moderation.UserUnbanned, {"target_id": self._banned.pop()}

    def _warns(self, user: str, now: datetime) -> Iterator[Fact]:
        yield moderation.UserWarned, {"target_id": user, "reason": "no spoilers"}
        if self._random.random() < 0.5:
            yield moderation.WarningAcknowledged, {"target_id": user, "actor": user}

    def _is_asked(self, user: str, now: datetime) -> Iterator[Fact]:
        asked = {"request_id": self._id(), "target_id": user}
        yield moderation.UnbanRequested, {**asked, "text": "it was my brother", "actor": user}
        if self._random.random() < 0.5:
            yield moderation.UnbanRequestResolved, {**asked, "approved": False, "text": "no"}

    def _blocks(self, user: str, now: datetime) -> Iterator[Fact]:
        if len(self._terms) > 5:
            yield chat_policy.BlockedTermRemoved, {"term_id": self._terms.pop()}
        term_id = self._id()
        self._terms.append(term_id)
        yield chat_policy.BlockedTermAdded, {"term_id": term_id, "text": f"word {len(self._terms)}"}

    def _stops(self, user: str, now: datetime) -> Iterator[Fact]:
        said = {"message_id": self._id(), "sender_id": user, "sender_login": f"user{user}", "text": "you fool"}
        if self._random.random() < 0.2:
            yield chat.MessageRefused, {**said, **_FINDINGS}
            return
        yield chat.MessageHeld, {**said, **_FINDINGS, "reply_parent_id": None}
        allowed = self._random.random() < 0.5
        decided = {"message_id": said["message_id"], "sender_id": user, "allowed": allowed}
        yield lessons.LessonTaught, {**decided, "text": said["text"]}
        yield chat.HeldMessageResolved, decided
        if allowed:
            yield chat.MessageSent, {**said, "reply_parent_id": None}

    def _takes_back(self, user: str, now: datetime) -> Iterator[Fact]:
        said = {"message_id": self._id(), "sender_id": user}
        yield chat.MessageSent, {**said, "sender_login": f"user{user}", "text": "oops", "reply_parent_id": None}
        yield chat.Reacted, {"reactor_id": user, "emote": ":wave:", "message_id": said["message_id"]}
        if self._random.random() < 0.9:
            yield chat.MessageDeleted, said
        else:
            yield chat.ChatCleared, {}

    def _sets(self, user: str, now: datetime) -> Iterator[Fact]:
        yield chat_policy.ChatSettingsUpdated, {"slow_mode_s": self._random.choice((0, 30)), "follower_mode_min": None}
        yield chat_policy.AutoModSettingsUpdated, {"levels": {"swearing": self._random.randrange(5)}}
        yield chat_policy.ShieldModeChanged, {"active": self._random.random() < 0.5}

    def _appoints(self, user: str, now: datetime) -> Iterator[Fact]:
        yield channel_roles.ModeratorAdded, {"target_id": user}
        if self._random.random() < 0.5:
            yield channel_roles.ModeratorRemoved, {"target_id": user}
            yield channel_roles.VipAdded, {"target_id": user}
        if self._random.random() < 0.2:
            yield channel_roles.VipRemoved, {"target_id": user}

    def _draws(self, user: str, now: datetime) -> Iterator[Fact]:
        emote_id = self._id()
        pictures = {"media_type": "image/webp", "image_1x": _PICTURE, "image_2x": _PICTURE, "image_3x": _PICTURE}
        yield emotes.EmoteAdded, {"emote_id": emote_id, "name": f"emote{user}", **pictures}
        if self._random.random() < 0.2:
            yield emotes.EmoteRemoved, {"emote_id": emote_id}

    def _undoes(self, user: str, now: datetime) -> Iterator[Fact]:
        yield moderation.ModerationUndone, {"target_id": user, "since": now - timedelta(hours=1), "until": now}
        yield chat.RaidReceived, {"from_id": user, "from_login": f"user{user}", "viewers": 12, "actor": user}
