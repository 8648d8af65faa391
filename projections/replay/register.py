"""What replays are under way and which versions they made, in Postgres for both stores: only it has compare-and-set."""

from __future__ import annotations

import socket
from typing import Literal, NamedTuple

import asyncpg
import psutil

from projections.postgres.schema import lock_definitions
from projections.replay.blocking import Blocking
from projections.replay.errors import LeaseHeld
from topology.settings import Settings

State = Literal["building", "live", "previous", "until", "shadow"]

LEASE_S = 15
"""A lease that was not renewed for so long is free."""

_TABLES = """
CREATE SCHEMA IF NOT EXISTS rm;
CREATE TABLE IF NOT EXISTS rm.builds (
    model text, version bigint, state text NOT NULL, revision bigint NOT NULL, label text NOT NULL DEFAULT '',
    started_at timestamptz NOT NULL DEFAULT now(), changed_at timestamptz NOT NULL DEFAULT now(), error text,
    PRIMARY KEY (model, version)
);
CREATE TABLE IF NOT EXISTS rm.leases (
    model text PRIMARY KEY, token uuid NOT NULL, host text NOT NULL, pid int NOT NULL, started float8 NOT NULL,
    renewed_at timestamptz NOT NULL DEFAULT now()
);
"""

_TAKE = f"""
INSERT INTO rm.leases AS l (model, token, host, pid, started) VALUES ($1, $2, $3, $4, $5)
ON CONFLICT (model) DO UPDATE SET token = $2, host = $3, pid = $4, started = $5, renewed_at = now()
WHERE l.renewed_at < now() - interval '{LEASE_S} s' OR l.token = $6
RETURNING 1
"""


class Build(NamedTuple):
    """One version that a replay made. `label` names the moment of a build --until."""

    model: str
    version: int
    state: State
    revision: int
    label: str
    error: str | None


class Register:
    """The tables, over one connection of its own."""

    def __init__(self, settings: Settings) -> None:
        self._postgres = Blocking(settings.postgres_dsn.get_secret_value())
        try:
            self._connection = self._postgres.connect({"application_name": "tally-replay-register"})
            self._postgres.run(self._create())
        except BaseException:
            self._postgres.close()
            raise

    async def _create(self) -> None:
        async with self._connection.transaction():
            await lock_definitions(self._connection)
            await self._connection.execute(_TABLES)

    def close(self) -> None:
        self._postgres.close()

    def take_lease(self, model: str, token: str) -> None:
        """Raises LeaseHeld. A lease whose process on this host is dead is free at once."""
        self._postgres.run(self._take_lease(model, token))

    async def _take_lease(self, model: str, token: str) -> None:
        held = await self._connection.fetchrow(
            "SELECT *, now() - renewed_at AS silent FROM rm.leases WHERE model = $1", model
        )
        dead = held["token"] if held is not None and held["host"] == _HOST and not _lives(held) else None
        me = psutil.Process()
        if await self._connection.fetchval(_TAKE, model, token, _HOST, me.pid, me.create_time(), dead):
            return
        silent_s = held["silent"].total_seconds() if held is not None else 0
        who = f"process {held['pid']} on {held['host']}" if held is not None else "another process"
        raise LeaseHeld(f"{model} is being replayed by {who}, which last answered {silent_s:.0f} s ago")

    def renew_leases(self, token: str) -> int:
        """How many leases this token still holds."""
        rows = self._postgres.run(
            self._connection.fetch("UPDATE rm.leases SET renewed_at = now() WHERE token = $1 RETURNING model", token)
        )
        return len(rows)

    def release_leases(self, token: str) -> None:
        self._postgres.run(self._connection.execute("DELETE FROM rm.leases WHERE token = $1", token))

    def builds(self, model: str) -> list[Build]:
        """Oldest first."""
        rows = self._postgres.run(
            self._connection.fetch(
                "SELECT model, version, state, revision, label, error FROM rm.builds WHERE model = $1 ORDER BY version",
                model,
            )
        )
        return [Build(*row) for row in rows]

    def record(self, model: str, version: int, state: State, revision: int, label: str = "") -> None:
        """Note a version, or its new state."""
        self._postgres.run(
            self._connection.execute(
                "INSERT INTO rm.builds (model, version, state, revision, label) VALUES ($1, $2, $3, $4, $5) "
                "ON CONFLICT (model, version) DO UPDATE SET state = $3, changed_at = now(), error = NULL",
                *(model, version, state, revision, label),
            )
        )

    def record_error(self, model: str, version: int, error: str) -> None:
        self._postgres.run(
            self._connection.execute(
                "UPDATE rm.builds SET error = $3, changed_at = now() WHERE model = $1 AND version = $2",
                *(model, version, error[:2000]),
            )
        )

    def forget(self, model: str, version: int) -> None:
        self._postgres.run(
            self._connection.execute("DELETE FROM rm.builds WHERE model = $1 AND version = $2", model, version)
        )


_HOST = socket.gethostname()


def _lives(held: asyncpg.Record) -> bool:
    try:
        return bool(abs(psutil.Process(held["pid"]).create_time() - held["started"]) < 1)
    except psutil.NoSuchProcess:
        return False
