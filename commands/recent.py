"""Maps that forget what is old: a persistent one, and one that changes, for a fold that never looks back."""

from __future__ import annotations

from typing import Generic, NamedTuple, Self, TypeAlias, TypeVar

from rpds import HashTrieMap

K = TypeVar("K")
V = TypeVar("V")


class Recent(NamedTuple, Generic[K, V]):
    """Keeps the latest `limit` keys put, and at most twice as many."""

    limit: int
    young: HashTrieMap[K, V] = HashTrieMap()
    old: HashTrieMap[K, V] = HashTrieMap()

    def get(self, key: K) -> V | None:
        value = self.young.get(key)
        return self.old.get(key) if value is None else value

    def put(self, key: K, value: V) -> Recent[K, V]:
        young = self.young.insert(key, value)
        if len(young) <= self.limit:
            return Recent(self.limit, young, self.old)
        return Recent(self.limit, HashTrieMap({key: value}), self.young)

    def drop(self, key: K) -> Recent[K, V]:
        return Recent(self.limit, self.young.discard(key), self.old.discard(key))


class Passing(Generic[K, V]):
    """As Recent, but changed in place, for a fifth of the time."""

    def __init__(self, limit: int) -> None:
        self._limit = limit
        self._young: dict[K, V] = {}
        self._old: dict[K, V] = {}

    def get(self, key: K) -> V | None:
        value = self._young.get(key)
        return self._old.get(key) if value is None else value

    def put(self, key: K, value: V) -> Self:
        self._young[key] = value
        if len(self._young) > self._limit:
            del self._young[key]
            self._old, self._young = self._young, {key: value}
        return self

    def drop(self, key: K) -> Self:
        self._young.pop(key, None)
        self._old.pop(key, None)
        return self


Latest: TypeAlias = Recent[K, V] | Passing[K, V]
"""What is put or dropped takes the place of what it was put into."""
