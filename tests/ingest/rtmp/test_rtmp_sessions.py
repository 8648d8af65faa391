"""Client and server sessions fed into each other, with no sockets."""

from __future__ import annotations

from collections.abc import Iterable

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ingest.media.tag import MediaTag
from ingest.rtmp import amf0, messages
from ingest.rtmp.chunks import ChunkReader
from ingest.rtmp.client import ClientSession
from ingest.rtmp.events import (
    Broken,
    ClientEvent,
    PublishEnded,
    PublishRequested,
    PublishStarted,
    ServerEvent,
    Unpublished,
)
from ingest.rtmp.handshake import RANDOM_SIZE, SIZE
from ingest.rtmp.limits import Limits
from ingest.rtmp.messages import Message
from ingest.rtmp.session import ServerSession, State

KEY = "live_7_abcdefghijklmnopqrstuvwxyzABCDEF"
TAGS = [
    MediaTag("data", 0, amf0.encode(["onMetaData", {"width": 640.0}])),
    MediaTag("video", 0, b"\x17\x00" + bytes(40)),
    MediaTag("audio", 0, b"\xaf\x00\x12\x10"),
    MediaTag("video", 0xFFFFFF, b"\x17\x01" + bytes(9000)),
    MediaTag("audio", 0x1000010, b"\xaf\x01" + bytes(300)),
    MediaTag("video", 0x1000020, b"\x27\x01" + bytes(5000)),
]


def client(key: str = KEY, app: str = "live", chunk_size: int = 4096) -> ClientSession:
    return ClientSession(app, key, f"rtmp://example.test/{app}", bytes(RANDOM_SIZE), chunk_size)


def server(limits: Limits | None = None) -> ServerSession:
    return ServerSession("live", bytes(RANDOM_SIZE), limits)


def exchange(one: ClientSession, other: ServerSession) -> tuple[list[ClientEvent], list[ServerEvent]]:
    """Pass bytes both ways until neither side has more to say."""
    heard: list[ClientEvent] = []
    happened: list[ServerEvent] = []
    while sent := one.data_to_send():
        happened += other.receive_data(sent)
        heard += one.receive_data(other.data_to_send())
    return heard, happened


def published(chunk_size: int = 4096) -> tuple[ClientSession, ServerSession]:
    one, other = client(chunk_size=chunk_size), server()
    exchange(one, other)
    other.accept_publish()
    assert one.receive_data(other.data_to_send()) == [PublishStarted()]
    return one, other


def invoke(*values: amf0.Value, stream_id: int = 0) -> bytes:
    return messages.write(3, Message(messages.COMMAND, 0, stream_id, amf0.encode(values)), 128)


def shaken() -> ServerSession:
    other = server()
    other.receive_data(b"\x03" + bytes(2 * SIZE))
    other.data_to_send()
    return other


def connected() -> ServerSession:
    other = shaken()
    other.receive_data(invoke("connect", 1, {"app": "live"}))
    other.data_to_send()
    return other


def answers(other: ServerSession, chunk_size: int = 4096) -> list[messages.CommandMessage]:
    """The commands that the server sent since the last look, in chunks of the size it announced."""
    arrived: list[Message] = []
    reader = ChunkReader(Limits())
    reader.feed(messages.write(2, messages.set_chunk_size(chunk_size), 128) + other.data_to_send(), arrived)
    return [messages.read_command(message) for message in arrived if message.type_id == messages.COMMAND]


def status(other: ServerSession, chunk_size: int = 4096) -> tuple[str, str]:
    """Code and description of the last status sent."""
    info = answers(other, chunk_size)[-1].arguments[1]
    assert isinstance(info, dict)
    return str(info["code"]), str(info["description"])


def test_a_publish_is_asked_for_answered_and_ended() -> None:
    one, other = client(), server()
    assert exchange(one, other) == ([], [PublishRequested(KEY)])
    assert other.accept_publish() == []
    assert one.receive_data(other.data_to_send()) == [PublishStarted()]
    for tag in TAGS:
        one.send_media(tag)
    assert exchange(one, other)[1] == TAGS
    one.unpublish()
    assert exchange(one, other)[1] == [Unpublished("FCUnpublish")]
    assert other.state is State.CLOSED


@given(size=st.sampled_from([128, 4096, 60_000]), steps=st.lists(st.integers(1, 5000), min_size=1))
@settings(max_examples=50, deadline=None)
def test_media_is_the_same_in_any_split(size: int, steps: list[int]) -> None:
    one, other = published(size)
    for tag in TAGS:
        one.send_media(tag)
    data, happened, turn = one.data_to_send(), list[ServerEvent](), 0
    while data:
        step = steps[turn % len(steps)]
        happened += other.receive_data(data[:step])
        data, turn = data[step:], turn + 1
    assert happened == TAGS


@given(cut=st.integers(1, 4000))
@settings(deadline=None)
def test_the_way_to_a_publish_is_the_same_in_any_split(cut: int) -> None:
    one, other = client(), server()
    heard: list[ServerEvent] = []
    while sent := one.data_to_send():
        for start in range(0, len(sent), cut):
            heard += other.receive_data(sent[start : start + cut])
        one.receive_data(other.data_to_send())
    assert heard == [PublishRequested(KEY)]


def test_a_refusal_reaches_the_publisher_in_words() -> None:
    one, other = client(), server()
    exchange(one, other)
    other.refuse("NetStream.Publish.BadName", "the stream key is not valid")
    ended = PublishEnded("NetStream.Publish.BadName", "the stream key is not valid")
    assert one.receive_data(other.data_to_send()) == [ended]
    one.send_media(TAGS[1])
    assert other.receive_data(one.data_to_send()) == []


def test_a_wrong_app_is_rejected_at_connect() -> None:
    one, other = client(app="vod"), server()
    heard, happened = exchange(one, other)
    assert heard == [PublishEnded("NetConnection.Connect.Rejected", "there is no such application; use 'live'")]
    assert [event.code for event in happened if isinstance(event, Broken)] == ["wrong_app"]


def test_media_sent_with_the_publish_waits_for_the_answer() -> None:
    other = connected()
    video = messages.write(6, Message(messages.VIDEO, 0, 1, b"\x17\x00"), 128)
    assert other.receive_data(invoke("publish", 5, None, KEY, stream_id=1) + video) == [PublishRequested(KEY)]
    assert other.receive_data(video) == []
    assert other.accept_publish() == [MediaTag("video", 0, b"\x17\x00")] * 2


def test_what_is_sent_before_the_answer_is_bounded() -> None:
    other = connected()
    other.receive_data(invoke("publish", 5, None, KEY, stream_id=1))
    video = messages.write(6, Message(messages.VIDEO, 0, 1, bytes(30_000)), 128)
    assert other.receive_data(video) == []
    (broken,) = other.receive_data(video + video)
    assert isinstance(broken, Broken)
    assert broken.code == "too_much_unauthorised"


@pytest.mark.parametrize(
    ("app", "name"),
    [("live", KEY), ("live/", KEY), ("live?token=1", f"{KEY}?token=1"), (f"live/{KEY}", "")],
)
def test_the_key_is_found_where_encoders_put_it(app: str, name: str) -> None:
    other = shaken()
    happened = other.receive_data(invoke("connect", 1, {"app": app}) + invoke("publish", 5, None, name))
    assert happened == [PublishRequested(KEY)]


@pytest.mark.parametrize(
    ("app", "name", "backup"),
    [
        ("live", f"{KEY}?backup=1", True),
        ("live?backup=1", KEY, True),
        ("live", f"{KEY}?token=x&backup=1", True),
        ("live", KEY, False),
        ("live", f"{KEY}?backup=0", False),
        ("live", f"{KEY}?nobackup=1", False),
    ],
)
def test_a_backup_says_so_behind_the_app_or_the_key(app: str, name: str, backup: bool) -> None:
    other = shaken()
    happened = other.receive_data(invoke("connect", 1, {"app": app}) + invoke("publish", 5, None, name))
    assert happened == [PublishRequested(KEY, backup)]


def test_connect_is_answered_with_the_codecs_that_enhanced_rtmp_names() -> None:
    other = shaken()
    other.receive_data(invoke("connect", 1, {"app": "live", "fourCcList": ["*"]}))
    arrived: list[Message] = []
    ChunkReader(Limits()).feed(other.data_to_send(), arrived)
    assert [message.type_id for message in arrived] == [5, 6, 20]
    info = messages.read_command(arrived[2]).arguments[1]
    assert isinstance(info, dict)
    assert info["fourCcList"] == ["avc1", "hvc1", "av01", "mp4a"]
    assert info["videoFourCcInfoMap"] == {"avc1": 4.0, "hvc1": 4.0, "av01": 4.0}
    assert info["audioFourCcInfoMap"] == {"mp4a": 4.0}
    multitrack = 2
    assert isinstance(info["capsEx"], float)
    assert not int(info["capsEx"]) & multitrack


def test_fmle_commands_are_answered() -> None:
    other = connected()
    other.receive_data(invoke("releaseStream", 2, None, KEY) + invoke("FCPublish", 3, None, KEY))
    other.receive_data(invoke("createStream", 4, None))
    assert [(answer.name, answer.transaction) for answer in answers(other)] == [
        ("_result", 2.0),
        ("_result", 3.0),
        ("onFCPublish", 0.0),
        ("_result", 4.0),
    ]


@pytest.mark.parametrize("command", ["FCUnpublish", "deleteStream", "closeStream"])
def test_each_form_of_unpublishing_ends_the_stream(command: str) -> None:
    _, other = published()
    data = messages.write(3, messages.command(command, 6, None, 1.0), 4096)
    assert other.receive_data(data) == [Unpublished(command)]


def test_a_ping_is_answered_with_its_token() -> None:
    _, other = published()
    other.receive_data(messages.write(2, messages.user_control(messages.PING_REQUEST, 77), 4096))
    assert other.data_to_send().endswith(b"\x00\x07" + (77).to_bytes(4, "big"))


def test_bytes_are_acknowledged_by_the_window_that_the_peer_sets() -> None:
    one, other = published()
    other.receive_data(messages.write(2, messages.window_size(100_000), 4096))
    for _ in range(12):
        one.send_media(MediaTag("video", 0, bytes(9000)))
        other.receive_data(one.data_to_send())
    arrived: list[Message] = []
    ChunkReader(Limits()).feed(other.data_to_send(), arrived)
    (acknowledged,) = arrived
    assert acknowledged.type_id == messages.ACKNOWLEDGEMENT
    assert 100_000 <= messages.read_ulong(acknowledged) < 120_000


def test_an_aggregate_is_taken_apart_on_its_own_clock() -> None:
    def tag(kind: int, time: int, body: bytes) -> bytes:
        return bytes([kind]) + len(body).to_bytes(3, "big") + time.to_bytes(3, "big") + bytes(4) + body + bytes(4)

    _, other = published()
    body = tag(messages.AUDIO, 5, b"\xaf\x01a") + tag(messages.VIDEO, 25, b"\x27\x01v")
    happened = other.receive_data(messages.write(6, Message(messages.AGGREGATE, 1000, 1, body), 4096))
    assert happened == [MediaTag("audio", 1000, b"\xaf\x01a"), MediaTag("video", 1020, b"\x27\x01v")]


def test_metadata_in_amf3_dress_is_taken() -> None:
    _, other = published()
    body = amf0.encode(["onMetaData", {"width": 640.0}])
    framed = b"\x00" + amf0.encode(["@setDataFrame"]) + body
    happened = other.receive_data(messages.write(5, Message(messages.DATA_AMF3, 0, 1, framed), 4096))
    assert happened == [MediaTag("data", 0, body)]


def test_an_empty_media_message_is_nothing() -> None:
    _, other = published()
    assert other.receive_data(messages.write(4, Message(messages.AUDIO, 0, 1, b""), 4096)) == []


BOMB = invoke("connect", 1)[12:] + b"\x0a\x00\x00\x00\x01" * 100


@pytest.mark.parametrize(
    ("data", "code"),
    [
        (b"GET / HTTP/1.1\r\n", "not_rtmp"),
        (b"\x06" + bytes(100), "not_rtmp"),
    ],
)
def test_what_is_no_handshake_is_refused_without_an_answer(data: bytes, code: str) -> None:
    other = server()
    (broken,) = other.receive_data(data)
    assert isinstance(broken, Broken)
    assert broken.code == code
    assert other.data_to_send() == b""


@pytest.mark.parametrize(
    ("data", "code"),
    [
        pytest.param([messages.write(3, Message(20, 0, 0, BOMB), 128)], "amf_too_deep", id="nesting bomb"),
        pytest.param([invoke("createStream", 1)], "bad_command", id="before connect"),
        pytest.param([invoke(5.0)], "bad_command", id="no name"),
        pytest.param([invoke("connect")], "wrong_app", id="nothing asked"),
        pytest.param([invoke("connect", "1")], "bad_command", id="no transaction"),
        pytest.param([invoke("connect", 1, {"app": "x" * 600})], "name_too_long", id="long app"),
        pytest.param([messages.write(2, messages.set_chunk_size(16 << 20), 128)], "bad_chunk_size", id="chunk"),
    ],
)
def test_a_fault_before_connect_is_rejected_in_connects_form(data: Iterable[bytes], code: str) -> None:
    other = shaken()
    broken = [event for part in data for event in other.receive_data(part)][-1]
    assert isinstance(broken, Broken)
    assert broken.code == code
    assert status(other, 128) == ("NetConnection.Connect.Rejected", broken.message)


@pytest.mark.parametrize(
    ("data", "code", "said"),
    [
        pytest.param(invoke("play", 5, None, KEY), "play_refused", "NetStream.Play.Failed", id="play"),
        pytest.param(invoke("publish", 5, None, "k" * 600), "name_too_long", "NetStream.Publish.Failed", id="long key"),
        pytest.param(
            invoke("createStream", 5, None) * 9, "too_many_streams", "NetStream.Publish.Failed", id="message streams"
        ),
        pytest.param(bytes(65_000), "bad_chunk", "NetStream.Publish.Failed", id="zeros"),
    ],
)
def test_a_fault_after_connect_is_told_as_a_status(data: bytes, code: str, said: str) -> None:
    other = connected()
    broken = other.receive_data(data)[-1]
    assert isinstance(broken, Broken)
    if code != "bad_chunk":
        assert broken.code == code
    assert status(other) == (said, broken.message)
    assert other.receive_data(b"more") == []


def test_a_bad_aggregate_breaks_the_publish() -> None:
    for body in (b"\x08\x00", b"\x08\x00\x00\x05" + bytes(7), (bytes(15)) * 2000):
        _, other = published()
        (broken,) = [
            event
            for event in other.receive_data(messages.write(6, Message(messages.AGGREGATE, 0, 1, body), 4096))
            if isinstance(event, Broken)
        ]
        assert broken.code == "bad_aggregate"


def test_the_client_says_when_the_server_speaks_something_else() -> None:
    (broken,) = client().receive_data(b"HTTP/1.1 400 Bad Request\r\n")
    assert isinstance(broken, Broken)
    assert broken.code == "not_rtmp"


def test_no_event_shows_the_stream_key() -> None:
    assert KEY not in repr(PublishRequested(KEY))
