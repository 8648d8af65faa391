"""What analysts see is exact at any time, whatever was inserted twice and by whom."""

from __future__ import annotations

import uuid
from collections.abc import Iterator
from contextlib import closing
from datetime import UTC, datetime, timedelta
from typing import Any

import clickhouse_connect
import pytest
from clickhouse_connect.driver.exceptions import ClickHouseError

from projections.clickhouse.database import Database
from projections.clickhouse.layout import storage_of
from projections.clickhouse.log import LOGS, EventLog
from projections.contract import Advance, Fenced, Record, Refused
from schemas.avro import schema_of
from schemas.catalog import events_of
from topology.settings import Settings

pytestmark = pytest.mark.stack

NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)
CHAT = EventLog("chat")


@pytest.fixture
def database(clickhouse: Settings) -> Iterator[Database]:
    """A database of the test's own."""
    with closing(Database(clickhouse, f"test_{uuid.uuid4().hex[:8]}")) as made:
        made.ensure([log.topic for log in LOGS])
        yield made
        made.command(f"DROP DATABASE {made.name} SYNC")


def event(topic: str, type_: str, offset: int, **facts: Any) -> Record:
    """An event with every field, most of them empty."""
    model = next(model for model in events_of(topic) if model.__name__ == type_)
    blank = {"string": "", "int": 0, "long": 0, "double": 0.0, "boolean": False}
    composites: dict[str, Any] = {"array": [], "map": {}}
    fields = {}
    for field in schema_of(model)["fields"]:
        kind = field["type"]
        composite = composites.get(kind["type"]) if isinstance(kind, dict) else None
        fields[field["name"]] = blank.get(kind) if isinstance(kind, str) else composite
    fields |= {"event_id": str(uuid.uuid4()), "type": type_, "occurred_at": NOON, **facts}
    return Record(offset, type_, fields)


class Partition:
    """Inserts into the live version of one topic-partition, one block after the other."""

    def __init__(self, database: Database, log: EventLog, number: int = 0) -> None:
        live = database.live(log.topic)
        assert live is not None
        self.database, self.log, self.number, self.version = database, log, number, live.version

    def insert(self, *records: Record, next_offset: int | None = None) -> None:
        end = next_offset if next_offset is not None else records[-1].offset + 1
        start = records[0].offset if records else 0
        advance = Advance(self.number, start, end, NOON)
        self.database.insert(self.log, self.version, advance, self.log.fold(records))

    @property
    def progress(self) -> int:
        return self.database.progress(self.log.topic, self.version).get(self.number, 0)

    def rows(self, columns: str) -> list[tuple[Any, ...]]:
        view = self.log.topic.replace("-", "_")
        return self.database.rows(f"SELECT {columns} FROM {self.database.name}.{view} ORDER BY ALL")


@pytest.fixture
def chat(database: Database) -> Partition:
    return Partition(database, CHAT)


def said(offset: int, text: str = "hi", **facts: Any) -> Record:
    return event("chat", "MessageSent", offset, **{"channel_id": "7", "text": text, **facts})


def test_an_event_appended_twice_counts_once(chat: Partition) -> None:
    once = said(0, "once")
    chat.insert(once, said(1, "other"))
    chat.insert(once._replace(offset=2))
    assert chat.rows("text, _offset") == [("once", 2), ("other", 1)]


def test_an_event_twice_in_one_block_counts_once(chat: Partition) -> None:
    once = said(0, "once")
    chat.insert(once, said(1, "other"), once._replace(offset=2))
    assert chat.rows("text, _offset") == [("once", 2), ("other", 1)]
    assert chat.database.rows(f"SELECT count() FROM {chat.database.name}.chat") == [(2,)]


def test_a_block_inserted_again_changes_nothing(chat: Partition) -> None:
    block = [said(n, str(n)) for n in range(5)]
    chat.insert(*block)
    chat.insert(*block)
    table = f"{chat.database.name}.{storage_of('chat', chat.version)}"
    assert chat.database.rows(f"SELECT count() FROM {table}") == [(5,)], "the token was not honoured"
    chat.insert(*block[2:])
    assert len(chat.rows("text")) == 5


def test_progress_is_the_rows(chat: Partition) -> None:
    assert chat.progress == 0
    chat.insert(said(3), said(8))
    assert chat.progress == 9


def test_records_without_a_row_still_move_the_progress(chat: Partition) -> None:
    chat.insert(said(0), next_offset=4)
    assert chat.progress == 4
    chat.insert(next_offset=20)
    assert chat.progress == 20
    assert len(chat.rows("text")) == 1
    chat.database.command(f"OPTIMIZE TABLE {chat.database.name}.{storage_of('chat', chat.version)} FINAL")
    assert chat.progress == 20, "merging lost the mark"
    assert chat.database.rows(f"SELECT topic, partition, next_offset FROM {chat.database.name}.progress") == [
        ("chat", 0, 20)
    ]


@pytest.mark.parametrize("log", LOGS, ids=lambda log: log.topic)
def test_every_topic_takes_every_record_type_and_marks(database: Database, log: EventLog) -> None:
    partition = Partition(database, log)
    records = [
        event(log.topic, model.__name__, n, **{model.key_field: "7"}) for n, model in enumerate(events_of(log.topic))
    ]
    partition.insert(*records, next_offset=50)
    assert partition.rows("type") == sorted((record.type,) for record in records)
    assert partition.progress == 50


@pytest.mark.parametrize(
    "bad",
    [
        {"amount_minor": 2**70},
        {"amount_minor": "much"},
        {"event_id": None},
    ],
)
def test_a_value_that_fits_no_column_is_refused_whole(database: Database, bad: dict[str, Any]) -> None:
    support = Partition(database, EventLog("support"))
    good = event("support", "DonationReceived", 0, channel_id="7")
    with pytest.raises(Refused):
        support.insert(good, event("support", "DonationReceived", 1, channel_id="7", **bad))
    assert support.progress == 0


def test_a_writer_of_a_dropped_version_is_fenced(chat: Partition) -> None:
    chat.database.drop_version("chat", chat.version)
    with pytest.raises(Fenced):
        chat.insert(said(0))
    with pytest.raises(Fenced):
        _ = chat.progress


def test_a_database_made_anew_never_reuses_a_version(chat: Partition) -> None:
    chat.database.command(f"DROP DATABASE {chat.database.name} SYNC")
    chat.database.ensure(["chat"])
    with pytest.raises(Fenced):
        chat.insert(said(500))
    assert Partition(chat.database, CHAT).progress == 0


def test_a_switch_changes_what_analysts_see_at_once(chat: Partition) -> None:
    chat.insert(said(0, "old"))
    version = chat.database.create_version("chat")
    chat.database.insert(CHAT, version, Advance(0, 0, 1, NOON), CHAT.fold([said(0, "new")]))
    assert chat.rows("text") == [("old",)]
    chat.database.switch("chat", version)
    assert chat.rows("text") == [("new",)]
    assert chat.database.versions("chat") == [chat.version, version]


def test_creating_twice_keeps_what_is_there(chat: Partition) -> None:
    chat.insert(said(0))
    chat.database.ensure([log.topic for log in LOGS])
    assert len(chat.rows("text")) == 1
    assert chat.database.versions("chat") == [chat.version]


def test_analysts_read_and_do_nothing_else(clickhouse: Settings) -> None:
    channel = uuid.uuid4().hex
    with (
        closing(Database(clickhouse)) as database,
        closing(
            clickhouse_connect.get_client(
                dsn=clickhouse.clickhouse_url,
                username=clickhouse.clickhouse_analyst,
                password=clickhouse.clickhouse_analyst_password.get_secret_value(),
                autogenerate_session_id=False,
            )
        ) as analyst,
    ):
        database.ensure([log.topic for log in LOGS])
        chat = Partition(database, CHAT, 3)
        chat.insert(said(0, channel_id=channel))
        for query in ("text FROM tally.chat", "toString(messages) FROM tally.chat_per_minute"):
            assert len(analyst.query(f"SELECT {query} WHERE channel_id = '{channel}'").result_rows) == 1
        with pytest.raises(ClickHouseError):
            analyst.command(f"INSERT INTO tally.{storage_of('chat', chat.version)} (event_id) VALUES ('x')")
        with pytest.raises(ClickHouseError):
            analyst.command("DROP VIEW tally.chat")


def test_chat_per_minute_counts_repeated_events_once(chat: Partition) -> None:
    twice = said(0, sender_id="1")
    later = NOON + timedelta(seconds=61)
    chat.insert(twice, said(1, sender_id="1"), said(2, sender_id="2"), said(3, sender_id="2", occurred_at=later))
    chat.insert(twice._replace(offset=4))
    rows = chat.database.rows(
        f"SELECT channel_id, minute, messages, chatters FROM {chat.database.name}.chat_per_minute ORDER BY minute"
    )
    assert [(channel, minute.replace(tzinfo=UTC), m, c) for channel, minute, m, c in rows] == [
        ("7", NOON, 3, 2),
        ("7", NOON + timedelta(minutes=1), 1, 1),
    ]


def test_followers_per_day_add_up(database: Database) -> None:
    follows = Partition(database, EventLog("follows"))
    day = timedelta(days=1)
    steps = [
        ("UserFollowed", 0),
        ("UserFollowed", 0),
        ("UserUnfollowed", 1),
        ("UserFollowed", 1),
        ("UserUnfollowed", 2),
    ]
    follows.insert(
        *(
            event("follows", type_, n, channel_id="7", follower_id=str(n), occurred_at=NOON + days * day)
            for n, (type_, days) in enumerate(steps)
        )
    )
    rows = database.rows(f"SELECT followed, unfollowed, net, total FROM {database.name}.followers_per_day ORDER BY day")
    assert rows == [(2, 0, 2, 2), (1, 1, 0, 2), (0, 1, -1, 1)]


def test_donations_are_added_up_by_currency(database: Database) -> None:
    support = Partition(database, EventLog("support"))
    gifts = [("EUR", 250), ("EUR", 750), ("USD", 100)]
    support.insert(
        *(
            event(
                "support", "DonationReceived", n, channel_id="7", donor_id="1", amount_minor=amount, currency=currency
            )
            for n, (currency, amount) in enumerate(gifts)
        )
    )
    rows = database.rows(
        f"SELECT currency, donations, donors, amount_minor FROM {database.name}.donations_per_day ORDER BY currency"
    )
    assert rows == [("EUR", 2, 1, 1000), ("USD", 1, 1, 100)]


def test_airtime_leaves_out_the_gaps(database: Database) -> None:
    streams = Partition(database, EventLog("streams"))
    at: list[tuple[str, int, dict[str, Any]]] = [
        ("PublishAuthorised", 0, {}),
        ("StreamStarted", 2, {"title": "Live"}),
        ("PublisherDisconnected", 62, {}),
        ("PublishAuthorised", 70, {"resumed": True}),
        ("PublisherDisconnected", 100, {}),
        ("StreamEnded", 120, {"reason": "grace_expired"}),
    ]
    streams.insert(
        *(
            event("streams", type_, n, stream_id="s", channel_id="7", occurred_at=NOON + timedelta(seconds=s), **facts)
            for n, (type_, s, facts) in enumerate(at)
        )
    )
    rows = database.rows(
        f"SELECT stream_id, channel_id, title, disconnects, end_reason, airtime_s FROM {database.name}.stream_summary"
    )
    assert rows == [("s", "7", "Live", 2, "grace_expired", 90.0)]


def test_health_is_weighted_by_duration(database: Database) -> None:
    health = Partition(database, EventLog("stream-health"))
    samples = [(1000, 3000.0, 30.0, "ok"), (3000, 1000.0, 30.0, "warning")]
    health.insert(
        *(
            event(
                "stream-health",
                "HealthSampled",
                n,
                stream_id="s",
                duration_ms=duration,
                bitrate_kbps=bitrate,
                frame_rate=rate,
                status=status,
            )
            for n, (duration, bitrate, rate, status) in enumerate(samples)
        ),
        event("stream-health", "HealthChanged", 2, stream_id="s", status="warning", previous="ok"),
    )
    rows = database.rows(
        f"SELECT samples, media_s, bitrate_kbps, lowest_bitrate_kbps, warnings, errors, changes "
        f"FROM {database.name}.health_per_stream"
    )
    assert rows == [(2, 4.0, 1500.0, 1000.0, 1, 0, 1)]


def test_viewers_overlap_at_the_peak(database: Database) -> None:
    playback = Partition(database, EventLog("playback"))
    watched = [("a", 0, 600), ("b", 300, 900), ("c", 1200, 1800)]
    records: list[Record] = []
    for viewer, joined, left in watched:
        for type_, second in (("ViewerJoined", joined), ("ViewerLeft", left)):
            records.append(
                event(
                    "playback",
                    type_,
                    len(records),
                    stream_id="s",
                    viewer_session_id=viewer,
                    sampling=1,
                    occurred_at=NOON + timedelta(seconds=second),
                )
            )
    playback.insert(*records)
    rows = database.rows(f"SELECT viewers, peak_viewers, minutes_watched FROM {database.name}.viewers_per_stream")
    assert rows == [(3, 2, 30.0)]


def playback_events(*told: tuple[str, str, int, dict[str, object]]) -> list[Record]:
    """Events of one stream: record type, viewer, second, fields."""
    return [
        event(
            "playback",
            type_,
            number,
            stream_id="s",
            viewer_session_id=viewer,
            occurred_at=NOON + timedelta(seconds=second),
            **{"sampling": 1, "startup_ms": None, "started": True, **fields},
        )
        for number, (type_, viewer, second, fields) in enumerate(told)
    ]


def test_a_sampled_viewer_stands_for_those_that_are_not_followed(database: Database) -> None:
    playback = Partition(database, EventLog("playback"))
    playback.insert(
        *playback_events(
            ("ViewerJoined", "a", 0, {}),
            ("ViewerJoined", "b", 0, {}),
            ("ViewerLeft", "b", 60, {"reason": "sampled_out"}),
            ("PlaybackSampled", "a", 60, {"sampling": 2}),
            ("ViewerLeft", "a", 120, {"sampling": 2}),
        )
    )
    rows = database.rows(f"SELECT viewers, peak_viewers, minutes_watched FROM {database.name}.viewers_per_stream")
    assert rows == [(2, 2, 4.0)]


def test_quality_is_startup_exits_stalls_and_failures(database: Database) -> None:
    playback = Partition(database, EventLog("playback"))
    playback.insert(
        *playback_events(
            ("ViewerJoined", "a", 0, {}),
            ("PlaybackSampled", "a", 10, {"startup_ms": 800, "stalled_ms": 1000, "rebuffers": 1, "bitrate_kbps": 2000}),
            ("PlaybackSampled", "a", 20, {"stalled_ms": 1000, "rebuffers": 2, "failures": 1, "bitrate_kbps": 4000}),
            ("ViewerJoined", "b", 0, {}),
            ("PlaybackSampled", "b", 20, {"startup_ms": 1200}),
            ("ViewerJoined", "c", 0, {}),
            ("ViewerLeft", "c", 10, {"started": False}),
        )
    )
    rows = database.rows(
        "SELECT viewers, exits_before_start, startup_p50_ms, startup_p95_ms, rebuffer_ratio, rebuffers, failures, "
        f"bitrate_kbps FROM {database.name}.quality_per_stream"
    )
    assert rows == [(3, 1, 800, 1200, 0.04, 3, 1, 3000.0)]
