"""The start of media: tags are held until it is known which tracks there are."""

from __future__ import annotations

from typing import NamedTuple

from ingest.media.became import RefusedMedia
from ingest.media.flv import AudioFrame, VideoFrame
from ingest.media.settings import MediaSettings

TAG_OVERHEAD = 512
"""Bytes that holding a tag costs besides its payload, so that a flood of empty tags is bounded too."""
_BACKWARD_MAX_MS = 100


class Held(NamedTuple):
    timestamp_ms: int
    frame: VideoFrame | AudioFrame


class Gathering:
    """Begins at the first keyframe, or at the first audio frame when no video is announced."""

    def __init__(self, settings: MediaSettings) -> None:
        self._settings = settings
        self._since_s: float | None = None
        self._size = 0
        self.held: list[Held] = []
        self.with_video = False
        self.with_audio = False

    def add(self, held: Held, video_announced: bool, audio_announced: bool) -> bool:
        """True when the tracks are known; `held` then starts with the lead track's first frame."""
        is_video = isinstance(held.frame, VideoFrame)
        if is_video and not self.with_video:
            if not (video_announced and held.frame.keyframe):  # type: ignore[union-attr]
                return False
            self._restart()
        elif not is_video and not audio_announced:
            return False
        elif self.held and not -_BACKWARD_MAX_MS <= held.timestamp_ms - self.held[-1].timestamp_ms <= self._gap_max_ms:
            self._restart()
            return self.add(held, video_announced, audio_announced)
        self._hold(held, is_video)
        waited_s = (held.timestamp_ms - self.held[0].timestamp_ms) / 1000
        if self.with_video:
            patience_s = self._settings.track_wait_s if audio_announced else self._settings.part_target_s
            return self.with_audio or waited_s >= patience_s
        return not video_announced and waited_s >= self._settings.track_wait_s

    def give_up(self, now_s: float, video_announced: bool) -> None:
        """Raises RefusedMedia once the wait, counted from the first call, is over."""
        if self._since_s is None:
            self._since_s = now_s
        if now_s - self._since_s <= self._settings.keyframe_wait_s:
            return
        if video_announced:
            raise RefusedMedia("no_keyframe", f"no keyframe within {self._settings.keyframe_wait_s:g} s")
        raise RefusedMedia("no_media", f"nothing to play within {self._settings.keyframe_wait_s:g} s")

    @property
    def _gap_max_ms(self) -> float:
        return self._settings.gap_max_s * 1000

    def _hold(self, held: Held, is_video: bool) -> None:
        self._size += len(held.frame.data) + TAG_OVERHEAD
        if self._size > 2 * self._settings.rate_max:
            raise RefusedMedia("bitrate_too_high", "the bitrate is too high")
        self.held.append(held)
        self.with_video |= is_video
        self.with_audio |= not is_video

    def _restart(self) -> None:
        self.held.clear()
        self._size = 0
        self.with_video = self.with_audio = False
