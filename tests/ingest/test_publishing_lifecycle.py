"""What the deciders hear of a publish, whatever becomes of the publisher, of the deciders and of the process."""

from __future__ import annotations

import time
from collections.abc import Iterator
from pathlib import Path

import pytest
import structlog

from ingest.connection import ConnectionLimits
from ingest.media.became import StarvationBegan, StarvationOver
from ingest.media.tag import MediaTag
from schemas.events.streams import StreamStarted
from tests.ingest.media.footage import record
from tests.ingest.rtmp.house import House, LocalDeciders, Raw, TagPublisher, eventually, key_id_of, running_house, shown

GRACE_S = 0.4
IDLE_S = 4.0


@pytest.fixture
def house(tmp_path: Path) -> Iterator[House]:
    """A grace long enough to come back within."""
    with running_house(tmp_path, limits=ConnectionLimits(linger_s=0.5)) as running:
        yield running


@pytest.fixture
def hasty(tmp_path: Path) -> Iterator[House]:
    """A grace that soon runs out."""
    with running_house(tmp_path, grace_s=GRACE_S, limits=ConnectionLimits(linger_s=0.5)) as running:
        yield running


@pytest.fixture
def impatient(tmp_path: Path) -> Iterator[House]:
    """Stalled publishers are soon cut off, and have long enough to come back."""
    with running_house(tmp_path, limits=ConnectionLimits(linger_s=0.5, idle_s=IDLE_S)) as running:
        yield running


def footage() -> tuple[MediaTag, ...]:
    return record(3.0, gop=15, size=(64, 48))


def publish(house: House, key: str) -> TagPublisher:
    """A publisher whose stream has started."""
    publisher = TagPublisher(house.port, key)
    assert publisher.started, publisher.ended
    publisher.send(footage())
    eventually(lambda: "StreamStarted" in story(house, key) or "PublishAuthorised" in story(house, key)[1:])
    return publisher


def story(house: House, key: str) -> list[str]:
    return house.deciders.happened(house.stream_of(key))


def comes_to(house: House, key: str, *expected: str) -> None:
    eventually(lambda: story(house, key)[-len(expected) :] == list(expected))


def journal_is_empty(house: House) -> bool:
    return not house.journal.entries()


def test_a_stream_is_authorised_started_and_ended(house: House) -> None:
    publisher = publish(house, key := house.new_key())
    publisher.unpublish()
    comes_to(house, key, "PublishAuthorised", "StreamStarted", "StreamEnded:unpublished")
    eventually(lambda: journal_is_empty(house))
    playback = house.playback(key)
    assert playback is not None
    assert playback.ended


def test_a_stream_of_a_channel_that_is_not_public_lies_in_the_private_tree(house: House) -> None:
    key = house.new_key()
    house.deciders.make_private(key)
    publisher = publish(house, key)
    stream_id = house.stream_of(key)
    (started,) = [event for event in list(house.deciders.events) if isinstance(event, StreamStarted)]
    assert started.playback_path == f"/private/{stream_id}/index.m3u8"
    assert started.playback_policy == "private"
    assert house.opened[-1].playback_policy == "private"
    publisher.unpublish()


def test_health_is_reported_with_the_stream(house: House) -> None:
    publisher = publish(house, key := house.new_key())
    publisher.send(footage())
    (sample, *_) = eventually(lambda: house.reports.samples[house.stream_of(key)])
    assert sample.frame_rate == pytest.approx(30, abs=1)
    publisher.unpublish()


def test_a_publisher_that_comes_back_goes_on_with_its_stream(house: House) -> None:
    key = house.new_key()
    publish(house, key).vanish()
    comes_to(house, key, "StreamStarted", "PublisherDisconnected:connection_lost")
    stream_id, playback = house.stream_of(key), house.playback(key)

    again = publish(house, key)

    assert house.stream_of(key) == stream_id
    assert house.playback(key) is playback
    assert playback is not None
    eventually(lambda: b"#EXT-X-DISCONTINUITY" in shown(playback))
    again.unpublish()
    comes_to(house, key, "PublisherDisconnected:connection_lost", "PublishAuthorised", "StreamEnded:unpublished")
    eventually(lambda: journal_is_empty(house))


def test_a_stalled_publisher_is_cut_off_by_event_and_goes_on_with_its_stream_when_it_comes_back(
    impatient: House,
) -> None:
    publisher = publish(impatient, key := impatient.new_key())
    stream_id, playback = impatient.stream_of(key), impatient.playback(key)
    assert publisher.wait_for_end().description == "no media for 4 s"
    comes_to(impatient, key, "StreamStarted", "PublisherDisconnected:idle")
    began, over = eventually(lambda: starvations(impatient, stream_id)[1:] and starvations(impatient, stream_id))
    assert isinstance(began, StarvationBegan)
    assert isinstance(over, StarvationOver)
    assert over.lasted_ms >= began.behind_ms

    again = publish(impatient, key)

    assert impatient.stream_of(key) == stream_id
    assert playback is not None
    eventually(lambda: b"#EXT-X-DISCONTINUITY" in shown(playback))
    again.unpublish()
    comes_to(impatient, key, "PublisherDisconnected:idle", "PublishAuthorised", "StreamEnded:unpublished")


def starvations(house: House, stream_id: str) -> list[StarvationBegan | StarvationOver]:
    told = house.reports.others[stream_id]
    return [became for became in told if isinstance(became, StarvationBegan | StarvationOver)]


def test_health_goes_on_where_it_was_when_a_publisher_comes_back(house: House) -> None:
    key = house.new_key()
    publish(house, key).vanish()
    comes_to(house, key, "StreamStarted", "PublisherDisconnected:connection_lost")
    stream_id = house.stream_of(key)
    eventually(lambda: house.reports.samples[stream_id])
    publish(house, key).unpublish()
    comes_to(house, key, "PublishAuthorised", "StreamEnded:unpublished")
    numbers = [sample.sequence for sample in house.reports.samples[stream_id]]
    assert numbers == list(range(len(numbers)))
    assert len(numbers) >= 2


def test_a_publisher_that_stays_away_ends_its_stream_after_the_grace(hasty: House) -> None:
    key = hasty.new_key()
    publish(hasty, key).vanish()
    comes_to(hasty, key, "PublisherDisconnected:connection_lost", "StreamEnded:grace_expired")
    playback = hasty.playback(key)
    assert playback is not None
    eventually(lambda: playback.ended)
    eventually(lambda: journal_is_empty(hasty))


def test_a_publisher_that_never_sent_media_frees_its_place_at_once(house: House) -> None:
    key = house.new_key()
    TagPublisher(house.port, key).vanish()
    comes_to(house, key, "PublishAuthorised", "StreamEnded:no_media")


def test_the_first_picture_is_published_under_whoever_holds_the_stream(house: House) -> None:
    publish(house, key := house.new_key()).vanish()
    comes_to(house, key, "StreamStarted", "PublisherDisconnected:connection_lost")
    again = publish(house, key)
    for _ in range(2):
        house.pictured(house.stream_of(key))
    comes_to(house, key, "PublisherDisconnected:connection_lost", "PublishAuthorised", "ThumbnailPublished")
    again.unpublish()
    comes_to(house, key, "ThumbnailPublished", "StreamEnded:unpublished")


def test_a_picture_of_a_stream_that_is_over_is_not_published(house: House) -> None:
    publish(house, key := house.new_key()).unpublish()
    comes_to(house, key, "StreamEnded:unpublished")
    house.pictured(house.stream_of(key))
    eventually(lambda: journal_is_empty(house))
    assert "ThumbnailPublished" not in story(house, key)


def test_a_revoked_key_ends_the_running_stream(house: House) -> None:
    publisher = publish(house, key := house.new_key())
    house.revoke(key)
    assert publisher.wait_for_end().description == "the stream key was revoked"
    comes_to(house, key, "StreamStarted", "StreamEnded:key_revoked")
    assert house.ended("key_revoked")


def test_a_key_revoked_while_its_publish_is_answered_does_not_slip_through(house: House) -> None:
    key = house.new_key()
    house.desk.revoke(key_id_of(key))
    publisher = TagPublisher(house.port, key)
    assert publisher.wait_for_end().description == "the stream key was revoked"
    comes_to(house, key, "StreamEnded:key_revoked")


def test_a_channel_taken_over_cuts_the_publisher_that_had_it(house: House) -> None:
    old = house.new_key("owner")
    publisher = publish(house, old)
    house.deciders.revoke(old)
    newer = publish(house, house.new_key("owner"))
    assert publisher.wait_for_end().description == "another publisher took the channel over"
    newer.unpublish()
    comes_to(house, old, "StreamStarted", "StreamEnded:unpublished")
    eventually(lambda: journal_is_empty(house))


def test_no_deciders_no_publish_and_the_reason_is_said(house: House) -> None:
    key = house.new_key()
    house.deciders.away = True
    client = Raw(house.port)
    client.publish(key)
    assert client.statuses()[-1] == ("NetStream.Publish.Failed", "not available at the moment; try again")
    house.deciders.away = False
    comes_to(house, key, "PublishAuthorised", "StreamEnded:no_media")
    eventually(lambda: journal_is_empty(house))


def test_a_place_whose_answer_got_lost_is_given_back(house: House) -> None:
    key = house.new_key()
    house.deciders.lose_answers = True
    client = Raw(house.port)
    client.publish(key)
    assert client.statuses()[-1][0] == "NetStream.Publish.Failed"
    assert story(house, key) == ["PublishAuthorised"]
    house.deciders.lose_answers = False
    comes_to(house, key, "PublishAuthorised", "StreamEnded:no_media")


def test_deciders_away_for_a_while_miss_nothing_and_the_video_goes_on(house: House) -> None:
    publisher = publish(house, key := house.new_key())
    playback = house.playback(key)
    assert playback is not None
    house.deciders.away = True
    before = shown(playback)
    publisher.send([tag._replace(timestamp_ms=tag.timestamp_ms + 3000) for tag in footage()])
    eventually(lambda: shown(playback) != before)
    publisher.unpublish()
    time.sleep(0.2)
    assert story(house, key)[-1] == "StreamStarted"
    house.deciders.away = False
    comes_to(house, key, "StreamStarted", "StreamEnded:unpublished")


def test_a_killed_ingest_says_so_when_it_is_back_and_ends_what_nobody_resumes(tmp_path: Path) -> None:
    deciders, key = killed_while_publishing(tmp_path, GRACE_S)
    with running_house(tmp_path, grace_s=GRACE_S, deciders=deciders) as house:
        comes_to(house, key, "StreamStarted", "PublisherDisconnected:ingest_lost", "StreamEnded:ingest_lost")
        eventually(lambda: journal_is_empty(house))


def test_the_stream_of_a_killed_ingest_can_be_resumed(tmp_path: Path) -> None:
    deciders, key = killed_while_publishing(tmp_path, 20.0)
    with running_house(tmp_path, deciders=deciders) as house:
        comes_to(house, key, "PublisherDisconnected:ingest_lost")
        stream_id = house.stream_of(key)
        again = publish(house, key)
        assert house.stream_of(key) == stream_id
        eventually(lambda: house.playback(key))
        again.unpublish()
        comes_to(house, key, "PublishAuthorised", "StreamEnded:unpublished")
        eventually(lambda: journal_is_empty(house))


def killed_while_publishing(directory: Path, grace_s: float) -> tuple[LocalDeciders, str]:
    deciders = LocalDeciders(grace_s)
    key = deciders.new_key()
    with structlog.testing.capture_logs():
        house = House(directory, grace_s=grace_s, deciders=deciders)
        house.start()
        publisher = publish(house, key)
        house.kill()
        publisher.close()
    return deciders, key


def test_an_orderly_stop_disconnects_and_the_next_start_goes_on(tmp_path: Path) -> None:
    with running_house(tmp_path) as house:
        deciders, key = house.deciders, house.new_key()
        publisher = publish(house, key)
        house.call(house._stop())
        assert "shutting down" in publisher.wait_for_end().description
        assert story(house, key)[-1] == "PublisherDisconnected:server_stopping"
    with running_house(tmp_path, deciders=deciders) as house:
        publish(house, key).unpublish()
        comes_to(house, key, "PublisherDisconnected:server_stopping", "PublishAuthorised", "StreamEnded:unpublished")


def test_an_unreadable_journal_entry_stops_nothing(tmp_path: Path) -> None:
    (tmp_path / "ingest").mkdir()
    (tmp_path / "ingest" / "half.json").write_text('{"asked": {')
    with running_house(tmp_path) as house:
        publish(house, house.new_key()).unpublish()
        assert [line for line in house.logs if line["event"] == "journal entry unreadable"]


def test_too_many_connections_are_turned_away(tmp_path: Path) -> None:
    with running_house(tmp_path, connections=2) as house:
        clients = [Raw(house.port) for _ in range(2)]
        time.sleep(0.1)
        assert Raw(house.port).statuses() == []
        assert eventually(lambda: house.ended("too_many_connections"))
        for client in clients:
            client.socket.close()
        eventually(lambda: can_publish(house))


def can_publish(house: House) -> bool:
    publisher = TagPublisher(house.port, house.new_key())
    publisher.close()
    return publisher.started


def test_wrong_keys_wait_for_their_answer_and_a_right_one_does_not(house: House) -> None:
    guessers = [Raw(house.port) for _ in range(20)]
    for guesser in guessers:
        guesser.publish("live_1_" + "x" * 32)
    TagPublisher(house.port, house.new_key()).vanish()
    guessers[-1].socket.setblocking(False)
    with pytest.raises(BlockingIOError):
        while guessers[-1].socket.recv(1 << 16):
            pass
    guessers[-1].socket.setblocking(True)
    for guesser in guessers[:-1]:
        assert guesser.statuses()[-1][0] == "NetStream.Publish.BadName"
    guessers[-1].socket.close()
