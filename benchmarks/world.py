"""A made-up platform: users, channels, streams and viewers whose events follow each other as real ones would."""

from __future__ import annotations

import random
from bisect import bisect
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from itertools import accumulate
from typing import Any, NamedTuple

from benchmarks.moderators import Moderators
from schemas.events import accounts, channels, chat, follows, playback, recordings, stream_health, streams, support
from schemas.message import Event

START = datetime(2026, 1, 1, tzinfo=UTC)
USERS_PER_EVENT = 1 / 200
CHANNELS_PER_USER = 1 / 20
WATCHING = 40
"""Viewer sessions open at a time, per channel."""

_WORDS = (
    "gg",
    "wp",
    "lol",
    "nice",
    "clutch",
    "hype",
    "raid",
    "follow",
    "stream",
    "game",
    "win",
    "omg",
    "hello",
    "again",
)


class Happening(NamedTuple):
    """An event's values; `channel` decides the partition."""

    type: type[Event]
    channel: str
    fields: dict[str, Any]


class Stream:
    """One live stream and who watches it."""

    def __init__(self, stream_id: str, session_id: str) -> None:
        self.id = stream_id
        self.session_id = session_id
        self.sequence = 0
        self.viewers: list[str] = []


class World:
    """Everything random comes from `seed`: the same seed and size give the same events, ids included."""

    def __init__(self, events: int, seed: int) -> None:
        self._random = random.Random(f"{seed}/{events}")
        self._now = START
        self._step = timedelta(seconds=86_400 * 7 / events)
        users = max(40, int(events * USERS_PER_EVENT))
        self._users = [str(10_000_000 + n) for n in range(users)]
        self._channels = self._users[: max(2, int(users * CHANNELS_PER_USER))]
        self._popularity = [*accumulate(1 / (rank + 1) for rank in range(len(self._channels)))]
        self._live: dict[str, Stream] = {}
        self._followers: dict[str, list[str]] = {}
        self._moderators: dict[str, Moderators] = {}
        self._events = events
        self._kinds: list[Callable[[str, Stream], Iterator[Happening]]] = [
            self._said,
            self._watched,
            self._measured,
            self._followed,
            self._donated,
            self._updated,
            self._cut,
            self._moderated,
            self._subscribed,
        ]
        self._shares = [*accumulate((0.53, 0.30, 0.10, 0.045, 0.01, 0.003, 0.002, 0.008, 0.002))]

    def happenings(self) -> Iterator[Happening]:
        """Exactly as many events as asked for."""
        for number, happening in enumerate(self._endless()):
            if number == self._events:
                return
            yield happening

    def _endless(self) -> Iterator[Happening]:
        yield from self._everybody_registers()
        while True:
            self._now += self._step
            channel = self._channels[bisect(self._popularity, self._random.random() * self._popularity[-1])]
            stream = self._live.get(channel)
            if stream is None:
                yield from self._starts(channel)
            else:
                kind = self._kinds[bisect(self._shares, self._random.random() * self._shares[-1])]
                yield from kind(channel, stream)

    def _everybody_registers(self) -> Iterator[Happening]:
        for user in self._users:
            self._now += self._step
            login = f"user{user}"
            yield self._event(
                accounts.UserRegistered, user, user_id=user, login=login, display_name=login, password_hash=self._hash()
            )
            yield self._event(
                accounts.SessionIssued,
                user,
                user_id=user,
                session_id=self._id(),
                token_hash=self._hash(),
                scopes=["chat:edit", "user:edit"],
                expires_at=self._now + timedelta(hours=4),
            )
        for channel in self._channels:
            yield self._event(
                accounts.StreamKeyIssued, channel, user_id=channel, key_id=self._id(), key_hash=self._hash()
            )
            yield from self._updated(channel)

    def _starts(self, channel: str) -> Iterator[Happening]:
        stream = self._live[channel] = Stream(self._id(), self._id())
        yield self._authorised(channel, stream, resumed=False)
        yield self._event(
            streams.StreamStarted,
            channel,
            stream_id=stream.id,
            channel_id=channel,
            session_id=stream.session_id,
            node="ingest-1",
            playback_path=f"/live/{stream.id}/index.m3u8",
            title="Playing until I win",
            category="Games",
            language="en",
            video_codec="avc1.64001f",
            audio_codec="mp4a.40.2",
            width=1280,
            height=720,
            frame_rate=30.0,
        )
        of_stream = {"stream_id": stream.id, "channel_id": channel}
        yield self._event(
            streams.RenditionAdded,
            channel,
            **of_stream,
            session_id=stream.session_id,
            rendition="480p",
            width=854,
            height=480,
            frame_rate=30.0,
            bitrate_kbps=1100,
            codec="avc1.64001e",
            reason="ladder",
        )
        yield self._event(recordings.RecordingStarted, channel, **of_stream, node="ingest-1")
        yield self._event(stream_health.EncoderAnnounced, channel, **of_stream, encoder="an encoder")

    def _cut(self, channel: str, stream: Stream) -> Iterator[Happening]:
        """The publisher vanishes, and comes back or does not."""
        of_stream = {"stream_id": stream.id, "channel_id": channel, "session_id": stream.session_id}
        if self._random.random() < 0.5:
            yield self._event(streams.PublisherDisconnected, channel, **of_stream, reason="connection lost")
            stream.session_id = self._id()
            yield self._authorised(channel, stream, resumed=True)
            return
        del self._live[channel]
        yield self._event(streams.StreamEnded, channel, **of_stream, reason="unpublished")
        yield from self._recorded(channel, {"stream_id": stream.id, "channel_id": channel})

    def _recorded(self, channel: str, of_stream: dict[str, str]) -> Iterator[Happening]:
        """An ended stream's video, and a clip of it."""
        yield self._event(
            recordings.RecordingPublished,
            channel,
            **of_stream,
            node="ingest-1",
            started_at=self._now,
            duration_ms=3_600_000,
            bytes=1_350_000_000,
            complete=True,
            playback_path=f"/vod/{of_stream['stream_id']}/index.m3u8",
            renditions=["source", "audio", "480p"],
        )
        clip = {**of_stream, "clip_id": self._id()}
        yield self._event(
            recordings.ClipCreated,
            channel,
            **clip,
            creator_id=self._anyone(),
            node="ingest-1",
            title="The winning shot",
            duration_ms=30_000,
            live=False,
        )
        path = f"/vod/{clip['clip_id']}/index.m3u8"
        yield self._event(
            recordings.ClipPublished, channel, **clip, vod_offset_ms=0, duration_ms=30_000, playback_path=path
        )

    def _authorised(self, channel: str, stream: Stream, *, resumed: bool) -> Happening:
        return self._event(
            streams.PublishAuthorised,
            channel,
            stream_id=stream.id,
            channel_id=channel,
            session_id=stream.session_id,
            node="ingest-1",
            key_id=channel,
            resumed=resumed,
        )

    def _said(self, channel: str, _: Stream) -> Iterator[Happening]:
        sender = self._anyone()
        yield self._event(
            chat.MessageSent,
            channel,
            channel_id=channel,
            message_id=self._id(),
            sender_id=sender,
            sender_login=f"user{sender}",
            text=" ".join(self._random.choices(_WORDS, k=self._random.randrange(1, 15))),
            reply_parent_id=None,
        )

    def _watched(self, channel: str, stream: Stream) -> Iterator[Happening]:
        of_stream = {"stream_id": stream.id, "channel_id": channel}
        if len(stream.viewers) < WATCHING:
            viewer = self._id()
            stream.viewers.append(viewer)
            yield self._event(playback.ViewerJoined, channel, **of_stream, viewer_session_id=viewer)
            return
        place = self._random.randrange(WATCHING)
        if self._random.random() < 0.1:
            viewer = stream.viewers.pop(place)
            yield self._event(playback.ViewerLeft, channel, **of_stream, viewer_session_id=viewer)
            return
        yield self._event(
            playback.PlaybackSampled,
            channel,
            **of_stream,
            viewer_session_id=stream.viewers[place],
            latency_ms=self._random.randrange(800, 3000),
            stalled_ms=self._random.randrange(50),
            bitrate_kbps=3000,
        )

    def _measured(self, channel: str, stream: Stream) -> Iterator[Happening]:
        of_stream = {"stream_id": stream.id, "channel_id": channel}
        stream.sequence += 1
        yield self._event(
            stream_health.HealthSampled,
            channel,
            **of_stream,
            sequence=stream.sequence,
            duration_ms=2000,
            bitrate_kbps=self._random.uniform(2500, 3500),
            frame_rate=30.0,
            gop_ms=2000,
            av_skew_ms=self._random.randrange(-20, 20),
            dts_gaps=0,
            drift_ms=self._random.randrange(-5, 5),
            status="ok",
        )
        if stream.sequence % 50 == 0:
            yield self._event(
                stream_health.HealthChanged,
                channel,
                **of_stream,
                status="warning",
                previous="ok",
                codes=["bitrateLow"],
            )
            yield self._event(stream_health.StarvationStarted, channel, **of_stream, behind_ms=2100)
            yield self._event(stream_health.StarvationEnded, channel, **of_stream, lasted_ms=4000)

    def _followed(self, channel: str, _: Stream) -> Iterator[Happening]:
        followers = self._followers.setdefault(channel, [])
        if followers and self._random.random() < 0.2:
            gone = followers.pop(self._random.randrange(len(followers)))
            yield self._event(follows.UserUnfollowed, channel, channel_id=channel, follower_id=gone)
            return
        follower = self._anyone()
        if follower not in followers[-50:]:
            followers.append(follower)
        yield self._event(follows.UserFollowed, channel, channel_id=channel, follower_id=follower)

    def _donated(self, channel: str, _: Stream) -> Iterator[Happening]:
        yield self._event(
            support.DonationReceived,
            channel,
            channel_id=channel,
            donation_id=self._id(),
            donor_id=self._anyone(),
            amount_minor=self._random.randrange(100, 50_000),
            currency="EUR",
            message="for the next win",
        )

    def _moderated(self, channel: str, _: Stream) -> Iterator[Happening]:
        moderators = self._moderators.setdefault(channel, Moderators(self._random, self._id))
        for type_, facts in moderators.deed(self._anyone(), self._now):
            yield self._event(type_, channel, channel_id=channel, **facts)

    def _subscribed(self, channel: str, _: Stream) -> Iterator[Happening]:
        subscriber = {"channel_id": channel, "subscriber_id": self._anyone()}
        yield self._event(support.UserSubscribed, channel, **subscriber, tier="1000", since=self._now)
        if self._random.random() < 0.3:
            yield self._event(support.UserUnsubscribed, channel, **subscriber)

    def _updated(self, channel: str, _: Stream | None = None) -> Iterator[Happening]:
        yield self._event(
            channels.ChannelUpdated,
            channel,
            channel_id=channel,
            title=f"Day {self._now:%j}",
            category="Games",
            language="en",
        )

    def _event(self, type_: type[Event], channel: str, **facts: Any) -> Happening:
        fields = {
            "event_id": self._id(),
            "type": type_.__name__,
            "occurred_at": self._now,
            "actor": channel,
            "correlation_id": self._id(),
            "causation_id": None,
            "command_id": None,
            **facts,
        }
        return Happening(type_, channel, fields)

    def _anyone(self) -> str:
        return self._users[int(self._random.random() * len(self._users))]

    def _id(self) -> str:
        digits = f"{self._random.getrandbits(128):032x}"  # uuid.UUID would cost as much as the rest of an event
        return f"{digits[:8]}-{digits[8:12]}-4{digits[13:16]}-a{digits[17:20]}-{digits[20:]}"

    def _hash(self) -> str:
        return f"{self._random.getrandbits(256):064x}"
