"""Makes the environment that the lock file describes, then becomes the command line in it.

Run by `./tally` with any Python from 3.11 on, outside the environment: only the standard library may be imported.
"""

from __future__ import annotations

import fcntl
import hashlib
import os
import shutil
import subprocess
import sys
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
VENV = ROOT / ".venv"
PYTHON = VENV / "bin" / "python"
LOG = VENV / "install.log"
DEV_COMMANDS = ("test", "coverage", "check", "bench")


class BootstrapError(Exception):
    """The environment could not be made: says why."""


def main(arguments: list[str]) -> None:
    """Make or update the environment, then replace this process by the command."""
    try:
        ensure(dev=bool(arguments) and arguments[0] in DEV_COMMANDS)
    except BootstrapError as error:
        say(f"The environment could not be made.\n{error}")
        raise SystemExit(1) from error
    paths = [str(ROOT), os.environ.get("PYTHONPATH", "")]
    os.environ["PYTHONPATH"] = os.pathsep.join(path for path in paths if path)
    os.execv(PYTHON, [str(PYTHON), "-m", "topology.cli", *arguments])  # noqa: S606


def ensure(dev: bool) -> None:
    """Bring `.venv` to the lock's state, once at a time for this checkout. Raises BootstrapError."""
    if is_current("dev") or (not dev and is_current("runtime")):
        return
    with (ROOT / "tally").open() as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        extent = "dev" if dev or stamp("dev").exists() else "runtime"
        if not is_current(extent):
            install(extent)


def stamp(extent: str) -> Path:
    """Holds the digest of the lock that was installed last."""
    return VENV / f"tally-{extent}.sha256"


def requirements(extent: str) -> Path:
    """The lock for this extent: `runtime`, or `dev`, which contains it."""
    return ROOT / "requirements" / f"{extent}.lock"


def digest(extent: str) -> str:
    """What the stamp must hold for the environment to be current."""
    return hashlib.sha256(requirements(extent).read_bytes()).hexdigest()


def is_current(extent: str) -> bool:
    """Whether the environment holds what the lock says."""
    try:
        return stamp(extent).read_text() == digest(extent) and PYTHON.exists()
    except FileNotFoundError:
        return False


def install(extent: str) -> None:
    """Install exactly the locked versions, checked by their hashes."""
    lock = requirements(extent)
    count = sum("==" in line for line in lock.read_text().splitlines())
    say(f"Making the environment: {count} packages from {lock.relative_to(ROOT)} …")
    began = time.monotonic()
    uv = shutil.which("uv")
    if not _runs(("-c", "pass") if uv else ("-m", "pip", "--version")):
        _make_venv(uv)
    if uv:
        _run([uv, "pip", "sync", "--require-hashes", "--compile-bytecode", "--python", str(PYTHON), str(lock)])
    else:
        pip = [str(PYTHON), "-m", "pip", "install", "--disable-pip-version-check", "--require-hashes", "--no-deps"]
        _run([*pip, "-r", str(lock)])
    stamp(extent).write_text(digest(extent))
    say(f"The environment is ready ({time.monotonic() - began:.0f} s).")


def _make_venv(uv: str | None) -> None:
    if uv:
        _run([uv, "venv", "--quiet", "--clear", "--python", sys.executable, str(VENV)], log=False)
        return
    try:
        _run([sys.executable, "-m", "venv", "--clear", str(VENV)], log=False)
    except BootstrapError as error:
        raise BootstrapError(
            f"{error}\nOn Debian and Ubuntu, `apt install python3-venv` brings what is missing."
        ) from error


def _runs(arguments: tuple[str, ...]) -> bool:
    if not PYTHON.exists():
        return False
    return subprocess.run([PYTHON, *arguments], capture_output=True, check=False).returncode == 0


def _run(command: list[str], log: bool = True) -> None:
    """Run a program; on a terminal its lines replace each other. Raises BootstrapError with its last lines."""
    lines: list[str] = []
    terminal = sys.stderr.isatty()
    width = shutil.get_terminal_size().columns - 1
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True) as process:
        assert process.stdout is not None  # noqa: S101
        for line in process.stdout:
            lines.append(line)
            if terminal:
                print(f"\r\033[K{line.strip()[:width]}", end="", file=sys.stderr, flush=True)  # noqa: T201
    if terminal:
        print("\r\033[K", end="", file=sys.stderr, flush=True)  # noqa: T201
    if log:
        LOG.write_text("".join(lines))
    if process.returncode != 0:
        raise BootstrapError("".join(lines[-12:]).strip() or f"{command[0]} exited with status {process.returncode}")


def say(text: str) -> None:
    """Tell the person what happens, away from the command's own output."""
    print(text, file=sys.stderr, flush=True)  # noqa: T201


if __name__ == "__main__":
    main(sys.argv[1:])
