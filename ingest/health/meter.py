"""Measures one live stream: fed with the frames as they are published, read as reports to publish."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from ingest.health.gops import Gops
from ingest.health.judge import Verdict, clear_code, judge, raise_code
from ingest.health.measure import Look, SegmentSeen, sample_of
from ingest.health.metadata import Announced, read_metadata
from ingest.health.probe import AUDIO_FRAMES, Glimpse, Looker
from ingest.health.rates import RollingRate
from ingest.health.starvation import Starvation
from ingest.media.became import EncoderSaid, HealthBecame, HealthReport, SegmentClosed, StarvationBegan, StarvationOver
from ingest.media.fragment import Frame
from ingest.media.init import VIDEO_TIMESCALE
from ingest.media.parameters import AudioParameters, VideoParameters

_STARVED = "videoIngestionStarved"


@dataclass(frozen=True, slots=True)
class SegmentEnd:
    """What only the packager knows of a segment that closes."""

    sequence: int
    skew_s: float
    """End of audio minus end of video."""
    gaps: int
    """Jumps of the timestamps within it."""
    forced: bool
    """It grew to its limit without a keyframe."""
    stored: bool
    """The disk takes segments."""


class _Segment:
    """What is counted while a segment is open."""

    def __init__(self, start_s: float, opened_at_s: float, looks: bool) -> None:
        self.start_s = start_s
        self.opened_at_s = opened_at_s
        self.video_size = self.audio_size = 0
        self.video_frames = self.audio_frames = 0
        self.starved_s = 0.0
        self.looks = looks
        """Whether its first keyframe and some sound are kept for the probe."""
        self.keyframe: memoryview | None = None
        self.sound: list[memoryview] = []


class Meter:
    """Call `begin` at each discontinuity, then `video` and `audio` with every part, `segment_closed`, and `tick` every
    second or so; after the last two, `take` what became of it. `now_s` is Unix time, media times are the output's, both
    in seconds.
    """

    def __init__(self, looker: Looker | None = None) -> None:
        """Without a looker nothing is decoded."""
        self._looker = looker
        self._verdict = Verdict()
        self._reports: list[HealthReport] = []
        self._announced = self._told = Announced()
        self._rate_10s, self._rate_60s = RollingRate(10.0), RollingRate(60.0)
        self._starvation = Starvation()
        self._starved_until_s = 0.0
        self._video: VideoParameters | None = None
        self._audio: AudioParameters | None = None
        self._gops = Gops(VIDEO_TIMESCALE)
        self._began_at_s = self._start_s = self._end_s = self._now_s = 0.0
        self._segment = _Segment(0.0, 0.0, looks=False)

    def metadata(self, payload: bytes) -> None:
        """A data tag's body; what is not `onMetaData` is passed over."""
        self._announced = read_metadata(payload) or self._announced

    def begin(self, video: VideoParameters | None, audio: AudioParameters | None, start_s: float, now_s: float) -> None:
        """Continuous media with these tracks begins at `start_s`."""
        self._video, self._audio = video, audio
        self._gops = Gops(VIDEO_TIMESCALE)
        self._began_at_s = now_s
        self._start_s = self._end_s = start_s
        self._starve(self._starvation.since_s, now_s)
        self._starvation.restart()
        self._open(now_s)

    def video(self, frames: Sequence[Frame], now_s: float) -> None:
        """Frames that are published, in decode order."""
        if not frames:
            return
        segment = self._segment
        self._gops.add(frames)
        segment.video_frames += len(frames)
        segment.video_size += sum(len(frame.data) for frame in frames)
        if segment.looks and segment.keyframe is None:
            segment.keyframe = next((frame.data for frame in frames if frame.keyframe), None)
        self._advance((frames[-1].dts + frames[-1].duration) / VIDEO_TIMESCALE, now_s)

    def audio(self, frames: Sequence[Frame], now_s: float) -> None:
        segment = self._segment
        if not frames or not self._audio:
            return
        segment.audio_frames += len(frames)
        segment.audio_size += sum(len(frame.data) for frame in frames)
        if segment.looks and len(segment.sound) < AUDIO_FRAMES:
            segment.sound += [frame.data for frame in frames[: AUDIO_FRAMES - len(segment.sound)]]
        if not self._video:
            self._advance((frames[-1].dts + frames[-1].duration) / self._audio.sample_rate, now_s)

    def segment_closed(self, end: SegmentEnd, now_s: float) -> None:
        """The frames since the last one are a segment: it is measured and judged."""
        seen = self._measure(end, now_s)
        self._judged(judge(self._verdict, seen), seen)
        if self._announced != self._told:
            self._told = self._announced
            self._reports.append(EncoderSaid(self._announced))
        if self._looker and self._segment.looks:
            glimpse = Glimpse(self._video, self._segment.keyframe, self._audio, self._segment.sound)
            self._looker.look(glimpse, now_s)
        self._open(now_s)

    def tick(self, now_s: float) -> None:
        """Time passes, whether media arrive or not."""
        if self._began_at_s:
            self._advance(self._end_s, now_s)

    def leave(self) -> None:
        """The publisher is gone; the next may be another encoder."""
        self._starve(self._starvation.since_s, self._now_s)
        self._starvation.restart()
        self._began_at_s = 0.0
        self._announced = Announced()

    def close(self) -> None:
        """The stream is over."""
        if self._looker:
            self._looker.close()

    def raise_code(self, code: str) -> None:
        """Say a code of `judge.RULES` at once, on somebody else's word, until it is cleared. Raises KeyError."""
        self._judged(raise_code(self._verdict, code))

    def clear_code(self, code: str) -> None:
        """Hold it up no longer; the next good segments take it back. Clearing one that is not raised does nothing."""
        self._verdict = clear_code(self._verdict, code)

    def take(self) -> list[HealthReport]:
        """What is to be published since the last call, in order."""
        taken, self._reports = self._reports, []
        return taken

    def _open(self, now_s: float) -> None:
        self._segment = _Segment(self._end_s, now_s, looks=self._looker is not None and self._looker.due(now_s))

    def _advance(self, end_s: float, now_s: float) -> None:
        """Media reaches `end_s`."""
        self._end_s, self._now_s = end_s, now_s
        since_s = self._starvation.since_s
        if since_s is not None:
            self._segment.starved_s += now_s - self._starved_until_s
            self._starved_until_s = now_s
        if not self._starvation.at(now_s, end_s):
            return
        if since_s is not None:
            self._starve(since_s, now_s)
        else:
            self._starved_until_s = now_s
            self._segment.starved_s += self._starvation.behind_s
            self._reports.append(StarvationBegan(round(self._starvation.behind_s * 1000)))
            self.raise_code(_STARVED)

    def _starve(self, since_s: float | None, until_s: float) -> None:
        """Tell of the end of a starvation, if there was one."""
        if since_s is not None:
            self._reports.append(StarvationOver(round((until_s - since_s) * 1000)))
            self.clear_code(_STARVED)

    def _measure(self, end: SegmentEnd, now_s: float) -> SegmentSeen:
        segment, video = self._segment, self._video
        duration_s, size = self._end_s - segment.start_s, segment.video_size + segment.audio_size
        b_frames = self._gops.b_frames
        shortest_s, longest_s, spread_s = self._gops.segment()
        return SegmentSeen(
            sequence=end.sequence,
            duration_s=duration_s,
            wall_s=now_s - segment.opened_at_s,
            video_size=segment.video_size,
            audio_size=segment.audio_size,
            video_frames=segment.video_frames,
            audio_frames=segment.audio_frames,
            gop_min_s=shortest_s,
            gop_max_s=longest_s,
            gop_spread_s=spread_s,
            b_frames=b_frames,
            skew_s=end.skew_s,
            gaps=end.gaps,
            starved_s=segment.starved_s,
            media_since_start_s=self._end_s - self._start_s,
            wall_since_start_s=now_s - self._began_at_s,
            width=video.width if video else 0,
            height=video.height if video else 0,
            declared_frame_rate=video.frame_rate if video else 0.0,
            forced_cut=end.forced and video is not None,
            stored=end.stored,
            bitrate_10s_kbps=self._rate_10s.add(duration_s, size),
            bitrate_60s_kbps=self._rate_60s.add(duration_s, size),
            announced=self._announced,
            look=self._looker.take() if self._looker else Look(),
        )

    def _judged(self, after: Verdict, seen: SegmentSeen | None = None) -> None:
        before, self._verdict = self._verdict, after
        if seen:
            self._reports.append(SegmentClosed(sample_of(seen, after.status)))
        if (before.status, before.codes) != (after.status, after.codes):
            self._reports.append(HealthBecame(before.status, after.status, after.codes, after.severities))
