"""What viewers give to a channel: money, and that they subscribe. What they say with it is shown in the chat."""

from __future__ import annotations

from collections.abc import Sequence

from commands.deciders.chat.emoting import emotes_in, emotes_of
from commands.deciders.chat.room import Room, evolve, initial_state
from commands.deciders.chat.speaking import Saying, examined, require_admitted
from commands.deciders.envelope import caused_by
from commands.deciders.roles import may_moderate
from commands.deciders.text import one_line
from commands.rejection import Rejected
from schemas.commands.support import Donate, Subscribe, Unsubscribe
from schemas.events.support import DonationReceived, UserSubscribed, UserUnsubscribed
from schemas.message import Command, Event
from schemas.money import MINOR_DIGITS

__all__ = ["decide", "evolve", "initial_state", "reply"]

MAX_AMOUNT_MINOR = 10_000_000
MAX_MESSAGE = 500
TIERS = ("1000", "2000", "3000")


def decide(command: Command, room: Room) -> Sequence[Event]:
    match command:
        case Donate():
            return _donate(command, room)
        case Subscribe():
            return _subscribe(command, room)
        case Unsubscribe():
            if command.actor not in room.subscribers:
                raise Rejected("not_subscribed", "you do not subscribe to this channel")
            return [UserUnsubscribed(**caused_by(command), channel_id=command.channel_id, subscriber_id=command.actor)]
    raise TypeError(f"{type(command).__name__} is no command on support")


def reply(event: Event) -> dict[str, str]:
    return {"donation_id": event.donation_id} if isinstance(event, DonationReceived) else {}


def _donate(command: Donate, room: Room) -> Sequence[Event]:
    if not room.exists:
        raise Rejected("unknown_channel", "there is no such channel")
    if not 1 <= command.amount_minor <= MAX_AMOUNT_MINOR:
        raise Rejected("bad_amount", f"an amount is 1 to {MAX_AMOUNT_MINOR} of the currency's minor unit")
    if command.currency not in MINOR_DIGITS:
        raise Rejected("bad_currency", f"a currency is one of {', '.join(sorted(MINOR_DIGITS))}")
    message = one_line(command.message)
    if message:
        _require_sayable(command, message, room)
    return [
        DonationReceived(
            **caused_by(command),
            channel_id=command.channel_id,
            donation_id=command.donation_id,
            donor_id=command.actor,
            amount_minor=command.amount_minor,
            currency=command.currency,
            message=message,
            donor_login=command.donor_login,
            donor_name=command.donor_name,
            emotes=emotes_in(message, emotes_of(room, command.actor)),
        )
    ]


def _require_sayable(command: Donate, message: str, room: Room) -> None:
    """Nobody gives their way past a ban or AutoMod. Nothing is held: whoever gives can say something else at once."""
    if len(message) > MAX_MESSAGE:
        raise Rejected("msg_too_long", f"a donation's message has at most {MAX_MESSAGE} characters")
    require_admitted(command.actor, command.channel_id, room, command.issued_at)
    if may_moderate(room.roles, command.channel_id, command.actor):
        return
    if examined(Saying(message, command.actor, command.channel_id, command.issued_at), room) is not None:
        raise Rejected(
            "msg_rejected", "the message is against the channel's moderation settings; give without it, or change it"
        )


def _subscribe(command: Subscribe, room: Room) -> Sequence[Event]:
    if not room.exists:
        raise Rejected("unknown_channel", "there is no such channel")
    if command.actor == command.channel_id:
        raise Rejected("cannot_subscribe_to_self", "nobody subscribes to their own channel")
    if command.tier not in TIERS:
        raise Rejected("bad_tier", f"a tier is one of {', '.join(TIERS)}")
    now = room.subscribers.get(command.actor)
    if now is not None and now.tier == command.tier:
        return []
    return [
        UserSubscribed(
            **caused_by(command),
            channel_id=command.channel_id,
            subscriber_id=command.actor,
            tier=command.tier,
            since=command.issued_at if now is None else now.since,
            subscriber_login=command.subscriber_login,
            subscriber_name=command.subscriber_name,
        )
    ]
