"""A stream's own renditions: the publisher's picture and sound as parts, and what each segment measured."""

from __future__ import annotations

from dataclasses import dataclass

from ingest.health.measure import SegmentSeen
from ingest.hls.playback import Playback
from ingest.media.cutter import Part
from ingest.media.epoch import Epoch
from ingest.media.follower import Followed
from ingest.media.track import Track, audio_rendition, source_rendition


@dataclass
class _OpenSegment:
    start_s: float
    """In the output's time."""
    opened_at_s: float
    """By our clock."""
    size: int = 0
    """Bytes published while it is open; the sound may be a part behind."""
    video_frames: int = 0
    audio_frames: int = 0


class Packager:
    """The picture leads, and the sound where there is none. One for a stream's whole life."""

    def __init__(self, playback: Playback) -> None:
        self._playback = playback
        self._source = Track.video(playback)
        self._audio = Track.audio(playback)
        self._segment: _OpenSegment | None = None
        self._epoch_at_s = 0.0
        self._epoch_start_s = 0.0
        self._opens_at_s = 0.0

    @property
    def end_s(self) -> float:
        """Where the media ends so far, in the output's time."""
        return max(self._source.end_s, self._audio.end_s)

    def expect(self, now_s: float) -> None:
        """An epoch's first frame arrived."""
        self._epoch_at_s = self._opens_at_s = now_s
        self._epoch_start_s = self.end_s

    def begin(self, epoch: Epoch) -> None:
        """Before an epoch's first part: its init segments."""
        self._playback.timeline.begin(epoch.part_target_s)
        if epoch.video:
            self._source.begin(source_rendition(epoch.video, epoch.frame_rate), epoch.video)
        else:
            self._source.leave()
        if epoch.audio:
            self._audio.begin(audio_rendition(epoch.audio), epoch.audio)
        else:
            self._audio.leave()

    def publish(self, epoch: Epoch, parts: list[Part], now_s: float) -> list[SegmentSeen]:
        """Publish the parts, and what sound there is beside them; returns the segments that this closed."""
        closed = [seen for part in parts if (seen := self._publish(epoch, part, now_s))]
        if epoch.follower:
            self._publish_audio(epoch.follower.take())
        return closed

    def flush(self, epoch: Epoch, now_s: float) -> list[SegmentSeen]:
        """The epoch is over and its last part published."""
        if epoch.follower:
            self._publish_audio(epoch.follower.flush())
        if self._segment is None:
            return []
        seen = self._close_segment(epoch, self._segment, now_s, forced=False)
        if epoch.follower:
            self._audio.close_segment()
        return [seen]

    def _publish(self, epoch: Epoch, part: Part, now_s: float) -> SegmentSeen | None:
        if not part.frames:
            return self._close_segment(epoch, self._segment, now_s, part.forced) if self._segment else None
        timeline, lead = self._playback.timeline, self._source if epoch.video else self._audio
        first, last = part.frames[0], part.frames[-1]
        start_s = first.dts / epoch.timescale
        segment = self._segment = self._segment or _OpenSegment(start_s, self._opens_at_s)
        slot = timeline.open_slot(
            part.duration / epoch.timescale,
            part.span / epoch.timescale,
            self._epoch_at_s + start_s - self._epoch_start_s,
            start_s,
        )
        segment.size += lead.publish(slot, part.frames)
        if epoch.video:
            segment.video_frames += len(part.frames)
        else:
            segment.audio_frames += len(part.frames)
        if epoch.follower:
            epoch.follower.mark(slot, (last.dts + last.duration) / epoch.timescale, part.ends_segment)
        return self._close_segment(epoch, segment, now_s, part.forced) if part.ends_segment else None

    def _publish_audio(self, parts: list[Followed]) -> None:
        for part in parts:
            size = self._audio.publish(part.slot, part.frames)
            if self._segment:
                self._segment.size += size
                self._segment.audio_frames += len(part.frames)
            if part.ends_segment:
                self._audio.close_segment()

    def _close_segment(self, epoch: Epoch, segment: _OpenSegment, now_s: float, forced: bool) -> SegmentSeen:
        lead = self._source if epoch.video else self._audio
        span = self._playback.timeline.close_segment()
        stored = lead.close_segment()
        video = epoch.video
        seen = SegmentSeen(
            sequence=span.number,
            duration_s=lead.end_s - segment.start_s,
            wall_s=now_s - segment.opened_at_s,
            size=segment.size,
            video_frames=segment.video_frames,
            audio_frames=segment.audio_frames,
            keyframe_distance_s=epoch.keyframe_distance / epoch.timescale,
            skew_s=epoch.skew_s,
            gaps=epoch.gaps,
            media_since_start_s=lead.end_s - self._epoch_start_s,
            wall_since_start_s=now_s - self._epoch_at_s,
            pixels=video.width * video.height if video else 0,
            declared_frame_rate=video.frame_rate if video else 0.0,
            forced_cut=forced and video is not None,
            stored=stored,
        )
        epoch.begin_segment()
        self._segment = None
        self._opens_at_s = now_s
        return seen
