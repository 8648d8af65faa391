"""The one list of record types, by topic."""

from __future__ import annotations

from collections.abc import Iterator

from schemas.commands import accounts as c_accounts
from schemas.commands import channels as c_channels
from schemas.commands import chat as c_chat
from schemas.commands import follows as c_follows
from schemas.commands import recordings as c_recordings
from schemas.commands import results
from schemas.commands import streams as c_streams
from schemas.commands import support as c_support
from schemas.events import (
    accounts,
    channels,
    chat,
    dead_letters,
    follows,
    playback,
    recordings,
    stream_health,
    streams,
    support,
)
from schemas.message import Command, Event, Message, Result

EVENTS: tuple[type[Event], ...] = (
    accounts.UserRegistered,
    accounts.StreamKeyIssued,
    accounts.StreamKeyRevoked,
    accounts.SessionIssued,
    accounts.SessionRevoked,
    channels.ChannelUpdated,
    streams.PublishAuthorised,
    streams.StreamStarted,
    streams.ThumbnailPublished,
    streams.PublisherDisconnected,
    streams.StandbyAuthorised,
    streams.StandbyDisconnected,
    streams.IngestSwitched,
    streams.StreamEnded,
    recordings.RecordingStarted,
    recordings.RecordingPublished,
    recordings.RecordingDeleted,
    recordings.ClipCreated,
    recordings.ClipPublished,
    recordings.ClipDeleted,
    stream_health.HealthSampled,
    stream_health.HealthChanged,
    stream_health.StarvationStarted,
    stream_health.StarvationEnded,
    stream_health.EncoderAnnounced,
    follows.UserFollowed,
    follows.UserUnfollowed,
    chat.MessageSent,
    support.DonationReceived,
    playback.ViewerJoined,
    playback.PlaybackSampled,
    playback.ViewerLeft,
    dead_letters.DeadLettered,
)

COMMANDS: tuple[type[Command], ...] = (
    c_accounts.Register,
    c_accounts.IssueStreamKey,
    c_accounts.RevokeStreamKey,
    c_accounts.SignIn,
    c_accounts.SignOut,
    c_channels.UpdateChannel,
    c_streams.AuthorisePublish,
    c_streams.StartStream,
    c_streams.PublishThumbnail,
    c_streams.DisconnectPublisher,
    c_streams.SwitchIngest,
    c_streams.EndStream,
    c_recordings.StartRecording,
    c_recordings.PublishRecording,
    c_recordings.DeleteRecording,
    c_recordings.CreateClip,
    c_recordings.PublishClip,
    c_recordings.DeleteClip,
    c_follows.Follow,
    c_follows.Unfollow,
    c_chat.SendMessage,
    c_support.Donate,
)

RESULTS: tuple[type[Result], ...] = (results.CommandAccepted, results.CommandRejected)

BY_FULL_NAME: dict[str, type[Message]] = {model.full_name(): model for model in (*EVENTS, *COMMANDS, *RESULTS)}


def events_of(topic: str) -> Iterator[type[Event]]:
    """The event types that may stand on a topic."""
    return (model for model in EVENTS if model.topic == topic)
