"""The analysts' tables follow the schemas of the events."""

from __future__ import annotations

from collections import defaultdict
from datetime import UTC, datetime
from typing import Any

import pytest

from projections.clickhouse.columns import columns_of, empty_of
from projections.clickhouse.layout import create_storage, create_view, live_of, revision_of, version_of
from projections.clickhouse.log import EventLog
from projections.clickhouse.rollups import ROLLUPS
from projections.contract import Record
from schemas.avro import schema_of
from schemas.catalog import events_of
from topology.topics import EVENT_TOPICS

TOPICS = [topic.name for topic in EVENT_TOPICS]


@pytest.mark.parametrize("topic", TOPICS)
def test_every_field_but_secrets_and_pictures_is_a_column(topic: str) -> None:
    fields = [field for model in events_of(topic) for field in schema_of(model)["fields"]]
    shown = {field["name"] for field in fields if not field.get("secret") and field["type"] != "bytes"}
    wanted = shown | {"_topic", "_partition", "_offset"}
    assert {column.name for column in columns_of(topic)} == wanted


def test_hashes_of_secrets_reach_no_analyst() -> None:
    names = {column.name for column in columns_of("accounts")}
    assert not names & {"password_hash", "key_hash", "token_hash"}
    assert {"login", "key_id", "session_id"} <= names


def test_personal_data_says_so() -> None:
    comments = {column.name: column.comment for column in columns_of("chat")}
    assert comments["text"].startswith("Personal data.")
    assert not comments["channel_id"].startswith("Personal data.")


def test_what_not_every_record_has_can_be_absent() -> None:
    types = {column.name: column.type for column in columns_of("streams")}
    assert types["stream_id"] == "String"
    assert types["width"] == "Nullable(Int32)"


def test_what_some_records_may_leave_out_can_be_absent() -> None:
    types = {column.name: column.type for column in columns_of("chat")}
    assert types["message_id"] == "Nullable(String)"


def test_lists_and_maps_are_empty_where_a_record_has_none() -> None:
    types = {column.name: column.type for column in columns_of("channels")}
    assert types["levels"] == "Map(String, Int32)"
    assert empty_of(types["levels"]) == {}
    assert empty_of("Array(String)") == ()
    assert empty_of("Nullable(String)") is None


def test_a_record_leaves_the_other_types_columns_empty() -> None:
    log = EventLog("stream-health")
    changed = {field["name"]: "x" for model in events_of("stream-health") for field in schema_of(model)["fields"]}
    own = {name: changed[name] for name in ("event_id", "type", "status", "previous", "codes", "severities")}
    common: dict[str, Any] = dict.fromkeys(
        ("actor", "correlation_id", "causation_id", "command_id", "stream_id", "channel_id"), "y"
    )
    common["occurred_at"] = datetime(1970, 1, 1, 0, 0, 1, tzinfo=UTC)
    block = log.fold([Record(7, "HealthChanged", own | common)])
    values = {column.name: block.columns[n][0] for n, column in enumerate(log.columns)}
    assert values["bitrate_kbps"] is None
    assert values["previous"] == "x"
    assert values["occurred_at"] == 1_000_000
    assert block.offsets == [7]


def test_a_type_of_another_topic_is_poison() -> None:
    with pytest.raises(KeyError):
        EventLog("chat").fold([Record(0, "UserFollowed", {})])


def test_a_time_that_is_none_is_poison() -> None:
    with pytest.raises(TypeError):
        EventLog("channels").fold([Record(0, "ChannelUpdated", defaultdict(str))])


def test_a_time_may_come_as_a_number_but_not_as_any() -> None:
    fields = defaultdict[str, Any](str, occurred_at=17)
    at = [column.name for column in EventLog("channels").columns].index("occurred_at")
    assert EventLog("channels").fold([Record(0, "ChannelUpdated", fields)]).columns[at] == [17]
    for beyond in (2**62, -(2**62)):
        with pytest.raises(OverflowError):
            EventLog("channels").fold([Record(0, "ChannelUpdated", {**fields, "occurred_at": beyond})])


def test_a_block_is_cut_at_an_offset() -> None:
    block = EventLog("chat").fold([])._replace(columns=[["a", "b", "c"]], offsets=[3, 5, 9])
    assert block.since(0) == block
    assert block.since(5) == block._replace(columns=[["b", "c"]], offsets=[5, 9])
    assert block.since(10).offsets == []


def test_a_view_tells_its_version_and_revision() -> None:
    statement = create_view("tally", "chat", 42, replace=True)
    comment = statement.rpartition("COMMENT '")[2].rstrip("'")
    shown = live_of(comment)
    assert shown is not None
    assert shown == (42, revision_of("chat"))
    assert live_of("somebody's own view") is None


def test_storage_names_of_one_topic_are_not_anothers() -> None:
    assert version_of("stream-health", "_stream_health_v12") == 12
    assert version_of("streams", "_stream_health_v12") is None
    assert version_of("chat", "chat") is None


def test_the_revision_follows_the_definition() -> None:
    assert len({revision_of(topic) for topic in TOPICS}) == len(TOPICS)
    assert "non_replicated_deduplication_window" in create_storage("tally", "chat", 1)


def test_rollups_name_topics_that_exist() -> None:
    assert {rollup.topic for rollup in ROLLUPS.values()} <= set(TOPICS)
