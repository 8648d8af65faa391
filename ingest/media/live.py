"""One live stream, from FLV tags to parts and segments."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Sequence

from ingest.health.meter import Meter
from ingest.health.probe import Looker
from ingest.hls.playback import Playback
from ingest.hls.registry import Registry
from ingest.hls.sink import SegmentSink
from ingest.media.aac import read_aac
from ingest.media.av1 import read_av1
from ingest.media.avc import read_avc
from ingest.media.became import Became, MediaReady, RefusedMedia
from ingest.media.cutter import Part
from ingest.media.epoch import Discontinuity, Epoch
from ingest.media.flv import AudioConfig, AudioFrame, VideoConfig, VideoFrame, read_audio, read_video
from ingest.media.gathering import Gathering, Held
from ingest.media.hevc import read_hevc
from ingest.media.inspection import Inspection
from ingest.media.packager import Packager
from ingest.media.parameters import AudioParameters, VideoParameters
from ingest.media.pictures import PictureSink
from ingest.media.settings import MediaSettings
from ingest.media.tag import MediaTag

_VIDEO_READERS: dict[str, Callable[[bytes], VideoParameters]] = {
    "avc1": read_avc,
    "hvc1": read_hevc,
    "av01": read_av1,
}


_EPOCHS_MAX = 20
_EPOCHS_WITHIN_S = 60.0
"""More discontinuities than that, and the stream is refused: each costs an init segment and a segment."""


OpenLadder = Callable[[Playback], PictureSink]


class LiveStream:
    """The media side of one live stream: synchronous, CPU only but for a line of a file a segment.

    Make it when the publisher is authorised. A resumed stream is the same object: `interrupt`, then `push` again.
    """

    def __init__(
        self,
        stream_id: str,
        channel_id: str,
        settings: MediaSettings,
        registry: Registry,
        sinks: Sequence[SegmentSink] = (),
        looker: Looker | None = None,
        open_ladder: OpenLadder | None = None,
    ) -> None:
        """Without a looker nothing is decoded to see and hear what the stream shows."""
        self.stream_id = stream_id
        self.channel_id = channel_id
        self._settings = settings
        self._playback = registry.open(stream_id, sinks)
        self.meter = Meter(looker)
        self._ladder = open_ladder(self._playback) if open_ladder else None
        self._packager = Packager(self._playback, self.meter, self._ladder)
        self._video: VideoParameters | None = None
        self._audio: AudioParameters | None = None
        self._gathering: Gathering | None = Gathering(settings)
        self._epoch: Epoch | None = None
        self._inspection = Inspection()
        self._audio_is_late = False
        """Audio comes that the epoch has no track for: the next keyframe opens one that has, and no picture is lost."""
        self._part_target_s = 0.0
        self._ready = False
        self._closed = False
        self._begun: deque[float] = deque(maxlen=_EPOCHS_MAX)
        self._now_s = 0.0

    def push(self, tag: MediaTag, now_s: float) -> list[Became]:
        """Take one tag. `now_s` is Unix time. Raises RefusedMedia; the stream should then be closed."""
        self._now_s = now_s
        if tag.kind == "video":
            video = read_video(tag.payload)
            if isinstance(video, VideoFrame):
                return self._inspect(tag.timestamp_ms, video)
            return self._configure_video(video) if video else []
        if tag.kind == "audio":
            audio = read_audio(tag.payload)
            if isinstance(audio, AudioFrame):
                return self._take(tag.timestamp_ms, audio)
            return self._configure_audio(audio) if audio else []
        self.meter.metadata(tag.payload)
        return []

    def tick(self, now_s: float) -> list[Became]:
        """Time passes: call it every second or so. `now_s` is Unix time."""
        self._now_s = now_s
        self.meter.tick(now_s)
        return [*self.meter.take()]

    def interrupt(self) -> list[Became]:
        """The publisher vanished. What was taken is published; the next push opens a discontinuity."""
        became = self._end_epoch()
        self._video = self._audio = None
        self.meter.leave()
        return [*became, *self.meter.take()]

    def close(self) -> list[Became]:
        """The stream is over: the last part is published and the playlist ends, once the ladder has done its last too.

        Calling it again does nothing.
        """
        if self._closed:
            return []
        self._closed = True
        became = self._end_epoch()
        if self._ladder:
            self._ladder.close(self._playback.end)
        else:
            self._playback.end()
        self.meter.leave()
        self.meter.close()
        return [*became, *self.meter.take()]

    def _inspect(self, timestamp_ms: int, frame: VideoFrame) -> list[Became]:
        if not self._inspection.is_whole(self._video, frame):
            if self._epoch:
                self._epoch.gaps += 1
            return []
        if frame.keyframe and (config := self._inspection.new_config(self._video, frame)):
            return [*self._configure_video(config), *self._take(timestamp_ms, frame)]
        return self._take(timestamp_ms, frame)

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
        became = [] if self._epoch and not self._epoch.audio else self._end_epoch()
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
        self._audio_is_late = False
        self._epoch = Epoch(
            self._video if gathering.with_video else None,
            self._audio if gathering.with_audio else None,
            gathering.held[0].timestamp_ms,
            self._packager.end_s,
            self._part_target_s,
            self._playback.timeline.target_s,
            self._settings,
        )
        self._packager.expect(self._epoch, self._now_s)
        return self._epoch

    def _end_epoch(self) -> list[Became]:
        self._gathering = None
        epoch, self._epoch = self._epoch, None
        if epoch is None:
            return []
        became = self._publish(epoch, epoch.flush())
        self._packager.flush(epoch, self._now_s)
        self._playback.announce()
        return [*became, *self.meter.take()]

    def _feed(self, epoch: Epoch, timestamp_ms: int, frame: VideoFrame | AudioFrame) -> list[Became]:
        if isinstance(frame, VideoFrame):
            if frame.keyframe and self._audio_is_late:
                raise Discontinuity
            parts = epoch.push_video(timestamp_ms, frame)
        elif epoch.audio:
            parts = epoch.push_audio(timestamp_ms, frame)
        else:
            self._audio_is_late = self._audio is not None
            return []
        became: list[Became] = []
        if parts or (epoch.follower and epoch.follower.due):
            became = self._publish(epoch, parts)
            self._playback.announce()
        if self._ladder and isinstance(frame, VideoFrame) and epoch.newest:
            self._ladder.picture(epoch.newest)
            became += self._hear(self._ladder)
        return became

    def _hear(self, ladder: PictureSink) -> list[Became]:
        happened = ladder.happened()
        if happened and ladder.overloaded:
            self.meter.raise_code("ladderOverloaded")
        elif happened:
            self.meter.clear_code("ladderOverloaded")
        return happened

    def _publish(self, epoch: Epoch, parts: list[Part]) -> list[Became]:
        if parts and not epoch.published:
            epoch.published = True
            self._part_target_s = epoch.part_target_s
            self._packager.begin(epoch)
        self._packager.publish(epoch, parts, self._now_s)
        became: list[Became] = []
        if not self._ready and self._playback.ready:
            self._ready = True
            became.append(_media_ready(epoch))
        return [*became, *self.meter.take()]


def _media_ready(epoch: Epoch) -> MediaReady:
    video, audio = epoch.video, epoch.audio
    return MediaReady(
        video.codec if video else "",
        audio.codec if audio else "",
        video.width if video else 0,
        video.height if video else 0,
        epoch.frame_rate,
    )
