"""What strangers write, made fit to be kept: Postgres takes no NUL, and a line is a line everywhere."""

from __future__ import annotations

import re

_CONTROLS = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028\u2029]")


def one_line(text: str) -> str:
    """With spaces for control characters and ends of lines, and none around it."""
    return _CONTROLS.sub(" ", text).strip()
