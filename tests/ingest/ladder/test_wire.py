"""What worker and parent say arrives as it was said, however the pipe cuts it."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ingest.ladder.rungs import Rung
from ingest.ladder.wire import (
    MESSAGE_MAX,
    Begin,
    Coded,
    End,
    Message,
    Opened,
    Picture,
    Reader,
    Rungs,
    Skipped,
    encode,
)

times = st.integers(-(2**63), 2**63 - 1)
offsets = st.integers(-(2**31), 2**31 - 1)
numbers = st.integers(0, 2**16 - 1)
rungs = st.builds(
    Rung, st.text(max_size=6), st.integers(2, 4096), st.integers(2, 4096), st.floats(1, 120), st.integers(1, 8),
    st.integers(1, 50_000),
)  # fmt: skip
messages: st.SearchStrategy[Message] = st.one_of(
    st.builds(Begin, st.sampled_from(["avc1", "hvc1"]), st.binary(max_size=99), st.integers(1, 90_000), st.text()),
    st.builds(Rungs, st.lists(st.tuples(numbers, rungs), max_size=7).map(tuple)),
    st.builds(Picture, times, offsets, st.booleans(), st.binary(max_size=99)),
    st.just(End()),
    st.builds(Opened, numbers, st.binary(max_size=99)),
    st.builds(Coded, numbers, times, offsets, st.booleans(), st.binary(max_size=99)),
    st.builds(Skipped, numbers, times),
)


@given(st.lists(messages, max_size=20), st.integers(1, 50))
def test_messages_survive_the_pipe(said: list[Message], piece: int) -> None:
    data, reader = b"".join(map(encode, said)), Reader()
    heard = [message for at in range(0, len(data), piece) for message in reader.feed(data[at : at + piece])]
    assert heard == said


@given(st.binary(max_size=200))
def test_nonsense_is_refused_or_waited_for(data: bytes) -> None:
    try:
        list(Reader().feed(data))
    except ValueError as error:
        assert str(error)  # that it is no other error is the point


def test_a_message_without_end_is_refused_before_it_is_held() -> None:
    with pytest.raises(ValueError, match="too long"):
        list(Reader().feed((MESSAGE_MAX + 1).to_bytes(4, "big") + b"\x02"))
