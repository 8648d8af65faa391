"""Maps that forget: the one that changes in place answers as the persistent one does."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from commands.recent import Latest, Passing, Recent

KEYS = st.integers(0, 9)
LIMIT = 3


def test_the_latest_keys_are_kept() -> None:
    kept: Latest[int, str] = Recent(LIMIT)
    for key in range(10):
        kept = kept.put(key, str(key))

    assert [kept.get(key) for key in (7, 8, 9)] == ["7", "8", "9"]
    assert sum(kept.get(key) is not None for key in range(10)) <= 2 * LIMIT


@given(st.lists(st.tuples(st.sampled_from(["put", "drop"]), KEYS)))
def test_both_maps_answer_alike(steps: list[tuple[str, int]]) -> None:
    persistent: Latest[int, int] = Recent(LIMIT)
    passing: Latest[int, int] = Passing(LIMIT)
    for turn, (step, key) in enumerate(steps):
        if step == "put":
            persistent, passing = persistent.put(key, turn), passing.put(key, turn)
        else:
            persistent, passing = persistent.drop(key), passing.drop(key)

        assert [persistent.get(key) for key in range(10)] == [passing.get(key) for key in range(10)]
