"""Whatever one client does, its neighbour's stream plays on, and the reason is logged and sent."""

from __future__ import annotations

import random
import time
from collections.abc import Iterator
from typing import Any

import psutil
import pytest

from ingest.connection import ConnectionLimits
from ingest.media.settings import MediaSettings
from ingest.media.tag import MediaTag
from ingest.rtmp import amf0, messages
from ingest.rtmp.messages import Message
from tests.ingest.media.footage import is_frame, is_keyframe, record, shifted
from tests.ingest.rtmp.house import (
    AAC,
    H264,
    PICTURE,
    TONE,
    House,
    Raw,
    TagPublisher,
    encoder,
    eventually,
    ffmpeg,
    invoke,
    running_house,
    shown,
)

LIMITS = ConnectionLimits(publish_s=1.5, idle_s=2.0, linger_s=1.0)
FAILED, BAD_NAME = "NetStream.Publish.Failed", "NetStream.Publish.BadName"
REJECTED = "NetConnection.Connect.Rejected"


@pytest.fixture(scope="module")
def house(tmp_path_factory: pytest.TempPathFactory) -> Iterator[House]:
    media = MediaSettings(keyframe_wait_s=3.0)
    with running_house(tmp_path_factory.mktemp("house"), limits=LIMITS, media=media) as running:
        yield running


@pytest.fixture(scope="module")
def neighbour(house: House) -> Iterator[str]:
    """The key of a stream that a real encoder publishes all the while."""
    key = house.new_key()
    with encoder(house.port, key) as process:
        eventually(lambda: house.playback(key))
        yield key
        assert process.poll() is None, "the neighbour was cut off"
        process.terminate()


@pytest.fixture(autouse=True)
def _the_neighbour_plays_on(house: House, neighbour: str) -> Iterator[None]:
    yield
    playback = house.playback(neighbour)
    assert playback is not None
    assert not playback.ended
    before = shown(playback)
    eventually(lambda: shown(playback) != before)


def tags(**options: Any) -> tuple[MediaTag, ...]:
    return record(2.0, gop=15, size=(64, 48), **options)


@pytest.mark.parametrize("seed", range(5))
def test_random_bytes(house: House, seed: int) -> None:
    client = Raw(house.port)
    client.send(random.Random(seed).randbytes(5000))
    assert client.statuses() == []
    eventually(lambda: house.ended("not_rtmp"))


@pytest.mark.parametrize("seed", range(5))
def test_random_bytes_behind_a_handshake(house: House, seed: int) -> None:
    client = Raw(house.port)
    client.connect()
    client.send(random.Random(seed).randbytes(60_000))
    (*_, (code, _description)) = client.statuses()
    assert code == FAILED


def test_a_slowloris_handshake(house: House) -> None:
    before = len(house.ended("publish_timeout"))
    client = Raw(house.port)
    while client.send(b"\x03"):
        time.sleep(0.1)
    eventually(lambda: len(house.ended("publish_timeout")) > before)


def test_a_connection_that_never_publishes(house: House) -> None:
    client = Raw(house.port)
    client.connect()
    assert client.statuses()[-1] == (FAILED, "no publish within 1.5 s")


@pytest.mark.parametrize(
    ("size", "code"), [(16 << 20, "bad_chunk_size"), (0xFFFFFFFF, "bad_chunk_size"), (1, "bad_chunk_size")]
)
def test_chunks_of_absurd_size(house: House, size: int, code: str) -> None:
    client = Raw(house.port)
    client.connect()
    client.send(messages.write(2, messages.set_chunk_size(size), 128))
    assert client.statuses()[-1] == (FAILED, f"chunk size {size}; 128 to 1048576 bytes are taken")
    eventually(lambda: house.ended(code))


def test_the_longest_message_length_there_is(house: House) -> None:
    key = house.new_key()
    client = Raw(house.port)
    client.publish(key)
    client.send(b"\x06" + bytes(3) + b"\xff\xff\xff\x09" + bytes(4) + bytes(128))
    assert client.statuses()[-1] == (FAILED, "a message of 16777215 bytes was announced")
    eventually(lambda: house.ended("message_too_large"))


def test_an_amf_nesting_bomb(house: House) -> None:
    client = Raw(house.port)
    bomb = amf0.encode(["connect", 1]) + b"\x0a\x00\x00\x00\x01" * 2000
    client.send(b"\x03" + bytes(3072) + messages.write(3, Message(messages.COMMAND, 0, 0, bomb), 128))
    assert client.statuses() == [(REJECTED, "AMF values nested deeper than 16")]
    eventually(lambda: house.ended("amf_too_deep"))


def test_a_wrong_app_by_a_real_encoder(house: House) -> None:
    url = f"rtmp://127.0.0.1:{house.port}/vod/{house.new_key()}"
    with ffmpeg(*PICTURE, *TONE, *H264, *AAC, "-t", "1", "-f", "flv", url) as process:
        assert b"no such application" in process.communicate()[1]
    assert process.returncode
    eventually(lambda: house.ended("wrong_app"))


def test_a_wrong_key_by_a_real_encoder(house: House) -> None:
    key = house.new_key()
    wrong = key[:-6] + "wrong0"
    url = f"rtmp://127.0.0.1:{house.port}/live/{wrong}"
    with ffmpeg(*PICTURE, *TONE, *H264, *AAC, "-t", "1", "-f", "flv", url) as process:
        complaint = process.communicate()[1]
    assert process.returncode
    assert b"the stream key is not valid" in complaint
    eventually(lambda: house.ended("bad_stream_key"))
    assert house.stream_of(key) == ""
    assert all(wrong not in str(line) for line in house.logs)


@pytest.mark.parametrize("name", ["", "test", "live_1_short", "live_1_" + "x" * 400])
def test_what_is_no_stream_key(house: House, name: str) -> None:
    client = Raw(house.port)
    client.publish(name)
    assert client.statuses()[-1] == (BAD_NAME, "that is no stream key; take it from the dashboard")


def test_a_revoked_key(house: House) -> None:
    key = house.new_key()
    house.revoke(key)
    client = Raw(house.port)
    client.publish(key)
    code, description = client.statuses()[-1]
    assert (code, "not valid" in description) == (BAD_NAME, True)


def test_a_second_publisher_on_a_live_key(house: House, neighbour: str) -> None:
    with encoder(house.port, neighbour) as second:
        complaint = second.communicate()[1]
    assert b"a publisher holds the channel" in complaint
    eventually(lambda: house.ended("already_live"))


def test_a_player(house: House) -> None:
    client = Raw(house.port)
    client.connect()
    client.send(invoke("createStream", 2, None) + invoke("play", 3, None, "anything"))
    assert client.statuses()[-1] == ("NetStream.Play.Failed", "streams are played over HLS, not over RTMP")


def test_no_keyframe(house: House) -> None:
    publisher = TagPublisher(house.port, key := house.new_key())
    late = [tag for tag in tags() if not (is_frame(tag) and is_keyframe(tag))]
    for tag in late * 2:
        publisher.send([tag])
        time.sleep(0.02)
        if publisher.ended:
            break
    assert publisher.wait_for_end().code == FAILED
    eventually(lambda: [line for line in house.ended("refused_media") if "no_keyframe" in line["reason"]])
    eventually(lambda: "StreamEnded:refused_media" in house.deciders.happened(house.stream_of(key)))


@pytest.mark.parametrize(
    "options", [{"audio": False}, {"video": ""}], ids=["video without audio", "audio without video"]
)
def test_one_track_alone_plays(house: House, options: dict[str, object]) -> None:
    publisher = TagPublisher(house.port, key := house.new_key())
    for tag in tags(**options):
        publisher.send([tag])
        time.sleep(0.02)
    eventually(lambda: house.playback(key))
    publisher.unpublish()
    eventually(lambda: house.deciders.happened(house.stream_of(key))[-1:] == ["StreamEnded:unpublished"])


def test_hevc_in_enhanced_rtmp_is_taken(house: House) -> None:
    publisher = TagPublisher(house.port, key := house.new_key())
    publisher.send(tags(video="libx265"))
    eventually(lambda: house.playback(key))
    publisher.unpublish()


def test_av1_in_enhanced_rtmp_is_taken(house: House) -> None:
    publisher = TagPublisher(house.port, key := house.new_key())
    publisher.send(tags(video="libsvtav1"))
    eventually(lambda: house.playback(key))
    publisher.unpublish()


@pytest.mark.parametrize(
    ("tag", "description"),
    [
        (MediaTag("video", 0, b"\x90vp09" + bytes(10)), "VP9 video is not supported; send H.264, HEVC or AV1"),
        (MediaTag("audio", 0, b"\x90Opus" + bytes(10)), "Opus audio is not supported; send AAC"),
        (MediaTag("audio", 0, b"\x90ac-3" + bytes(10)), "AC-3 audio is not supported; send AAC"),
        (
            MediaTag("audio", 0, b"\x95\x00mp4a" + bytes(10)),
            "multitrack audio is not supported; send one audio track",
        ),
        (
            MediaTag("video", 0, b"\x96\x10avc1" + bytes(10)),
            "multitrack video is not supported; send one video track",
        ),
    ],
    ids=["VP9", "Opus", "AC-3", "audio tracks", "video tracks"],
)
def test_what_enhanced_rtmp_could_carry_and_we_do_not_is_refused_by_name(
    house: House, tag: MediaTag, description: str
) -> None:
    publisher = TagPublisher(house.port, house.new_key())
    publisher.send([tag])
    ended = publisher.wait_for_end()
    assert (ended.code, ended.description) == (FAILED, description)
    eventually(lambda: [line for line in house.ended("refused_media") if description in line["reason"]])


@pytest.mark.parametrize(
    "shifts", [(90_000, 0), (0xFFFFFF - 1000,), (0xFFFFFFFF - 1000,), (0, 1 << 31)], ids=["back", "24", "32", "far"]
)
def test_timestamps_that_jump_or_run_over_keep_the_stream(house: House, shifts: tuple[int, ...]) -> None:
    publisher = TagPublisher(house.port, key := house.new_key())
    for shift in shifts:
        publisher.send(shifted(tags(), shift))
    eventually(lambda: house.playback(key))
    publisher.unpublish()
    eventually(lambda: house.deciders.happened(house.stream_of(key))[-1:] == ["StreamEnded:unpublished"])


def test_media_that_is_no_media(house: House) -> None:
    publisher = TagPublisher(house.port, house.new_key())
    publisher.send([MediaTag("video", 0, b"\x17\x00\x00\x00\x00" + bytes(20)), *tags()])
    assert publisher.wait_for_end().code == FAILED
    eventually(lambda: house.ended("refused_media"))


def test_a_publisher_that_falls_silent(house: House) -> None:
    publisher = TagPublisher(house.port, house.new_key())
    publisher.send(tags())
    assert publisher.wait_for_end().description == "no media for 2 s"
    eventually(lambda: house.ended("idle"))


def test_a_flood_of_the_smallest_messages(house: House) -> None:
    key = house.new_key()
    client = Raw(house.port)
    client.publish(key)
    eventually(lambda: house.stream_of(key))
    client.send(messages.write(4, Message(messages.AUDIO, 0, 1, b""), 128))
    while client.send(b"\xc4" * 65_536):
        pass
    eventually(lambda: house.ended("message_flood"))


def test_answers_left_unread(house: House) -> None:
    key = house.new_key()
    client = Raw(house.port)
    client.publish(key)
    eventually(lambda: house.stream_of(key))
    ping = messages.write(2, messages.user_control(messages.PING_REQUEST, 1), 128)
    while client.send(ping * 100):
        time.sleep(0.01)
    assert eventually(lambda: house.ended("slow_reader") or house.ended("message_flood"))


def test_memory_stays_bounded_under_many_bad_clients(house: House) -> None:
    before = psutil.Process().memory_info().rss
    clients = [Raw(house.port) for _ in range(60)]
    for client in clients:
        client.connect()
        client.send(messages.write(6, Message(messages.VIDEO, 0, 1, bytes(4 << 20)), 128)[:60_000])
    grown = psutil.Process().memory_info().rss - before
    for client in clients:
        client.socket.close()
    assert grown < 64 << 20
