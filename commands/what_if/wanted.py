"""The other policy: a file of what it sets; what it does not name stays as the channel had it at the time."""

from __future__ import annotations

import json
import tomllib
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from commands.automod.terms import Terms
from commands.deciders import policy
from commands.deciders.policy import Policy
from commands.rejection import Rejected
from schemas.commands.chat_policy import (
    AddBlockedTerm,
    PolicyCommand,
    SetShieldMode,
    UpdateAutoModSettings,
    UpdateChatSettings,
)

_ENVELOPE: dict[str, Any] = {
    "command_id": "what-if",
    "issued_at": datetime.fromtimestamp(0, UTC),
    "actor": "system:what-if",
    "correlation_id": "what-if",
    "channel_id": "what-if",
}


class BadSettings(ValueError):
    """The file is no policy; says what to change."""


class _Strict(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class ChatSettings(_Strict):
    """As in the command `UpdateChatSettings`."""

    slow_mode_s: int | None = None
    follower_mode: bool | None = None
    follower_mode_min: int | None = None
    subscriber_mode: bool | None = None
    emote_mode: bool | None = None
    unique_chat_mode: bool | None = None


class AutoModSettings(_Strict):
    """As in the command `UpdateAutoModSettings`."""

    levels: dict[str, int] | None = None
    toxicity_level: int | None = None
    block_links: bool | None = None
    block_spam: bool | None = None


class Wanted(_Strict):
    """`blocked_terms` take the place of the channel's own."""

    chat: ChatSettings = Field(default_factory=ChatSettings)
    automod: AutoModSettings = Field(default_factory=AutoModSettings)
    blocked_terms: list[str] | None = None
    shield: bool | None = None

    def instead_of(self, logged: Policy) -> Policy:
        """The channel's policy with what is wanted. Raises Rejected as the commands would."""
        other = logged
        if self.blocked_terms is not None:
            other = Policy(logged.modes, logged.automod, logged.shield, blocked=Terms())
        for command in self._commands():
            for event in policy.decide(command, other):
                other = policy.evolve(other, event)
        return other

    def _commands(self) -> list[PolicyCommand]:
        commands: list[PolicyCommand] = [
            UpdateChatSettings(**_ENVELOPE, **self.chat.model_dump()),
            UpdateAutoModSettings(**_ENVELOPE, **self.automod.model_dump()),
        ]
        commands += [AddBlockedTerm(**_ENVELOPE, term_id=term, text=term) for term in self.blocked_terms or ()]
        if self.shield is not None:
            commands.append(SetShieldMode(**_ENVELOPE, active=self.shield))
        return commands


def load(path: Path) -> Wanted:
    """The policy in a `.json` or else TOML file. Raises OSError, BadSettings."""
    text = path.read_text("utf-8")
    try:
        wanted = Wanted.model_validate(json.loads(text) if path.suffix == ".json" else tomllib.loads(text))
        wanted.instead_of(Policy())
    except ValidationError as error:
        first = error.errors()[0]
        raise BadSettings(f"{path}: {'.'.join(map(str, first['loc']))}: {first['msg']}") from error
    except (ValueError, Rejected) as error:
        raise BadSettings(f"{path}: {error}") from error
    return wanted
