"""The engine in this process: one directory, one owner, and roles that keep each account to its grants."""

from __future__ import annotations

import fcntl
import os
import threading
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import IO, Any
from xml.sax.saxutils import escape

import chdb
import psutil
from chdb._exceptions import ChdbError

from topology.embedded.clickhouse.access import ANALYST, WRITER, Account
from topology.embedded.clickhouse.errors import ClickHouseError

_connect: Callable[[str], Any] = chdb.connect  # untyped

_ESCAPES = str.maketrans({"\\": "\\\\", "\t": "\\t", "\n": "\\n", "\r": "\\r", "\0": "\\0"})

DATABASE = "tally"

ANALYST_LIMITS = {"max_memory_usage": "1000000000", "max_result_bytes": "268435456", "readonly": "1"}
"""What an analyst's statement may take, bytes. `readonly` freezes every setting: what comes later is refused."""

_SERVER = """\
<clickhouse>
  <logger><level>none</level></logger>
  <users_config>{users}</users_config>
  <user_directories><users_xml><path>{users}</path></users_xml></user_directories>
</clickhouse>
"""

_USERS = f"""\
<clickhouse>
  <profiles>
    <default>
      <async_insert>0</async_insert>
      <allow_python_table_function>0</allow_python_table_function>
    </default>
  </profiles>
  <quotas><default/></quotas>
  <roles>
    <{ANALYST}><grants>
      <query>GRANT SELECT, SHOW ON {DATABASE}.*</query>
    </grants></{ANALYST}>
    <{WRITER}><grants>
      <query>GRANT SELECT, INSERT, ALTER, CREATE, DROP, TRUNCATE, OPTIMIZE, SHOW, SYSTEM, CHECK ON *.*</query>
    </grants></{WRITER}>
  </roles>
  <users>
    <default>
      <password/>
      <networks><ip>::/0</ip></networks>
      <profile>default</profile>
      <quota>default</quota>
      <grants><query>GRANT {ANALYST}</query><query>GRANT {WRITER}</query></grants>
    </default>
  </users>
</clickhouse>
"""


class DirectoryTakenError(Exception):
    """Another process has the directory open; the message names it."""


class Engine:
    """The directory, held open; every statement gets a session of its own, so that no setting leaks into another."""

    def __init__(self, directory: Path, analyst_timeout_s: int) -> None:
        """Raises DirectoryTakenError."""
        self._analyst_limits = {"max_execution_time": str(analyst_timeout_s), **ANALYST_LIMITS}
        directory.mkdir(parents=True, exist_ok=True)
        self._lock = _own(directory / "owner.pid")
        self._path = (directory / "data").absolute()
        users, server = directory.absolute() / "users.xml", directory.absolute() / "config.xml"
        users.write_text(_USERS)
        server.write_text(_SERVER.format(users=escape(str(users))))
        self._root = _connect(f"{self._path}?config-file={server}")
        self._root.query(f"CREATE DATABASE IF NOT EXISTS {DATABASE}")
        self.version = str(self._root.query("SELECT version()", "TSV")).strip()
        self.timezone = str(self._root.query("SELECT timezone()", "TSV")).strip()

    def session(self, account: Account, database: str, settings: Mapping[str, str]) -> Session:
        """A session under the account's role and limits. Raises ClickHouseError, as for a setting it may not change."""
        session = Session(_connect(str(self._path)))
        try:
            session.run(f"SET ROLE {account.role}")
            session.run(f"USE {_name(database or _database_of(account, session))}")
            for changes in (self._analyst_limits if account.is_analyst else {}, settings):
                if changes:
                    session.run(_set(changes))
        except BaseException:
            session.close()
            raise
        return session

    def close(self) -> None:
        self._root.close()
        self._lock.close()


def _database_of(account: Account, session: Session) -> str:
    """Where a request that names no database runs: writers must get in even after a `DROP DATABASE tally`."""
    if account.is_analyst:
        return DATABASE
    query = "SELECT count() FROM system.databases WHERE name = {name:String}"
    there = session.run(query, parameters={"name": DATABASE})
    return DATABASE if there.strip() == b"1" else "default"


class Session:
    """One statement's connection. Its calls may come from any thread; `close` waits for the one that runs."""

    def __init__(self, connection: Any) -> None:
        self._connection = connection
        self._busy = threading.Lock()
        self._stream: Any = None
        self._inserter: Any = None

    def canonical(self, statement: str) -> str:
        """The engine's own one-line form of a single statement. Raises ClickHouseError, 62 for more than one."""
        result = self.run("SELECT formatQuerySingleLine({q:String})", "RawBLOB", {"q": _escaped(statement)})
        return result.decode(errors="replace")

    def run(self, statement: str, form: str = "TSV", parameters: Mapping[str, str] | None = None) -> bytes:
        """Run to the end; the whole result. Raises ClickHouseError."""
        with self._busy:
            try:
                result: bytes = self._connection.query(statement, form, params=dict(parameters or {})).bytes()
            except (ChdbError, RuntimeError) as error:
                raise ClickHouseError.parse(error) from error
        return result

    def stream(self, statement: str, form: str, parameters: Mapping[str, str]) -> Iterator[bytes]:
        """Run, giving the result block by block. Raises ClickHouseError, at any block."""
        try:
            with self._busy:
                self._stream = self._connection.send_query(statement, form, params=dict(parameters))
            while True:
                with self._busy:
                    block = self._stream.fetch()
                    data = None if block is None else block.bytes()
                if data is None:
                    return
                yield data
        except (ChdbError, RuntimeError) as error:
            raise ClickHouseError.parse(error) from error

    def begin_insert(self, statement: str, form: str) -> None:
        """Open an INSERT for data in a format. Raises ClickHouseError."""
        try:
            with self._busy:
                self._inserter = self._connection.send_insert(statement, form)
        except (ChdbError, RuntimeError) as error:
            raise ClickHouseError.parse(error) from error

    def append(self, data: bytes) -> None:
        """Add data to the INSERT. Raises ClickHouseError."""
        with self._busy:
            if self._inserter is None:
                raise ClickHouseError(49, "LOGICAL_ERROR", "No INSERT is open")
            try:
                self._inserter.append(data)
            except (ChdbError, RuntimeError) as error:
                raise ClickHouseError.parse(error) from error

    def finish_insert(self) -> int:
        """Commit the INSERT; the rows written. Raises ClickHouseError."""
        with self._busy:
            if self._inserter is None:
                raise ClickHouseError(49, "LOGICAL_ERROR", "No INSERT is open")
            try:
                rows: int = self._inserter.finish().rows_written
            except (ChdbError, RuntimeError) as error:
                raise ClickHouseError.parse(error) from error
        return rows

    def close(self) -> None:
        """End whatever still runs, uncommitted, and give the connection back."""
        with self._busy:
            for open_call in (self._stream, self._inserter):
                if open_call is not None:
                    open_call.close()
            self._connection.close()


def _own(path: Path) -> IO[str]:
    """Lock the directory for this process's life, saying in the file who has it."""
    lock = path.open("a+")
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        lock.seek(0)
        owner = lock.read().strip()
        lock.close()
        raise DirectoryTakenError(f"{path.parent} is open in another process: {_describe(owner)}") from None
    lock.truncate(0)
    lock.write(str(os.getpid()))
    lock.flush()
    return lock


def _describe(pid: str) -> str:
    try:
        return f"pid {pid} ({' '.join(psutil.Process(int(pid)).cmdline())})"
    except (ValueError, psutil.Error):
        return f"pid {pid or 'unknown'}"


def _set(changes: Mapping[str, str]) -> str:
    return "SET " + ", ".join(f"{_name(name)} = {_text(value)}" for name, value in changes.items())


def _name(name: str) -> str:
    return "`" + name.replace("\\", "\\\\").replace("`", "\\`") + "`"


def _text(value: str) -> str:
    return "'" + value.replace("\\", "\\\\").replace("'", "\\'") + "'"


def _escaped(text: str) -> str:
    """Text as a query parameter carries it: in TabSeparated's escapes."""
    return text.translate(_ESCAPES)
