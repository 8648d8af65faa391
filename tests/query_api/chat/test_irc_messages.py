"""Lines and their parts. The corpus holds what fuzzing and strange clients have sent."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from query_api.chat.irc.message import Lines, Malformed, Message

CORPUS = Path(__file__).parent / "irc_corpus.txt"

WORDS = st.text(st.characters(exclude_characters=" \r\n\0", exclude_categories=["Cs"]), min_size=1).filter(
    lambda word: not word.startswith(":")
)
TEXTS = st.text(st.characters(exclude_categories=["Cs"]))
KEYS = st.from_regex(r"\+?[a-z0-9./-]{1,20}", fullmatch=True)
MESSAGES = st.builds(
    lambda command, middle, last, tags, prefix: Message(command, (*middle, last), tags, prefix),
    st.from_regex(r"[A-Z]{1,10}|[0-9]{3}", fullmatch=True),
    st.lists(WORDS, max_size=13),
    TEXTS,
    st.dictionaries(KEYS, TEXTS, max_size=5),
    st.just("") | WORDS,
)


def test_a_line_has_tags_a_source_a_command_and_parameters() -> None:
    message = Message.parse(r"@id=1;text=a\sb\:c\\;empty=;bare :bob!b@host PRIVMSG #ada :hello : there")
    assert message == Message(
        "PRIVMSG",
        ("#ada", "hello : there"),
        {"id": "1", "text": "a b;c\\", "empty": "", "bare": ""},
        "bob!b@host",
    )


def test_commands_are_read_in_any_case() -> None:
    assert Message.parse("privmsg #ada hi").command == "PRIVMSG"


@pytest.mark.parametrize("line", ["", ":only", "@tags", "PRIV MSG\0", "12 x", "ÄCHT", "@;;= x", "a\rb", "X" * 33])
def test_what_is_no_message_is_refused(line: str) -> None:
    with pytest.raises(Malformed):
        Message.parse(line)


def test_too_many_parameters_or_tags_are_refused() -> None:
    with pytest.raises(Malformed, match="15 parameters"):
        Message.parse("X " + "a " * 16)
    with pytest.raises(Malformed, match="64 tags"):
        Message.parse("@" + ";".join(f"k{number}" for number in range(65)) + " X")


@given(MESSAGES)
def test_what_is_written_is_one_line_and_reads_as_the_same(message: Message) -> None:
    wire = message.to_bytes()
    assert wire.count(b"\r") == wire.count(b"\n") == 1
    assert b"\0" not in wire
    read = Message.parse(wire.decode().removesuffix("\r\n"))
    assert read.command == message.command
    assert read.params[:-1] == message.params[:-1]
    assert read.params[-1] == message.params[-1].translate({13: " ", 10: " ", 0: " "})
    assert dict(read.tags) == {key: value.replace("\0", "") for key, value in message.tags.items()}


@pytest.mark.parametrize("middle", ["", "two words", ":colon", "a\r\nQUIT", "a\0"])
def test_a_parameter_that_would_become_another_is_not_written(middle: str) -> None:
    with pytest.raises(ValueError, match="only the last"):
        str(Message("NOTICE", (middle, "x")))


@given(TEXTS)
def test_any_line_is_a_message_or_malformed(line: str) -> None:
    try:
        Message.parse(line)
    except Malformed as malformed:
        assert str(malformed)


@pytest.mark.parametrize("line", CORPUS.read_bytes().split(b"\n"))
def test_the_corpus_is_read_or_refused(line: bytes) -> None:
    try:
        for text in Lines(8191).receive(line + b"\n"):
            written = str(Message.parse(text))
            assert Message.parse(written) == Message.parse(str(Message.parse(written)))
    except Malformed as malformed:
        assert str(malformed)


@given(st.lists(WORDS, max_size=8), st.data())
def test_lines_arrive_however_they_were_cut(words: list[str], data: st.DataObject) -> None:
    stream = "".join(f"{word}\r\n" for word in words).encode()
    lines, cut = Lines(8191), []
    while stream:
        size = data.draw(st.integers(1, len(stream)))
        cut += lines.receive(stream[:size])
        stream = stream[size:]
    assert cut == words


def test_a_line_that_never_ends_is_refused() -> None:
    lines = Lines(100)
    with pytest.raises(Malformed, match="100 bytes"):
        for _ in range(20):
            lines.receive(b"x" * 10)


def test_what_is_not_utf_8_is_refused() -> None:
    with pytest.raises(Malformed, match="UTF-8"):
        Lines(100).receive(b"PRIVMSG #ada :\xff\n")
