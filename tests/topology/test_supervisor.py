from __future__ import annotations

import asyncio
import contextlib
import os
import signal
import subprocess
import sys
import time
from collections.abc import AsyncIterator, Callable, Iterator
from pathlib import Path

import psutil
import pytest

from tests.topology.small_system import PROGRAM, SMALL, program
from topology import supervised
from topology.child import Launch
from topology.processes import PROCESSES, Process
from topology.settings import Settings
from topology.supervised import backoff_s
from topology.supervisor import Supervisor
from topology.system_state import ProcessState, RunDirectory, SystemState

pytestmark = pytest.mark.faults


@pytest.fixture
def data(tmp_path: Path) -> Path:
    for process in SMALL:
        (tmp_path / f"{process.name}.serves").touch()
    return tmp_path


def state_of(data: Path) -> SystemState:
    state = RunDirectory(data).read()
    assert state is not None
    return state


async def until(data: Path, holds: Callable[[SystemState], bool]) -> SystemState:
    async with asyncio.timeout(30):
        while True:
            state = RunDirectory(data).read()
            if state is not None and holds(state):
                return state
            await asyncio.sleep(0.02)


def history(data: Path) -> list[str]:
    return (data / "history").read_text().splitlines()


async def supervise(data: Path, *processes: Process) -> int:
    """Run a system until it ends; its exit status."""
    with RunDirectory(data).hold():
        return await Supervisor(Settings(data_dir=data), None, processes).run()


@contextlib.asynccontextmanager
async def small_system(data: Path) -> AsyncIterator[None]:
    with RunDirectory(data).hold():
        small = Supervisor(Settings(data_dir=data), None, SMALL)
        running = asyncio.create_task(small.run())
        yield
        small.stop()
        assert await running == 0


async def test_a_process_starts_after_what_it_needs_and_stops_before_it(data: Path) -> None:
    (data / "back.serves").unlink()
    async with small_system(data):
        state = await until(data, lambda state: state.processes["back"].state == "starting")
        assert state.processes["front"].state == "waiting"
        (data / "back.serves").touch()
        await until(data, lambda state: state.state == "ready" and len(history(data)) == 2)
    assert history(data) == ["back starts", "front starts", "front ends", "back ends"]
    assert {process.state for process in state_of(data).processes.values()} == {"stopped"}


async def test_a_killed_process_is_started_again(data: Path) -> None:
    async with small_system(data):
        before = (await until(data, lambda state: state.state == "ready")).processes["back"]
        assert before.pid is not None
        os.kill(before.pid, signal.SIGKILL)
        after = await until(data, lambda state: state.processes["back"].pid not in (None, before.pid))
        assert after.processes["back"].restarts == 1
        assert after.processes["front"].restarts == 0


async def test_a_living_process_that_no_longer_serves_is_said_to_be_not_ready(data: Path) -> None:
    async with small_system(data):
        ready = await until(data, lambda state: state.state == "ready")
        (data / "back.serves").unlink()
        state = await until(data, lambda state: state.processes["back"].state == "not ready")
        assert state.processes["back"].pid == ready.processes["back"].pid
        (data / "back.serves").touch()
        await until(data, lambda state: state.processes["back"].state == "ready")


async def test_a_suspended_process_is_not_ready(data: Path) -> None:
    async with small_system(data):
        pid = (await until(data, lambda state: state.state == "ready")).processes["back"].pid
        assert pid is not None
        os.kill(pid, signal.SIGSTOP)
        state = await until(data, lambda state: state.processes["back"].state == "not ready")
        assert state.processes["back"].reason == "is suspended"
        os.kill(pid, signal.SIGCONT)
        await until(data, lambda state: state.processes["back"].state == "ready")


async def test_a_process_that_cannot_start_fails_the_start_with_its_last_words(data: Path) -> None:
    async def never(settings: Settings, pid: int) -> bool:
        return False

    broken = Process(
        name="broken",
        needs=("back",),
        prepare=lambda settings: Launch((sys.executable, "-c", "raise SystemExit('no licence for this')")),
        ready=never,
    )
    assert await supervise(data, *SMALL, broken) == 1
    state = state_of(data)
    assert state.state == "failed"
    assert "broken: exited with status 1" in state.reason
    assert "no licence for this" in state.reason
    assert "back ends" in history(data)


async def test_a_preparation_that_raises_is_tried_again_and_then_named(data: Path) -> None:
    attempts: list[int] = []

    def prepare(settings: Settings) -> Launch:
        attempts.append(1)
        raise OSError("no space left on device")

    stuck = Process("stuck", (), prepare, ready=program("back").ready)
    assert await supervise(data, stuck) == 1
    assert "stuck: could not be prepared: no space left on device" in state_of(data).reason
    assert len(attempts) == supervised.FIRST_ATTEMPTS


@contextlib.contextmanager
def separate(data: Path) -> Iterator[subprocess.Popen[bytes]]:
    """A supervisor in a process of its own."""
    process = subprocess.Popen(
        (sys.executable, "-m", "tests.topology.small_system", str(data)), stderr=subprocess.DEVNULL
    )
    try:
        yield process
    finally:
        process.terminate()
        process.wait()


async def test_children_die_with_a_killed_supervisor_and_the_next_one_starts_clean(data: Path) -> None:
    with separate(data) as first:
        state = await until(data, lambda state: state.state == "ready")
        pids = [process.pid for process in state.processes.values()]
        first.kill()
        first.wait()
        await until(data, lambda _: not any(pid is not None and psutil.pid_exists(pid) for pid in pids))
    assert RunDirectory(data).supervisor() is None
    assert state_of(data).state == "ready"  # the stale file claims so; only the lock tells the truth
    with separate(data) as second:
        state = await until(data, lambda state: state.state == "ready" and state.supervisor_pid == second.pid)
        assert RunDirectory(data).supervisor() == second.pid
        second.send_signal(signal.SIGTERM)
        assert second.wait(20) == 0


def test_a_leftover_is_killed_but_a_stranger_with_its_pid_is_not(tmp_path: Path) -> None:
    sleeper = (sys.executable, "-c", "import time; time.sleep(600)")
    leftover, stranger = subprocess.Popen(sleeper), subprocess.Popen(sleeper)
    try:
        processes = {
            "kafka": ProcessState(pid=leftover.pid, started_at=psutil.Process(leftover.pid).create_time()),
            "edge": ProcessState(pid=stranger.pid, started_at=time.time() - 3_600),
        }
        run = RunDirectory(tmp_path)
        with run.hold():
            run.write(SystemState(supervisor_pid=1, started_at=0, port_base=None, processes=processes))
            assert run.kill_leftovers() == ["kafka"]
        assert leftover.wait(10) == -signal.SIGKILL
        assert stranger.poll() is None
    finally:
        for process in (leftover, stranger):
            process.kill()
            process.wait()


def test_waiting_doubles_up_to_ten_seconds() -> None:
    assert [backoff_s(failures) for failures in (1, 2, 3)] == [0.2, 0.4, 0.8]
    assert backoff_s(1_000) == 10.0


def test_the_table_names_each_process_after_what_it_needs() -> None:
    seen: set[str] = set()
    for process in PROCESSES:
        assert seen.issuperset(process.needs)
        seen.add(process.name)
    assert len(PROCESSES) == len(seen) == 10


def test_the_small_program_is_valid_python() -> None:
    compile(PROGRAM, "small_system", "exec")
