"""What looks alike is spelt alike."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from commands.automod.folding import fold, marks_in


@pytest.mark.parametrize(
    "written",
    [
        "Spoiler",
        "ＳＰＯＩＬＥＲ",  # full width
        "ｓpoiler",
        "ѕроіlеr",  # Cyrillic
        "sροilεr",  # Greek
        "ѕрoɪʟєʀ",  # small capitals
        "𝖘𝖕𝖔𝖎𝖑𝖊𝖗",  # mathematical letters
        "Ⓢⓟⓞⓘⓛⓔⓡ",
        "🅢🅟🅞🅘🅛🅔🅡",
        "🅂🄿🄾🄸🄻🄴🅁",
        "🇸🇵🇴🇮🇱🇪🇷",
        "s̴̨͎p̸͙͝o̵̢͠i̷̺͌l̵͇̈́e̶̖̚r̴̡̛",  # zalgo
        "śpöîlèr",
        "s\u200bp\u200co\u200di\u2060l\ufeffe\u00adr",  # unseen
        "spo\u202eiler",
        "s\ufe0fpoiler",
        "spoi\u0000ler",
    ],
)
def test_what_looks_alike_is_spelt_alike(written: str) -> None:
    assert fold(written) == "spoiler"


@pytest.mark.parametrize("written", ["日本語", "हिन्दी", "مرحبا"])
def test_other_scripts_keep_their_vowels_and_letters(written: str) -> None:
    assert len(fold(written)) == len(written)


def test_turned_letters_are_read() -> None:
    assert fold("ɹǝlᴉods") == "reliods"


def test_spaces_of_every_kind_are_spaces() -> None:
    assert fold("a\tb\nc\u00a0d\u3000e") == "a b c d e"


def test_marks_are_counted() -> None:
    assert marks_in("plain") == 0
    assert marks_in("é") == 1
    assert marks_in("z̸͙͝") == 3


@given(st.text())
def test_folding_what_is_folded_changes_nothing(text: str) -> None:
    assert fold(fold(text)) == fold(text)


@given(st.text())
def test_a_folded_text_is_no_more_than_eighteen_times_as_long(text: str) -> None:
    assert len(fold(text)) <= 18 * len(text)
