"""Range requests, against what RFC 9110 14.1.2 says of them."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ingest.ranges import answer_range, span_of

numbers = st.integers(0, 40)


@pytest.mark.parametrize(
    "header", [None, "", "bytes=-", "bytes=5-2", "bytes=0-1,4-5", "lines=1-2", "bytes=x", "bytes=1"]
)
def test_what_is_no_single_range_asks_for_everything(header: str | None) -> None:
    assert span_of(header) is None


@given(st.binary(max_size=30), numbers, st.none() | numbers)
def test_a_range_gets_its_bytes_or_is_refused_with_the_size(content: bytes, first: int, length: int | None) -> None:
    last = None if length is None else first + length
    answer = answer_range(f"bytes={first}-{'' if last is None else last}", content, {}, "video/mp4")
    expected = content[first:] if last is None else content[first : last + 1]
    if expected:
        told = f"bytes {first}-{first + len(expected) - 1}/{len(content)}"
        assert (answer.status_code, answer.body, answer.headers["content-range"]) == (206, expected, told)
    else:
        assert (answer.status_code, answer.headers["content-range"]) == (416, f"bytes */{len(content)}")


@given(st.binary(max_size=30), numbers)
def test_the_last_so_many_bytes_are_at_most_everything(content: bytes, length: int) -> None:
    answer = answer_range(f"bytes=-{length}", content, {}, "video/mp4")
    if content and length:
        assert (answer.status_code, answer.body) == (206, content[-length:])
    else:
        assert answer.status_code == 416
