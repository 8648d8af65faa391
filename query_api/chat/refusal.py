"""Why something that a guest asked for is not done."""

from __future__ import annotations


class Refused(Exception):
    """`code` is stable: Twitch's drop code where it has one. `text` says what was wrong and what to do."""

    def __init__(self, code: str, text: str, retry_after_s: float | None = None, history: str | None = None) -> None:
        super().__init__(f"{code}: {text}")
        self.code, self.text, self.retry_after_s, self.history = code, text, retry_after_s, history
