"""Playback events out of a CDN's log files. Importing a file again appends the same events, which readers drop."""

from __future__ import annotations

import gzip
from collections.abc import Collection, Iterable, Iterator
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path

from confluent_kafka import OFFSET_BEGINNING, Consumer, KafkaError, KafkaException, Message, Producer, TopicPartition

from ingest.cmcd.cloudfront import LogError, Request, in_order, order_of, read_line
from ingest.cmcd.events import event_of
from ingest.cmcd.sessions import Fact, Limits, Observation, Sessions
from ingest.cmcd.viewers import limits_of
from schemas.events.playback import PlaybackEvent
from schemas.events.streams import PublishAuthorised
from schemas.wire import Codec, WireError
from topology.kafka import consumer_config, producer_config
from topology.settings import Settings
from topology.topics import PARTITIONS

MAX_REQUESTS = 2_000_000
"""Of one file: it is held in memory, to bring its lines in order."""

SESSIONS = 200_000
"""Followed at a time: more than at an origin, since nobody waits."""

PATIENCE_S = 30.0
_GROUP = "tally-import-cdn-logs"


@dataclass(slots=True)
class Imported:
    """What became of the lines: `requests` are those with CMCD, `foreign` those of streams that never were."""

    lines: int = 0
    requests: int = 0
    foreign: int = 0
    events: int = 0


def import_logs(paths: Iterable[Path], settings: Settings, codec: Codec) -> Imported:
    """Import the files in the order given, which is that of their time. Raises LogError, OSError, KafkaException.

    A file with a wrong line is not imported at all; those before it are.
    """
    order = order_of(settings.cloudfront_log_fields)
    limits = limits_of(settings)
    sessions = Sessions(Limits(limits.heartbeat_ms, limits.silence_ms, SESSIONS))
    done = Imported()
    channels: dict[str, str] = {}
    for path in paths:
        requests = in_order(_requests(path, order, done))
        streams = {request.stream_id for request in requests}
        channels |= channels_of(streams - channels.keys(), settings, codec)
        known = [request for request in requests if request.stream_id in channels]
        done.requests += len(requests)
        done.foreign += len(requests) - len(known)
        events = (event_of(fact, "cdn") for fact in _facts(sessions, known, channels))
        done.events += append(events, settings, codec)
    return done


def channels_of(streams: Collection[str], settings: Settings, codec: Codec) -> dict[str, str]:
    """The channel of each of these streams that there ever was."""
    found: dict[str, str] = {}
    if not streams:
        return found
    config = consumer_config(settings, _GROUP) | {"enable.partition.eof": True}
    with closing(Consumer(config)) as consumer:
        left = set(range(PARTITIONS))
        consumer.assign([TopicPartition(PublishAuthorised.topic, number, OFFSET_BEGINNING) for number in left])
        while left and len(found) < len(streams):
            record = consumer.poll(PATIENCE_S)
            if record is None:
                raise KafkaException(KafkaError(KafkaError._TIMED_OUT))
            if (error := record.error()) is None:
                _look(record, streams, found, codec)
            elif error.code() == KafkaError._PARTITION_EOF:
                left.discard(record.partition())
            else:
                raise KafkaException(error)
    return found


def append(events: Iterable[PlaybackEvent], settings: Settings, codec: Codec) -> int:
    """Append the events and say how many. Raises KafkaException when one did not arrive."""
    producer = Producer(producer_config(settings) | {"linger.ms": 50})
    failed: list[KafkaError] = []

    def arrived(error: KafkaError | None, _record: Message) -> None:
        if error:
            failed.append(error)

    count = 0
    for event in events:
        while True:
            try:
                producer.produce(event.topic, codec.encode(event), event.key.encode(), on_delivery=arrived)
            except BufferError:
                producer.poll(0.5)
            else:
                break
        producer.poll(0)
        count += 1
    if producer.flush(PATIENCE_S) or failed:
        raise KafkaException(failed[0] if failed else KafkaError(KafkaError._TIMED_OUT))
    return count


def _requests(path: Path, order: tuple[str, ...], done: Imported) -> Iterator[Request]:
    found = 0
    with gzip.open(path, "rt", errors="replace") if path.suffix == ".gz" else path.open(errors="replace") as lines:
        for number, line in enumerate(lines, 1):
            if not line.strip() or line.startswith("#"):
                continue
            done.lines += 1
            try:
                request = read_line(line, order)
            except LogError as error:
                raise LogError(f"{path}, line {number}: {error}") from error
            if request is None:
                continue
            found += 1
            if found > MAX_REQUESTS:
                raise LogError(f"{path}: more than {MAX_REQUESTS} requests with CMCD; split the file by time")
            yield request


def _facts(sessions: Sessions, requests: Iterable[Request], channels: dict[str, str]) -> Iterator[Fact]:
    for request in requests:
        yield from sessions.expire(request.at_ms)
        channel_id = channels[request.stream_id]
        yield from sessions.observe(
            Observation(request.at_ms, request.stream_id, channel_id, request.cmcd, request.status)
        )


def _look(record: Message, streams: Collection[str], found: dict[str, str], codec: Codec) -> None:
    try:
        decoded = codec.decode(record.value())
    except WireError:
        return  # a record that is none of ours names no stream
    if decoded.type == PublishAuthorised.__name__ and decoded.fields["stream_id"] in streams:
        found[decoded.fields["stream_id"]] = decoded.fields["channel_id"]
