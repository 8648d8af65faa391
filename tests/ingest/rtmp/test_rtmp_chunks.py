"""Chunks to messages: whatever the encoder's habits and however the network cuts the bytes."""

from __future__ import annotations

from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ingest.rtmp import messages
from ingest.rtmp.chunks import ChunkReader
from ingest.rtmp.errors import RtmpError
from ingest.rtmp.limits import Limits
from ingest.rtmp.messages import AUDIO, VIDEO, Message
from tests.ingest.rtmp.wire import PeerWriter, basic_header

CHUNK_STREAMS = st.sampled_from([3, 4, 6, 63, 64, 319, 320, 65599])
PAYLOADS = st.one_of(st.binary(max_size=20), st.integers(0, 2000).map(bytes), st.binary(min_size=120, max_size=600))


@st.composite
def media(draw: st.DrawFn) -> list[tuple[int, Message]]:
    """Messages on several chunk streams whose clock runs on, past 2^24 ms and past 2^32 ms."""
    now = draw(st.sampled_from([0, 0xFFFFFF - 50, 0xFFFFFFFF - 50]))
    sent = []
    for _ in range(draw(st.integers(1, 12))):
        type_id = draw(st.sampled_from([AUDIO, VIDEO]))
        sent.append((draw(CHUNK_STREAMS), Message(type_id, now, 1, draw(PAYLOADS))))
        now += draw(st.sampled_from([0, 23, 33, 0x1000000]))
    return sent


def feed(reader: ChunkReader, *parts: bytes) -> list[Message]:
    arrived: list[Message] = []
    for part in parts:
        reader.feed(part, arrived)
    return arrived


def split(data: bytes, cuts: list[int]) -> list[bytes]:
    places = sorted({0, len(data), *(cut % (len(data) + 1) for cut in cuts)})
    return [data[start:end] for start, end in pairwise(places)]


@given(sent=media(), repeats=st.booleans(), size=st.sampled_from([128, 129, 4096]), cuts=st.lists(st.integers(0)))
@settings(max_examples=200, deadline=None)
def test_what_an_encoder_writes_comes_out_in_any_split(
    sent: list[tuple[int, Message]], repeats: bool, size: int, cuts: list[int]
) -> None:
    writer = PeerWriter(repeats)
    opening = writer.write(2, messages.set_chunk_size(size))
    writer.chunk_size = size
    data = opening + b"".join(writer.write(number, message) for number, message in sent)
    expected = [message for _, message in sent]

    assert feed(ChunkReader(Limits()), data) == expected
    assert feed(ChunkReader(Limits()), *split(data, cuts)) == expected
    assert feed(ChunkReader(Limits()), *(bytes([byte]) for byte in data)) == expected


@given(sent=media(), size=st.sampled_from([128, 4096]))
@settings(deadline=None)
def test_our_own_writer_is_understood(sent: list[tuple[int, Message]], size: int) -> None:
    data = messages.write(2, messages.set_chunk_size(size), 128)
    data += b"".join(messages.write(number % 60 + 3, message, size) for number, message in sent)
    assert feed(ChunkReader(Limits()), data) == [message for _, message in sent]


@given(data=st.binary(max_size=400), cuts=st.lists(st.integers(0), max_size=5))
@settings(max_examples=300, deadline=None)
def test_any_bytes_give_the_same_in_any_split(data: bytes, cuts: list[int]) -> None:
    assert outcome([data]) == outcome(split(data, cuts))


def outcome(parts: list[bytes]) -> tuple[list[Message], str]:
    reader, arrived = ChunkReader(Limits()), list[Message]()
    try:
        for part in parts:
            reader.feed(part, arrived)
    except RtmpError as error:
        return arrived, error.code
    return arrived, ""


def test_messages_interleave_chunk_by_chunk() -> None:
    video, audio = PeerWriter(), PeerWriter()
    long = video.write(6, Message(VIDEO, 40, 1, bytes(range(256))))
    short = audio.write(4, Message(AUDIO, 41, 1, b"sound"))
    header, body = 12, 128
    data = long[: header + body] + short + long[header + body :]
    assert feed(ChunkReader(Limits()), data) == [
        Message(AUDIO, 41, 1, b"sound"),
        Message(VIDEO, 40, 1, bytes(range(256))),
    ]


def test_timestamps_that_jump_back_are_passed_on() -> None:
    writer = PeerWriter()
    sent = [Message(VIDEO, time, 1, b"x") for time in (90_000, 90_040, 60_000, 60_040, 0)]
    assert feed(ChunkReader(Limits()), *(writer.write(6, message) for message in sent)) == sent


def test_time_runs_on_past_32_bits_with_whole_headers() -> None:
    times = [0xFFFFFFF0, 0xFFFFFFFF, 0x100000010, 0x100000020]
    data = b"".join(messages.write(6, Message(VIDEO, time, 1, b"x"), 128) for time in times)
    assert [message.timestamp for message in feed(ChunkReader(Limits()), data)] == times


def test_a_type_3_chunk_after_a_type_0_repeats_its_timestamp_as_delta() -> None:
    data = PeerWriter().write(4, Message(AUDIO, 23, 1, b"one")) + basic_header(3, 4) + b"two"
    assert [message.timestamp for message in feed(ChunkReader(Limits()), data)] == [23, 46]


def test_a_payload_that_looks_like_the_extended_timestamp_is_taken_as_its_repeat() -> None:
    time = 0x01020304
    writer = PeerWriter(repeats=True)
    payload = bytes(128) + time.to_bytes(4, "big") + b"rest"
    assert feed(ChunkReader(Limits()), writer.write(6, Message(VIDEO, time, 1, payload)))[0].payload == payload


def test_a_last_chunk_shorter_than_a_repeat_does_not_wait_for_more() -> None:
    message = Message(VIDEO, 0x01020304, 1, bytes(128) + b"ab")
    assert feed(ChunkReader(Limits()), PeerWriter(repeats=False).write(6, message)) == [message]


def test_abort_drops_the_unfinished_message() -> None:
    writer = PeerWriter()
    started = writer.write(6, Message(VIDEO, 0, 1, bytes(300)))[: 12 + 128]
    abort = messages.write(2, Message(messages.ABORT, 0, 0, (6).to_bytes(4, "big")), 128)
    fresh = Message(VIDEO, 40, 1, b"fresh")
    assert feed(ChunkReader(Limits()), started, abort, messages.write(6, fresh, 128)) == [fresh]


@pytest.mark.parametrize(
    ("data", "code"),
    [
        pytest.param(messages.write(2, messages.set_chunk_size(16 << 20), 128), "bad_chunk_size", id="chunk of 16 MB"),
        pytest.param(messages.write(2, messages.set_chunk_size(0), 128), "bad_chunk_size", id="chunk of nothing"),
        pytest.param(messages.write(2, messages.set_chunk_size(0xFFFFFFFF), 128), "bad_chunk_size", id="4 GB chunk"),
        pytest.param(b"\x06" + bytes(3) + b"\xff\xff\xff\x09" + bytes(4), "message_too_large", id="message of 16 MB"),
        pytest.param(basic_header(3, 9), "bad_chunk", id="continues nothing"),
        pytest.param(basic_header(2, 9) + bytes(3), "bad_chunk", id="delta to nothing"),
        pytest.param(
            messages.write(6, Message(VIDEO, 0, 1, bytes(300)), 128)[:140]
            + messages.write(6, Message(9, 0, 1, b"x"), 128),
            "bad_chunk",
            id="header within a message",
        ),
        pytest.param(
            b"".join(messages.write(number, Message(VIDEO, 0, 1, b"x"), 128) for number in range(3, 63))
            + b"".join(basic_header(0, number) + bytes(11) for number in range(64, 70)),
            "too_many_chunk_streams",
            id="chunk streams",
        ),
        pytest.param(messages.write(2, Message(messages.ABORT, 0, 0, b"\0"), 128), "bad_control", id="short abort"),
    ],
)
def test_refuses(data: bytes, code: str) -> None:
    with pytest.raises(RtmpError) as refused:
        feed(ChunkReader(Limits()), data)
    assert refused.value.code == code


def test_unfinished_messages_together_are_bounded() -> None:
    limits = Limits(max_buffered=10_000)
    reader = ChunkReader(limits)
    with pytest.raises(RtmpError) as refused:
        for number in range(3, 63):
            header = basic_header(0, number) + bytes(3) + (8 << 20).to_bytes(3, "big")[:3] + b"\x09" + bytes(4)
            feed(reader, header + bytes(128) + (basic_header(3, number) + bytes(128)) * 4)
    assert refused.value.code == "too_much_buffered"
