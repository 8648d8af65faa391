"""What a client was told is judged by the log alone: a benchmark whose judge is blind holds every bar."""

from __future__ import annotations

from benchmarks.chat_log import Faults, faults_of

LOGGED = ["a", "b", "c", "d"]


def test_the_log_as_it_is_has_no_faults() -> None:
    assert faults_of(LOGGED, LOGGED) == Faults()
    assert faults_of([], []) == Faults()


def test_what_was_not_told_is_lost() -> None:
    assert faults_of(["a", "d"], LOGGED) == Faults(lost=2)
    assert faults_of([], LOGGED) == Faults(lost=4)


def test_what_was_told_again_is_told_twice_and_not_out_of_order() -> None:
    assert faults_of(["a", "b", "c", "b", "d"], LOGGED) == Faults(twice=1)


def test_what_is_in_no_log_is_unknown() -> None:
    assert faults_of(["a", "x", "b", "c", "d"], LOGGED) == Faults(unknown=1)


def test_what_came_after_a_later_one_is_out_of_order() -> None:
    assert faults_of(["b", "a", "c", "d"], LOGGED) == Faults(out_of_order=1)
    assert faults_of(["d", "c", "b", "a"], LOGGED) == Faults(out_of_order=3)
