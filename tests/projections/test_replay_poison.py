"""A record that cannot be folded stops a rebuild by name, unless it was told to pass over it."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing

import pytest

from benchmarks.seed import Encoder
from benchmarks.world import World
from tests.projections.past import Past, past

pytestmark = [pytest.mark.stack, pytest.mark.timeout(400)]


@pytest.fixture(scope="module")
def poisoned(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Past]:
    """Its own engines: poison stays on a topic."""
    with past(tmp_path_factory.mktemp("poison"), events=800) as made:
        made.append_bytes("channels", 2, b"\x00garbage")
        nul = next(one for one in World(300, seed=3).happenings() if one.type.topic == "chat")
        made.append(nul._replace(fields=nul.fields | {"text": "a NUL \0 that Postgres cannot store"}))
        stray = next(one for one in World(300, seed=4).happenings() if one.type.topic == "follows")
        with closing(Encoder(made.settings.schema_registry_url)) as encoder:
            made.append_bytes("support", 1, encoder.encode(stray.type, stray.fields))
        made.append(*(one for one in World(400, seed=9).happenings()))
        yield made


@pytest.mark.parametrize(
    ("model", "topic", "reason"),
    [
        ("postgres.channels", "channels", "5-byte"),
        ("clickhouse.channels", "channels", ""),
        ("postgres.chat", "chat", ""),
        ("postgres.support", "support", "UserFollowed"),
        ("clickhouse.support", "support", "UserFollowed"),
    ],
)
def test_it_is_refused_by_name(poisoned: Past, model: str, topic: str, reason: str) -> None:
    ran = poisoned.replay("rebuild", model, "--json")
    assert ran.status == 6
    assert ran.json["error"] == "PoisonFound"
    assert ran.json["topic"] == topic
    assert ran.json["offset"] >= 0
    assert ran.json["reason"]
    assert f"{topic}:{ran.json['partition']}:{ran.json['offset']}" in ran.errors
    standing = poisoned.replay("status", model, "--json").json["models"][0]
    assert standing["version"] is None
    assert "poison" in standing["error"]


def test_told_to_it_passes_over_and_tells_which(poisoned: Past) -> None:
    models = ("postgres.channels", "clickhouse.channels", "postgres.chat", "postgres.support", "clickhouse.support")
    ran = poisoned.replay("rebuild", *models, "--skip-poison", "--json")
    assert ran.status == 0, ran.errors
    assert sorted(one["topic"] for one in ran.json["skipped"]) == ["channels", "channels", "chat", "support", "support"]
    assert poisoned.replay("verify", *models).status == 0
    assert poisoned.sql("SELECT count(*) > 0 FROM tally.channels") == [(True,)]


def test_what_one_store_cannot_take_the_other_can(poisoned: Past) -> None:
    assert poisoned.replay("rebuild", "clickhouse.chat").status == 0
    assert poisoned.clickhouse("SELECT count() FROM tally.chat WHERE text LIKE 'a NUL %'") == [(1,)]
