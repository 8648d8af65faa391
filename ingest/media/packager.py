"""A stream's own renditions: the publisher's picture and sound as parts."""

from __future__ import annotations

from ingest.health.meter import Meter, SegmentEnd
from ingest.hls.playback import Playback
from ingest.media.cutter import Part
from ingest.media.epoch import Epoch
from ingest.media.follower import Followed
from ingest.media.fragment import Frame
from ingest.media.pictures import PictureSink
from ingest.media.track import Track, audio_rendition, source_rendition


class Packager:
    """The picture leads, and the sound where there is none. One for a stream's whole life."""

    def __init__(self, playback: Playback, meter: Meter, pictures: PictureSink | None) -> None:
        """The meter sees what is published; the sound may be a part behind."""
        self._playback = playback
        self._meter = meter
        self._pictures = pictures
        self._source = Track.video(playback)
        self._audio = Track.audio(playback)
        self._segment_open = False
        self._last: Frame | None = None
        """Of the lead track, published last."""
        self._epoch_at_s = 0.0
        self._epoch_start_s = 0.0

    @property
    def end_s(self) -> float:
        """Where the media ends so far, in the output's time."""
        return max(self._source.end_s, self._audio.end_s)

    def expect(self, epoch: Epoch, now_s: float) -> None:
        """An epoch's first frame arrived."""
        self._epoch_at_s = now_s
        self._epoch_start_s = self.end_s
        self._meter.begin(epoch.video, epoch.audio, self.end_s, now_s)

    def begin(self, epoch: Epoch) -> None:
        """Before an epoch's first part: its init segments."""
        self._playback.timeline.begin(epoch.part_target_s)
        if epoch.video:
            self._source.begin(source_rendition(epoch.video, epoch.frame_rate), epoch.video)
            if epoch.video.plays_in_browsers:
                self._meter.clear_code("unsupportedProfile")
            else:
                self._meter.raise_code("unsupportedProfile")
            if self._pictures:
                self._pictures.begin(epoch.video, epoch.frame_rate)
        else:
            self._source.leave()
            if self._pictures:
                self._pictures.leave()
        if epoch.audio:
            self._audio.begin(audio_rendition(epoch.audio), epoch.audio)
        else:
            self._audio.leave()

    def publish(self, epoch: Epoch, parts: list[Part], now_s: float) -> None:
        """Publish the parts, and what sound there is beside them."""
        for part in parts:
            self._publish(epoch, part, now_s)
        if epoch.follower:
            self._publish_audio(epoch.follower.take(), now_s)

    def flush(self, epoch: Epoch, now_s: float) -> None:
        """The epoch is over and its last part published."""
        if epoch.follower:
            self._publish_audio(epoch.follower.flush(), now_s)
        if self._pictures:
            self._pictures.end()
        if self._segment_open:
            self._close_segment(epoch, now_s, forced=False)
            if epoch.follower:
                self._audio.close_segment()

    def _publish(self, epoch: Epoch, part: Part, now_s: float) -> None:
        if not part.duration:
            if self._segment_open:
                self._close_segment(epoch, now_s, part.forced)
            return
        timeline, lead = self._playback.timeline, self._source if epoch.video else self._audio
        start_s = part.start / epoch.timescale
        self._segment_open = True
        starts_at_s = self._epoch_at_s + start_s - self._epoch_start_s
        slot = timeline.open_slot(part.duration / epoch.timescale, starts_at_s, start_s)
        lead.publish(slot, part.frames)
        if part.frames:
            self._last = part.frames[-1]
        if epoch.video:
            self._meter.video(part.frames, now_s)
        else:
            self._meter.audio(part.frames, now_s)
        if self._pictures and epoch.video and self._last:
            self._pictures.mark(slot, self._last.dts, self._last.dts + self._last.duration, part.ends_segment)
        if epoch.follower:
            epoch.follower.mark(slot, (part.start + part.duration) / epoch.timescale, part.ends_segment)
        if part.ends_segment:
            self._close_segment(epoch, now_s, part.forced)

    def _publish_audio(self, parts: list[Followed], now_s: float) -> None:
        for part in parts:
            self._audio.publish(part.slot, part.frames)
            self._meter.audio(part.frames, now_s)
            if part.ends_segment:
                self._audio.close_segment()

    def _close_segment(self, epoch: Epoch, now_s: float, forced: bool) -> None:
        lead = self._source if epoch.video else self._audio
        span = self._playback.timeline.close_segment()
        stored = lead.close_segment()
        self._meter.segment_closed(SegmentEnd(span.number, epoch.skew_s, epoch.gaps, forced, stored), now_s)
        epoch.begin_segment()
        self._segment_open = False
