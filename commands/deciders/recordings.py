"""What is kept of a channel's streams, and the clips cut from it: a part of the streams decider's state.

recording ──PublishRecording──▶ published ──DeleteRecording──▶ gone
    └── clips can be cut while live ──┴── and afterwards; a clip outlives its recording
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from datetime import timedelta

from rpds import HashTrieMap

from commands.deciders.envelope import SYSTEM, caused_by, require_owner
from commands.rejection import Rejected
from schemas.commands.recordings import (
    CreateClip,
    DeleteClip,
    DeleteRecording,
    PublishClip,
    PublishRecording,
    StartRecording,
)
from schemas.events.channels import PUBLIC
from schemas.events.recordings import (
    ClipCreated,
    ClipDeleted,
    ClipPublished,
    RecordingDeleted,
    RecordingPublished,
    RecordingStarted,
)
from schemas.message import Command, Event

COMMANDS = (StartRecording, PublishRecording, DeleteRecording, CreateClip, PublishClip, DeleteClip)
CLIP_MIN, CLIP_MAX = timedelta(seconds=5), timedelta(seconds=60)
CLIPS_PER_RECORDING = 1_000
MAX_TITLE = 140


@dataclass(frozen=True, slots=True)
class Recording:
    node: str
    duration_ms: int | None = None
    """None until it is published."""
    clips: int = 0
    """Ever cut from it."""
    playback_policy: str = PUBLIC


@dataclass(frozen=True, slots=True)
class Clip:
    stream_id: str
    creator_id: str
    node: str
    published: bool = False


@dataclass(frozen=True, slots=True)
class Recordings:
    """By stream id and by clip id, in persistent maps: one more of many costs no copy of the many."""

    kept: HashTrieMap[str, Recording] = field(default_factory=HashTrieMap)
    clips: HashTrieMap[str, Clip] = field(default_factory=HashTrieMap)


def decide(command: Command, recordings: Recordings, live: str) -> Sequence[Event]:
    """`live` is the id of the channel's stream that is live now, or ""."""
    match command:
        case StartRecording():
            return _start(command, recordings)
        case PublishRecording():
            return _publish(command, recordings)
        case DeleteRecording():
            return _delete(command, recordings)
        case CreateClip():
            return _create_clip(command, recordings, live)
        case PublishClip():
            return _publish_clip(command, recordings)
        case DeleteClip():
            return _delete_clip(command, recordings)
    raise TypeError(f"{type(command).__name__} is no command on recordings")


def evolve(recordings: Recordings, event: Event) -> Recordings:
    kept, clips = recordings.kept, recordings.clips
    match event:
        case RecordingStarted():
            return replace(recordings, kept=kept.insert(event.stream_id, _recording_of(event)))
        case RecordingPublished() if before := kept.get(event.stream_id):
            published = replace(before, duration_ms=event.duration_ms)
            return replace(recordings, kept=kept.insert(event.stream_id, published))
        case RecordingDeleted():
            return replace(recordings, kept=kept.discard(event.stream_id))
        case ClipCreated():
            clip = Clip(event.stream_id, event.creator_id, event.node)
            if before := kept.get(event.stream_id):
                kept = kept.insert(event.stream_id, replace(before, clips=before.clips + 1))
            return Recordings(kept, clips.insert(event.clip_id, clip))
        case ClipPublished() if cut := clips.get(event.clip_id):
            return replace(recordings, clips=clips.insert(event.clip_id, replace(cut, published=True)))
        case ClipDeleted():
            return replace(recordings, clips=clips.discard(event.clip_id))
    return recordings


def reply(event: Event) -> dict[str, str]:
    return {"clip_id": event.clip_id} if isinstance(event, ClipCreated) else {}


def _start(command: StartRecording, recordings: Recordings) -> Sequence[Event]:
    if command.stream_id in recordings.kept:
        return []
    return [
        RecordingStarted(
            **caused_by(command),
            stream_id=command.stream_id,
            channel_id=command.channel_id,
            node=command.node,
            playback_policy=command.playback_policy,
        )
    ]


def _recording_of(event: RecordingStarted) -> Recording:
    return Recording(event.node, playback_policy=event.playback_policy)


def _publish(command: PublishRecording, recordings: Recordings) -> Sequence[Event]:
    recording = recordings.kept.get(command.stream_id)
    if recording is None:
        raise Rejected("unknown_video", "no such recording was started, or it was deleted")
    if recording.duration_ms is not None:
        return []
    return [
        RecordingPublished(
            **caused_by(command),
            stream_id=command.stream_id,
            channel_id=command.channel_id,
            node=command.node,
            started_at=command.started_at,
            duration_ms=command.duration_ms,
            bytes=command.bytes,
            complete=command.complete,
            playback_path=command.playback_path,
            renditions=command.renditions,
            thumbnail_path=command.thumbnail_path,
        )
    ]


def _delete(command: DeleteRecording, recordings: Recordings) -> Sequence[Event]:
    require_owner(command, command.channel_id)
    recording = recordings.kept.get(command.stream_id)
    if recording is None:
        raise Rejected("unknown_video", "the channel has no such video")
    if recording.duration_ms is None:
        raise Rejected("still_recording", "the video is not published yet; end the stream, then delete it")
    return [
        RecordingDeleted(
            **caused_by(command),
            stream_id=command.stream_id,
            channel_id=command.channel_id,
            node=recording.node,
            reason=command.reason,
        )
    ]


def _create_clip(command: CreateClip, recordings: Recordings, live: str) -> Sequence[Event]:
    duration = timedelta(milliseconds=command.duration_ms)
    if not CLIP_MIN <= duration <= CLIP_MAX:
        raise Rejected("bad_duration", "a clip lasts 5 to 60 s")
    if len(command.title) > MAX_TITLE:
        raise Rejected("title_too_long", f"a clip's title has at most {MAX_TITLE} characters")
    stream_id = command.vod_id or live
    if not stream_id:
        raise Rejected("not_live", "the channel is not live; to clip one of its videos, name the video")
    recording = recordings.kept.get(stream_id)
    if command.vod_id:
        if recording is None or recording.duration_ms is None:
            raise Rejected("unknown_video", "the channel has no such video")
        if not command.duration_ms <= command.vod_end_ms <= recording.duration_ms:
            raise Rejected(
                "bad_offset",
                f"the clip ends at vod_offset: from the clip's duration to {recording.duration_ms / 1000:.1f} s",
            )
    elif recording is None:
        raise Rejected("not_recorded", "the stream is not recorded, so nothing can be clipped")
    elif recording.duration_ms is not None:
        raise Rejected("not_live", "the stream's recording is finished; clip the video")
    if recording.playback_policy != PUBLIC and command.actor != command.channel_id:
        raise Rejected(recording.playback_policy, "the stream is not public: only its owner makes clips of it")
    if recording.clips >= CLIPS_PER_RECORDING:
        raise Rejected("too_many_clips", f"{CLIPS_PER_RECORDING} clips were cut from this stream; no more can be")
    return [
        ClipCreated(
            **caused_by(command),
            stream_id=stream_id,
            channel_id=command.channel_id,
            clip_id=command.clip_id,
            creator_id=command.actor,
            node=recording.node,
            title=command.title,
            duration_ms=command.duration_ms,
            live=not command.vod_id,
            vod_offset_ms=command.vod_end_ms - command.duration_ms if command.vod_id else 0,
        )
    ]


def _publish_clip(command: PublishClip, recordings: Recordings) -> Sequence[Event]:
    clip = _clip(command.clip_id, recordings)
    if clip.published:
        return []
    return [
        ClipPublished(
            **caused_by(command),
            stream_id=clip.stream_id,
            channel_id=command.channel_id,
            clip_id=command.clip_id,
            vod_offset_ms=command.vod_offset_ms,
            duration_ms=command.duration_ms,
            playback_path=command.playback_path,
        )
    ]


def _delete_clip(command: DeleteClip, recordings: Recordings) -> Sequence[Event]:
    clip = _clip(command.clip_id, recordings)
    if command.actor == clip.creator_id:
        reason = "creator"
    else:
        require_owner(command, command.channel_id)
        reason = "empty" if command.actor.startswith(SYSTEM) else "owner"
    return [
        ClipDeleted(
            **caused_by(command),
            stream_id=clip.stream_id,
            channel_id=command.channel_id,
            clip_id=command.clip_id,
            node=clip.node,
            reason=reason,
        )
    ]


def _clip(clip_id: str, recordings: Recordings) -> Clip:
    clip = recordings.clips.get(clip_id)
    if clip is None:
        raise Rejected("unknown_clip", "the channel has no such clip")
    return clip
