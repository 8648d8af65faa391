"""Whatever is dropped comes back from the topics, equal to what it was, while the rest goes on."""

from __future__ import annotations

import json
import uuid
from datetime import UTC, datetime
from pathlib import Path

import pytest

from benchmarks.world import World
from projections.replay.names import ALL
from schemas.events.chat import MessageSent
from tests.projections.past import EVENTS, Past

pytestmark = [pytest.mark.stack, pytest.mark.timeout(400)]

ADDED = 300


@pytest.fixture(scope="module")
def rebuilt(world: Past) -> Past:
    """Every read model, from nothing."""
    made = world.replay("rebuild", "--all", "--json")
    assert made.status == 0, made.errors
    assert {one["model"] for one in made.json["rebuilt"]} == {str(model) for model in ALL}
    read = {(model.store, model.topic) for model in ALL}
    assert made.json["events"] == sum(world.appended.get(topic, 0) for _, topic in read)
    return world


def test_rebuilt_from_nothing_is_what_the_topics_say(rebuilt: Past) -> None:
    proof = rebuilt.replay("verify", "--json")
    assert proof.status == 0, proof.errors
    assert proof.json["equal"] is True
    rows = {table["table"]: table["live"]["rows"] for model in proof.json["models"] for table in model["tables"]}
    assert min(rows.values()) > 0, rows
    said = rebuilt.clickhouse("SELECT count() FROM tally.chat WHERE type = 'MessageSent'")
    assert rows["chat"] > rows["chat_messages"] > EVENTS / 3
    assert said == [(rows["chat_messages"],)]


def test_dropping_everything_and_rebuilding_gives_the_same(rebuilt: Past, tmp_path: Path) -> None:
    saved = tmp_path / "before.json"
    assert rebuilt.replay("verify", "--save", str(saved)).status == 0
    rebuilt.dropped()
    assert rebuilt.replay("verify").status == 1, "there was nothing to verify"
    assert rebuilt.replay("rebuild", "--all").status == 0
    same = rebuilt.replay("verify", "--against", str(saved), "--json")
    assert same.status == 0, same.said
    assert len(same.json["models"]) == len(ALL)


def test_a_state_noted_earlier_is_proved_after_more_events(rebuilt: Past, tmp_path: Path) -> None:
    saved = tmp_path / "before.json"
    models = ("postgres.support", "clickhouse.support")
    assert rebuilt.replay("verify", *models, "--save", str(saved)).status == 0
    rebuilt.append(*World(ADDED, seed=uuid.uuid4().int).happenings())
    assert rebuilt.replay("rebuild", *models).status == 0
    proof = rebuilt.replay("verify", "--against", str(saved), "--json")
    assert proof.status == 0, proof.said

    tampered = json.loads(saved.read_text())
    tampered["models"]["postgres.support"]["tables"]["donations"]["rows"] += 1
    saved.write_text(json.dumps(tampered))
    assert rebuilt.replay("verify", "--against", str(saved)).status == 1


def test_the_version_before_is_kept_and_can_be_gone_back_to(rebuilt: Past) -> None:
    first = rebuilt.replay("rebuild", "postgres.follows", "clickhouse.follows", "--json").json["rebuilt"]
    second = rebuilt.replay("rebuild", "postgres.follows", "clickhouse.follows", "--json").json["rebuilt"]
    assert [one["version"] for one in first] == [one["previous"] for one in second]
    assert rebuilt.sql("SELECT count(*) FROM pg_namespace WHERE nspname LIKE 'rm_follows_v%'") == [(2,)], (
        "kept one only"
    )

    rebuilt.append(*(one for one in World(ADDED, seed=5).happenings() if one.type.topic == "follows"))
    for one in second:
        back = rebuilt.replay("rollback", one["model"], "--json")
        assert back.status == 0, back.errors
        assert back.json["rebuilt"][0]["version"] == one["previous"]
    assert rebuilt.replay("verify", "postgres.follows", "clickhouse.follows").status == 0


def test_status_tells_versions_and_lag(rebuilt: Past) -> None:
    rebuilt.replay("rebuild", "chat", "--store", "postgres")
    before = rebuilt.replay("status", "postgres.chat", "--json").json["models"][0]
    assert before["behind"] == 0
    assert before["version"] is not None
    said = [one for one in World(ADDED, seed=uuid.uuid4().int).happenings() if one.type.topic == "chat"]
    rebuilt.append(*said)
    assert rebuilt.replay("status", "postgres.chat", "--json").json["models"][0]["behind"] == len(said) > 0


def test_an_event_appended_twice_is_one_row_after_a_rebuild(rebuilt: Past) -> None:
    said = next(one for one in World(ADDED, seed=uuid.uuid4().int).happenings() if one.type is MessageSent)
    rebuilt.append(said, said)
    assert rebuilt.replay("rebuild", "postgres.chat", "clickhouse.chat").status == 0
    message = said.fields["message_id"]
    assert rebuilt.sql("SELECT count(*) FROM tally.chat_messages WHERE message_id = $1", message) == [(1,)]
    assert rebuilt.clickhouse(f"SELECT count() FROM tally.chat WHERE message_id = '{message}'") == [(1,)]
    assert rebuilt.replay("verify", "postgres.chat", "clickhouse.chat").status == 0


def test_until_shows_the_state_of_then_beside_the_live_one(rebuilt: Past) -> None:
    then = datetime(2026, 1, 3, tzinfo=UTC)
    live = rebuilt.sql("SELECT projection, version FROM rm.live ORDER BY 1")
    made = rebuilt.replay("rebuild", "postgres.chat", "clickhouse.chat", "--until", "2026-01-03T00:00:00Z", "--json")
    assert made.status == 0, made.errors
    schema, view = (one["published_as"] for one in made.json["rebuilt"])
    assert (schema, view) == ("tally_until_20260103t000000z", "tally.chat_until_20260103t000000z")

    expected = rebuilt.sql("SELECT count(*) FROM tally.chat_messages WHERE sent_at <= $1", then)
    assert 0 < expected[0][0] < rebuilt.sql("SELECT count(*) FROM tally.chat_messages")[0][0]
    assert rebuilt.sql(f"SELECT count(*) FROM {schema}.chat_messages") == expected
    assert rebuilt.clickhouse(f"SELECT count() FROM {view} WHERE type = 'MessageSent'") == expected
    assert rebuilt.clickhouse(f"SELECT sum(messages) FROM tally.chat_per_minute_{view.partition('_')[2]}") == expected
    assert rebuilt.sql("SELECT projection, version FROM rm.live ORDER BY 1") == live

    gone = rebuilt.replay("discard", "postgres.chat", "clickhouse.chat", "--until", "2026-01-03T00:00:00Z")
    assert gone.status == 0, gone.errors
    assert rebuilt.sql("SELECT FROM pg_namespace WHERE nspname = $1", schema) == []
    assert rebuilt.clickhouse("SELECT name FROM system.tables WHERE name LIKE '%_until_%'") == []


@pytest.mark.parametrize(
    ("arguments", "status"),
    [
        (("rebuild", "postgres.nothing"), 2),
        (("rebuild",), 2),
        (("rebuild", "postgres.chat", "--until", "yesterday"), 2),
        (("rebuild", "postgres.chat", "--until", "2026-01-03T00:00:00"), 2),
        (("rollback", "postgres.accounts"), 1),
        (("verify", "--against", "/dev/null"), 1),
    ],
)
def test_what_cannot_be_done_is_said(rebuilt: Past, arguments: tuple[str, ...], status: int) -> None:
    rebuilt.sql("DELETE FROM rm.builds WHERE model = 'postgres.accounts' AND state = 'previous'")
    ran = rebuilt.replay(*arguments)
    assert ran.status == status
    assert ran.errors
    assert "Traceback" not in ran.errors
