"""Why a replay stops. Each is told to the user as it is."""

from __future__ import annotations


class ReplayError(Exception):
    """Base of everything that ends a replay with a reason."""


class UnknownModel(ReplayError):
    """No read model has this name."""


class PoisonFound(ReplayError):
    """A record cannot be read, folded or stored."""

    def __init__(self, topic: str, partition: int, offset: int, reason: str) -> None:
        super().__init__(f"poison at {topic}:{partition}:{offset}: {reason}")
        self.topic, self.partition, self.offset, self.reason = topic, partition, offset, reason

    def __reduce__(self) -> tuple[type[PoisonFound], tuple[str, int, int, str]]:
        return type(self), (self.topic, self.partition, self.offset, self.reason)


class LeaseHeld(ReplayError):
    """Another replay works on this read model."""


class LeaseLost(ReplayError):
    """Another replay took over, because this one did not answer in time."""


class WorkerFailed(ReplayError):
    """A worker process died or could not go on; what it has written stays, and the next run resumes."""


class Paused(ReplayError):
    """The user stopped it; the next run resumes."""


class NotPossible(ReplayError):
    """What was asked for cannot be done with what is there."""
