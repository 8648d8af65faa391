"""The refusal of a command: one exception type with a stable code."""

from __future__ import annotations


class Rejected(Exception):
    """`code` is stable and machine-readable (`login_taken`); `message` says what was wrong and what to do."""

    def __init__(self, code: str, message: str) -> None:
        super().__init__(f"{code}: {message}")
        self.code = code
        self.message = message
