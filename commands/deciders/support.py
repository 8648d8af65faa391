"""What viewers give to a channel: money, and that they subscribe."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime

from rpds import HashTrieMap

from commands.deciders.envelope import caused_by
from commands.rejection import Rejected
from schemas.commands.support import Donate, Subscribe, Unsubscribe
from schemas.events.accounts import UserRegistered
from schemas.events.support import DonationReceived, UserSubscribed, UserUnsubscribed
from schemas.message import Command, Event

MAX_AMOUNT_MINOR = 10_000_000
MAX_MESSAGE = 500
CURRENCIES = frozenset({"AUD", "BRL", "CAD", "CHF", "EUR", "GBP", "JPY", "MXN", "NOK", "PLN", "SEK", "USD"})


TIERS = ("1000", "2000", "3000")


@dataclass(frozen=True, slots=True)
class Subscription:
    tier: str
    since: datetime


@dataclass(frozen=True, slots=True)
class Till:
    exists: bool = False
    subscribers: HashTrieMap[str, Subscription] = field(default_factory=HashTrieMap)


def initial_state() -> Till:
    return Till()


def decide(command: Command, till: Till) -> Sequence[Event]:
    match command:
        case Donate():
            return _donate(command, till)
        case Subscribe():
            return _subscribe(command, till)
        case Unsubscribe():
            if command.actor not in till.subscribers:
                raise Rejected("not_subscribed", "you do not subscribe to this channel")
            return [UserUnsubscribed(**caused_by(command), channel_id=command.channel_id, subscriber_id=command.actor)]
    raise TypeError(f"{type(command).__name__} is no command on support")


def evolve(till: Till, event: Event) -> Till:
    match event:
        case UserRegistered():
            return replace(till, exists=True)
        case UserSubscribed():
            subscription = Subscription(event.tier, event.since)
            return replace(till, subscribers=till.subscribers.insert(event.subscriber_id, subscription))
        case UserUnsubscribed():
            return replace(till, subscribers=till.subscribers.discard(event.subscriber_id))
    return till


def reply(event: Event) -> dict[str, str]:
    return {"donation_id": event.donation_id} if isinstance(event, DonationReceived) else {}


def _donate(command: Donate, till: Till) -> Sequence[Event]:
    if not till.exists:
        raise Rejected("unknown_channel", "there is no such channel")
    if not 1 <= command.amount_minor <= MAX_AMOUNT_MINOR:
        raise Rejected("bad_amount", f"an amount is 1 to {MAX_AMOUNT_MINOR} of the currency's minor unit")
    if command.currency not in CURRENCIES:
        raise Rejected("bad_currency", f"a currency is one of {', '.join(sorted(CURRENCIES))}")
    if len(command.message) > MAX_MESSAGE:
        raise Rejected("msg_too_long", f"a donation's message has at most {MAX_MESSAGE} characters")
    return [
        DonationReceived(
            **caused_by(command),
            channel_id=command.channel_id,
            donation_id=command.donation_id,
            donor_id=command.actor,
            amount_minor=command.amount_minor,
            currency=command.currency,
            message=command.message,
        )
    ]


def _subscribe(command: Subscribe, till: Till) -> Sequence[Event]:
    if not till.exists:
        raise Rejected("unknown_channel", "there is no such channel")
    if command.actor == command.channel_id:
        raise Rejected("cannot_subscribe_to_self", "nobody subscribes to their own channel")
    if command.tier not in TIERS:
        raise Rejected("bad_tier", f"a tier is one of {', '.join(TIERS)}")
    now = till.subscribers.get(command.actor)
    if now is not None and now.tier == command.tier:
        return []
    return [
        UserSubscribed(
            **caused_by(command),
            channel_id=command.channel_id,
            subscriber_id=command.actor,
            tier=command.tier,
            since=command.issued_at if now is None else now.since,
        )
    ]
