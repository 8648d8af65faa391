"""What the topic `subject-keys` says. Pure.

A key is offered under a Kafka key of the offer's own, `<user id>/<offer id>`, and the first offer by offset is the
user's key: two processes may offer at once, and compaction, which keeps the last record of a Kafka key, drops neither.
An erasure is a record under the bare user id, which stays for good, followed by a tombstone for every offer. Whatever
is offered after it does not count.
"""

from __future__ import annotations

from uuid import uuid4

ERASED = b"erased"


def offer_of(subject: str) -> str:
    """A fresh Kafka key for an offer."""
    return f"{subject}/{uuid4().hex}"


class SubjectKeys:
    """Keys as they stand in the log: wrapped."""

    def __init__(self) -> None:
        self.erased: set[str] = set()
        self._first: dict[str, tuple[str, bytes]] = {}
        """By user: the offer that counts and its wrapped key."""
        self._others: dict[str, list[str]] = {}
        """By user: the offers that do not count, and still have a value."""

    def take(self, key: str, value: bytes | None) -> str | None:
        """Take in the log's next record. Returns the user who is erased by it, if one is."""
        subject, _, offer = key.partition("/")
        if not offer:
            if value != ERASED:
                return None
            self.erased.add(subject)
            first = self._first.pop(subject, None)
            if first is not None:  # its tombstone may be missing yet: whoever erased may have been killed
                self._others.setdefault(subject, []).append(first[0])
            return subject
        if value is not None:
            if subject in self.erased or subject in self._first:
                self._others.setdefault(subject, []).append(key)
            else:
                self._first[subject] = (key, value)
        elif key in self._others.get(subject, ()):
            self._others[subject].remove(key)
        return None

    def wrapped(self, subject: str) -> bytes | None:
        """The user's wrapped key; None without one."""
        first = self._first.get(subject)
        return first and first[1]

    def erasure(self, subject: str) -> list[tuple[str, bytes | None]]:
        """The records, in order, that erase the user for good."""
        first = self._first.get(subject)
        offers = [*([first[0]] if first else []), *self._others.get(subject, [])]
        return [(subject, ERASED), *((offer, None) for offer in offers)]
