"""Every refusal of the deciders has its HTTP status."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

import commands
from query_api.rejections import DROPPED, REJECTIONS

SOURCES = Path(commands.__file__).parent.rglob("*.py")
REFUSING = {"Rejected", "wait"}


def _codes() -> Iterator[str]:
    for source in SOURCES:
        for node in ast.walk(ast.parse(source.read_text())):
            if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id in REFUSING:
                code = node.args[0]
                if isinstance(code, ast.Constant) and isinstance(code.value, str):
                    yield code.value


def test_every_code_of_the_deciders_has_a_status() -> None:
    codes = set(_codes())
    assert len(codes) > 80
    assert codes <= set(REJECTIONS)


def test_a_message_that_was_not_sent_is_answered_with_the_reason_unless_it_is_too_long() -> None:
    assert {"msg_banned", "msg_slowmode", "msg_rejected", "msg_rejected_mandatory", "msg_duplicate"} <= DROPPED
    assert "msg_too_long" not in DROPPED
    assert {REJECTIONS[code] for code in DROPPED} <= {400, 403, 409, 422, 429}
