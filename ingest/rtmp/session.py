"""The server's side of one RTMP connection, without the connection.

    HANDSHAKE ──▶ CONNECT ──connect──▶ READY ──publish──▶ ASKED ──accept_publish──▶ PUBLISHING
                     │                   │                  │                          │
                     │ other app         │ play             │ refuse           │ FCUnpublish, deleteStream,
                     ▼                   ▼                  ▼                          ▼ closeStream, refuse
                   CLOSED              CLOSED             CLOSED                     CLOSED

Rules:
- A command that its state's row does not name is ignored: encoders send many that need no answer.
- Before `connect` no other command is taken. Before `accept_publish` a connection may send `max_unauthorised` bytes.
- In ASKED everything is held, in order, and taken up by `accept_publish`: no media passes before the key was judged.
- One publish per connection. Any fault, on whichever layer, gives one `Broken` event, and CLOSED ignores what follows.
"""

from __future__ import annotations

import enum
from collections.abc import Callable, Mapping
from typing import ClassVar

from ingest.media.tag import Kind, MediaTag
from ingest.rtmp import amf0, messages
from ingest.rtmp.chunks import DEFAULT_CHUNK_SIZE, ChunkReader
from ingest.rtmp.errors import RtmpError
from ingest.rtmp.events import Broken, PublishRequested, ServerEvent, Unpublished
from ingest.rtmp.handshake import ServerHandshake
from ingest.rtmp.limits import Limits
from ingest.rtmp.messages import CommandMessage, Message

WINDOW = 2_500_000
"""Bytes between acknowledgements, both ways, unless the client asks for another."""

MIN_WINDOW = 65_536
CHUNK_SIZE = 4096
SET_DATA_FRAME = amf0.encode(["@setDataFrame"])

VIDEO_FOURCCS = ("avc1", "hvc1", "av01")
AUDIO_FOURCCS = ("mp4a",)
"""What the media side takes; others are refused by name when they come."""

CAN_FORWARD = 4.0
"""E-RTMP v2 FourCcInfoMask: the codec is passed on, neither decoded nor encoded."""

CAPS_EX = 4.0 + 8.0
"""E-RTMP v2 CapsExMask: ModEx packets and their nanosecond offsets are understood. Not multitrack, not reconnecting."""

_CONNECT_TRANSACTION = 1.0
"""That of every `connect` (§7.2.1.1)."""

_MEDIA: Mapping[int, Kind] = {messages.AUDIO: "audio", messages.VIDEO: "video"}


class State(enum.Enum):
    HANDSHAKE = enum.auto()
    CONNECT = enum.auto()
    READY = enum.auto()
    ASKED = enum.auto()
    PUBLISHING = enum.auto()
    CLOSED = enum.auto()


class ServerSession:
    """`random` is the 1528 bytes of S1. Bytes to send gather in `data_to_send`."""

    def __init__(self, app: str, random: bytes, limits: Limits | None = None) -> None:
        self.state = State.HANDSHAKE
        self.received = 0
        """Bytes so far."""
        self.messages = 0
        """Messages so far."""
        self._app = app
        self._limits = limits or Limits()
        self._handshake = ServerHandshake(random)
        self._reader = ChunkReader(self._limits)
        self._chunk_size = DEFAULT_CHUNK_SIZE
        self._out = bytearray()
        self._held: list[Message] = []
        self._window = WINDOW
        self._acknowledged = 0
        self._message_streams = 0
        self._publish_stream = 0
        self._key_in_app = ""
        self._backup = False

    def receive_data(self, data: bytes) -> list[ServerEvent]:
        """What happened. Never raises on a peer's bytes: a fault is a `Broken` event, the last one."""
        events: list[ServerEvent] = []
        if self.state is State.CLOSED:
            return events
        excess = 0
        if self.state is not State.PUBLISHING:
            excess = self.received + len(data) - self._limits.max_unauthorised
            if excess > 0:
                data = data[:-excess]
        self.received += len(data)
        try:
            self._take(data, events)
            if excess > 0 and self.state is not State.PUBLISHING:
                raise RtmpError("too_much_unauthorised", f"over {self._limits.max_unauthorised} bytes before a publish")
            if self.received - self._acknowledged >= self._window:
                self._acknowledged = self.received
                self._send(messages.acknowledgement(self.received))
        except RtmpError as error:
            self._fail(error, events)
        return events

    def data_to_send(self) -> bytes:
        """The bytes gathered since the last call."""
        data = bytes(self._out)
        self._out.clear()
        return data

    def accept_publish(self) -> list[ServerEvent]:
        """Answer `NetStream.Publish.Start`; returns what was held meanwhile."""
        self._send(messages.user_control(messages.STREAM_BEGIN, self._publish_stream))
        self._status("status", "NetStream.Publish.Start", "Publishing")
        self.state = State.PUBLISHING
        held, self._held = self._held, []
        events: list[ServerEvent] = []
        try:
            self._dispatch(held, events)
        except RtmpError as error:
            self._fail(error, events)
        return events

    def refuse(self, status: str, description: str) -> None:
        """Refuse a publish, or end a running one, saying why. Close when it is sent."""
        self._tell(status, description)
        self._held.clear()
        self.state = State.CLOSED

    def _take(self, data: bytes, events: list[ServerEvent]) -> None:
        if self.state is State.HANDSHAKE:
            self._out += self._handshake.receive_data(data)
            if not self._handshake.finished:
                return
            self.state = State.CONNECT
            data = self._handshake.rest
        arrived: list[Message] = []
        try:
            self._reader.feed(data, arrived)
        finally:
            self.messages += len(arrived)
            self._dispatch(arrived, events)

    def _dispatch(self, arrived: list[Message], events: list[ServerEvent]) -> None:
        for message in arrived:
            type_id, timestamp, _, payload = message
            kind = _MEDIA.get(type_id)
            if kind is not None and self.state is State.PUBLISHING:
                if payload:
                    events.append(MediaTag(kind, timestamp, payload))
            elif self.state is State.ASKED:
                self._held.append(message)
            elif self.state is not State.CLOSED:
                self._other(message, events)

    def _other(self, message: Message, events: list[ServerEvent]) -> None:
        match message.type_id:
            case messages.COMMAND | messages.COMMAND_AMF3:
                self._command(message, events)
            case messages.DATA | messages.DATA_AMF3:
                self._data(message, events)
            case messages.AGGREGATE:
                self._dispatch(list(messages.split_aggregate(message)), events)
            case messages.WINDOW_SIZE:
                self._window = max(messages.read_ulong(message), MIN_WINDOW)
            case messages.USER_CONTROL:
                if message.payload[:2] == messages.PING_REQUEST.to_bytes(2, "big"):
                    token = int.from_bytes(message.payload[2:6], "big")
                    self._send(messages.user_control(messages.PING_RESPONSE, token))

    def _data(self, message: Message, events: list[ServerEvent]) -> None:
        if self.state is State.PUBLISHING:
            body = message.payload[1:] if message.type_id == messages.DATA_AMF3 else message.payload
            events.append(MediaTag("data", message.timestamp, body.removeprefix(SET_DATA_FRAME)))

    def _command(self, message: Message, events: list[ServerEvent]) -> None:
        command = messages.read_command(message)
        if self.state is State.CONNECT and command.name != "connect":
            raise RtmpError("bad_command", "a command before connect")
        handler = self._TABLE[self.state].get(command.name)
        if handler is not None:
            handler(self, command, message.stream_id, events)

    def _on_connect(self, command: CommandMessage, stream_id: int, events: list[ServerEvent]) -> None:
        wish = command.arguments[0] if command.arguments else None
        given = wish.get("app") if isinstance(wish, Mapping) else None
        name, self._backup = _name(given, self._limits)
        app, _, self._key_in_app = name.strip("/").partition("/")
        if app != self._app:
            raise RtmpError("wrong_app", f"there is no such application; use {self._app!r}")
        self.state = State.READY
        self._send(messages.window_size(WINDOW))
        self._send(messages.peer_bandwidth(WINDOW))
        self._send(messages.set_chunk_size(CHUNK_SIZE))
        self._chunk_size = CHUNK_SIZE
        server: amf0.Value = {"fmsVer": "FMS/3,0,1,123", "capabilities": 31.0}
        info = _info("status", "NetConnection.Connect.Success", "Connected") | {
            "objectEncoding": 0.0,
            "capsEx": CAPS_EX,
            "fourCcList": [*VIDEO_FOURCCS, *AUDIO_FOURCCS],
            "videoFourCcInfoMap": dict.fromkeys(VIDEO_FOURCCS, CAN_FORWARD),
            "audioFourCcInfoMap": dict.fromkeys(AUDIO_FOURCCS, CAN_FORWARD),
        }
        self._send(messages.command("_result", command.transaction, server, info))

    def _on_create_stream(self, command: CommandMessage, stream_id: int, events: list[ServerEvent]) -> None:
        self._message_streams += 1
        if self._message_streams > self._limits.max_message_streams:
            raise RtmpError("too_many_streams", f"more than {self._limits.max_message_streams} message streams")
        self._send(messages.command("_result", command.transaction, None, float(self._message_streams)))

    def _on_release_stream(self, command: CommandMessage, stream_id: int, events: list[ServerEvent]) -> None:
        self._send(messages.command("_result", command.transaction, None, None))

    def _on_fc_publish(self, command: CommandMessage, stream_id: int, events: list[ServerEvent]) -> None:
        self._send(messages.command("_result", command.transaction, None, None))
        info = _info("status", "NetStream.Publish.Start", "FCPublish")
        self._send(messages.command("onFCPublish", 0, None, info))

    def _on_publish(self, command: CommandMessage, stream_id: int, events: list[ServerEvent]) -> None:
        self._publish_stream = stream_id
        given = command.arguments[1] if len(command.arguments) > 1 else None
        self.state = State.ASKED
        name, backup = _name(given, self._limits)
        events.append(PublishRequested(name or self._key_in_app, backup or self._backup))

    def _on_play(self, command: CommandMessage, stream_id: int, events: list[ServerEvent]) -> None:
        self._publish_stream = stream_id
        raise RtmpError("play_refused", "streams are played over HLS, not over RTMP", "NetStream.Play.Failed")

    def _on_unpublish(self, command: CommandMessage, stream_id: int, events: list[ServerEvent]) -> None:
        if command.name == "FCUnpublish":
            info = _info("status", "NetStream.Unpublish.Success", "FCUnpublish")
            self._send(messages.command("onFCUnpublish", 0, None, info))
        self._status("status", "NetStream.Unpublish.Success", "Unpublished")
        self.state = State.CLOSED
        events.append(Unpublished(command.name))

    def _fail(self, error: RtmpError, events: list[ServerEvent]) -> None:
        if self.state is State.CLOSED:  # the end came before the fault
            return
        self._tell(error.status, error.message)
        self.state = State.CLOSED
        events.append(Broken(error.code, error.message))

    def _tell(self, status: str, description: str) -> None:
        """Say why it ends, in the form that the peer's state can understand."""
        if self.state is State.CONNECT:
            info = _info("error", "NetConnection.Connect.Rejected", description)
            self._send(messages.command("_error", _CONNECT_TRANSACTION, None, info))
        elif self.state not in (State.HANDSHAKE, State.CLOSED):
            self._status("error", status, description)

    def _status(self, level: str, code: str, description: str) -> None:
        self._send(messages.status(self._publish_stream, level, code, description), messages.STATUS_CHUNK_STREAM)

    def _send(self, message: Message, chunk_stream: int | None = None) -> None:
        if chunk_stream is None:
            is_command = message.type_id == messages.COMMAND
            chunk_stream = messages.COMMAND_CHUNK_STREAM if is_command else messages.CONTROL_CHUNK_STREAM
        self._out += messages.write(chunk_stream, message, self._chunk_size)

    _Handler = Callable[["ServerSession", CommandMessage, int, list[ServerEvent]], None]
    _TABLE: ClassVar[Mapping[State, Mapping[str, _Handler]]] = {
        State.CONNECT: {"connect": _on_connect},
        State.READY: {
            "createStream": _on_create_stream,
            "releaseStream": _on_release_stream,
            "FCPublish": _on_fc_publish,
            "publish": _on_publish,
            "play": _on_play,
        },
        State.PUBLISHING: {
            "createStream": _on_create_stream,
            "FCUnpublish": _on_unpublish,
            "deleteStream": _on_unpublish,
            "closeStream": _on_unpublish,
        },
    }


def _info(level: str, code: str, description: str) -> dict[str, amf0.Value]:
    return {"level": level, "code": code, "description": description}


def _name(value: amf0.Value, limits: Limits) -> tuple[str, bool]:
    """A name without the query string that some encoders append, and whether that says `backup=1`."""
    text = value if isinstance(value, str) else ""
    if len(text) > limits.max_name:
        raise RtmpError("name_too_long", f"a name of more than {limits.max_name} characters")
    name, _, query = text.partition("?")
    return name, "backup=1" in query.split("&")
