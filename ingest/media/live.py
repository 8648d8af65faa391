"""One live stream, from FLV tags to parts and segments."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from dataclasses import dataclass

from ingest.health.judge import Verdict, judge
from ingest.health.measure import SegmentSeen, sample_of
from ingest.hls.entries import Rendition
from ingest.hls.registry import Registry
from ingest.hls.sink import SegmentSink
from ingest.media.aac import read_aac
from ingest.media.avc import read_avc
from ingest.media.became import Became, HealthBecame, MediaReady, RefusedMedia, SegmentClosed
from ingest.media.cutter import Part
from ingest.media.epoch import Discontinuity, Epoch
from ingest.media.flv import AudioConfig, AudioFrame, VideoConfig, VideoFrame, read_audio, read_video
from ingest.media.fragment import fragment
from ingest.media.gathering import Gathering, Held
from ingest.media.hevc import read_hevc
from ingest.media.init import init_segment
from ingest.media.parameters import AudioParameters, VideoParameters
from ingest.media.settings import MediaSettings
from ingest.media.tag import MediaTag

_VIDEO_READERS: dict[str, Callable[[bytes], VideoParameters]] = {"avc1": read_avc, "hvc1": read_hevc}


_EPOCHS_MAX = 20
_EPOCHS_WITHIN_S = 60.0
"""More discontinuities than that, and the stream is refused: each costs an init segment and a segment."""


@dataclass
class _OpenSegment:
    start_s: float
    """In the output's time."""
    opened_at_s: float
    """By our clock."""
    size: int = 0
    video_frames: int = 0
    audio_frames: int = 0


class LiveStream:
    """The media side of one live stream: synchronous, CPU only plus one file write a segment.

    Make it when the publisher is authorised. A resumed stream is the same object: `interrupt`, then `push` again.
    """

    def __init__(
        self,
        stream_id: str,
        channel_id: str,
        settings: MediaSettings,
        registry: Registry,
        sink: SegmentSink | None = None,
    ) -> None:
        """`sink` is given every closed segment."""
        self.stream_id = stream_id
        self.channel_id = channel_id
        self._settings = settings
        self._playback = registry.open(stream_id)
        self._sink = sink
        self._video: VideoParameters | None = None
        self._audio: AudioParameters | None = None
        self._gathering: Gathering | None = Gathering(settings)
        self._epoch: Epoch | None = None
        self._verdict = Verdict()
        self._part_target_s = 0.0
        self._part_number = 0
        self._ready = False
        self._begun: deque[float] = deque(maxlen=_EPOCHS_MAX)
        self._now_s = 0.0
        self._epoch_at_s = 0.0
        self._epoch_start_s = 0.0
        self._end_s = 0.0
        self._audio_end_s = 0.0
        self._opens_at_s = 0.0
        self._segment: _OpenSegment | None = None

    def push(self, tag: MediaTag, now_s: float) -> list[Became]:
        """Take one tag. `now_s` is Unix time. Raises RefusedMedia; the stream should then be closed."""
        self._now_s = now_s
        if tag.kind == "video":
            video = read_video(tag.payload)
            if isinstance(video, VideoFrame):
                return self._take(tag.timestamp_ms, video)
            return self._configure_video(video) if video else []
        if tag.kind == "audio":
            audio = read_audio(tag.payload)
            if isinstance(audio, AudioFrame):
                return self._take(tag.timestamp_ms, audio)
            return self._configure_audio(audio) if audio else []
        return []

    def interrupt(self) -> None:
        """The publisher vanished. What was taken is published; the next push opens a discontinuity."""
        self._end_epoch()
        self._video = self._audio = None

    def close(self) -> None:
        """The stream is over: the last part is published and the playlist ends. Calling it again does nothing."""
        if not self._playback.ended:
            self._end_epoch()
            self._playback.end()
            if self._sink:
                self._sink.finish()

    def _configure_video(self, config: VideoConfig) -> list[Became]:
        if self._video and self._video.record == config.record:
            return []
        try:
            parameters = _VIDEO_READERS[config.codec](config.record)
        except ValueError as error:
            raise RefusedMedia("bad_sequence_header", f"the video's sequence header cannot be read: {error}") from error
        became = self._end_epoch()
        self._video = parameters
        return became

    def _configure_audio(self, config: AudioConfig) -> list[Became]:
        if self._audio and self._audio.record == config.record:
            return []
        try:
            parameters = read_aac(config.record)
        except ValueError as error:
            raise RefusedMedia("bad_sequence_header", f"the audio's sequence header cannot be read: {error}") from error
        became = self._end_epoch()
        self._audio = parameters
        return became

    def _take(self, timestamp_ms: int, frame: VideoFrame | AudioFrame) -> list[Became]:
        if self._epoch:
            try:
                return self._feed(self._epoch, timestamp_ms, frame)
            except Discontinuity:
                return [*self._end_epoch(), *self._gather(timestamp_ms, frame)]
        return self._gather(timestamp_ms, frame)

    def _gather(self, timestamp_ms: int, frame: VideoFrame | AudioFrame) -> list[Became]:
        """Until the tracks are known."""
        gathering = self._gathering = self._gathering or Gathering(self._settings)
        video_announced = self._video is not None
        gathering.give_up(self._now_s, video_announced or isinstance(frame, VideoFrame))
        if not gathering.add(Held(timestamp_ms, frame), video_announced, self._audio is not None):
            return []
        self._gathering = None
        epoch = self._begin_epoch(gathering)
        became: list[Became] = []
        for held in gathering.held:
            became += self._feed(epoch, held.timestamp_ms, held.frame)
        return became

    def _begin_epoch(self, gathering: Gathering) -> Epoch:
        if len(self._begun) == _EPOCHS_MAX and self._now_s - self._begun[0] < _EPOCHS_WITHIN_S:
            raise RefusedMedia("unstable_media", "the timestamps or the codecs change all the time")
        self._begun.append(self._now_s)
        self._epoch_at_s = self._opens_at_s = self._now_s
        self._epoch_start_s = self._end_s = max(self._end_s, self._audio_end_s)
        self._epoch = Epoch(
            self._video if gathering.with_video else None,
            self._audio if gathering.with_audio else None,
            gathering.held[0].timestamp_ms,
            self._end_s,
            self._part_target_s,
            self._settings,
        )
        return self._epoch

    def _end_epoch(self) -> list[Became]:
        self._gathering = None
        epoch, self._epoch = self._epoch, None
        if epoch is None:
            return []
        became = self._publish(epoch, epoch.flush())
        if self._segment:
            became += self._close_segment(epoch, self._segment, forced=False)
            self._playback.announce()
        return became

    def _feed(self, epoch: Epoch, timestamp_ms: int, frame: VideoFrame | AudioFrame) -> list[Became]:
        if isinstance(frame, VideoFrame):
            parts = epoch.push_video(timestamp_ms, frame)
        elif epoch.audio:
            parts = epoch.push_audio(timestamp_ms, frame)
        elif self._audio:
            raise Discontinuity
        else:
            return []
        return self._publish(epoch, parts) if parts else []

    def _publish(self, epoch: Epoch, parts: list[Part]) -> list[Became]:
        became: list[Became] = []
        for part in parts:
            if not epoch.published:
                became += self._show_tracks(epoch)
            segment = self._segment or self._open_segment()
            self._publish_part(epoch, segment, part)
            if part.ends_segment:
                became += self._close_segment(epoch, segment, part.forced)
        if parts:
            self._playback.announce()
        return became

    def _show_tracks(self, epoch: Epoch) -> list[Became]:
        """Before an epoch's first part: its init segment, and once in a life that there is something to play."""
        epoch.published = True
        video, audio = epoch.video, epoch.audio
        self._part_target_s = epoch.part_target_s
        ready = MediaReady(
            video.codec if video else "",
            audio.codec if audio else "",
            video.width if video else 0,
            video.height if video else 0,
            epoch.frame_rate,
        )
        codecs = ",".join(codec for codec in (ready.video_codec, ready.audio_codec) if codec)
        rendition = Rendition("source", codecs, ready.width, ready.height, ready.frame_rate)
        init = init_segment(video, audio)
        number = self._playback.begin(init, rendition, epoch.part_target_s)
        if self._sink:
            self._sink.begin(rendition, number, init)
        if self._ready:
            return []
        self._ready = True
        return [ready]

    def _open_segment(self) -> _OpenSegment:
        self._segment = _OpenSegment(self._end_s, self._opens_at_s)
        return self._segment

    def _publish_part(self, epoch: Epoch, segment: _OpenSegment, part: Part) -> None:
        video, audio = (part.lead, part.follow) if epoch.video else ([], part.lead)
        data = fragment(self._part_number, video, audio)
        self._part_number += 1
        self._playback.add_part(
            data,
            part.duration / epoch.timescale,
            part.span / epoch.timescale,
            part.independent,
            self._epoch_at_s + segment.start_s - self._epoch_start_s,
        )
        segment.size += len(data)
        segment.video_frames += len(video)
        segment.audio_frames += len(audio)
        last = part.lead[-1]
        self._end_s = (last.dts + last.duration) / epoch.timescale
        if audio and epoch.audio:
            self._audio_end_s = (audio[-1].dts + audio[-1].duration) / epoch.audio.sample_rate

    def _close_segment(self, epoch: Epoch, segment: _OpenSegment, forced: bool) -> list[Became]:
        number, stored = self._playback.close_segment()
        if self._sink and isinstance(data := self._playback.segment(number), bytes):
            self._sink.segment("source", self._playback.entries()[-1], data)
        video = epoch.video
        seen = SegmentSeen(
            sequence=number,
            duration_s=self._end_s - segment.start_s,
            wall_s=self._now_s - segment.opened_at_s,
            size=segment.size,
            video_frames=segment.video_frames,
            audio_frames=segment.audio_frames,
            keyframe_distance_s=epoch.keyframe_distance / epoch.timescale,
            skew_s=epoch.skew_s,
            gaps=epoch.gaps,
            media_since_start_s=self._end_s - self._epoch_start_s,
            wall_since_start_s=self._now_s - self._epoch_at_s,
            pixels=video.width * video.height if video else 0,
            declared_frame_rate=video.frame_rate if video else 0.0,
            forced_cut=forced and video is not None,
            stored=stored,
        )
        epoch.begin_segment()
        self._segment = None
        self._opens_at_s = self._now_s
        before, self._verdict = self._verdict, judge(self._verdict, seen)
        after = self._verdict
        became: list[Became] = [SegmentClosed(sample_of(seen, after.status))]
        if (before.status, before.codes) != (after.status, after.codes):
            became.append(HealthBecame(before.status, after.status, after.codes))
        return became
