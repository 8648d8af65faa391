"""A channel's chat as it would have gone: the same facts and the same sayings, judged by another policy."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, NamedTuple

from commands.automod.verdict import FOR_GOOD, Finding
from commands.deciders.chat import room as rooms
from commands.deciders.chat import talk
from commands.deciders.chat.room import Room
from commands.deciders.chat.speaking import Saying, judge
from commands.deciders.policy import Policy
from commands.rejection import Rejected
from commands.what_if.wanted import Wanted
from schemas.events.chat import HeldMessageResolved, MessageHeld, MessageRefused, MessageSent
from schemas.message import Event


class Decision(NamedTuple):
    """`outcome` is sent, held or refused. `reason` is AutoMod's rule with its category, or a drop code."""

    outcome: str
    reason: str = ""

    def __str__(self) -> str:
        return f"{self.outcome}: {self.reason}" if self.reason else self.outcome


SENT = Decision("sent")


class Judged(NamedTuple):
    """One saying, what was decided, and what would be."""

    event: MessageSent | MessageHeld | MessageRefused
    was: Decision
    would_be: Decision


@dataclass(slots=True)
class World:
    """Feed it a channel's events in order. Deletions, bans and what moderators did of held messages go as they went."""

    wanted: Wanted
    room: Room = field(default_factory=lambda: Room(talk=talk.passing()))
    _logged: Policy = field(default_factory=Policy)
    _allowed: str = ""
    """The held message that a moderator lets through with the next event."""

    def remember(self, event: Event) -> None:
        """An event before the time that is asked about: as it went."""
        self.room = rooms.evolve(self.room, event)

    def begin(self) -> None:
        """From here on the other policy is in force. Raises Rejected where it cannot be combined with the channel's."""
        self._logged = self.room.policy
        self.room = self.room._replace(policy=self.wanted.instead_of(self._logged))

    def judge(self, event: Event) -> Judged | None:
        """An event from then on; None where nobody decided on a saying."""
        match event:
            case MessageSent() if event.announcement or event.message_id == self._allowed:
                self.room = rooms.evolve(self.room, event)
            case MessageSent() if event.actor != event.sender_id:
                pass  # a moderator let it through, of whom nobody asks here
            case MessageSent() | MessageHeld() | MessageRefused():
                return self._judged(event)
            case HeldMessageResolved():
                waits = self.room.talk.held.get(event.message_id) is not None
                self._allowed = event.message_id if waits and event.allowed else ""
                self._happened(event)
            case _:
                self._happened(event)
        return None

    def _judged(self, event: MessageSent | MessageHeld | MessageRefused) -> Judged:
        # Whom it answers does not matter: in the other world that message may not be there.
        saying = Saying(event.text, event.sender_id, event.channel_id, event.occurred_at)
        try:
            finding = judge(saying, self.room)
        except Rejected as rejected:
            return Judged(event, _was(event), Decision("refused", rejected.code))
        self.room = rooms.evolve(self.room, _instead(event, finding))
        return Judged(event, _was(event), SENT if finding is None else _found(finding.rule, finding.category))

    def _happened(self, event: Event) -> None:
        after = rooms.evolve(self.room, event)
        if after.policy is not self.room.policy:
            self._logged = rooms.evolve(self.room._replace(policy=self._logged), event).policy
            after = after._replace(policy=self.wanted.instead_of(self._logged))
        self.room = after


def _was(event: MessageSent | MessageHeld | MessageRefused) -> Decision:
    return SENT if isinstance(event, MessageSent) else _found(event.rule, event.category)


def _found(rule: str, category: str) -> Decision:
    reason = f"{rule} {category}" if rule in ("category", "spam") else rule
    return Decision("refused" if rule in FOR_GOOD else "held", reason)


def _instead(event: MessageSent | MessageHeld | MessageRefused, finding: Finding | None) -> Event:
    kind = MessageSent if finding is None else MessageRefused if finding.rule in FOR_GOOD else MessageHeld
    if type(event) is kind:
        return event
    facts: dict[str, Any] = {name: getattr(event, name) for name in _SHARED}
    if finding is not None:
        facts |= {"rule": finding.rule, "category": finding.category, "level": finding.level, "score": finding.score}
    return kind.model_construct(**facts)


_SHARED = tuple(name for name in MessageSent.model_fields if name in MessageRefused.model_fields)
