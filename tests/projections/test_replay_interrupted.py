"""Stopped at any moment, a rebuild goes on where it was; two of one model cannot collide."""

from __future__ import annotations

import os
import signal
import subprocess
import time
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager

import pytest

from projections.replay.blocking import Blocking
from projections.replay.course import Course
from projections.replay.errors import LeaseHeld, LeaseLost
from projections.replay.lease import Lease
from projections.replay.names import read_model
from projections.replay.register import LEASE_S
from projections.replay.session import session
from tests.projections.past import Past

pytestmark = [pytest.mark.stack, pytest.mark.faults, pytest.mark.timeout(400)]

MODELS = ("postgres.chat", "clickhouse.chat", "postgres.playback")

BUILDING = "SELECT count(*) FROM rm.builds WHERE state = 'building'"
CHAT_BUILDING = "(SELECT 'chat', version, 0 FROM rm.builds WHERE model = 'postgres.chat' AND state = 'building')"
WRITTEN = (
    "SELECT sum(next_offset) > 0 FROM rm.progress p JOIN rm.builds b "
    "ON b.model = 'postgres.' || p.projection AND b.version = p.version WHERE b.state = 'building'"
)


def eventually(true: Callable[[], bool], within_s: float = 90) -> None:
    deadline = time.monotonic() + within_s
    while not true():
        assert time.monotonic() < deadline
        time.sleep(0.02)


@contextmanager
def half_way(past: Past) -> Iterator[subprocess.Popen[bytes]]:
    """A rebuild that has written something and cannot get done: one partition's progress is locked."""
    past.replay("discard", *MODELS)
    with past.replaying("rebuild", *MODELS, "--processes", "2") as process:
        eventually(lambda: past.sql(BUILDING) == [(len(MODELS),)])
        with locked(past, "SELECT FROM rm.progress WHERE (projection, version, partition) = " + CHAT_BUILDING):
            eventually(lambda: past.sql(WRITTEN) == [(True,)])
            yield process
        process.wait(60)


@contextmanager
def locked(past: Past, rows: str) -> Iterator[None]:
    with closing(Blocking(past.settings.postgres_dsn.get_secret_value())) as postgres:
        connection = postgres.connect({})
        postgres.run(connection.execute("BEGIN"))
        assert postgres.run(connection.execute(f"{rows} FOR UPDATE")) == "SELECT 1"
        yield


@pytest.fixture
def built(world: Past) -> Past:
    """The models exist, so that a rebuild runs beside them."""
    assert world.replay("rebuild", *MODELS).status == 0
    return world


def test_killed_and_run_again_it_goes_on(built: Past) -> None:
    with half_way(built) as process:
        process.kill()  # its workers find out by themselves
    again = built.replay("rebuild", *MODELS, "--json")
    assert again.status == 0, again.errors
    assert all(one["resumed"] for one in again.json["rebuilt"])
    total = built.replay("rebuild", *MODELS, "--json").json["events"]
    assert again.json["events"] < total, "it began anew"
    assert built.replay("verify", *MODELS).status == 0


def test_ctrl_c_pauses_and_readers_see_nothing_of_it(built: Past) -> None:
    live = built.sql("SELECT projection, version FROM rm.live ORDER BY 1")
    with half_way(built) as process:
        process.send_signal(signal.SIGINT)
    assert process.returncode == 130
    assert built.sql("SELECT projection, version FROM rm.live ORDER BY 1") == live
    assert built.sql("SELECT count(*) FROM rm.leases") == [(0,)]
    standing = built.replay("status", "postgres.chat", "--json").json["models"][0]
    assert standing["building"] is not None
    again = built.replay("rebuild", *MODELS, "--json")
    assert all(one["resumed"] for one in again.json["rebuilt"])
    assert built.replay("verify", *MODELS).status == 0


def test_an_unfinished_rebuild_can_be_discarded(built: Past) -> None:
    with half_way(built) as process:
        process.kill()  # its workers find out by themselves
    dropped = built.replay("discard", *MODELS, "--json")
    assert dropped.json["dropped"] == dict.fromkeys(MODELS, 1)
    assert built.replay("status", "postgres.chat", "--json").json["models"][0]["building"] is None
    assert built.replay("rebuild", "postgres.chat", "--json").json["rebuilt"][0]["resumed"] is False


def test_the_second_rebuild_of_a_model_is_refused(built: Past) -> None:
    with Lease(built.settings, ["clickhouse.chat"]):
        refused = built.replay("rebuild", "postgres.chat", "clickhouse.chat", "--json")
        assert refused.status == 7
        assert refused.json["error"] == "LeaseHeld"
        assert str(os.getpid()) in refused.json["message"]
        assert built.replay("verify", "clickhouse.chat").status == 7
        assert built.replay("rebuild", "postgres.chat").status == 0, "another model's is free"
    assert built.replay("rebuild", "clickhouse.chat").status == 0


def test_of_two_leases_taken_together_none_is_left_when_one_is_held(built: Past) -> None:
    with Lease(built.settings, ["b"]):
        with pytest.raises(LeaseHeld), Lease(built.settings, ["a", "b"]):
            pass
        with Lease(built.settings, ["a"]):
            pass


def test_a_lease_taken_over_stops_the_first_holder(built: Past) -> None:
    with Lease(built.settings, ["c"]) as first:
        first.check()
        built.sql(
            f"UPDATE rm.leases SET renewed_at = now() - interval '{LEASE_S + 1} s', host = 'elsewhere' "
            "WHERE model = 'c'"
        )
        with Lease(built.settings, ["c"]) as second:

            def lost() -> bool:
                try:
                    first.check()
                except LeaseLost:
                    return True
                return False

            eventually(lost)
            second.check()


def test_what_a_dead_comparison_left_is_dropped(built: Past) -> None:
    model = read_model("postgres.chat")
    with session(built.settings, [model], Course()) as work:
        left = work.create(model, "shadow")
    with session(built.settings, [model], Course()) as work:
        work.tidy(model)
        assert left.version not in work.copies(model).versions(model.projection)
