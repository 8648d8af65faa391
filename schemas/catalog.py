"""The one list of record types, by topic."""

from __future__ import annotations

from collections.abc import Iterator

from schemas.commands import accounts as c_accounts
from schemas.commands import channel_roles as c_channel_roles
from schemas.commands import channels as c_channels
from schemas.commands import chat as c_chat
from schemas.commands import chat_policy as c_chat_policy
from schemas.commands import emotes as c_emotes
from schemas.commands import follows as c_follows
from schemas.commands import moderation as c_moderation
from schemas.commands import recordings as c_recordings
from schemas.commands import results
from schemas.commands import streams as c_streams
from schemas.commands import support as c_support
from schemas.events import (
    accounts,
    channel_roles,
    channels,
    chat,
    chat_policy,
    dead_letters,
    emotes,
    follows,
    lessons,
    moderation,
    playback,
    recordings,
    stream_health,
    streams,
    support,
)
from schemas.message import Command, Event, Message, Result

EVENTS: tuple[type[Event], ...] = (
    accounts.UserRegistered,
    accounts.UserErased,
    accounts.StreamKeyIssued,
    accounts.StreamKeyRevoked,
    accounts.SessionIssued,
    accounts.SessionRevoked,
    channels.ChannelUpdated,
    channel_roles.ModeratorAdded,
    channel_roles.ModeratorRemoved,
    channel_roles.VipAdded,
    channel_roles.VipRemoved,
    moderation.UserBanned,
    moderation.UserUnbanned,
    moderation.UserWarned,
    moderation.WarningAcknowledged,
    moderation.UnbanRequested,
    moderation.UnbanRequestResolved,
    moderation.ModerationUndone,
    chat_policy.ChatSettingsUpdated,
    chat_policy.ShieldModeChanged,
    chat_policy.AutoModSettingsUpdated,
    chat_policy.BlockedTermAdded,
    chat_policy.BlockedTermRemoved,
    emotes.EmoteAdded,
    emotes.EmoteRemoved,
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
    streams.RenditionAdded,
    streams.RenditionDropped,
    stream_health.HealthSampled,
    stream_health.HealthChanged,
    stream_health.StarvationStarted,
    stream_health.StarvationEnded,
    stream_health.EncoderAnnounced,
    follows.UserFollowed,
    follows.UserUnfollowed,
    chat.MessageSent,
    chat.MessageRefused,
    chat.MessageHeld,
    chat.HeldMessageResolved,
    chat.MessageDeleted,
    chat.ChatCleared,
    chat.Reacted,
    chat.RaidReceived,
    lessons.LessonTaught,
    support.DonationReceived,
    support.UserSubscribed,
    support.UserUnsubscribed,
    playback.ViewerJoined,
    playback.PlaybackSampled,
    playback.ViewerLeft,
    dead_letters.DeadLettered,
)

COMMANDS: tuple[type[Command], ...] = (
    c_accounts.Register,
    c_accounts.EraseUser,
    c_accounts.IssueStreamKey,
    c_accounts.RevokeStreamKey,
    c_accounts.SignIn,
    c_accounts.SignOut,
    c_channels.UpdateChannel,
    c_channel_roles.AddModerator,
    c_channel_roles.RemoveModerator,
    c_channel_roles.AddVip,
    c_channel_roles.RemoveVip,
    c_moderation.BanUser,
    c_moderation.UnbanUser,
    c_moderation.WarnUser,
    c_moderation.AcknowledgeWarning,
    c_moderation.RequestUnban,
    c_moderation.ResolveUnbanRequest,
    c_moderation.UndoModeration,
    c_chat_policy.UpdateChatSettings,
    c_chat_policy.SetShieldMode,
    c_chat_policy.UpdateAutoModSettings,
    c_chat_policy.AddBlockedTerm,
    c_chat_policy.RemoveBlockedTerm,
    c_emotes.AddEmote,
    c_emotes.RemoveEmote,
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
    c_streams.AddRendition,
    c_streams.DropRendition,
    c_follows.Follow,
    c_follows.Unfollow,
    c_chat.SendMessage,
    c_chat.Announce,
    c_chat.ResolveHeldMessage,
    c_chat.DeleteMessage,
    c_chat.ClearChat,
    c_chat.React,
    c_chat.Raid,
    c_support.Donate,
    c_support.Subscribe,
    c_support.Unsubscribe,
)

RESULTS: tuple[type[Result], ...] = (results.CommandAccepted, results.CommandRejected)

BY_FULL_NAME: dict[str, type[Message]] = {model.full_name(): model for model in (*EVENTS, *COMMANDS, *RESULTS)}


def events_of(topic: str) -> Iterator[type[Event]]:
    """The event types that may stand on a topic."""
    return (model for model in EVENTS if model.topic == topic)
