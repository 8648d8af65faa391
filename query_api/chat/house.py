"""What every guest of the process meets: rooms, the way to the log, and the rules of the house."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from aiokafka.partitioner import murmur2
from cachetools import LRUCache

from query_api.chat.admission import Admission
from query_api.chat.chatters import Chatter
from query_api.chat.cursor import Cursor
from query_api.chat.desk import Desk
from query_api.chat.directory import ENDED, Directory
from query_api.chat.facts import ROLE_CHANGES
from query_api.chat.limits import Limits
from query_api.chat.refusal import Refused
from query_api.chat.replay import Replays
from query_api.chat.room import Room
from query_api.chat.rooms import Rooms
from query_api.rate_limit import TokenBuckets
from query_api.sessions import Session
from query_api.watching import REFUSALS
from schemas.events.channels import SUBSCRIBERS
from schemas.events.support import UserSubscribed, UserUnsubscribed
from schemas.message import Event
from topology.topics import PARTITIONS

if TYPE_CHECKING:
    from query_api.chat.guest import Guest

_SENDS_S = 30.0


@dataclass(slots=True)
class House:
    rooms: Rooms
    replays: Replays
    directory: Directory
    desk: Desk
    admission: Admission
    limits: Limits
    sends: TokenBuckets = field(init=False)
    _lapsed: LRUCache[tuple[str, str], None] = field(init=False, default_factory=lambda: LRUCache(ENDED))
    _guests: defaultdict[str, set[Guest]] = field(init=False, default_factory=lambda: defaultdict(set))

    def __post_init__(self) -> None:
        self.sends = TokenBuckets(self.limits.sends_per_30_s, _SENDS_S)
        self.rooms.on_standing = self._stand

    async def room(self, channel_id: str, user_id: str | None) -> Room:
        """The room, if it is one that this user may read. Raises Refused."""
        login = await self.directory.login_of(channel_id)
        if not login:  # nobody has it, or who had it is erased
            raise Refused("unknown_room", "there is no such channel")
        asks = self.rooms.facts.of(channel_id).playback_policy == SUBSCRIBERS and user_id is not None
        subscribes = asks and await self.subscribes(channel_id, user_id or "")
        facts = self.rooms.facts.of(channel_id)  # of now: the log went on meanwhile
        if not facts.may_read(channel_id, user_id, subscribes=subscribes):
            raise Refused("room_closed", REFUSALS[facts.playback_policy])
        return self.rooms.open(channel_id, login, partition_of(channel_id))

    async def subscribes(self, channel_id: str, user_id: str) -> bool:
        """As the read model says, unless the log says otherwise since. Raises Refused while Postgres is away."""
        subscribes = await self.directory.subscribes(channel_id, user_id)
        return subscribes and not self.lapsed(channel_id, user_id)

    def lapsed(self, channel_id: str, user_id: str) -> bool:
        """Whether the log says that the subscription has ended."""
        return (channel_id, user_id) in self._lapsed

    def cursor_of(self, room: Room, text: str | None) -> Cursor:
        """What the guest has seen of the room; without a cursor all that there was. Raises Refused."""
        if text is None:
            return self.rooms.at(partition_of(room.channel_id))
        try:
            cursor = Cursor.parse(text)
        except ValueError as error:
            raise Refused("cursor_unknown", f"{error}; join without it") from error
        if cursor.partition != partition_of(room.channel_id):
            raise Refused("cursor_unknown", "the cursor is none of this room's; join without it")
        return cursor

    def signed_in(self, guest: Guest, session: Session) -> None:
        self._guests[session.session_id].add(guest)

    def gone(self, guest: Guest, session: Session) -> None:
        guests = self._guests[session.session_id]
        guests.discard(guest)
        if not guests:
            del self._guests[session.session_id]

    def revoke(self, session_id: str) -> None:
        """The log says that a session has ended."""
        self.directory.revoke(session_id)
        for guest in tuple(self._guests.get(session_id, ())):
            guest.session_ended()

    def _stand(self, event: Event) -> None:
        if isinstance(event, UserSubscribed):
            self._lapsed.pop((event.channel_id, event.subscriber_id), None)
        elif isinstance(event, UserUnsubscribed):
            self._lapsed[event.channel_id, event.subscriber_id] = None
            self._reconsider(event.channel_id, event.subscriber_id)
        elif isinstance(event, ROLE_CHANGES):
            self._reconsider(event.channel_id, event.target_id)

    def _reconsider(self, channel_id: str, user_id: str) -> None:
        for guests in self._guests.values():
            for guest in tuple(guests):
                if channel_id in guest.rooms and guest.session is not None and guest.session.user_id == user_id:
                    guest.reconsider()


def chatter_of(session: Session) -> Chatter:
    return Chatter(session.user_id, session.login, session.display_name)


def partition_of(channel_id: str) -> int:
    """As every producer of ours places a key."""
    partition: int = (murmur2(channel_id.encode()) & 0x7FFFFFFF) % PARTITIONS
    return partition
