"""The frames of the JSON socket, both directions. The AsyncAPI document is made of them."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, SecretStr, TypeAdapter

from query_api.fields import MessageId

RoomId = Annotated[str, Field(pattern=r"^[0-9]{1,20}$", description="The channel's id.")]
ClientId = Annotated[
    str, Field(pattern=r"^[\x21-\x7e]{1,64}$", description="Chosen by the client, and repeated in the answer.")
]

Role = Literal["broadcaster", "moderator", "vip"]


class ClientFrame(BaseModel):
    """Unknown members are refused by name, so that a typing error cannot pass for a wish."""

    model_config = ConfigDict(frozen=True, extra="forbid")


class Join(ClientFrame):
    """Enter a room. The first token signs the connection in; without one it only reads, where the room allows."""

    type: Literal["join"]
    room_id: RoomId
    token: SecretStr | None = Field(default=None, max_length=128, description="A bearer token. Never put it in a URL.")
    after: str | None = Field(
        default=None, max_length=64, description="The cursor of the last frame seen: what was missed since comes first."
    )


class Say(ClientFrame):
    """Say something. Answered by `accepted` or `error` once the outcome is in the log."""

    type: Literal["message"]
    room_id: RoomId
    content: str = Field(min_length=1, description="At most 500 characters; control characters become spaces.")
    reply_to: MessageId | None = Field(default=None, description="The message that this answers.")
    id: ClientId | None = Field(default=None, description="Makes a retry safe: the same id is said once.")


class Leave(ClientFrame):
    """Leave a room."""

    type: Literal["leave"]
    room_id: RoomId


class SendReaction(ClientFrame):
    """React to a message, or to what is on screen."""

    type: Literal["react"]
    room_id: RoomId
    emote: str = Field(min_length=1, max_length=64, description="The emote's name.")
    message_id: MessageId | None = None
    id: ClientId | None = None


class Delete(ClientFrame):
    """Take a message back: one's own, or as a moderator."""

    type: Literal["delete"]
    room_id: RoomId
    message_id: MessageId
    id: ClientId | None = None


class Ping(ClientFrame):
    """Ask whether the other side is there. Answered by `pong`."""

    type: Literal["ping"]


AnyClientFrame = Annotated[Join | Say | Leave | SendReaction | Delete | Ping, Field(discriminator="type")]
CLIENT_FRAMES: TypeAdapter[AnyClientFrame] = TypeAdapter(AnyClientFrame)


class ServerFrame(BaseModel):
    """Members may be added; a client skips what it does not know."""

    model_config = ConfigDict(frozen=True)

    def to_json(self) -> bytes:
        return self.model_dump_json(exclude_none=True).encode()


class RoomFrame(ServerFrame):
    """Something that happened in a room, as everybody in it is told, in the log's order."""

    room_id: RoomId
    cursor: str = Field(default="", description="Where the room now is: `after` of a later join.")


class User(BaseModel):
    model_config = ConfigDict(frozen=True)

    id: str
    login: str
    name: str = Field(description="As displayed.")


class Badge(BaseModel):
    model_config = ConfigDict(frozen=True)

    set_id: str = Field(description="Such as moderator.")
    id: str = Field(description="The version, such as 1, or a subscriber's months.")


class Cheer(BaseModel):
    """Money that was given. There are no Bits here, so it is the donation's own amount."""

    model_config = ConfigDict(frozen=True)

    amount_minor: int = Field(description="In the currency's minor unit, such as cents.")
    currency: str = Field(description="ISO 4217 code.")


class Fragment(BaseModel):
    """A piece of a message. The texts of all pieces, put together, are the content."""

    model_config = ConfigDict(frozen=True)

    type: Literal["text", "emote", "mention", "cheer"]
    text: str
    emote_id: str | None = Field(default=None, description="Of an emote.")
    login: str | None = Field(default=None, description="Of who is mentioned.")
    cheer: Cheer | None = Field(
        default=None, exclude_if=lambda cheer: cheer is None, description="What was given; its text is no one's words."
    )


class Reply(BaseModel):
    """What a message answers. Who said what is there while the room remembers it."""

    model_config = ConfigDict(frozen=True)

    message_id: str
    user: User | None = None
    content: str | None = None


class Modes(BaseModel):
    """How the room is run. With the shield up these are the modes that the shield makes."""

    model_config = ConfigDict(frozen=True)

    slow_mode_s: int = Field(default=0, description="Seconds between two messages of a user; 0 is off.")
    follower_mode_min: int | None = Field(default=None, description="Minutes of following before speaking.")
    subscriber_mode: bool = False
    emote_mode: bool = False
    unique_chat_mode: bool = False
    shield_mode: bool = False


class You(BaseModel):
    """Who the connection is signed in as."""

    model_config = ConfigDict(frozen=True)

    user: User
    roles: list[Role]


class Joined(RoomFrame):
    """The room was entered. What follows its cursor comes next."""

    type: Literal["joined"] = "joined"
    login: str = Field(description="The channel's.")
    room_state: Modes
    you: You | None = Field(default=None, description="Absent when not signed in.")


class Standing(ServerFrame):
    """What the connection's user is in the room has changed."""

    type: Literal["standing"] = "standing"
    room_id: RoomId
    you: You


class Left(ServerFrame):
    """The room was left."""

    type: Literal["left"] = "left"
    room_id: RoomId


class MessageShown(RoomFrame):
    """Somebody said something."""

    type: Literal["message"] = "message"
    id: str
    user: User
    content: str
    timestamp: datetime
    badges: list[Badge]
    color: str = Field(description="Of the user's name, #RRGGBB.")
    fragments: list[Fragment]
    reply: Reply | None = None
    announcement: str | None = Field(default=None, description="The colour of a moderator's announcement.")
    cheer: Cheer | None = Field(
        default=None, description="What was given with it. The content begins with the amount, as a fragment."
    )


class Accepted(ServerFrame):
    """What was asked is in the log."""

    type: Literal["accepted"] = "accepted"
    room_id: RoomId
    id: ClientId | None = None
    message_id: str | None = None


class Problem(ServerFrame):
    """Something was not done."""

    type: Literal["error"] = "error"
    code: str = Field(description="Stable: a drop code such as msg_slowmode, or another reason.")
    text: str = Field(description="What was wrong and what to do.")
    retry_after: float | None = Field(default=None, description="Seconds after which the same may be done.")
    room_id: RoomId | None = None
    id: ClientId | None = None
    history: str | None = Field(default=None, description="Where to read what is too old for `after`.")


class Reaction(RoomFrame):
    """Somebody reacted to a message, or to what is on screen."""

    type: Literal["reaction"] = "reaction"
    user_id: str
    emote: str
    message_id: str | None = None


class Deleted(RoomFrame):
    """A message was taken back."""

    type: Literal["deleted"] = "deleted"
    message_id: str
    user_id: str = Field(description="Who had said it.")


class Cleared(RoomFrame):
    """Everything said so far was taken back."""

    type: Literal["cleared"] = "cleared"


class UserBanned(RoomFrame):
    """A user may not speak; what they said is to be hidden."""

    type: Literal["user_banned"] = "user_banned"
    user_id: str
    login: str
    duration_s: int | None = Field(default=None, description="Of a timeout; absent for a ban for good.")


class RoomState(RoomFrame):
    """How the room is run has changed."""

    type: Literal["room_state"] = "room_state"
    room_state: Modes


class Raid(RoomFrame):
    """Another channel sent its viewers here."""

    type: Literal["raid"] = "raid"
    user: User = Field(description="The other channel's owner.")
    viewers: int
    timestamp: datetime


class Subscribed(RoomFrame):
    """Somebody subscribed to the channel, or changed the tier."""

    type: Literal["subscription"] = "subscription"
    id: str
    user: User
    tier: str = Field(description="1000, 2000 or 3000.")
    since: datetime = Field(description="When the unbroken time of subscribing began: now, for a new subscription.")
    months: int = Field(description="The month that it is in, counted from 1.")
    timestamp: datetime


class Reconnect(ServerFrame):
    """The server is about to close the connection: connect again, with `after`."""

    type: Literal["reconnect"] = "reconnect"


class Pong(ServerFrame):
    """The answer to `ping`."""

    type: Literal["pong"] = "pong"


AnyServerFrame = Annotated[
    Joined
    | Standing
    | Left
    | MessageShown
    | Accepted
    | Problem
    | Reaction
    | Deleted
    | Cleared
    | UserBanned
    | RoomState
    | Raid
    | Subscribed
    | Reconnect
    | Pong,
    Field(discriminator="type"),
]
SERVER_FRAMES: TypeAdapter[AnyServerFrame] = TypeAdapter(AnyServerFrame)
