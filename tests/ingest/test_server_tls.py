"""RTMPS: real encoders publish over TLS, and what does not shake hands takes nobody's place for long."""

from __future__ import annotations

import socket
import ssl
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from pydantic import ValidationError

from ingest.connection import ConnectionLimits
from tests.authority import Authority
from tests.ingest.media.footage import record, shifted, source
from tests.ingest.media.noise import noise
from tests.ingest.rtmp.house import (
    AAC,
    H264,
    PATIENCE_S,
    PICTURE,
    TONE,
    House,
    Raw,
    TagPublisher,
    eventually,
    ffmpeg,
    running_house,
)
from topology import tls
from topology.settings import Settings
from topology.tls import Certificates

LIMITS = ConnectionLimits(linger_s=0.5)
CONNECTIONS = 4


@pytest.fixture
def authority(tmp_path: Path) -> Authority:
    return Authority(tmp_path)


@pytest.fixture
def house(tmp_path: Path, authority: Authority) -> Iterator[House]:
    files = authority.issue(serial=7)
    certificates = Certificates(files.certificate, files.key)
    with running_house(tmp_path, limits=LIMITS, connections=CONNECTIONS, certificates=certificates) as running:
        yield running


def serial_seen(house: House, authority: Authority) -> int:
    with (
        socket.create_connection(("127.0.0.1", house.tls_port), timeout=PATIENCE_S) as plain,
        authority.trusting().wrap_socket(plain, server_hostname="localhost") as encrypted,
    ):
        certificate = encrypted.getpeercert()
        assert certificate is not None
        return int(str(certificate["serialNumber"]), 16)


def test_a_real_encoder_that_checks_the_certificate_publishes(house: House, authority: Authority) -> None:
    key = house.new_key()
    url = f"rtmps://localhost:{house.tls_port}/live/{key}"
    trust = ("-tls_verify", "1", "-ca_file", str(authority.file))
    with ffmpeg("-re", *PICTURE, "-re", *TONE, *H264, *AAC, "-t", "4", *trust, "-f", "flv", url) as process:
        eventually(lambda: house.playback(key))
        complaint = process.communicate()[1]
    assert process.returncode == 0, complaint
    eventually(lambda: house.deciders.happened(house.stream_of(key))[-1:] == ["StreamEnded:unpublished"])


def test_media_over_tls_is_what_it_is_in_the_clear(house: House, authority: Authority) -> None:
    publishers = []
    for port, context in ((house.port, None), (house.tls_port, authority.trusting())):
        key = house.new_key()
        publisher = TagPublisher(port, key, tls=context)
        publisher.send(record(6.0, gop=30))
        publisher.send(shifted(record(6.0, gop=30), 6000))
        publishers.append((key, publisher))
    played = []
    for key, publisher in publishers:
        publisher.unpublish()
        eventually(lambda key=key: "StreamEnded:unpublished" in house.deciders.happened(house.stream_of(key)))  # type: ignore[misc]
        playback = house.playback(key)
        assert playback is not None
        played.append([(entry.duration_s, len(entry.parts)) for entry in source(playback).entries()])
    assert played[0] == played[1]
    assert played[0]


@pytest.mark.parametrize("secure", [False, True], ids=["in the clear", "over TLS"])
def test_50_megabits_a_second_arrive(house: House, authority: Authority, secure: bool) -> None:
    key = house.new_key()
    port, context = (house.tls_port, authority.trusting()) if secure else (house.port, None)
    publisher = TagPublisher(port, key, tls=context)
    started = time.monotonic()
    for tag in noise():
        time.sleep(max(0.0, started + tag.timestamp_ms / 1000 - time.monotonic()))
        publisher.send([tag])
    (first, *_) = eventually(lambda: house.reports.samples[house.stream_of(key)])
    assert first.bitrate_kbps > 50_000
    assert publisher.ended is None
    publisher.close()


def test_a_refusal_reaches_the_publisher_within_tls(house: House, authority: Authority) -> None:
    publisher = TagPublisher(house.tls_port, house.new_key()[:-6] + "wrong0", tls=authority.trusting())
    assert publisher.ended is not None
    assert publisher.ended.code == "NetStream.Publish.BadName"
    publisher.close()


def test_a_publisher_cut_off_within_tls_comes_back_to_its_stream(house: House, authority: Authority) -> None:
    key = house.new_key()
    publisher = TagPublisher(house.tls_port, key, tls=authority.trusting())
    publisher.send(record(3.0, gop=15, size=(64, 48)))
    eventually(lambda: house.playback(key))
    publisher.vanish()
    eventually(lambda: "PublisherDisconnected:connection_lost" in house.deciders.happened(house.stream_of(key)))
    stream_id = house.stream_of(key)
    again = TagPublisher(house.tls_port, key, tls=authority.trusting())
    assert house.stream_of(key) == stream_id
    again.unpublish()


def test_what_speaks_no_tls_is_sent_away_and_logged(house: House) -> None:
    client = Raw(house.tls_port)
    client.send(b"\x03" + bytes(1536))
    eventually(lambda: house.ended("tls_handshake_failed"))
    client.socket.close()


@pytest.mark.parametrize("version", [ssl.TLSVersion.TLSv1, ssl.TLSVersion.TLSv1_1])
@pytest.mark.filterwarnings("ignore:ssl.TLSVersion:DeprecationWarning")
def test_tls_below_1_2_is_not_spoken(house: House, authority: Authority, version: ssl.TLSVersion) -> None:
    old = authority.trusting()
    old.set_ciphers("ALL:@SECLEVEL=0")
    old.minimum_version, old.maximum_version = version, version
    with pytest.raises(ssl.SSLError):
        TagPublisher(house.tls_port, house.new_key(), tls=old)
    eventually(lambda: house.ended("tls_handshake_failed"))


def test_a_handshake_that_never_comes_is_ended(house: House, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tls, "HANDSHAKE_S", 0.3)
    client = Raw(house.tls_port)
    eventually(lambda: house.ended("tls_handshake_failed"))
    assert client.socket.recv(1) == b""
    client.socket.close()


def test_connections_are_counted_before_they_shake_hands(house: House, authority: Authority) -> None:
    silent = [Raw(house.tls_port) for _ in range(CONNECTIONS)]
    eventually(lambda: house.connections == CONNECTIONS)
    assert Raw(house.port).statuses() == []
    eventually(lambda: house.ended("too_many_connections"))
    for client in silent:
        client.socket.close()
    eventually(lambda: len(house.ended("tls_handshake_failed")) == CONNECTIONS)
    publisher = TagPublisher(house.tls_port, house.new_key(), tls=authority.trusting())
    assert publisher.started
    publisher.unpublish()


def test_a_renewed_certificate_is_shown_without_a_restart(house: House, authority: Authority) -> None:
    assert serial_seen(house, authority) == 7
    authority.issue(serial=8)
    assert serial_seen(house, authority) == 8


def test_a_broken_certificate_file_leaves_the_old_one_in_use(house: House, authority: Authority) -> None:
    files = authority.issue(serial=8)
    assert serial_seen(house, authority) == 8
    files.certificate.write_text("half a certificate")
    assert serial_seen(house, authority) == 8
    files.certificate.unlink()
    assert serial_seen(house, authority) == 8
    assert [line for line in house.logs if line["event"].startswith("certificate not reloaded")]
    authority.issue(serial=9)
    assert serial_seen(house, authority) == 9


def test_rtmps_without_its_files_is_a_mistake_that_is_named() -> None:
    with pytest.raises(ValidationError, match="rtmps_certificate_file"):
        Settings(rtmps_port=1936)
