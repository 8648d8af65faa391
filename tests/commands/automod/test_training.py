"""How the data files are made. Fetching the packages is the benchmark's part."""

from __future__ import annotations

import zipfile
from pathlib import Path

from commands.automod.model import features_of
from commands.automod.training.confusables import table_of
from commands.automod.training.fit import fit
from commands.automod.training.sayings import Saying, Talk, sayings
from commands.automod.training.talk import talk_of

TALK = Talk(["The weather is nice today", "Who won the game?"], ["apple", "idiot", "bridge", "window"])


def test_sentences_and_words_come_from_the_packages(tmp_path: Path) -> None:
    said = {"english": "Do you drink\n  - 7\n- - Do you drink", "german": "Trinkst du"}
    listed = {"noun": "apple\ndamn", "adjective": "red", "verb": "eat\nred", "profanity": "damn"}
    sentences, words = tmp_path / "sentences.whl", tmp_path / "words.whl"
    with zipfile.ZipFile(sentences, "w") as wheel:
        for language, lines in said.items():
            wheel.writestr(f"chatterbot_corpus/data/{language}/food.yml", f"conversations:\n- - {lines}\n")
    with zipfile.ZipFile(words, "w") as wheel:
        for kind, lines in listed.items():
            wheel.writestr(f"wonderwords/assets/{kind}list.txt", lines)

    assert talk_of(sentences, words) == Talk(["Do you drink", "7"], ["apple", "red", "eat"])


def test_insults_are_told_from_talk() -> None:
    made = sayings(TALK)
    labels = {saying.text: saying.insult for saying in made}

    assert labels["fuck you"]
    assert not labels["good morning"]
    assert not labels["The weather is nice today"]
    assert 0.2 < sum(saying.insult for saying in made) / len(made) < 0.4


def test_no_slot_is_left_empty() -> None:
    assert not [saying.text for saying in sayings(TALK) if "{" in saying.text]
    assert not [saying.text for saying in sayings(TALK) if " a idiot" in saying.text]


def test_the_same_is_said_again() -> None:
    assert sayings(TALK) == sayings(TALK)
    assert sayings(TALK) != sayings(TALK, seed=1)


def test_what_tells_the_sayings_apart_is_learned() -> None:
    labelled = [Saying("you fool", True), Saying("nice day", False), Saying("what a fool", True), Saying("", False)] * 5

    model = fit(labelled, steps=50)

    assert model.score(features_of("fool")) > model.score(features_of("day"))
    assert fit(labelled, steps=50) == model


def test_lookalikes_are_told_by_their_letter() -> None:
    found = {"а": [{"c": "a"}], "А": [{"c": "A"}], "В": [{"c": "B"}], "в": [{"c": "ʙ"}], "–": [{"c": "-"}]}

    table = table_of(found)

    assert "а" in table["a"]
    assert "в" in table["b"]
    assert not any("–" in lookalikes for lookalikes in table.values())
