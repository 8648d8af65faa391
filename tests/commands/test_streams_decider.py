"""Who may publish on a channel, and when a stream begins, goes on and ends."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from functools import partial

import pytest

from commands.deciders import streams
from schemas.commands.accounts import SignOut
from schemas.commands.streams import (
    AuthorisePublish,
    DisconnectPublisher,
    EndStream,
    PublishThumbnail,
    StartStream,
    SwitchIngest,
)
from schemas.events.accounts import SessionRevoked, StreamKeyIssued, StreamKeyRevoked
from schemas.events.channels import ChannelUpdated
from schemas.events.streams import (
    IngestSwitched,
    PublishAuthorised,
    PublisherDisconnected,
    StandbyAuthorised,
    StandbyDisconnected,
    StreamEnded,
    StreamStarted,
    ThumbnailPublished,
)
from schemas.message import Command
from tests.commands.scenario import ADA, Scenario, happened, wish

GRACE_S = 20
KEY = happened(StreamKeyIssued, user_id=ADA, key_id="k1", key_hash="hash of k1")
KEY_2 = happened(StreamKeyIssued, user_id=ADA, key_id="k2", key_hash="hash of k2")
REVOKED = happened(StreamKeyRevoked, user_id=ADA, key_id="k1")


def publish(
    at_s: float = 0.0,
    key: str = "k1",
    session: str = "b",
    node: str = "n1",
    stream: str = "stream-b",
    role: str = "primary",
) -> AuthorisePublish:
    return wish(
        AuthorisePublish,
        at_s,
        actor="system:ingest",
        channel_id=ADA,
        key_hash=f"hash of {key}",
        session_id=session,
        node=node,
        stream_id=stream,
        role=role,
    )


def authorised(
    session: str = "a",
    stream: str = "stream-a",
    key: str = "k1",
    node: str = "n1",
    resumed: bool = False,
    role: str = "primary",
    policy: str = "public",
) -> PublishAuthorised:
    return happened(
        PublishAuthorised,
        stream_id=stream,
        channel_id=ADA,
        session_id=session,
        node=node,
        key_id=key,
        resumed=resumed,
        role=role,
        playback_policy=policy,
    )


def standing_by(session: str = "b", role: str = "backup") -> StandbyAuthorised:
    return happened(
        StandbyAuthorised,
        stream_id="stream-a",
        channel_id=ADA,
        session_id=session,
        node="n1",
        key_id="k1",
        role=role,
    )


def switch(session: str = "b", stream: str = "stream-a") -> SwitchIngest:
    return wish(SwitchIngest, channel_id=ADA, stream_id=stream, session_id=session, reason="lost")


def switched(session: str = "b", to: str = "backup") -> IngestSwitched:
    return happened(
        IngestSwitched,
        stream_id="stream-a",
        channel_id=ADA,
        session_id=session,
        from_role="primary" if to == "backup" else "backup",
        to_role=to,
        reason="lost",
    )


def standby_left(session: str = "b") -> StandbyDisconnected:
    return happened(StandbyDisconnected, stream_id="stream-a", channel_id=ADA, session_id=session, reason="closed")


def start(session: str = "a", stream: str = "stream-a") -> StartStream:
    return wish(
        StartStream,
        actor="system:ingest",
        channel_id=ADA,
        stream_id=stream,
        session_id=session,
        node="n1",
        playback_path=f"/live/{stream}/index.m3u8",
        video_codec="avc1.64001f",
        width=1280,
        height=720,
        frame_rate=30.0,
    )


def started(session: str = "a", stream: str = "stream-a", title: str = "", policy: str = "public") -> StreamStarted:
    return happened(
        StreamStarted,
        stream_id=stream,
        channel_id=ADA,
        session_id=session,
        node="n1",
        playback_path=f"/live/{stream}/index.m3u8",
        title=title,
        category="Chess" if title else "",
        language="en" if title else "",
        video_codec="avc1.64001f",
        width=1280,
        height=720,
        frame_rate=30.0,
        playback_policy=policy,
    )


def disconnect(session: str = "a", stream: str = "stream-a") -> DisconnectPublisher:
    return wish(DisconnectPublisher, channel_id=ADA, stream_id=stream, session_id=session, reason="closed")


def disconnected(at_s: float = 0.0) -> PublisherDisconnected:
    return happened(PublisherDisconnected, at_s, stream_id="stream-a", channel_id=ADA, session_id="a", reason="closed")


def end(session: str = "a", stream: str = "stream-a") -> EndStream:
    return wish(EndStream, channel_id=ADA, stream_id=stream, session_id=session, reason="unpublished")


def ended(reason: str = "unpublished") -> StreamEnded:
    return happened(StreamEnded, stream_id="stream-a", channel_id=ADA, session_id="a", reason=reason)


def taken_over_by_b(reason: str, key: str = "k1", node: str = "n1") -> tuple[StreamEnded, PublishAuthorised]:
    return ended(reason), authorised("b", "stream-b", key=key, node=node)


class TestAskingForThePlace:
    def test_a_valid_key_gets_the_free_place(self) -> None:
        Scenario(streams).given(KEY).when(publish()).then(authorised("b", "stream-b"))

    @pytest.mark.parametrize("key", ["k2", "", "\u1234"])
    def test_a_wrong_key_gets_nothing(self, key: str) -> None:
        Scenario(streams).given(KEY).when(publish(key=key)).then_rejected("bad_stream_key")

    def test_a_channel_without_keys_is_closed(self) -> None:
        Scenario(streams).when(publish()).then_rejected("bad_stream_key")

    def test_a_revoked_key_gets_nothing(self) -> None:
        Scenario(streams).given(KEY, REVOKED).when(publish()).then_rejected("bad_stream_key")

    def test_a_second_key_is_as_good_as_the_first(self) -> None:
        Scenario(streams).given(KEY, KEY_2).when(publish(key="k2")).then(authorised("b", "stream-b", key="k2"))

    def test_a_live_channel_takes_no_second_publisher(self) -> None:
        Scenario(streams).given(KEY, authorised(), started()).when(publish(at_s=3600)).then_rejected("already_live")

    def test_a_channel_that_waits_for_media_takes_no_second_publisher(self) -> None:
        Scenario(streams).given(KEY, authorised()).when(publish(at_s=GRACE_S)).then_rejected("already_live")

    def test_the_holder_may_ask_again(self) -> None:
        Scenario(streams).given(KEY, authorised(), started()).when(publish(session="a")).then_nothing()

    def test_the_holder_of_a_revoked_key_learns_so_by_asking_again(self) -> None:
        Scenario(streams).given(KEY, authorised(), started(), REVOKED).when(publish(session="a")).then_rejected(
            "bad_stream_key"
        )

    def test_after_the_end_the_place_is_free(self) -> None:
        Scenario(streams).given(KEY, authorised(), started(), ended()).when(publish()).then(authorised("b", "stream-b"))


class TestResuming:
    def test_the_same_key_resumes_the_stream_within_the_grace(self) -> None:
        Scenario(streams).given(KEY, authorised(), started(), disconnected()).when(publish(at_s=GRACE_S)).then(
            authorised("b", "stream-a", resumed=True)
        )

    def test_a_resumed_stream_takes_no_second_publisher(self) -> None:
        Scenario(streams).given(
            KEY, authorised(), started(), disconnected(), authorised("b", "stream-a", resumed=True)
        ).when(publish(at_s=60, session="c")).then_rejected("already_live")

    def test_a_resumed_stream_is_not_started_twice(self) -> None:
        Scenario(streams).given(
            KEY, authorised(), started(), disconnected(), authorised("b", "stream-a", resumed=True)
        ).when(start("b")).then_nothing()

    def test_a_resumed_stream_can_be_interrupted_again(self) -> None:
        Scenario(streams).given(
            KEY, authorised(), started(), disconnected(), authorised("b", "stream-a", resumed=True)
        ).when(disconnect("b")).then(
            happened(PublisherDisconnected, stream_id="stream-a", channel_id=ADA, session_id="b", reason="closed")
        )

    def test_the_grace_is_a_setting(self) -> None:
        Scenario(streams, partial(streams.decide, grace=timedelta(seconds=1))).given(
            KEY, authorised(), started(), disconnected()
        ).when(publish(at_s=2)).then(*taken_over_by_b("grace_expired"))


class TestTakingThePlaceOver:
    def test_after_the_grace_the_old_stream_ends_and_a_new_one_begins(self) -> None:
        Scenario(streams).given(KEY, authorised(), started(), disconnected()).when(publish(at_s=GRACE_S + 0.1)).then(
            *taken_over_by_b("grace_expired")
        )

    def test_another_key_begins_a_new_stream(self) -> None:
        Scenario(streams).given(KEY, KEY_2, authorised(), started(), disconnected()).when(
            publish(at_s=1, key="k2")
        ).then(*taken_over_by_b("superseded", key="k2"))

    def test_another_node_begins_a_new_stream(self) -> None:
        Scenario(streams).given(KEY, authorised(), started(), disconnected()).when(publish(at_s=1, node="n2")).then(
            *taken_over_by_b("superseded", node="n2")
        )

    def test_a_place_without_media_for_a_grace_may_be_taken(self) -> None:
        Scenario(streams).given(KEY, authorised()).when(publish(at_s=GRACE_S + 0.1)).then(*taken_over_by_b("no_media"))

    def test_a_place_that_was_left_without_media_may_be_taken_at_once(self) -> None:
        Scenario(streams).given(KEY, authorised(), disconnected()).when(publish(at_s=1)).then(
            *taken_over_by_b("no_media")
        )

    def test_resetting_the_key_frees_a_channel_whose_node_is_lost(self) -> None:
        Scenario(streams).given(KEY, KEY_2, authorised(), started(), REVOKED).when(publish(at_s=1, key="k2")).then(
            *taken_over_by_b("key_revoked", key="k2")
        )


class TestStandingBy:
    def test_a_backup_is_let_in_beside_the_primary(self) -> None:
        Scenario(streams).given(KEY, authorised(), started()).when(publish(role="backup")).then(standing_by())

    def test_a_backup_may_come_before_there_is_media(self) -> None:
        Scenario(streams).given(KEY, authorised()).when(publish(role="backup")).then(standing_by())

    def test_a_backup_that_comes_first_has_the_place_and_the_primary_stands_by(self) -> None:
        Scenario(streams).given(KEY).when(publish(role="backup")).then(authorised("b", "stream-b", role="backup"))
        Scenario(streams).given(KEY, authorised(role="backup"), started()).when(publish()).then(
            standing_by(role="primary")
        )

    def test_a_second_primary_is_still_refused(self) -> None:
        Scenario(streams).given(KEY, authorised(), started(), standing_by()).when(publish(session="c")).then_rejected(
            "already_live"
        )

    def test_a_second_backup_is_refused(self) -> None:
        Scenario(streams).given(KEY, authorised(), started(), standing_by()).when(
            publish(session="c", role="backup")
        ).then_rejected("already_live")

    def test_another_key_stands_by_for_nobody(self) -> None:
        Scenario(streams).given(KEY, KEY_2, authorised(), started()).when(
            publish(key="k2", role="backup")
        ).then_rejected("already_live")

    def test_another_node_stands_by_for_nobody(self) -> None:
        Scenario(streams).given(KEY, authorised(), started()).when(publish(node="n2", role="backup")).then_rejected(
            "already_live"
        )

    def test_who_stands_by_may_ask_again(self) -> None:
        Scenario(streams).given(KEY, authorised(), standing_by()).when(publish(role="backup")).then_nothing()

    def test_who_stands_by_leaves_and_the_stream_goes_on(self) -> None:
        Scenario(streams).given(authorised(), started(), standing_by()).when(disconnect("b")).then(standby_left())

    def test_after_one_left_another_may_stand_by(self) -> None:
        Scenario(streams).given(KEY, authorised(), started(), standing_by(), standby_left()).when(
            publish(session="c", role="backup")
        ).then(standing_by("c"))

    @pytest.mark.parametrize("ask", [start, end])
    def test_who_stands_by_neither_starts_nor_ends_the_stream(self, ask: Callable[..., Command]) -> None:
        Scenario(streams).given(authorised(), standing_by()).when(ask("b")).then_rejected("wrong_session")

    def test_a_backup_resumes_a_stream_within_the_grace_in_the_primarys_place(self) -> None:
        Scenario(streams).given(KEY, authorised(), started(), disconnected()).when(publish(at_s=1, role="backup")).then(
            authorised("b", "stream-a", resumed=True, role="backup")
        )


class TestSwitching:
    def test_the_stream_goes_on_with_who_stood_by(self) -> None:
        Scenario(streams).given(authorised(), started(), standing_by()).when(switch()).then(switched())

    def test_it_switches_back(self) -> None:
        Scenario(streams).given(authorised(), started(), standing_by(), switched()).when(switch("a")).then(
            switched("a", to="primary")
        )

    def test_switching_to_the_session_on_the_air_is_nothing(self) -> None:
        Scenario(streams).given(authorised(), started(), standing_by(), switched()).when(switch()).then_nothing()

    def test_after_a_switch_the_other_session_holds_the_stream(self) -> None:
        history = (authorised(), started(), standing_by(), switched())
        Scenario(streams).given(*history).when(disconnect("a")).then(standby_left("a"))
        Scenario(streams).given(*history).when(end("a")).then_rejected("wrong_session")
        Scenario(streams).given(*history).when(end("b")).then(
            happened(StreamEnded, stream_id="stream-a", channel_id=ADA, session_id="b", reason="unpublished")
        )

    def test_a_primary_that_was_lost_comes_back_beside_its_backup(self) -> None:
        Scenario(streams).given(KEY, authorised(), started(), standing_by(), switched(), standby_left("a")).when(
            publish(session="c")
        ).then(standing_by("c", role="primary"))

    def test_a_switch_from_a_publisher_that_is_gone_ends_the_disconnection(self) -> None:
        history = (KEY, authorised(), started(), standing_by(), disconnected())
        gone = happened(StandbyDisconnected, stream_id="stream-a", channel_id=ADA, session_id="a", reason="lost")
        Scenario(streams).given(*history).when(switch()).then(switched(), gone)
        Scenario(streams).given(*history, switched(), gone).when(disconnect("b")).then(
            happened(PublisherDisconnected, stream_id="stream-a", channel_id=ADA, session_id="b", reason="closed")
        )
        Scenario(streams).given(*history, switched(), gone).when(publish(session="c")).then(
            standing_by("c", role="primary")
        )

    def test_nothing_switches_to_a_session_that_does_not_stand_by(self) -> None:
        Scenario(streams).given(authorised(), started()).when(switch()).then_rejected("wrong_session")
        Scenario(streams).given(authorised(), standing_by()).when(switch(stream="other")).then_rejected("wrong_session")
        Scenario(streams).when(switch()).then_rejected("not_live")


class TestStarting:
    def test_the_first_media_starts_the_stream_under_the_channels_title(self) -> None:
        Scenario(streams).given(
            happened(ChannelUpdated, channel_id=ADA, title="Hello", category="Chess", language="en"), authorised()
        ).when(start()).then(started(title="Hello"))

    def test_a_stream_starts_once(self) -> None:
        Scenario(streams).given(authorised(), started()).when(start()).then_nothing()

    def test_a_session_that_was_disconnected_starts_nothing(self) -> None:
        Scenario(streams).given(authorised(), disconnected()).when(start()).then_rejected("not_live")


THUMBNAIL = "/live/stream-a/thumbnail-{width}x{height}.jpg"


def publish_thumbnail(stream: str = "stream-a") -> PublishThumbnail:
    return wish(PublishThumbnail, actor="system:ingest", channel_id=ADA, stream_id=stream, path=THUMBNAIL)


PICTURED = happened(ThumbnailPublished, stream_id="stream-a", channel_id=ADA, path=THUMBNAIL)


class TestPublishingAThumbnail:
    def test_the_first_picture_of_a_live_stream_is_published(self) -> None:
        Scenario(streams).given(authorised(), started()).when(publish_thumbnail()).then(PICTURED)

    def test_it_is_published_once(self) -> None:
        Scenario(streams).given(authorised(), started(), PICTURED).when(publish_thumbnail()).then_nothing()

    def test_it_stays_published_when_the_stream_is_resumed(self) -> None:
        Scenario(streams).given(
            authorised(), started(), PICTURED, disconnected(), authorised("b", "stream-a", resumed=True)
        ).when(publish_thumbnail()).then_nothing()

    def test_it_may_come_after_another_session_resumed_the_stream(self) -> None:
        Scenario(streams).given(
            authorised(), started(), disconnected(), authorised("b", "stream-a", resumed=True)
        ).when(publish_thumbnail()).then(PICTURED)

    def test_the_channels_next_stream_has_its_own(self) -> None:
        Scenario(streams).given(
            authorised(), started(), PICTURED, ended(), authorised("b", "stream-b"), started("b", "stream-b")
        ).when(publish_thumbnail("stream-b")).then(
            happened(ThumbnailPublished, stream_id="stream-b", channel_id=ADA, path=THUMBNAIL)
        )

    @pytest.mark.parametrize(
        "history",
        [(), (authorised(),), (authorised(), started(), ended()), (authorised("b", "stream-b"),)],
        ids=["free", "without media", "ended", "another stream"],
    )
    def test_what_is_not_live_has_none(self, history: tuple[StreamEnded, ...]) -> None:
        Scenario(streams).given(*history).when(publish_thumbnail()).then_rejected("not_live")


class TestLeaving:
    def test_a_publisher_vanishes(self) -> None:
        Scenario(streams).given(authorised(), started()).when(disconnect()).then(disconnected())

    def test_a_publisher_vanishes_once(self) -> None:
        Scenario(streams).given(authorised(), started(), disconnected()).when(disconnect()).then_nothing()

    @pytest.mark.parametrize(
        "history",
        [(authorised(),), (authorised(), started()), (authorised(), started(), disconnected())],
        ids=["authorised", "live", "disconnected"],
    )
    def test_the_holder_ends_the_stream(self, history: tuple[StreamEnded, ...]) -> None:
        Scenario(streams).given(*history).when(end()).then(ended())


@pytest.mark.parametrize("ask", [start, disconnect, end])
class TestWhoHoldsNothing:
    def test_nothing_can_be_said_of_a_free_place(self, ask: Callable[..., Command]) -> None:
        Scenario(streams).given(authorised(), started(), ended()).when(ask()).then_rejected("not_live")

    def test_another_session_is_refused(self, ask: Callable[..., Command]) -> None:
        Scenario(streams).given(authorised()).when(ask(session="b")).then_rejected("wrong_session")

    def test_another_stream_is_refused(self, ask: Callable[..., Command]) -> None:
        Scenario(streams).given(authorised()).when(ask(stream="other")).then_rejected("wrong_session")


class TestWhoMayWatch:
    PRIVATE = happened(ChannelUpdated, channel_id=ADA, title="", category="", language="", playback_policy="private")
    PUBLIC = happened(ChannelUpdated, channel_id=ADA, title="", category="", language="", playback_policy="public")

    def test_a_stream_begins_under_the_channels_policy(self) -> None:
        Scenario(streams).given(KEY, self.PRIVATE).when(publish()).then(authorised("b", "stream-b", policy="private"))

    def test_it_starts_under_the_policy_it_began_with(self) -> None:
        Scenario(streams).given(authorised(policy="private"), self.PUBLIC).when(start()).then(started(policy="private"))

    def test_it_is_resumed_under_the_policy_it_began_with(self) -> None:
        Scenario(streams).given(
            KEY, self.PRIVATE, authorised(policy="private"), started(policy="private"), self.PUBLIC, disconnected()
        ).when(publish(at_s=5)).then(authorised("b", "stream-a", resumed=True, policy="private"))

    def test_the_next_stream_takes_the_new_policy(self) -> None:
        Scenario(streams).given(KEY, authorised(policy="private"), ended(), self.PUBLIC).when(publish()).then(
            authorised("b", "stream-b")
        )


def test_the_publisher_is_told_its_stream_and_key() -> None:
    told = streams.reply(authorised("b", "stream-a", resumed=True))
    assert told == {
        "stream_id": "stream-a",
        "resumed": "true",
        "key_id": "k1",
        "playback_policy": "public",
    }
    assert streams.reply(authorised())["resumed"] == "false"
    assert streams.reply(standing_by()) == {"stream_id": "stream-a", "standby": "true", "key_id": "k1"}
    assert streams.reply(ended()) == {}


@pytest.mark.parametrize(
    "event",
    [
        started(),
        PICTURED,
        disconnected(),
        standing_by(),
        standby_left(),
        switched(),
        happened(SessionRevoked, user_id=ADA, session_id="s"),
    ],
    ids=lambda event: event.type,
)
def test_what_does_not_concern_a_free_place_changes_nothing(event: StreamStarted) -> None:
    assert streams.evolve(streams.initial_state(), event) == streams.initial_state()


def test_commands_of_others_are_a_mistake() -> None:
    with pytest.raises(TypeError, match="SignOut"):
        streams.decide(wish(SignOut, user_id=ADA, session_id="s"), streams.initial_state())
