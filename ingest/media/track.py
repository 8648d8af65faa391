"""One rendition's packager: from frames to the parts and segments of its window."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from ingest.hls.entries import Rendition, Slot, Ticks
from ingest.hls.playback import AUDIO, SOURCE, Playback
from ingest.hls.window import Window
from ingest.media.fragment import Frame, audio_fragment, video_fragment
from ingest.media.init import VIDEO_TIMESCALE, init_segment
from ingest.media.parameters import AudioParameters, VideoParameters

Fragment = Callable[[int, Sequence[Frame]], bytes]


class Track:
    """Make it when the rendition's parameters are known, and `begin` again when they change."""

    def __init__(self, playback: Playback, fragment: Fragment) -> None:
        self.end_s = 0.0
        """Where its media ends so far."""
        self._playback = playback
        self._fragment = fragment
        self._window: Window | None = None
        self._timescale = VIDEO_TIMESCALE
        self._sequence = 0

    @classmethod
    def video(cls, playback: Playback) -> Track:
        return cls(playback, video_fragment)

    @classmethod
    def audio(cls, playback: Playback) -> Track:
        return cls(playback, audio_fragment)

    def begin(self, rendition: Rendition, parameters: VideoParameters | AudioParameters) -> None:
        """What follows has these parameters."""
        self._timescale = VIDEO_TIMESCALE if isinstance(parameters, VideoParameters) else parameters.sample_rate
        self._window = self._playback.begin(rendition, init_segment(parameters))

    def leave(self) -> None:
        """The rendition has nothing until it begins again."""
        if self._window:
            self._window.leave()

    def publish(self, slot: Slot, frames: Sequence[Frame]) -> int:
        """Fill the slot; returns the part's size in bytes. No frames are a gap."""
        window = self._begun()
        if not frames:
            window.add_part(slot, b"", independent=False)
            return 0
        data = self._fragment(self._sequence, frames)
        self._sequence += 1
        window.add_part(slot, data, any(frame.keyframe for frame in frames), ticks_of(frames))
        self.end_s = (frames[-1].dts + frames[-1].duration) / self._timescale
        return len(data)

    def close_segment(self) -> bool:
        """Returns whether the disk takes segments."""
        return self._begun().close_segment()

    def _begun(self) -> Window:
        if self._window is None:
            raise ValueError("the track has not begun")
        return self._window


def source_rendition(video: VideoParameters, frame_rate: float) -> Rendition:
    return Rendition(
        SOURCE, video.codec, video.width, video.height, frame_rate, plays_in_browsers=video.plays_in_browsers
    )


def audio_rendition(audio: AudioParameters) -> Rendition:
    return Rendition(AUDIO, audio.codec, channels=audio.channels, timescale=audio.sample_rate)


def ticks_of(frames: Sequence[Frame]) -> Ticks:
    """From where the first is shown to where the last is no longer."""
    shown = [(dts + composition, dts + composition + duration) for dts, duration, _, _, composition in frames]
    return Ticks(min(shown)[0], max(end for _, end in shown))
