"""The refusal of a command: one exception type with a stable code."""

from __future__ import annotations


class Rejected(Exception):
    """`code` is stable and machine-readable (`login_taken`); `message` says what was wrong and what to do.

    `retry_after_ms` is how long to wait before the same would be accepted; 0 where waiting does not help.
    """

    def __init__(self, code: str, message: str, retry_after_ms: int = 0) -> None:
        super().__init__(f"{code}: {message}")
        self.code = code
        self.message = message
        self.retry_after_ms = retry_after_ms
