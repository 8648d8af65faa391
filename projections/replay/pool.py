"""Worker processes, one per core, that share out partitions; the largest go first."""

from __future__ import annotations

import gc
import multiprocessing
import os
import resource
import signal
from collections.abc import Callable, Iterable
from multiprocessing.connection import Connection, wait
from multiprocessing.process import BaseProcess
from typing import NamedTuple

from projections.replay.errors import Paused, ReplayError, WorkerFailed
from projections.replay.loading import Load, Loaded, Workshop, workshop
from projections.replay.names import read_model
from topology.settings import Settings

_POLL_S = 0.2
_STOP_S = 60.0
"""How long a worker may take for the batch or index in hand before it is killed; killing loses nothing either."""

_SPAWN = multiprocessing.get_context("spawn")


class Finish(NamedTuple):
    """Make a version's keys, and indexes where readers will use it."""

    model: str
    version: int
    for_readers: bool


class Done(NamedTuple):
    """A task is finished; `peak_mib` is the most memory its worker ever used."""

    task: Load | Finish
    peak_mib: int


class Failed(NamedTuple):
    error: ReplayError


class Pool:
    """Runs loads, then the finishing of each model whose loads are done."""

    def __init__(self, settings: Settings, processes: int | None = None) -> None:
        self._settings = settings
        self._processes = processes or os.cpu_count() or 1
        self.peak_mib: dict[int, int] = {}
        """By process."""

    def run(
        self,
        loads: Iterable[Load],
        finishes: Iterable[Finish],
        told: Callable[[Loaded], None],
        check: Callable[[], None],
    ) -> None:
        """`loads` in the order in which to begin them. `check` is called often and stops everything by raising.

        Raises what stopped it; a worker stops after the batch in hand, so all can be resumed.
        """
        plan = _Plan(loads, finishes)
        stopping = _SPAWN.Event()
        workers: dict[Connection, BaseProcess] = {}
        try:
            for _ in range(min(self._processes, max(1, plan.size))):
                ours, theirs = _SPAWN.Pipe()
                process = _SPAWN.Process(
                    target=_work, args=(self._settings, theirs, stopping, os.getpid()), daemon=True
                )
                process.start()
                theirs.close()
                workers[ours] = process
            idle = set(workers)
            while not plan.is_done:
                for pipe in sorted(idle, key=id):
                    task = plan.next()
                    if task is not None:
                        pipe.send(task)
                        idle.discard(pipe)
                heard = wait([*workers], _POLL_S)
                for pipe in [pipe for pipe in workers if pipe in heard]:
                    self._hear(pipe, workers[pipe], plan, idle, told)
                check()
        finally:
            stopping.set()
            for pipe, worker in workers.items():
                pipe.close()
                worker.join(_STOP_S)
                if worker.is_alive():
                    worker.kill()
                    worker.join()
                worker.close()

    def _hear(
        self, pipe: Connection, worker: BaseProcess, plan: _Plan, idle: set[Connection], told: Callable[[Loaded], None]
    ) -> None:
        try:
            message = pipe.recv()
        except EOFError:
            worker.join()
            raise WorkerFailed(f"a worker died with exit code {worker.exitcode}") from None
        if isinstance(message, Loaded):
            told(message)
        elif isinstance(message, Done):
            plan.finished(message.task)
            self.peak_mib[worker.pid or 0] = message.peak_mib
            idle.add(pipe)
        elif isinstance(message, Failed):
            raise message.error


class _Plan:
    """Which task comes next."""

    def __init__(self, loads: Iterable[Load], finishes: Iterable[Finish]) -> None:
        self._ready: list[Load | Finish] = list(loads)
        self._open = {load for load in self._ready if isinstance(load, Load)}
        self._waiting = list(finishes)
        self._running = 0
        self.size = len(self._ready) + len(self._waiting)
        self._release()

    @property
    def is_done(self) -> bool:
        return not (self._ready or self._waiting or self._running)

    def next(self) -> Load | Finish | None:
        if not self._ready:
            return None
        self._running += 1
        return self._ready.pop(0)

    def finished(self, task: Load | Finish) -> None:
        self._running -= 1
        if isinstance(task, Load):
            self._open.discard(task)
            self._release()

    def _release(self) -> None:
        loading = {(load.model, load.version) for load in self._open}
        free = [task for task in self._waiting if (task.model, task.version) not in loading]
        self._waiting = [task for task in self._waiting if task not in free]
        self._ready.extend(free)


def _work(settings: Settings, pipe: Connection, stopping: multiprocessing.synchronize.Event, parent: int) -> None:
    """A worker process. The parent stops it by the event, or by being gone."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    gc.freeze()
    gc.disable()  # a batch makes a hundred thousand objects and no cycles: looking for some costs a tenth

    def told(step: Loaded) -> None:
        pipe.send(step)
        if stopping.is_set() or os.getppid() != parent:
            raise Paused("stopped by the parent")

    try:
        with workshop(settings) as shop:
            while True:
                task = pipe.recv()
                _carry_out(shop, task, told)
                gc.collect()
                pipe.send(Done(task, resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024))
    except (Paused, EOFError, BrokenPipeError, ConnectionResetError):
        return
    except Exception as error:
        known = error if isinstance(error, ReplayError) else WorkerFailed(f"{type(error).__name__}: {error}")
        pipe.send(Failed(known))


def _carry_out(shop: Workshop, task: Load | Finish, told: Callable[[Loaded], None]) -> None:
    if isinstance(task, Load):
        shop.load(task, told)
    else:
        model = read_model(task.model)
        shop.copies(model.store).finish(model.projection, task.version, for_readers=task.for_readers)
