"""A stretch of continuous media with the same tracks: what lies between two discontinuities."""

from __future__ import annotations

import math

from ingest.media.allowance import Allowance
from ingest.media.clocks import AudioClock, VideoClock
from ingest.media.cutter import CutLimits, Cutter, Part
from ingest.media.flv import AudioFrame, VideoFrame
from ingest.media.follower import Follower
from ingest.media.fragment import Frame
from ingest.media.gathering import TAG_OVERHEAD
from ingest.media.init import VIDEO_TIMESCALE
from ingest.media.parameters import AudioParameters, VideoParameters
from ingest.media.settings import MediaSettings

_TICKS_PER_MS = VIDEO_TIMESCALE // 1000
_BACKWARD_MAX_MS = 100
_PART_TARGET_MAX_S = 2.0
"""Of pictures that are slower than this, only some parts have one, and the others are gaps."""
_ABSURD_FOR_MS = 1_000
"""Video time after which audio that is nowhere near it is taken as it arrives."""
_EARLY_KEYFRAME = 0.9
"""A keyframe opens a segment from this share of the minimum on: encoders do not place them to the tick."""
_OVER_TARGET_S = 0.45
"""A segment that is so much longer than the target duration still rounds to it: GOPs of just that length need room."""


class Discontinuity(Exception):
    """The frame does not continue this epoch and was not taken."""


class Epoch:
    """Places frames in time and cuts them into parts."""

    def __init__(
        self,
        video: VideoParameters | None,
        audio: AudioParameters | None,
        origin_ms: int,
        start_s: float,
        part_target_s: float,
        target_s: int,
        settings: MediaSettings,
    ) -> None:
        """`origin_ms` in the input is `start_s` in the output; the part target is chosen here when it is 0."""
        self.video = video
        self.audio = audio
        self.part_target_s = part_target_s
        self.timescale = VIDEO_TIMESCALE if video or not audio else audio.sample_rate
        self.published = False
        """The caller's note that its init segment is out."""
        self.follower = Follower(audio.sample_rate) if video and audio else None
        """Cuts the audio where the video is cut."""
        self.gaps = 0
        """Jumps of the timestamps within the open segment."""
        self._settings = settings
        self._segment_max_s = target_s + _OVER_TARGET_S if video else settings.segment_min_s
        self._gap_max_ms = settings.gap_max_s * 1000
        self._origin_ms = origin_ms
        self._start_s = start_s
        self._clock = VideoClock(round(start_s * VIDEO_TIMESCALE), origin_ms, video.frame_rate if video else 0.0)
        self._audio_clock: AudioClock | None = None
        self._cutter: Cutter | None = None
        self._pending: Frame | None = None
        self._video_ms = origin_ms
        self._audio_ms: int | None = None
        self._audio_shift_ms = 0
        self._allowance = Allowance(settings.rate_max)

    @property
    def newest(self) -> Frame | None:
        """The video frame taken last; its duration is a guess."""
        return self._pending

    @property
    def frame_rate(self) -> float:
        """Declared or learnt; 0 without video."""
        return VIDEO_TIMESCALE / self._clock.frame_ticks if self.video and self._clock.frame_ticks else 0.0

    @property
    def skew_s(self) -> float:
        """End of audio minus end of video; 0 unless there are both."""
        if not self._pending or not self._audio_clock or not self.audio:
            return 0.0
        return self._audio_clock.end / self.audio.sample_rate - self._pending.dts / VIDEO_TIMESCALE

    def push_video(self, timestamp_ms: int, unit: VideoFrame) -> list[Part]:
        """Take a frame; the frame before it now has its duration. Raises Discontinuity, RefusedMedia."""
        if not self.video:
            return []
        step = timestamp_ms - self._video_ms
        if not -_BACKWARD_MAX_MS <= step <= self._gap_max_ms:
            raise Discontinuity
        self._video_ms = timestamp_ms
        self._allowance.take(len(unit.data) + TAG_OVERHEAD, timestamp_ms)
        clock = self._clock
        dts = clock.place(timestamp_ms)
        if step < 0 or step * _TICKS_PER_MS > 3 * clock.frame_ticks > 0:
            self.gaps += 1
        parts: list[Part] = []
        if self._pending:
            cutter = self._cutter or self._start_cutter(clock.frame_ticks)
            parts = cutter.push(self._pending.lasting_until(dts), unit.keyframe)
        duration = round(clock.frame_ticks) or 1
        self._pending = Frame(dts, duration, unit.data, unit.keyframe, unit.composition_ms * _TICKS_PER_MS)
        return parts

    def push_audio(self, timestamp_ms: int, unit: AudioFrame) -> list[Part]:
        """Take a frame. Raises Discontinuity, RefusedMedia."""
        audio, last_ms = self.audio, self._audio_ms
        if audio is None:
            return []
        if last_ms is not None and not -_BACKWARD_MAX_MS <= timestamp_ms - last_ms <= self._gap_max_ms:
            raise Discontinuity
        clock = self._audio_clock or self._start_audio(audio, timestamp_ms)
        if clock is None:
            return []
        self._audio_ms = timestamp_ms
        if self.video and timestamp_ms + self._audio_shift_ms - self._video_ms > self._gap_max_ms:
            return []  # the video stands still, and nothing can be published without it
        lead_ms = self._video_ms if self.video else timestamp_ms
        self._allowance.take(len(unit.data) + TAG_OVERHEAD, lead_ms)
        resyncs = clock.resyncs
        dts = clock.place(timestamp_ms)
        self.gaps += clock.resyncs - resyncs
        if dts is None:
            return []
        frame = Frame(dts, clock.frame_samples, unit.data)
        if self.follower:
            self.follower.push(frame)
            return []
        cutter = self._cutter or self._start_cutter(clock.frame_samples)
        return cutter.push(frame, keyframe_follows=False)

    def flush(self) -> list[Part]:
        """What was taken, as if the media ended here."""
        parts: list[Part] = []
        if self._pending:
            cutter = self._cutter or self._start_cutter(self._pending.duration)
            parts = cutter.push(self._pending, keyframe_follows=False)
        if self._cutter:
            parts += self._cutter.flush()
        return parts

    def begin_segment(self) -> None:
        """Count anew: a segment was closed."""
        self.gaps = 0

    def _start_cutter(self, frame_ticks: float) -> Cutter:
        """The part target is chosen once in a stream's life: players hold on to it."""
        settings, scale = self._settings, self.timescale
        if not self.part_target_s:
            frame_ticks = frame_ticks or settings.part_target_s * scale
            frames = max(1, round(settings.part_target_s * scale / frame_ticks))
            self.part_target_s = min(math.ceil(frames * frame_ticks) / scale, _PART_TARGET_MAX_S)
        segment_min_s = settings.segment_min_s * _EARLY_KEYFRAME
        self._cutter = Cutter(
            CutLimits(
                part_target=round(self.part_target_s * scale),
                segment_min=int(segment_min_s * scale),
                segment_max=int(self._segment_max_s * scale),
            )
        )
        return self._cutter

    def _start_audio(self, audio: AudioParameters, timestamp_ms: int) -> AudioClock | None:
        """Audio begins where its timestamp says; if that stays absurd, where the video is when it arrives."""
        since_start_ms = self._video_ms - self._origin_ms
        if abs(timestamp_ms - self._video_ms) > self._gap_max_ms:
            if since_start_ms < _ABSURD_FOR_MS:
                return None
            self._audio_shift_ms = self._video_ms - timestamp_ms
        elif timestamp_ms < self._origin_ms:
            return None
        start_s = self._start_s + (timestamp_ms + self._audio_shift_ms - self._origin_ms) / 1000
        start = round(start_s * audio.sample_rate)
        self._audio_clock = AudioClock(start, timestamp_ms, audio.sample_rate, audio.frame_samples)
        return self._audio_clock
