"""Holds the right to replay some read models, renewed from a thread of its own for as long as the process works."""

from __future__ import annotations

import threading
import time
import uuid
from collections.abc import Iterable
from contextlib import closing
from types import TracebackType

from projections.postgres.sink import AWAY
from projections.replay.errors import LeaseLost
from projections.replay.register import LEASE_S, Register
from topology.settings import Settings

_RENEW_S = 2.0


class Lease:
    """Raises LeaseHeld on entering, with nothing taken."""

    def __init__(self, settings: Settings, models: Iterable[str]) -> None:
        self._settings = settings
        self._models = list(models)
        self._token = str(uuid.uuid4())
        self._renewed_at = 0.0
        self._lost = ""
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._renew, name="lease", daemon=True)

    def __enter__(self) -> Lease:
        register = Register(self._settings)
        try:
            for model in self._models:
                register.take_lease(model, self._token)
        except BaseException:
            register.release_leases(self._token)
            raise
        finally:
            register.close()
        self._renewed_at = time.monotonic()
        self._thread.start()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self._over.set()
        self._thread.join()

    def check(self) -> None:
        """Raises LeaseLost when another may have taken over."""
        silent_s = time.monotonic() - self._renewed_at
        if self._lost or silent_s > LEASE_S:
            raise LeaseLost(self._lost or f"the lease could not be renewed for {silent_s:.0f} s")

    def _renew(self) -> None:
        while not self._over.wait(_RENEW_S):
            try:
                with closing(Register(self._settings)) as register:
                    self._renew_over(register)
            except AWAY:
                continue  # until it is back, or `check` gives up
            if self._lost:
                return
        try:
            with closing(Register(self._settings)) as register:
                register.release_leases(self._token)
        except AWAY:
            return  # it will lapse

    def _renew_over(self, register: Register) -> None:
        while not self._over.is_set():
            before = time.monotonic()
            if register.renew_leases(self._token) != len(self._models):
                self._lost = "another replay holds the lease"
                return
            self._renewed_at = before
            self._over.wait(_RENEW_S)
