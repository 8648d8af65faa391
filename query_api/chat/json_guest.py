"""The JSON door: frames of `query_api.chat.frames`, one a WebSocket message."""

from __future__ import annotations

from pydantic import ValidationError
from websockets.frames import Frame, Opcode

from query_api.chat.cursor import Cursor
from query_api.chat.desk import envelope
from query_api.chat.frames import (
    CLIENT_FRAMES,
    Accepted,
    AnyClientFrame,
    Delete,
    Join,
    Joined,
    Leave,
    Left,
    Ping,
    Pong,
    Problem,
    Reconnect,
    RoomFrame,
    Say,
    SendReaction,
    ServerFrame,
    Standing,
    User,
    You,
)
from query_api.chat.guest import POLICY_VIOLATION, TO_WRITE, Guest
from query_api.chat.refusal import Refused
from query_api.chat.room import Presence, Room
from schemas.commands.chat import DeleteMessage, React


def text_frame(payload: bytes) -> bytes:
    """A whole unmasked text message (RFC 6455 §5.2)."""
    return Frame(Opcode.TEXT, payload).serialize(mask=False)


class JsonFormat:
    echoes = True
    membership = False

    def encode(self, frame: RoomFrame, room: Room) -> bytes:
        if isinstance(frame, Presence):
            return b""
        return text_frame(frame.to_json())


JSON = JsonFormat()
"""The one of its kind, so that all share a framing."""


class SocketGuest(Guest):
    format = JSON

    async def serve(self, wish: str) -> None:
        frame = _frame_of(wish)
        match frame:
            case Join():
                if frame.token is not None:
                    await self.sign_in(frame.token.get_secret_value())
                await self.enter(frame.room_id, frame.after)
            case Leave():
                self.leave(self.room_of(frame.room_id))
                self._send(Left(room_id=frame.room_id))
            case Say():
                room = self.room_of(frame.room_id)
                accepted = await self.say(room, frame.content, frame.reply_to, frame.id)
                message_id = accepted.reply.get("message_id")
                self._send(Accepted(room_id=frame.room_id, id=frame.id, message_id=message_id))
            case SendReaction() | Delete():
                await self.submit(self.room_of(frame.room_id), self._command(frame))
                self._send(Accepted(room_id=frame.room_id, id=frame.id))
            case Ping():
                self._send(Pong())

    def refuse(self, wish: str, refused: Refused) -> None:
        try:
            frame: AnyClientFrame | None = _frame_of(wish)
        except Refused:
            frame = None
        self._send(
            Problem(
                code=refused.code,
                text=refused.text,
                retry_after=refused.retry_after_s,
                room_id=getattr(frame, "room_id", None),
                id=getattr(frame, "id", None),
                history=refused.history,
            )
        )

    def greet(self, room: Room, cursor: Cursor) -> None:
        self._send(
            Joined(
                room_id=room.channel_id,
                login=room.login,
                cursor=str(cursor),
                room_state=room.facts.modes_in_force(),
                you=self._you(room),
            )
        )

    def tell_roles(self, room: Room) -> None:
        if (you := self._you(room)) is not None:
            self._send(Standing(room_id=room.channel_id, you=you))

    def put_out(self, room: Room, refused: Refused) -> None:
        self._send(Problem(code=refused.code, text=refused.text, room_id=room.channel_id))

    def session_ended(self) -> None:
        self._send(Problem(code="session_ended", text="the access token was revoked or has expired; sign in again"))
        self.end(POLICY_VIOLATION, "the session has ended")

    def ask_to_reconnect(self) -> None:
        self._send(Reconnect())

    def _command(self, frame: SendReaction | Delete) -> React | DeleteMessage:
        session = self.require(TO_WRITE)
        scope = f"chat {frame.type} {frame.room_id}"
        if isinstance(frame, Delete):
            return DeleteMessage(
                channel_id=frame.room_id, message_id=frame.message_id, **envelope(session, scope, frame.id)
            )
        return React(
            channel_id=frame.room_id,
            emote=frame.emote,
            message_id=frame.message_id,
            **envelope(session, scope, frame.id),
        )

    def _you(self, room: Room) -> You | None:
        session = self.session
        if session is None:
            return None
        user = User(id=session.user_id, login=session.login, name=session.display_name)
        return You(user=user, roles=room.facts.roles_of(room.channel_id, session.user_id))

    def _send(self, frame: ServerFrame) -> None:
        self.tell(text_frame(frame.to_json()))


def _frame_of(text: str) -> AnyClientFrame:
    """Raises Refused that names what is wrong with it."""
    try:
        return CLIENT_FRAMES.validate_json(text)
    except ValidationError as error:
        first = error.errors(include_url=False, include_input=False, include_context=False)[0]
        where = ".".join(str(part) for part in first["loc"])
        raise Refused("bad_frame", f"{where}: {first['msg']}" if where else first["msg"]) from None
