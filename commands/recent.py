"""A persistent map that forgets what is old."""

from __future__ import annotations

from typing import Generic, NamedTuple, TypeVar

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
