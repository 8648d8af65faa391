"""What strangers may take of the chat process."""

from __future__ import annotations

from dataclasses import dataclass

from topology.settings import Settings

CHECK_S = 15
"""How often each connection is looked at."""


@dataclass(frozen=True, slots=True)
class Limits:
    """Times in seconds, sizes in bytes."""

    connections: int = 10_000
    connections_per_address: int = 200
    arrivals_of_each_per_minute: int = 5
    """New connections of an address, for each that it may have: who comes and goes all the time costs handshakes."""

    joins_per_minute: int = 600
    """By one address, and as many at once; a look-up of a token counts as one too."""

    frame: int = 4096
    line: int = 8191
    """Of IRC: IRCv3's tags and a message of 500 characters fit."""

    rooms: int = 100
    """Of one connection."""

    channels_a_line: int = 50
    """That one line of IRC joins or leaves."""

    inbox: int = 64
    """Frames or lines of one connection that wait for those before them; more is a flood."""

    received_per_check: int = 1_500
    """Frames or lines of one connection in 15 s, pings and pongs among them."""

    received_of_each_per_check: int = 30
    """The same of all connections of an address, for each that it may have. Beyond that they are read more slowly."""

    strangers: int = 1_000
    """Connections that were turned away, or have not opened yet, at a time."""

    unread: int = 512 * 1024
    """A connection that leaves this much unread, beyond what the kernel holds for it, is cut."""

    kernel_buffer: int = 64 * 1024

    sends_per_30_s: int = 100
    """Of one connection, before Kafka is asked at all; the decider's own limits are lower for most."""

    opening_s: float = 10.0
    """For the handshake, or to register with IRC."""

    joinless_s: float = 60.0
    """For joining a first room."""

    ping_s: float = 30.0
    """A connection that said nothing for this long is pinged,"""

    silence_s: float = 75.0
    """and after this long it is cut."""

    linger_s: float = 2.0
    """For a connection that was ended to read why."""

    room_backlog: int = 500
    """Entries of a room that are kept for who comes back."""

    partition_backlog: int = 5_000
    """Records of each partition and topic that are kept, to fill a room that somebody opens."""

    look_back: int = 500
    """Records before a cursor in which a repeated event's first append may lie."""

    replay_records: int = 50_000
    """Records that are read from Kafka for a cursor that is older than what is kept."""

    replay_entries: int = 1_000
    """What may be missed at most; after that there is the history."""

    replay_bytes: int = 384 * 1024
    """The same on the wire: a guest who comes back must not be taken for one who does not read."""

    replays: int = 4
    """Readings from Kafka at a time."""

    replays_per_minute: int = 60
    """The same for one address, and as many at once: each may cost a second of the process."""

    idle_rooms: int = 1_000
    """Rooms kept though nobody is in them, for who comes back."""

    chatters: int = 10_000
    """Of one room, by name."""


def limits_of(settings: Settings) -> Limits:
    return Limits(
        connections=settings.chat_connections,
        connections_per_address=settings.chat_connections_per_address,
        joins_per_minute=settings.chat_joins_per_minute,
        replays_per_minute=max(1, settings.chat_joins_per_minute // 10),
    )
