"""Two publishers of one stream: the viewers keep one stream, whichever of the two is lost, stalls or comes back."""

from __future__ import annotations

import signal
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from threading import Event, Thread

import pytest
import structlog

from commands.identity import channel_of_key
from ingest.connection import ConnectionLimits
from ingest.hls.playback import Playback
from ingest.media.settings import MediaSettings
from ingest.media.tag import MediaTag
from schemas.events.channels import PRIVATE, ChannelUpdated
from schemas.events.streams import StreamStarted
from tests.commands.scenario import happened
from tests.ingest.media.footage import is_frame, record, shifted
from tests.ingest.rtmp.house import House, LocalDeciders, TagPublisher, encoder, eventually, running_house, shown
from topology.playback_paths import playback_path

LIMITS = ConnectionLimits(linger_s=0.5)
SETTLE_S = 0.5
BACKUP = "?backup=1"
PRIMARY_SIZE, BACKUP_SIZE = (64, 48), (128, 96)


@pytest.fixture
def house(tmp_path: Path) -> Iterator[House]:
    with running_house(tmp_path, limits=LIMITS, settle_s=SETTLE_S) as running:
        yield running


def footage(size: tuple[int, int] = PRIMARY_SIZE) -> list[MediaTag]:
    """Three seconds as a running encoder sends them, without an end of sequence."""
    tags = record(3.0, gop=15, size=size)
    return [tag for tag in tags if not (tag.kind == "video" and tag.payload[1:2] == b"\x02")]


def publish(house: House, key: str, size: tuple[int, int] = PRIMARY_SIZE) -> TagPublisher:
    publisher = TagPublisher(house.port, key)
    assert publisher.started, publisher.ended
    publisher.send(footage(size))
    return publisher


@contextmanager
def sending(publisher: TagPublisher, size: tuple[int, int]) -> Iterator[None]:
    """In a thread: half-second GOPs in real time, until the block ends."""
    over = Event()

    def send() -> None:
        frames = [tag for tag in footage(size) if is_frame(tag)]
        started, turn = time.monotonic(), 1
        while not over.is_set():
            for tag in shifted(frames, 3000 * turn):
                if over.wait(max(0.0, started + (tag.timestamp_ms - 3000) / 1000 - time.monotonic())):
                    return
                publisher.send([tag])
            turn += 1

    thread = Thread(target=send)
    thread.start()
    try:
        yield
    finally:
        over.set()
        thread.join()


def story(house: House, key: str) -> list[str]:
    return house.deciders.happened(house.stream_of(key))


def comes_to(house: House, key: str, *expected: str) -> None:
    eventually(lambda: story(house, key)[-len(expected) :] == list(expected))


def resolution(playback: Playback) -> str:
    """The resolution that the multivariant playlist names."""
    return playback.multivariant().partition("RESOLUTION=")[2].partition(",")[0].split()[0]


def discontinuities(playback: Playback) -> int:
    return shown(playback).count(b"#EXT-X-DISCONTINUITY\n")


@contextmanager
def both_live(house: House, key: str) -> Iterator[tuple[TagPublisher, TagPublisher, Playback]]:
    """A primary on the air and a backup that stands by with a GOP in reserve."""
    primary = publish(house, key)
    comes_to(house, key, "PublishAuthorised", "StreamStarted")
    backup = publish(house, key + BACKUP, BACKUP_SIZE)
    comes_to(house, key, "StreamStarted", "StandbyAuthorised")
    playback = house.playback(key)
    assert playback is not None
    time.sleep(0.2)  # what was sent is read by the tick
    assert resolution(playback) == "64x48"
    yield primary, backup, playback
    primary.close()
    backup.close()


def test_a_lost_primary_is_followed_by_its_backup_in_the_same_stream(house: House) -> None:
    key = house.new_key()
    with both_live(house, key) as (primary, backup, playback):
        stream_id = house.stream_of(key)
        primary.vanish()
        comes_to(house, key, "StandbyAuthorised", "IngestSwitched:lost", "StandbyDisconnected:connection_lost")
        # What the backup had ready is on at once: it sends nothing more here.
        eventually(lambda: resolution(playback) == "128x96")
        assert house.stream_of(key) == stream_id
        backup.unpublish()
        comes_to(house, key, "StandbyDisconnected:connection_lost", "StreamEnded:unpublished")
        assert discontinuities(playback) == 1
    eventually(lambda: not house.journal.entries())


def test_a_primary_that_is_stopped_leaves_the_stream_to_its_backup(house: House) -> None:
    key = house.new_key()
    with both_live(house, key) as (primary, backup, playback):
        primary.unpublish()
        comes_to(house, key, "IngestSwitched:unpublished", "StandbyDisconnected:unpublished")
        assert not playback.ended
        backup.unpublish()
        comes_to(house, key, "StandbyDisconnected:unpublished", "StreamEnded:unpublished")


def test_a_lost_backup_changes_nothing_that_is_shown(house: House) -> None:
    key = house.new_key()
    with both_live(house, key) as (primary, backup, playback):
        backup.vanish()
        comes_to(house, key, "StandbyAuthorised", "StandbyDisconnected:connection_lost")
        primary.send(shifted([tag for tag in footage() if is_frame(tag)], 3000))
        primary.unpublish()
        comes_to(house, key, "StandbyDisconnected:connection_lost", "StreamEnded:unpublished")
        assert discontinuities(playback) == 0


def test_a_stalled_primary_is_followed_by_its_backup_and_takes_over_when_it_is_steady_again(house: House) -> None:
    key = house.new_key()
    with both_live(house, key) as (primary, backup, playback), sending(backup, BACKUP_SIZE):
        comes_to(house, key, "StandbyAuthorised", "IngestSwitched:stalled")
        eventually(lambda: resolution(playback) == "128x96")
        with sending(primary, PRIMARY_SIZE):
            comes_to(house, key, "IngestSwitched:stalled", "IngestSwitched:primary_back")
            eventually(lambda: resolution(playback) == "64x48")
            assert discontinuities(playback) == 2
    eventually(lambda: not house.journal.entries() or "PublisherDisconnected:connection_lost" in story(house, key))


def test_a_primary_comes_back_beside_its_backup_and_takes_over(house: House) -> None:
    key = house.new_key()
    with both_live(house, key) as (primary, backup, playback), sending(backup, BACKUP_SIZE):
        primary.vanish()
        comes_to(house, key, "IngestSwitched:lost", "StandbyDisconnected:connection_lost")
        again = publish(house, key)
        with sending(again, PRIMARY_SIZE):
            comes_to(
                house, key, "StandbyDisconnected:connection_lost", "StandbyAuthorised", "IngestSwitched:primary_back"
            )
            eventually(lambda: resolution(playback) == "64x48")
        again.close()


def test_real_encoders_fail_over_and_the_viewers_get_both_pictures(house: House) -> None:
    key = house.new_key()
    with encoder(house.port, key) as primary:
        eventually(lambda: house.playback(key))
        with encoder(house.port, key + BACKUP) as backup:
            comes_to(house, key, "StreamStarted", "StandbyAuthorised")
            time.sleep(1.0)
            primary.kill()
            comes_to(house, key, "IngestSwitched:lost", "StandbyDisconnected:connection_lost")
            playback = house.playback(key)
            assert playback is not None
            eventually(lambda: discontinuities(playback) == 1)
            before = shown(playback)
            eventually(lambda: shown(playback) != before)
            backup.send_signal(signal.SIGINT)
            backup.wait()
    comes_to(house, key, "StandbyDisconnected:connection_lost", "StreamEnded:unpublished")


def test_a_backup_alone_is_a_stream_and_the_primary_joins_it(house: House) -> None:
    key = house.new_key()
    backup = publish(house, key + BACKUP, BACKUP_SIZE)
    comes_to(house, key, "PublishAuthorised", "StreamStarted")
    with sending(backup, BACKUP_SIZE):
        primary = publish(house, key)
        with sending(primary, PRIMARY_SIZE):
            comes_to(house, key, "StreamStarted", "StandbyAuthorised", "IngestSwitched:primary_back")
        primary.close()
    backup.close()


def test_a_primary_that_never_sends_does_not_hold_its_backup_up(house: House) -> None:
    key = house.new_key()
    primary = TagPublisher(house.port, key)
    backup = publish(house, key + BACKUP, BACKUP_SIZE)
    with sending(backup, BACKUP_SIZE):
        comes_to(house, key, "StandbyAuthorised", "IngestSwitched:stalled", "StreamStarted")
    primary.close()
    comes_to(house, key, "StreamStarted", "StandbyDisconnected:connection_lost")
    backup.unpublish()
    comes_to(house, key, "StandbyDisconnected:connection_lost", "StreamEnded:unpublished")


def test_a_backup_that_starts_a_private_stream_starts_it_at_its_private_path(house: House) -> None:
    key = house.new_key("secretive")
    channel_id = channel_of_key(key)
    updated = happened(
        ChannelUpdated, channel_id=channel_id, title="", category="", language="", playback_policy=PRIVATE
    )
    house.deciders.fold(updated)
    primary = TagPublisher(house.port, key)
    backup = publish(house, key + BACKUP, BACKUP_SIZE)
    with sending(backup, BACKUP_SIZE):
        comes_to(house, key, "StandbyAuthorised", "IngestSwitched:stalled", "StreamStarted")
    started = next(event for event in house.deciders.events if isinstance(event, StreamStarted))
    assert started.playback_path == playback_path(started.stream_id, PRIVATE)
    primary.close()
    backup.close()


@pytest.mark.parametrize("suffix", ["", BACKUP])
def test_a_third_publisher_is_refused_whichever_it_says_it_is(house: House, suffix: str) -> None:
    key = house.new_key()
    with both_live(house, key):
        third = TagPublisher(house.port, key + suffix)
        third.close()
        assert third.ended is not None
        assert "holds the channel since" in third.ended.description
        assert story(house, key)[-1] == "StandbyAuthorised"


def test_a_revoked_key_ends_both(house: House) -> None:
    key = house.new_key()
    with both_live(house, key) as (primary, backup, _):
        house.revoke(key)
        assert primary.wait_for_end().description == "the stream key was revoked"
        assert backup.wait_for_end().description == "the stream key was revoked"
        comes_to(house, key, "StandbyAuthorised", "StandbyDisconnected:key_revoked", "StreamEnded:key_revoked")


def test_a_primary_whose_media_is_refused_leaves_the_stream_to_its_backup(house: House) -> None:
    key = house.new_key()
    with both_live(house, key) as (primary, backup, playback):
        primary.send([MediaTag("audio", 3000, b"\x90Opus" + bytes(10))])
        assert primary.wait_for_end().description == "Opus audio is not supported; send AAC"
        comes_to(house, key, "IngestSwitched:refused_media", "StandbyDisconnected:refused_media")
        eventually(lambda: resolution(playback) == "128x96")
        backup.unpublish()


def test_a_backup_whose_media_is_refused_ends_alone(house: House) -> None:
    key = house.new_key()
    with both_live(house, key) as (primary, backup, _):
        backup.send([MediaTag("video", 3000, b"\x91vp09" + bytes(10))])
        assert backup.wait_for_end().description == "VP9 video is not supported; send H.264, HEVC or AV1"
        comes_to(house, key, "StandbyAuthorised", "StandbyDisconnected:refused_media")
        primary.unpublish()


def test_a_backup_whose_reserve_is_refused_when_it_takes_over_is_told_so(house: House) -> None:
    key = house.new_key()
    with both_live(house, key) as (primary, backup, _):
        broken = MediaTag("video", 3000, b"\x17\x00\x00\x00\x00" + bytes(20))
        backup.send([broken, *shifted([tag for tag in footage() if is_frame(tag)], 3000)])
        time.sleep(0.2)
        primary.vanish()
        assert "sequence header" in backup.wait_for_end().description
        comes_to(house, key, "IngestSwitched:lost", "StandbyDisconnected:connection_lost", "StreamEnded:refused_media")


def test_a_channel_taken_over_cuts_both(house: House) -> None:
    old = house.new_key("owner")
    with both_live(house, old) as (primary, backup, _):
        house.deciders.revoke(old)
        newer = publish(house, house.new_key("owner"))
        for publisher in (primary, backup):
            assert publisher.wait_for_end().description == "another publisher took the channel over"
        newer.unpublish()
    eventually(lambda: not house.journal.entries())


def test_a_killed_ingest_loses_both_and_either_may_resume_the_stream(tmp_path: Path) -> None:
    deciders = LocalDeciders(20.0)
    key = deciders.new_key()
    with structlog.testing.capture_logs():
        house = House(tmp_path, deciders=deciders, settle_s=SETTLE_S)
        house.start()
        with both_live(house, key) as (_, _, _):
            house.kill()
    with running_house(tmp_path, deciders=deciders, settle_s=SETTLE_S) as house:
        eventually(lambda: {"PublisherDisconnected:ingest_lost"} <= set(story(house, key)))
        stream_id = house.stream_of(key)
        backup = publish(house, key + BACKUP, BACKUP_SIZE)
        assert house.stream_of(key) == stream_id
        primary = publish(house, key)
        comes_to(house, key, "PublishAuthorised", "StandbyAuthorised")
        primary.unpublish()
        backup.unpublish()
        eventually(lambda: story(house, key)[-1] == "StreamEnded:unpublished")
        eventually(lambda: not house.journal.entries())


def test_an_answer_that_got_lost_leaves_no_backup_behind(house: House) -> None:
    key = house.new_key()
    primary = publish(house, key)
    comes_to(house, key, "PublishAuthorised", "StreamStarted")
    house.deciders.lose_answers = True
    refused = TagPublisher(house.port, key + BACKUP)
    refused.close()
    assert refused.ended is not None
    assert refused.ended.description == "not available at the moment; try again"
    house.deciders.lose_answers = False
    comes_to(house, key, "StandbyAuthorised", "StandbyDisconnected:ingest_lost")
    backup = publish(house, key + BACKUP)
    comes_to(house, key, "StandbyDisconnected:ingest_lost", "StandbyAuthorised")
    primary.close()
    backup.close()


def test_switches_said_while_the_deciders_are_away_arrive_in_order(house: House) -> None:
    key = house.new_key()
    with both_live(house, key) as (primary, backup, playback), sending(backup, BACKUP_SIZE):
        house.deciders.away = True
        eventually(lambda: resolution(playback) == "128x96")
        with sending(primary, PRIMARY_SIZE):
            eventually(lambda: resolution(playback) == "64x48")
            assert story(house, key)[-1] == "StandbyAuthorised"
            house.deciders.away = False
            comes_to(house, key, "StandbyAuthorised", "IngestSwitched:stalled", "IngestSwitched:primary_back")


def test_a_stream_that_cannot_take_its_backup_is_not_kept_from_ending(tmp_path: Path) -> None:
    media = MediaSettings(rate_max=100_000)
    with running_house(tmp_path, limits=LIMITS, media=media) as house:
        key = house.new_key()
        with both_live(house, key) as (primary, backup, playback):
            tags = shifted([tag for tag in footage() if is_frame(tag)], 3000)
            backup.send([tag._replace(payload=tag.payload + bytes(40_000)) for tag in tags])
            time.sleep(0.3)
            primary.unpublish()
            assert "bitrate" in backup.wait_for_end().description
            eventually(lambda: playback.ended)
