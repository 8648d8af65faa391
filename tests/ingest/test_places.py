"""How often a follower's place is written, and what is found again."""

from __future__ import annotations

from pathlib import Path

from aiokafka import TopicPartition

from ingest.tail import WRITE_S, OnDisk

PARTITIONS = [TopicPartition("streams", 0), TopicPartition("streams", 1)]


class Follower:
    """A place on disk, by a clock of the test's own."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.now_s = 0.0
        self.place = OnDisk(path, lambda: self.now_s)

    async def found(self) -> dict[int, int]:
        """Where the next process would begin."""
        return await OnDisk(self.path).first(None, PARTITIONS)  # type: ignore[arg-type]


async def test_a_follower_begins_at_the_beginning(tmp_path: Path) -> None:
    assert await Follower(tmp_path / "place.json").found() == {0: 0, 1: 0}


async def test_batches_in_quick_succession_cost_one_write(tmp_path: Path) -> None:
    follower = Follower(tmp_path / "place.json")
    for offset in range(1, 100):
        follower.place.keep({0: offset, 1: 7})
    assert await follower.found() == {0: 1, 1: 7}
    follower.now_s += WRITE_S
    follower.place.keep({0: 100, 1: 7})
    assert await follower.found() == {0: 100, 1: 7}


async def test_an_orderly_end_writes_the_last_place(tmp_path: Path) -> None:
    follower = Follower(tmp_path / "place.json")
    follower.place.keep({0: 1, 1: 0})
    follower.place.keep({0: 5, 1: 2})
    follower.place.close()
    assert await follower.found() == {0: 5, 1: 2}


async def test_a_follower_that_lost_kafka_goes_on_where_it_was(tmp_path: Path) -> None:
    follower = Follower(tmp_path / "place.json")
    follower.place.keep({0: 1, 1: 0})
    follower.place.keep({0: 5, 1: 2})
    assert await follower.place.first(None, PARTITIONS) == {0: 5, 1: 2}  # type: ignore[arg-type]


async def test_a_place_that_was_never_known_is_not_written(tmp_path: Path) -> None:
    follower = Follower(tmp_path / "place.json")
    follower.place.close()
    assert not follower.path.exists()
