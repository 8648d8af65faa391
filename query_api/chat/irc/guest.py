"""The IRC door's guest: registers, joins and speaks in lines."""

from __future__ import annotations

import re
from collections.abc import Awaitable, Callable
from dataclasses import replace

from commands.identity import LOGIN_PATTERN, user_id_of
from query_api.chat.cursor import Cursor
from query_api.chat.guest import POLICY_VIOLATION, Guest
from query_api.chat.house import House
from query_api.chat.irc import dialect
from query_api.chat.irc.form import IrcFormat
from query_api.chat.irc.message import Malformed, Message
from query_api.chat.refusal import Refused
from query_api.chat.room import Room

NAMES = 1_000
"""Of who is in a room, to clients that ask for membership."""

_ANONYMOUS = re.compile(r"justinfan[0-9]{0,10}", re.IGNORECASE | re.ASCII)
_ACTION = re.compile("\x01ACTION (.*?)\x01?", re.DOTALL)
_MESSAGE_ID = re.compile(r"[A-Za-z0-9-]{1,64}", re.ASCII)
_MSG_IDS = {"unknown_room": "msg_channel_suspended", "missing_scope": "no_permission"}
"""Where Twitch has another name for it."""


class IrcGuest(Guest):
    format: IrcFormat

    def __init__(
        self,
        house: House,
        network: str,
        write: Callable[[bytes], None],
        end: Callable[[int, str], None],
        framed: bool = False,
    ) -> None:
        super().__init__(house, network, write, end)
        self.format = IrcFormat(framed=framed)
        self.nick = ""
        """Empty until registered."""
        self._password = ""

    def receive(self, wish: str) -> None:
        """One or several lines."""
        for line in filter(None, wish.replace("\r", "\n").split("\n")):
            super().receive(line)

    async def serve(self, wish: str) -> None:
        try:
            message = Message.parse(wish)
        except Malformed as malformed:
            raise Refused("malformed", str(malformed)) from malformed
        match message.command, message.params:
            case "PING", (*_, payload):
                self._say(Message("PONG", (dialect.SERVER, payload), prefix=dialect.SERVER))
            case "PONG" | "USER" | "WHO", _:
                pass
            case "CAP", (verb, *rest):
                self._negotiate(verb.upper(), rest)
            case "PASS", (password, *_):
                self._password = password
            case "NICK", (nick, *_) if not self.nick:
                await self._register(nick)
            case "QUIT", _:
                self.end(1000, "you quit")
            case _ if not self.nick:
                self._say(dialect.numeric("451", "*", message.command[:32], "Register first: PASS, then NICK"))
            case "JOIN", (rooms, *_):
                for login in self._listed(rooms):
                    await self._each(login, self._join)
            case "PART", (rooms, *_):
                for login in self._listed(rooms):
                    await self._each(login, self._part)
            case "PRIVMSG", (login, _):
                await self._each(login, lambda channel_id: self._speak(channel_id, message))
            case command, _:
                self._say(dialect.numeric("421", self.nick, command, "Unknown command"))

    def refuse(self, wish: str, refused: Refused) -> None:
        self._refuse("*", refused)

    def greet(self, room: Room, cursor: Cursor) -> None:
        nick = self.nick
        present = [nick]
        if self.format.membership:
            present += [chatter.login for chatter in room.chatters.page(NAMES) if chatter.login != nick]
        told = [dialect.presence(room.login, nick, arrived=True)]
        told += dialect.names(nick, room.login, present)
        told += self._user_states(room)
        if self.format.commands:
            told.append(dialect.room_state(room.login, room.channel_id, room.facts.modes_in_force()))
        self._say(*told)

    def tell_roles(self, room: Room) -> None:
        self._say(*self._user_states(room))

    def put_out(self, room: Room, refused: Refused) -> None:
        self._refuse(f"#{room.login}", refused)
        self._say(dialect.presence(room.login, self.nick, arrived=False))

    def session_ended(self) -> None:
        self._say(dialect.notice("*", "Login authentication failed"))
        self.end(POLICY_VIOLATION, "the session has ended")

    def ask_to_reconnect(self) -> None:
        if self.format.commands:
            self._say(Message("RECONNECT", prefix=dialect.SERVER))

    async def _register(self, nick: str) -> None:
        if _ANONYMOUS.fullmatch(nick):
            self.nick = nick.lower()
        else:
            scheme, _, token = self._password.partition(":")
            if scheme.lower() != "oauth" or not token:
                self._turn_away("Improperly formatted auth")
                return
            self._password = ""
            try:
                session = await self.sign_in(token)
            except Refused as refused:
                failed = refused.code == "bad_token"
                self._turn_away("Login authentication failed" if failed else refused.text)
                return
            self.nick = session.login
        self._say(*dialect.welcome(self.nick))
        if self.session is not None and self.format.commands:
            self._say(dialect.global_user_state(self.session))

    def _turn_away(self, why: str) -> None:
        self._say(dialect.notice("*", why))
        self.end(POLICY_VIOLATION, why)

    def _negotiate(self, verb: str, rest: list[str]) -> None:
        nick = self.nick or "*"
        if verb == "LS":
            self._say(Message("CAP", (nick, "LS", " ".join(dialect.CAPABILITIES)), prefix=dialect.SERVER))
        elif verb == "REQ" and rest:
            asked = rest[-1].split()
            known = bool(asked) and set(asked) <= set(dialect.CAPABILITIES)
            if known:
                self._become(replace(self.format, **{name.partition("/")[2]: True for name in asked}))
            answer = "ACK" if known else "NAK"
            self._say(Message("CAP", (nick, answer, " ".join(asked)), prefix=dialect.SERVER))

    def _become(self, form: IrcFormat) -> None:
        for room in self.rooms.values():
            room.leave(self)
        self.format = form
        for room in self.rooms.values():
            room.enter(self)

    def _listed(self, rooms: str) -> list[str]:
        """Raises Refused."""
        most = self.house.limits.channels_a_line
        if rooms.count(",") >= most:
            raise Refused("too_many_rooms", f"a line names at most {most} channels; send several")
        return rooms.split(",")

    async def _each(self, channel: str, do: Callable[[str], Awaitable[None]]) -> None:
        """Do it to a channel, and say there why it is not done."""
        login = channel.removeprefix("#").lower()
        try:
            if not LOGIN_PATTERN.fullmatch(login):
                raise Refused("unknown_room", "there is no such channel")
            await do(user_id_of(login))
        except Refused as refused:
            self._refuse(f"#{login}", refused)

    async def _join(self, channel_id: str) -> None:
        if channel_id not in self.rooms:
            await self.enter(channel_id)

    async def _part(self, channel_id: str) -> None:
        room = self.room_of(channel_id)
        self.leave(room)
        self._say(dialect.presence(room.login, self.nick, arrived=False))

    async def _speak(self, channel_id: str, message: Message) -> None:
        room = self.room_of(channel_id)
        text = message.params[1]
        action = _ACTION.fullmatch(text)
        if action is not None:
            text = action[1]
        elif text.startswith("/me "):
            text = text[4:]
        elif text.startswith("/"):
            raise Refused("unrecognized_cmd", "there are no chat commands here: moderate over REST")
        reply_to = message.tags.get("reply-parent-msg-id") or None
        if reply_to is not None and not _MESSAGE_ID.fullmatch(reply_to):
            raise Refused("unknown_message", "the message to answer is not there any more")
        await self.say(room, text, reply_to)
        self._say(*self._user_states(room))

    def _user_states(self, room: Room) -> list[Message]:
        """Of who is signed in and understands it."""
        session = self.session
        if session is None or not self.format.commands:
            return []
        return [dialect.user_state(room.login, session, room.facts.roles_of(room.channel_id, session.user_id))]

    def _refuse(self, target: str, refused: Refused) -> None:
        self._say(dialect.notice(target, refused.text, _MSG_IDS.get(refused.code, refused.code)))

    def _say(self, *messages: Message) -> None:
        if messages:
            self.tell(self.format.wire(*messages))
