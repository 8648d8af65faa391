"""The publisher's side: connect, publish, send media. For load, the demo and tests."""

from __future__ import annotations

from collections.abc import Mapping

from ingest.media.tag import MediaTag
from ingest.rtmp import amf0, messages
from ingest.rtmp.chunks import DEFAULT_CHUNK_SIZE, ChunkReader
from ingest.rtmp.errors import RtmpError
from ingest.rtmp.events import Broken, ClientEvent, PublishEnded, PublishStarted
from ingest.rtmp.handshake import ClientHandshake
from ingest.rtmp.limits import Limits
from ingest.rtmp.messages import CommandMessage, Message

_CONNECT, _RELEASE, _FC_PUBLISH, _CREATE, _PUBLISH, _DELETE = 1.0, 2.0, 3.0, 4.0, 5.0, 6.0
_TAG_TYPES = {"audio": messages.AUDIO, "video": messages.VIDEO, "data": messages.DATA}
_CHUNK_STREAMS = {"audio": messages.AUDIO_CHUNK_STREAM, "video": messages.VIDEO_CHUNK_STREAM, "data": 5}
_SET_DATA_FRAME = amf0.encode(["@setDataFrame"])


class ClientSession:
    """Send `data_to_send` first; feed what comes back; after `PublishStarted` call `send_media`."""

    def __init__(self, app: str, key: str, tc_url: str, random: bytes, chunk_size: int = 4096) -> None:
        self._app = app
        self._key = key
        self._tc_url = tc_url
        self._next_chunk_size = chunk_size
        self._chunk_size = DEFAULT_CHUNK_SIZE
        self._handshake = ClientHandshake(random)
        self._reader = ChunkReader(Limits(min_chunk=1))
        self._out = bytearray(self._handshake.opening)
        self._connected = False
        self._stream_id = 0

    def receive_data(self, data: bytes) -> list[ClientEvent]:
        """What happened; a fault is a `Broken` event."""
        events: list[ClientEvent] = []
        try:
            self._take(data, events)
        except RtmpError as error:
            events.append(Broken(error.code, error.message))
        return events

    def data_to_send(self) -> bytes:
        """The bytes gathered since the last call."""
        data = bytes(self._out)
        self._out.clear()
        return data

    def send_media(self, tag: MediaTag) -> None:
        """One tag; metadata goes out as `@setDataFrame`, as encoders send it."""
        payload = _SET_DATA_FRAME + tag.payload if tag.kind == "data" else tag.payload
        message = Message(_TAG_TYPES[tag.kind], tag.timestamp_ms, self._stream_id, payload)
        self._out += messages.write(_CHUNK_STREAMS[tag.kind], message, self._chunk_size)

    def unpublish(self) -> None:
        """End the stream as encoders do."""
        self._command("FCUnpublish", _DELETE, None, self._key)
        self._command("deleteStream", _DELETE + 1, None, float(self._stream_id))

    def _take(self, data: bytes, events: list[ClientEvent]) -> None:
        if not self._connected:
            self._out += self._handshake.receive_data(data)
            self._connected = self._handshake.finished
            if not self._handshake.finished:
                return
            self._connect()
            data = self._handshake.rest
        arrived: list[Message] = []
        self._reader.feed(data, arrived)
        for message in arrived:
            if message.type_id == messages.COMMAND:
                self._on_command(messages.read_command(message), events)

    def _connect(self) -> None:
        self._send(messages.set_chunk_size(self._next_chunk_size), messages.CONTROL_CHUNK_STREAM)
        self._chunk_size = self._next_chunk_size
        self._command(
            "connect", _CONNECT, {"app": self._app, "type": "nonprivate", "flashVer": "FMLE/3.0", "tcUrl": self._tc_url}
        )

    def _on_command(self, command: CommandMessage, events: list[ClientEvent]) -> None:
        match command.name, command.transaction:
            case "_result", 1.0:
                self._command("releaseStream", _RELEASE, None, self._key)
                self._command("FCPublish", _FC_PUBLISH, None, self._key)
                self._command("createStream", _CREATE, None)
            case "_result", 4.0:
                created = command.arguments[1] if len(command.arguments) > 1 else None
                self._stream_id = int(created) if isinstance(created, float) else 0
                self._command("publish", _PUBLISH, None, self._key, self._app, stream_id=self._stream_id)
            case "onStatus" | "_error", _:
                code, description = _read_info(command.arguments)
                if code == "NetStream.Publish.Start":
                    events.append(PublishStarted())
                else:
                    events.append(PublishEnded(code, description))

    def _command(self, name: str, transaction: float, *arguments: amf0.Value, stream_id: int = 0) -> None:
        message = messages.command(name, transaction, *arguments, stream_id=stream_id)
        self._send(message, messages.COMMAND_CHUNK_STREAM)

    def _send(self, message: Message, chunk_stream: int) -> None:
        self._out += messages.write(chunk_stream, message, self._chunk_size)


def _read_info(arguments: list[amf0.Value]) -> tuple[str, str]:
    info = arguments[1] if len(arguments) > 1 else None
    if not isinstance(info, Mapping):
        return "", ""
    return str(info.get("code", "")), str(info.get("description", ""))
