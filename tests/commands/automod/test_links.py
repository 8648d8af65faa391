"""What is a link."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from commands.automod.links import has_link


@pytest.mark.parametrize(
    "text",
    [
        "https://example.org/x",
        "HTTP://EXAMPLE.ORG",
        "see www.example",
        "example.com",
        "go to twitch.tv/ada now",
        "sub.domain.co.uk",
        "bit.ly/abc",
        "some.unlisted/path",
        "example (dot) com",
        "example[.]com",
        "example dot com",
        "ｅｘａｍｐｌｅ．ｃｏｍ",
        "example。com",
        "exam\u200bple.com",
        "münchen.de",
        "xn--mnchen-3ya.de",
        "127.0.0.1:8080/admin",
        "write ada@example.com",
        "(example.com)",
        "example.com.",
    ],
)
def test_it_is(text: str) -> None:
    assert has_link(text)


@pytest.mark.parametrize(
    "text",
    [
        "hello",
        "wait...what",
        "the end.Then",
        "version 1.2.3",
        "0.5 seconds",
        "3.50",
        "main.py is broken",
        "connect the dot is hard",
        "dot com bubble",
        "e.g. this",
        "a.m. or p.m.?",
        "and/or",
        "",
    ],
)
def test_it_is_not(text: str) -> None:
    assert not has_link(text)


@given(st.text())
def test_no_text_is_too_strange(text: str) -> None:
    assert has_link(text) in (True, False)
