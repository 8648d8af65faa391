"""A real RTMP server on a loop of its own thread, over the real deciders in memory; and publishers, good and bad."""

from __future__ import annotations

import asyncio
import socket
import ssl
import subprocess
import threading
import time
from collections import defaultdict
from collections.abc import Callable, Coroutine, Iterable, Iterator, MutableMapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, TypeVar

import structlog
import uvloop

from commands.aggregate import Aggregate, aggregates, id_of
from commands.batch import decide_batch
from commands.client import Accepted, OutcomeUnknown
from commands.identity import channel_of_key, new_id, new_stream_key, secret_hash, user_id_of
from commands.memory import Memory
from ingest.connection import ConnectionLimits
from ingest.health.sample import HealthSample
from ingest.hls.playback import SOURCE, Playback
from ingest.hls.registry import Registry
from ingest.media.became import HealthBecame, HealthReport, SegmentClosed
from ingest.media.live import LiveStream, OpenLadder
from ingest.media.settings import MediaSettings
from ingest.media.tag import MediaTag
from ingest.publishing.desk import StreamDesk
from ingest.publishing.holding import Tools
from ingest.publishing.journal import Entry, Journal
from ingest.rtmp import amf0, messages
from ingest.rtmp.chunks import ChunkReader
from ingest.rtmp.client import ClientSession
from ingest.rtmp.events import PublishEnded, PublishStarted
from ingest.rtmp.handshake import RANDOM_SIZE, SIZE
from ingest.rtmp.limits import Limits
from ingest.rtmp.messages import Message
from ingest.server import RtmpServer
from schemas.events.accounts import StreamKeyIssued, StreamKeyRevoked
from schemas.events.channels import ChannelUpdated
from schemas.message import Command, Event
from topology.settings import Settings
from topology.tls import Certificates

PATIENCE_S = 20.0

T = TypeVar("T")


def shown(playback: Playback) -> bytes:
    """The media playlist of the publisher's picture."""
    window = playback.window(SOURCE)
    assert window
    return window.playlist(skip=False, gzip=False)


def eventually(condition: Callable[[], T], patience_s: float = PATIENCE_S) -> T:
    """The first true value; fails when there is none in time."""
    deadline = time.monotonic() + patience_s
    while not (value := condition()):
        assert time.monotonic() < deadline, "it did not happen"
        time.sleep(0.02)
    return value


class LocalDeciders:
    """Submits to the real streams decider, folded in memory. While `away` is set no outcome is known."""

    def __init__(self, grace_s: float) -> None:
        self.away = False
        self.lose_answers = False
        """Decide, and let the answer get lost."""
        self.events: list[Event] = []
        self._aggregate: Aggregate = aggregates(Settings(resume_grace_s=grace_s))["streams"]
        self._memory = Memory(self._aggregate)

    async def submit(self, command: Command, timeout_s: float = 10.0) -> Accepted:
        if self.away:
            await asyncio.sleep(0.01)
            raise OutcomeUnknown("nobody answers")
        (verdict,) = decide_batch(self._aggregate, self._memory, [command])
        if verdict.rejected:
            raise verdict.rejected
        for event in verdict.events:
            self.fold(event)
        outcome = verdict.earlier or self._memory.outcome(id_of(command), command.command_id)
        if self.lose_answers:
            raise OutcomeUnknown("the answer got lost")
        return Accepted(None, outcome.reply if outcome else {})

    def fold(self, event: Event) -> None:
        self._memory.apply(event, len(self.events))
        self.events.append(event)

    def new_key(self, login: str = "") -> str:
        """A valid stream key, of a channel of its own unless a login is named."""
        key = new_stream_key(user_id_of(login or f"user_{new_id()[-12:]}"))
        issued = {"user_id": channel_of_key(key), "key_id": key_id_of(key), "key_hash": secret_hash(key)}
        self.fold(StreamKeyIssued(**_envelope(), **issued))
        return key

    def revoke(self, key: str) -> None:
        self.fold(StreamKeyRevoked(**_envelope(), user_id=channel_of_key(key), key_id=key_id_of(key)))

    def make_private(self, key: str) -> None:
        """Only whom the key's channel signs for may watch it."""
        said = {"title": "", "category": "", "language": "", "playback_policy": "private"}
        self.fold(ChannelUpdated(**_envelope(), channel_id=channel_of_key(key), **said))

    def happened(self, stream_id: str) -> list[str]:
        """A stream's events by name, an end with its reason."""
        of_stream = [event for event in list(self.events) if getattr(event, "stream_id", "") == stream_id]
        return [f"{event.type}:{event.reason}" if hasattr(event, "reason") else event.type for event in of_stream]


@dataclass
class KeptReports:
    samples: dict[str, list[HealthSample]] = field(default_factory=lambda: defaultdict(list))
    changes: dict[str, list[HealthBecame]] = field(default_factory=lambda: defaultdict(list))
    others: dict[str, list[HealthReport]] = field(default_factory=lambda: defaultdict(list))

    def report(self, entry: Entry, became: HealthReport) -> None:
        if isinstance(became, SegmentClosed):
            self.samples[entry.stream_id].append(became.sample)
        elif isinstance(became, HealthBecame):
            self.changes[entry.stream_id].append(became)
        else:
            self.others[entry.stream_id].append(became)


class House:
    """The server and all behind it. Its loop runs in a thread; `call` runs something there."""

    def __init__(
        self,
        directory: Path,
        *,
        grace_s: float = 20.0,
        limits: ConnectionLimits | None = None,
        media: MediaSettings | None = None,
        connections: int = 100,
        deciders: LocalDeciders | None = None,
        open_ladder: OpenLadder | None = None,
        certificates: Certificates | None = None,
        settle_s: float = 10.0,
    ) -> None:
        self.deciders = deciders or LocalDeciders(grace_s)
        self.reports = KeptReports()
        self.logs: list[MutableMapping[str, Any]] = []
        self.opened: list[Entry] = []
        self.registry = Registry(directory / "live")
        self.journal = Journal(directory / "ingest")
        self._media = media or MediaSettings()
        self._open_ladder = open_ladder
        tools = Tools(self.deciders, self.journal, self.reports, "node", grace_s, settle_s)
        self.desk = StreamDesk(tools, self._open)
        self._server_limits = limits or ConnectionLimits()
        self._connections = connections
        self._loop = uvloop.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever)
        self._certificates = certificates
        self.port = self.tls_port = 0

    def start(self) -> None:
        self._thread.start()
        self.port = self.call(self._start())

    def stop(self) -> None:
        self.call(self._stop())
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()
        self._loop.close()

    def kill(self) -> None:
        """Leave behind what a killed process does: nothing said, the journal and the files as they are."""
        entries = self.journal.entries()
        self.deciders.away = True
        self.stop()
        self.deciders.away = False
        for entry in entries:
            self.journal.write(entry)

    def call(self, work: Coroutine[Any, Any, T]) -> T:
        return asyncio.run_coroutine_threadsafe(work, self._loop).result(PATIENCE_S)

    def new_key(self, login: str = "") -> str:
        return self.deciders.new_key(login)

    def revoke(self, key: str) -> None:
        """At the deciders, and heard of by the desk."""
        self.deciders.revoke(key)
        self._loop.call_soon_threadsafe(self.desk.revoke, key_id_of(key))

    def pictured(self, stream_id: str) -> None:
        """The desk hears of a first picture."""
        self._loop.call_soon_threadsafe(self.desk.pictured, stream_id)

    def stream_of(self, key: str) -> str:
        """The id of the latest stream that the key's channel opened; empty before."""
        channel = channel_of_key(key)
        streams = [
            event.stream_id  # type: ignore[attr-defined]
            for event in list(self.deciders.events)
            if event.type == "PublishAuthorised" and event.channel_id == channel  # type: ignore[attr-defined]
        ]
        return streams[-1] if streams else ""

    def playback(self, key: str) -> Playback | None:
        found = self.registry.find(self.stream_of(key))
        return found if found is not None and found.ready else None

    @property
    def connections(self) -> int:
        """How many there are, publishing or not."""
        return len(self._server._connections)

    def ended(self, code: str) -> list[MutableMapping[str, Any]]:
        """The log lines of connections that ended for this reason."""
        return [line for line in list(self.logs) if line.get("code") == code]

    def _open(self, entry: Entry) -> LiveStream:
        self.opened.append(entry)
        return LiveStream(entry.stream_id, entry.channel_id, self._media, self.registry, open_ladder=self._open_ladder)

    async def _start(self) -> int:
        self.desk.recover()
        self._server = RtmpServer(self.desk, connections=self._connections, limits=self._server_limits)
        port = await self._server.start("127.0.0.1", 0)
        if self._certificates is not None:
            self.tls_port = self._server.start_tls(self._certificates, "127.0.0.1", 0)
        return port

    async def _stop(self) -> None:
        await self._server.stop()
        await self.desk.stop()


@contextmanager
def running_house(directory: Path, **options: Any) -> Iterator[House]:
    house = House(directory, **options)
    with structlog.testing.capture_logs() as logs:
        house.logs = logs
        house.start()
        try:
            yield house
        finally:
            house.stop()


class Raw:
    """A client of bytes."""

    def __init__(self, port: int) -> None:
        self.socket = socket.create_connection(("127.0.0.1", port), timeout=PATIENCE_S)

    def send(self, data: bytes) -> bool:
        """False, and closed, when the server is gone."""
        try:
            self.socket.sendall(data)
        except OSError:
            self.socket.close()
            return False
        return True

    def connect(self, app: str = "live") -> None:
        self.send(b"\x03" + bytes(2 * SIZE) + invoke("connect", 1, {"app": app}))

    def publish(self, key: str, app: str = "live") -> None:
        self.connect(app)
        self.send(invoke("createStream", 2, None) + invoke("publish", 3, None, key, "live", stream_id=1))

    def statuses(self) -> list[tuple[str, str]]:
        """Read to the end; code and description of each status that the server sent."""
        data = bytearray()
        try:
            while part := self.socket.recv(65_536):
                data += part
        except ConnectionResetError:
            pass
        self.socket.close()
        return statuses(bytes(data))


def statuses(data: bytes) -> list[tuple[str, str]]:
    """Code and description of each status in the server's bytes."""
    arrived: list[Message] = []
    ChunkReader(Limits()).feed(data[1 + 2 * SIZE :], arrived)
    found = []
    for message in arrived:
        if message.type_id == messages.COMMAND:
            for argument in messages.read_command(message).arguments:
                if isinstance(argument, dict) and "code" in argument:
                    found.append((str(argument["code"]), str(argument["description"])))
    return found


def invoke(*values: amf0.Value, stream_id: int = 0) -> bytes:
    return messages.write(3, Message(messages.COMMAND, 0, stream_id, amf0.encode(values)), 128)


class TagPublisher:
    """Publishes tags at once, without pacing. With `tls`, over RTMPS."""

    def __init__(self, port: int, key: str, app: str = "live", tls: ssl.SSLContext | None = None) -> None:
        self.socket = socket.create_connection(("127.0.0.1", port), timeout=PATIENCE_S)
        if tls is not None:
            self.socket = tls.wrap_socket(self.socket, server_hostname="localhost")
        self.session = ClientSession(app, key, f"rtmp://127.0.0.1:{port}/{app}", bytes(RANDOM_SIZE))
        self.ended: PublishEnded | None = None
        self.started = False
        while not self.started and self.ended is None:
            self._flush()
            if not self._hear():
                break

    def send(self, tags: Iterable[MediaTag]) -> None:
        for tag in tags:
            self.session.send_media(tag)
            self._flush()

    def unpublish(self) -> None:
        self.session.unpublish()
        self._flush()
        self.close()

    def wait_for_end(self) -> PublishEnded:
        while self.ended is None and self._hear():
            pass
        self.close()
        assert self.ended is not None
        return self.ended

    def vanish(self) -> None:
        """As when the cable is pulled and the kernel says so: a reset, no `deleteStream`."""
        self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\x01\0\0\0\0\0\0\0")
        self.close()

    def close(self) -> None:
        self.socket.close()

    def _flush(self) -> None:
        try:
            self.socket.sendall(self.session.data_to_send())
        except OSError:
            self._hear()

    def _hear(self) -> bool:
        try:
            data = self.socket.recv(65_536)
        except OSError:
            return False
        for event in self.session.receive_data(data):
            if isinstance(event, PublishStarted):
                self.started = True
            elif isinstance(event, PublishEnded) and self.ended is None:
                self.ended = event
        return bool(data)


def ffmpeg(*arguments: str) -> subprocess.Popen[bytes]:
    return subprocess.Popen(
        ["ffmpeg", "-v", "error", "-nostdin", *arguments], stdout=subprocess.DEVNULL, stderr=subprocess.PIPE
    )


PICTURE = ("-f", "lavfi", "-i", "testsrc2=s=64x48:r=15")
TONE = ("-f", "lavfi", "-i", "sine=r=48000")
H264 = ("-c:v", "libx264", "-preset", "ultrafast", "-tune", "zerolatency", "-g", "15", "-pix_fmt", "yuv420p")
AAC = ("-c:a", "aac", "-b:a", "32k")


def encoder(port: int, key: str, *extra: str) -> subprocess.Popen[bytes]:
    """A real encoder that publishes picture and tone in real time until it is stopped."""
    paced = [word for source in (PICTURE, TONE) for word in ("-re", *source)]
    return ffmpeg(*paced, *H264, *AAC, *extra, "-f", "flv", f"rtmp://127.0.0.1:{port}/live/{key}")


def key_id_of(key: str) -> str:
    return f"key-{secret_hash(key)[:6]}"


def _envelope() -> dict[str, Any]:
    return {
        "event_id": new_id(),
        "occurred_at": datetime.now(UTC),
        "actor": "system:test",
        "correlation_id": "test",
    }
