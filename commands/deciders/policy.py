"""How a channel's chat is run: its modes, the shield, what AutoMod stops, the terms that may not be said."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace

from rpds import HashTrieMap

from commands.automod.strictness import MAX_LEVEL, AutoMod
from commands.automod.terms import Terms
from commands.deciders.envelope import caused_by
from commands.deciders.text import one_line
from commands.rejection import Rejected
from schemas.commands.chat_policy import (
    AddBlockedTerm,
    PolicyCommand,
    RemoveBlockedTerm,
    SetShieldMode,
    UpdateAutoModSettings,
    UpdateChatSettings,
)
from schemas.events.chat_policy import (
    AUTOMOD_CATEGORIES,
    SHIELD_FOLLOWER_MIN,
    AutoModSettingsUpdated,
    BlockedTermAdded,
    BlockedTermRemoved,
    ChatSettingsUpdated,
    ShieldModeChanged,
)
from schemas.message import Event

SLOW_MODE_S = range(3, 121)
MAX_FOLLOWER_MODE_MIN = 129_600
MAX_TERMS = 1_000
TERM_LENGTH = range(2, 501)


@dataclass(frozen=True, slots=True)
class Modes:
    """`slow_s` 0 is off; `follower_min` None is off."""

    slow_s: int = 0
    follower_min: int | None = None
    subscriber: bool = False
    emote: bool = False
    unique: bool = False


@dataclass(frozen=True, slots=True)
class Term:
    """A blocked term and who blocked it when."""

    text: str
    by: str
    at_s: float


@dataclass(frozen=True, slots=True)
class Policy:
    modes: Modes = Modes()
    automod: AutoMod = field(default_factory=AutoMod)
    shield: bool = False
    terms: HashTrieMap[str, Term] = field(default_factory=HashTrieMap)
    """By term id."""
    blocked: Terms[str] = field(default_factory=Terms)
    """The same, to look for in messages."""


def modes_in_force(policy: Policy) -> Modes:
    """The channel's modes, or with the shield up those that keep strangers from speaking."""
    if not policy.shield:
        return policy.modes
    return replace(policy.modes, follower_min=max(policy.modes.follower_min or 0, SHIELD_FOLLOWER_MIN), unique=True)


def automod_in_force(policy: Policy) -> AutoMod:
    """What AutoMod stops; with the shield up all that it can."""
    return _STRICTEST if policy.shield else policy.automod


_STRICTEST = AutoMod(dict.fromkeys(AUTOMOD_CATEGORIES, MAX_LEVEL), MAX_LEVEL, block_links=True, block_spam=True)


def decide(command: PolicyCommand, policy: Policy) -> Sequence[Event]:
    """Whoever may moderate may do it: the channel has seen to that."""
    match command:
        case UpdateChatSettings():
            return _update_settings(command, policy.modes)
        case SetShieldMode():
            if command.active == policy.shield:
                return []
            return [ShieldModeChanged(**caused_by(command), channel_id=command.channel_id, active=command.active)]
        case UpdateAutoModSettings():
            return _update_automod(command, policy.automod)
        case AddBlockedTerm():
            return _add_term(command, policy)
        case RemoveBlockedTerm():
            if command.term_id not in policy.terms:
                raise Rejected("unknown_term", "there is no such blocked term")
            return [BlockedTermRemoved(**caused_by(command), channel_id=command.channel_id, term_id=command.term_id)]
    raise TypeError(f"{type(command).__name__} is no command on a chat's policy")


def evolve(policy: Policy, event: Event) -> Policy:
    match event:
        case ChatSettingsUpdated():
            modes = Modes(
                event.slow_mode_s,
                event.follower_mode_min,
                event.subscriber_mode,
                event.emote_mode,
                event.unique_chat_mode,
            )
            return replace(policy, modes=modes)
        case ShieldModeChanged():
            return replace(policy, shield=event.active)
        case AutoModSettingsUpdated():
            automod = AutoMod(dict(event.levels), event.toxicity_level, event.block_links, event.block_spam)
            return replace(policy, automod=automod)
        case BlockedTermAdded():
            term = Term(event.text, event.actor, event.occurred_at.timestamp())
            blocked = policy.blocked.add(event.term_id, event.text)
            return replace(policy, terms=policy.terms.insert(event.term_id, term), blocked=blocked)
        case BlockedTermRemoved():
            dropped = policy.terms.get(event.term_id)
            if dropped is None:
                return policy
            blocked = policy.blocked.drop(event.term_id, dropped.text)
            return replace(policy, terms=policy.terms.remove(event.term_id), blocked=blocked)
    return policy


def _update_settings(command: UpdateChatSettings, modes: Modes) -> Sequence[Event]:
    slow_s = modes.slow_s if command.slow_mode_s is None else command.slow_mode_s
    if slow_s and slow_s not in SLOW_MODE_S:
        raise Rejected("bad_slow_mode", "slow mode is 3 to 120 s, or 0 for off")
    wanted = Modes(
        slow_s,
        _follower_min(command, modes.follower_min),
        modes.subscriber if command.subscriber_mode is None else command.subscriber_mode,
        modes.emote if command.emote_mode is None else command.emote_mode,
        modes.unique if command.unique_chat_mode is None else command.unique_chat_mode,
    )
    if wanted == modes:
        return []
    return [
        ChatSettingsUpdated(
            **caused_by(command),
            channel_id=command.channel_id,
            slow_mode_s=wanted.slow_s,
            follower_mode_min=wanted.follower_min,
            subscriber_mode=wanted.subscriber,
            emote_mode=wanted.emote,
            unique_chat_mode=wanted.unique,
        )
    ]


def _follower_min(command: UpdateChatSettings, now: int | None) -> int | None:
    if command.follower_mode is False:
        return None
    if command.follower_mode_min is None:
        return now if command.follower_mode is None else now or 0
    if not 0 <= command.follower_mode_min <= MAX_FOLLOWER_MODE_MIN:
        raise Rejected("bad_follower_mode", f"follower mode asks for 0 to {MAX_FOLLOWER_MODE_MIN} minutes")
    if command.follower_mode is None and now is None:
        raise Rejected("bad_follower_mode", "a follower mode's minutes need follower mode to be on")
    return command.follower_mode_min


def _update_automod(command: UpdateAutoModSettings, automod: AutoMod) -> Sequence[Event]:
    named = command.levels or {}
    if unknown := sorted(set(named) - set(AUTOMOD_CATEGORIES)):
        raise Rejected("bad_category", f"{unknown[0]} is none of AutoMod's categories")
    toxicity = automod.toxicity if command.toxicity_level is None else command.toxicity_level
    if any(not 0 <= level <= MAX_LEVEL for level in (*named.values(), toxicity)):
        raise Rejected("bad_level", f"a level is 0 to {MAX_LEVEL}")
    wanted = AutoMod(
        {**automod.levels, **named},
        toxicity,
        automod.block_links if command.block_links is None else command.block_links,
        automod.block_spam if command.block_spam is None else command.block_spam,
    )
    if wanted == automod:
        return []
    return [
        AutoModSettingsUpdated(
            **caused_by(command),
            channel_id=command.channel_id,
            levels=dict(wanted.levels),
            toxicity_level=wanted.toxicity,
            block_links=wanted.block_links,
            block_spam=wanted.block_spam,
        )
    ]


def _add_term(command: AddBlockedTerm, policy: Policy) -> Sequence[Event]:
    text = " ".join(one_line(command.text).split())
    if len(text) not in TERM_LENGTH:
        raise Rejected("bad_term", f"a blocked term has {TERM_LENGTH.start} to {TERM_LENGTH.stop - 1} characters")
    if not any(character.isalnum() for character in text):
        raise Rejected("bad_term", "a blocked term has a letter or a digit")
    if any(term.text.casefold() == text.casefold() for term in policy.terms.values()):
        raise Rejected("already_blocked", "this term is blocked already")
    if len(policy.terms) >= MAX_TERMS:
        raise Rejected("too_many_terms", f"a channel has at most {MAX_TERMS} blocked terms; remove one first")
    return [BlockedTermAdded(**caused_by(command), channel_id=command.channel_id, term_id=command.term_id, text=text)]
