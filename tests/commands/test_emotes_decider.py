"""Which emotes a channel may have."""

from __future__ import annotations

from typing import Any

import pytest

from commands.deciders import channels, emotes
from schemas.commands.emotes import AddEmote, RemoveEmote
from schemas.events.accounts import UserRegistered
from schemas.events.channel_roles import ModeratorAdded
from schemas.events.emotes import EmoteAdded, EmoteRemoved
from schemas.message import Event
from tests.commands.scenario import ADA, BOB, Scenario, happened, wish

ADA_EXISTS = happened(UserRegistered, user_id=ADA, login="ada", display_name="Ada", password_hash="h")
PICTURES = {"media_type": "image/webp", "image_1x": b"1", "image_2x": b"2", "image_3x": b"3"}
REMOVED = happened(EmoteRemoved, channel_id=ADA, emote_id="e")


def channel(*events: Event) -> Scenario:
    return Scenario(channels).given(ADA_EXISTS, *events)


def add(actor: str = ADA, **facts: Any) -> AddEmote:
    fields = {"emote_id": "e", "name": "adaWave", **PICTURES, **facts}
    return wish(AddEmote, actor=actor, channel_id=ADA, **fields)


def added(**facts: Any) -> EmoteAdded:
    return happened(EmoteAdded, channel_id=ADA, **{"emote_id": "e", "name": "adaWave", **PICTURES, **facts})


def test_the_owner_adds_an_emote_and_removes_it() -> None:
    channel().when(add(tier="2000", animated=True)).then(added(tier="2000", animated=True))
    channel(added()).when(wish(RemoveEmote, channel_id=ADA, emote_id="e")).then(REMOVED)


def test_the_owner_is_told_its_id() -> None:
    assert channels.reply(added()) == {"emote_id": "e"}


def test_nobody_else_does() -> None:
    moderated = channel(happened(ModeratorAdded, channel_id=ADA, target_id=BOB), added())
    moderated.when(add(actor=BOB, name="other")).then_rejected("unauthorised")
    moderated.when(wish(RemoveEmote, actor=BOB, channel_id=ADA, emote_id="e")).then_rejected("unauthorised")


def test_an_emote_is_removed_once() -> None:
    wished = wish(RemoveEmote, channel_id=ADA, emote_id="e")
    channel().when(wished).then_rejected("unknown_emote")
    channel(added(), REMOVED).when(wished).then_rejected("unknown_emote")


@pytest.mark.parametrize("name", ["ab", "x" * 41, "ada wave", "ada_wave", ":wave:", "<b>", "wäve", ""])
def test_a_name_is_3_to_40_letters_and_digits(name: str) -> None:
    channel().when(add(name=name)).then_rejected("bad_emote_name")


def test_a_name_is_given_once_at_a_time() -> None:
    channel(added()).when(add(emote_id="f")).then_rejected("emote_name_taken")
    channel(added(), REMOVED).when(add(emote_id="f")).then(added(emote_id="f"))


@pytest.mark.parametrize("tier", ["1", "4000", "prime"])
def test_a_tier_is_one_of_three_or_none(tier: str) -> None:
    channel().when(add(tier=tier)).then_rejected("bad_tier")


def test_a_channel_has_two_hundred() -> None:
    many = [added(emote_id=str(number), name=f"emote{number}") for number in range(emotes.MAX_EMOTES)]
    channel(*many[1:]).when(add()).then(added())
    channel(*many).when(add()).then_rejected("too_many_emotes")


def test_its_pictures_together_are_limited() -> None:
    fits = bytes(emotes.MAX_IMAGES - 2)
    channel().when(add(image_3x=fits)).then(added(image_3x=fits))
    channel().when(add(image_3x=fits + b"!")).then_rejected("emote_too_large")


def test_a_channel_must_exist() -> None:
    Scenario(channels).when(add()).then_rejected("unknown_channel")
