"""Floods in one message, and one text from many users."""

from __future__ import annotations

from datetime import timedelta

import pytest

from commands.automod.echoes import OTHERS, REMEMBERED, Echoes
from commands.automod.spam import kind_of
from tests.commands.scenario import NOON

PASTA = "I am a huge fan of this channel and I have been watching every single day since the very first stream"


@pytest.mark.parametrize(
    ("text", "kind"),
    [
        ("WHY IS NOBODY TALKING ABOUT THIS PLAY", "capitals"),
        ("Kappa " * 21, "emotes"),
        ("😂" * 21, "emotes"),
        ("@ada @bob @cat @dan @eve @fay @gus hi", "mentions"),
        ("h̷̡̛e̸͙͝l̵̢͠p̷̺͌" * 4, "marks"),
        ("a" * 30, "repetition"),
        ("buy now " * 8, "repetition"),
        ("░▒▓█▄▀" * 8, "signs"),
    ],
)
def test_a_flood_is_named(text: str, kind: str) -> None:
    assert kind_of(text, {"Kappa"}) == kind


@pytest.mark.parametrize(
    "text",
    [
        "gg",
        "GG WP EZ",
        "LETS GOOOOOO",
        "what a play!!!!!!!!",
        "hahahahahahahahahahaha",
        "Kappa " * 20,
        "😂😂😂😂😂",
        "@ada @bob hello you two",
        "no no no no no",
        "élève, où est la forêt",
        "(╯°□°)╯︵ ┻━┻",
        "",
    ],
)
def test_what_chats_are_made_of_is_no_flood(text: str) -> None:
    assert kind_of(text, {"Kappa"}) is None


class TestCopies:
    def heard(self, *by: str, text: str = PASTA) -> Echoes:
        echoes = Echoes()
        for user_id in by:
            echoes = echoes.heard(user_id, text, NOON)
        return echoes

    def test_the_same_of_others_counts_once_each(self) -> None:
        assert self.heard("1", "2", "2", "3").others("9", PASTA, NOON) == OTHERS

    def test_one_does_not_copy_oneself(self) -> None:
        assert self.heard("9", "9", "9").others("9", PASTA, NOON) == 0

    @pytest.mark.parametrize(
        "text",
        [
            PASTA.upper(),
            PASTA.replace(" ", "   "),
            PASTA.replace("e", "е"),  # Cyrillic
            PASTA + " lol",
            PASTA.replace("huge", "massive"),
            "!!! " + PASTA + " !!!",
        ],
    )
    def test_a_little_changed_it_is_the_same(self, text: str) -> None:
        assert self.heard("1", "2", "3").others("9", text, NOON) == OTHERS

    def test_another_text_is_not(self) -> None:
        other = "does anybody know which graphics card she plays this game with these days"
        assert self.heard("1", "2", "3").others("9", other, NOON) == 0

    def test_short_texts_are_nobodys(self) -> None:
        assert self.heard("1", "2", "3", text="what a play").others("9", "what a play", NOON) == 0

    def test_it_is_forgotten_after_a_minute(self) -> None:
        assert self.heard("1", "2", "3").others("9", PASTA, NOON + timedelta(seconds=60)) == 0

    def test_no_more_is_kept_than_that(self) -> None:
        echoes = Echoes()
        for number in range(3 * REMEMBERED):
            echoes = echoes.heard(str(number), f"{number} {PASTA}", NOON)
        assert len(echoes.said) == REMEMBERED
