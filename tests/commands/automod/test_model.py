"""The model's scores, and what moderators teach it."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from commands.automod.folding import fold
from commands.automod.lessons import Lessons
from commands.automod.model import LEVELS, features_of, level_of, unpack
from commands.automod.reading import even, read
from commands.automod.verdict import MODEL


def score(text: str, lessons: Lessons | None = None) -> float:
    features = features_of(read(text).folded)
    return MODEL.score(features, (lessons or Lessons()).taught(features))


@pytest.mark.parametrize("text", ["you are an idiot", "get out of here you moron", "you are a stupid pathetic loser"])
def test_an_insult_scores_high(text: str) -> None:
    assert score(text) >= LEVELS[2]


@pytest.mark.parametrize(
    "text",
    ["hello everyone", "what a play", "which graphics card is that?", "good luck in the next game", "you", "lol"],
)
def test_talk_does_not(text: str) -> None:
    assert score(text) < LEVELS[-1]


@given(st.text())
def test_a_score_is_a_probability(text: str) -> None:
    assert 0 < score(text) < 1


def test_a_stricter_level_takes_a_lower_score() -> None:
    assert [level_of(least) for least in LEVELS] == [1, 2, 3, 4]
    assert level_of(min(LEVELS) - 0.01) is None


def test_the_data_file_is_the_model() -> None:
    assert unpack(MODEL.packed()) == MODEL


@pytest.mark.parametrize("damaged", [MODEL.packed()[4:], b"TAM0" + MODEL.packed()[4:]])
def test_another_file_is_not(damaged: bytes) -> None:
    with pytest.raises(Exception, match=r"version|header|decompress"):
        unpack(damaged)


class TestLessons:
    insult = "you are an idiot"

    def test_what_is_allowed_scores_lower(self) -> None:
        scores = [score(self.insult)]
        lessons = Lessons()
        for turn in range(4):
            lessons = lessons.learn(MODEL, f"m{turn}", self.insult, toxic=False)
            scores.append(score(self.insult, lessons))

        assert scores == sorted(scores, reverse=True)
        assert scores[-1] < LEVELS[-1] < scores[0]

    def test_what_is_denied_scores_higher(self) -> None:
        lessons = Lessons().learn(MODEL, "m", "pineapple enjoyer", toxic=True)

        assert score("pineapple enjoyer", lessons) > score("pineapple enjoyer")
        assert score("PINEAPPLE ENJOYER", lessons) == score("pineapple enjoyer", lessons)

    def test_what_has_nothing_in_common_is_not_touched(self) -> None:
        lessons = Lessons().learn(MODEL, "m", self.insult, toxic=False)

        assert score("wow", lessons) == score("wow")

    def test_nothing_to_read_teaches_nothing(self) -> None:
        assert Lessons().learn(MODEL, "m", "💀", toxic=True).weights == Lessons().weights

    def test_a_message_teaches_once(self) -> None:
        lessons = Lessons().learn(MODEL, "m", self.insult, toxic=False)

        assert lessons.learn(MODEL, "m", self.insult, toxic=False) == lessons
        assert score(self.insult, lessons.learn(MODEL, "n", self.insult, toxic=False)) < score(self.insult, lessons)

    @given(st.lists(st.tuples(st.text("abc ", max_size=12), st.booleans()), max_size=20))
    def test_the_same_lessons_make_the_same_model(self, taught: list[tuple[str, bool]]) -> None:
        first, second = Lessons(), Lessons()
        for turn, (text, toxic) in enumerate(taught):
            first = first.learn(MODEL, f"m{turn}", text, toxic)
        for turn, (text, toxic) in enumerate(taught):
            second = second.learn(MODEL, f"m{turn}", text, toxic)
        features = frozenset().union(*(features_of(even(fold(text))) for text, _ in taught))

        assert first.taught(features) == second.taught(features)

    def test_no_weight_grows_without_bound(self) -> None:
        lessons = Lessons()
        for turn in range(400):
            lessons = lessons.learn(MODEL, f"a{turn}", "maybe", toxic=turn % 2 == 0)
            lessons = lessons.learn(MODEL, f"b{turn}", self.insult, toxic=False)

        assert max(map(abs, lessons.taught(features_of(self.insult)).values())) <= 8
