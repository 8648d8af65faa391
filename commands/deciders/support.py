"""Money given to a channel."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from commands.deciders.envelope import caused_by
from commands.rejection import Rejected
from schemas.commands.support import Donate
from schemas.events.accounts import UserRegistered
from schemas.events.support import DonationReceived
from schemas.message import Command, Event

MAX_AMOUNT_MINOR = 10_000_000
MAX_MESSAGE = 500
CURRENCIES = frozenset({"AUD", "BRL", "CAD", "CHF", "EUR", "GBP", "JPY", "MXN", "NOK", "PLN", "SEK", "USD"})


@dataclass(frozen=True, slots=True)
class Till:
    exists: bool = False


def initial_state() -> Till:
    return Till()


def decide(command: Command, till: Till) -> Sequence[Event]:
    if not isinstance(command, Donate):
        raise TypeError(f"{type(command).__name__} is no command on support")
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


def evolve(till: Till, event: Event) -> Till:
    return Till(exists=True) if isinstance(event, UserRegistered) else till


def reply(event: Event) -> dict[str, str]:
    return {"donation_id": event.donation_id} if isinstance(event, DonationReceived) else {}
