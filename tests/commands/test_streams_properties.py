"""Whatever is asked of a channel in whatever order: one holder, one end per stream, and the log is the whole truth."""

from __future__ import annotations

from datetime import timedelta

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule

from commands.deciders import streams
from commands.rejection import Rejected
from schemas.commands.streams import (
    AuthorisePublish,
    DisconnectPublisher,
    EndStream,
    PublishThumbnail,
    StartStream,
    SwitchIngest,
)
from schemas.events.accounts import StreamKeyIssued, StreamKeyRevoked
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
from schemas.message import Command, Event
from tests.commands.scenario import ADA, happened, wish

SESSIONS = st.sampled_from(["s1", "s2", "s3"])
KEYS = st.sampled_from(["k1", "k2"])
ROLES = st.sampled_from(["primary", "backup"])
NODES = st.sampled_from(["n1", "n2"])
GRACE = timedelta(seconds=20)


class Channel(RuleBasedStateMachine):
    """The model is what a careful reader of the log would note down."""

    def __init__(self) -> None:
        super().__init__()
        self.state = streams.initial_state()
        self.log: list[Event] = []
        self.clock_s = 0.0
        self.valid_keys: set[str] = set()
        self.holder: PublishAuthorised | None = None
        self.on_air, self.role = "", ""
        self.standby: StandbyAuthorised | None = None
        self.gone = False
        self.started: list[str] = []
        self.pictured: list[str] = []
        self.ended: list[str] = []
        self.commands = 0

    def decide(self, command: Command) -> None:
        try:
            events = streams.decide(command, self.state, GRACE)
        except Rejected:
            return
        for event in events:
            self.append(event)

    def append(self, event: Event) -> None:
        self.note(event)
        self.log.append(event)
        self.state = streams.evolve(self.state, event)

    def note(self, event: Event) -> None:
        match event:
            case PublishAuthorised():
                assert self.holder is None or self.gone, "a second holder"
                assert event.key_id in self.valid_keys, "a revoked key"
                assert event.stream_id not in self.ended, "an ended stream came back"
                assert event.resumed == (event.stream_id in self.started), "only what was started is resumed"
                self.holder, self.gone = event, False
                self.on_air, self.role, self.standby = event.session_id, event.role, None
            case StandbyAuthorised():
                assert self.holder is not None and not self.gone
                assert self.standby is None, "a third publisher"
                assert event.stream_id == self.holder.stream_id
                assert event.role != self.role, "two of one role"
                assert event.session_id != self.on_air
                assert (event.node, event.key_id) == (self.holder.node, self.holder.key_id)
                self.standby = event
            case StandbyDisconnected():
                assert self.standby is not None and event.session_id == self.standby.session_id
                self.standby = None
            case IngestSwitched():
                assert self.standby is not None and event.session_id == self.standby.session_id
                assert (event.from_role, event.to_role) == (self.role, self.standby.role)
                left = self.standby.model_copy(update={"session_id": self.on_air, "role": self.role})
                self.on_air, self.role, self.standby, self.gone = event.session_id, event.to_role, left, False
            case StreamStarted():
                assert self.holder is not None and not self.gone
                assert event.session_id == self.on_air
                assert event.stream_id not in self.started, "started twice"
                self.started.append(event.stream_id)
            case ThumbnailPublished():
                assert event.stream_id in self.started, "a picture of nothing"
                assert event.stream_id not in [*self.pictured, *self.ended]
                self.pictured.append(event.stream_id)
            case PublisherDisconnected():
                assert self.holder is not None and event.session_id == self.on_air
                self.gone = True
            case StreamEnded():
                assert self.holder is not None and event.stream_id == self.holder.stream_id
                assert event.stream_id not in self.ended, "ended twice"
                assert self.may_end(event), "a publisher was thrown out without reason"
                self.ended.append(event.stream_id)
                self.holder, self.standby, self.gone = None, None, False

    def may_end(self, event: StreamEnded) -> bool:
        assert self.holder is not None
        silent = event.stream_id not in self.started and event.occurred_at - self.holder.occurred_at > GRACE
        return event.reason == "unpublished" or self.gone or silent or self.holder.key_id not in self.valid_keys

    @rule(seconds=st.sampled_from([0.0, 1.0, 19.0, 21.0]))
    def time_passes(self, seconds: float) -> None:
        self.clock_s += seconds

    @rule(key=KEYS)
    def key_is_issued(self, key: str) -> None:
        if key not in self.valid_keys:
            self.valid_keys.add(key)
            self.append(happened(StreamKeyIssued, self.clock_s, user_id=ADA, key_id=key, key_hash=f"hash of {key}"))

    @rule(key=KEYS)
    def key_is_revoked(self, key: str) -> None:
        if key in self.valid_keys:
            self.valid_keys.remove(key)
            self.append(happened(StreamKeyRevoked, self.clock_s, user_id=ADA, key_id=key))

    @rule(key=KEYS, session=SESSIONS, node=NODES, role=ROLES)
    def publish(self, key: str, session: str, node: str, role: str) -> None:
        self.commands += 1
        self.decide(
            wish(
                AuthorisePublish,
                self.clock_s,
                channel_id=ADA,
                key_hash=f"hash of {key}",
                session_id=session,
                node=node,
                stream_id=f"stream-{self.commands}",
                role=role,
            )
        )

    @rule(session=SESSIONS)
    def start(self, session: str) -> None:
        self.decide(
            wish(
                StartStream,
                self.clock_s,
                channel_id=ADA,
                stream_id=self.held_stream(),
                session_id=session,
                node="n1",
                playback_path="/",
            )
        )

    @rule()
    def publish_thumbnail(self) -> None:
        self.decide(
            wish(PublishThumbnail, self.clock_s, channel_id=ADA, stream_id=self.held_stream(), path="/thumbnail")
        )

    @rule(session=SESSIONS)
    def switch(self, session: str) -> None:
        self.decide(
            wish(
                SwitchIngest,
                self.clock_s,
                channel_id=ADA,
                stream_id=self.held_stream(),
                session_id=session,
                reason="lost",
            )
        )

    @rule(session=SESSIONS)
    def disconnect(self, session: str) -> None:
        stream_id = self.held_stream()
        self.decide(
            wish(
                DisconnectPublisher,
                self.clock_s,
                channel_id=ADA,
                stream_id=stream_id,
                session_id=session,
                reason="closed",
            )
        )

    @rule(session=SESSIONS)
    def end(self, session: str) -> None:
        self.decide(
            wish(
                EndStream,
                self.clock_s,
                channel_id=ADA,
                stream_id=self.held_stream(),
                session_id=session,
                reason="unpublished",
            )
        )

    def held_stream(self) -> str:
        return self.holder.stream_id if self.holder else "stream-0"

    @invariant()
    def the_state_is_the_fold_of_the_log(self) -> None:
        replayed = streams.initial_state()
        for event in self.log:
            replayed = streams.evolve(replayed, event)
        assert replayed == self.state

    @invariant()
    def the_state_knows_the_holder(self) -> None:
        place = self.state.place
        assert (place and place.session_id) == (self.holder and self.on_air)
        standby = place and place.standby
        assert (standby and standby.session_id) == (self.standby and self.standby.session_id)


TestChannel = Channel.TestCase
TestChannel.settings = settings(max_examples=150, stateful_step_count=40, deadline=None)
