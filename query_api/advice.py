"""What the codes of stream health mean to a streamer, and what to do, with the stream's own figures where known."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from string import Formatter
from typing import Any


@dataclass(frozen=True)
class Advice:
    """One or two sentences in plain words. `measured` is used where all its figures are known."""

    plain: str
    measured: str = ""

    def said(self, figures: Mapping[str, Any]) -> str:
        needed = {name for _, name, _, _ in Formatter().parse(self.measured) if name}
        return self.measured.format_map(figures) if needed and needed <= figures.keys() else self.plain


ADVICE = {
    "gopSizeLong": Advice(
        "Keyframes are more than 4 seconds apart. Set the keyframe interval of the encoder to 2 s.",
        "Your encoder's keyframe interval is {gop_s:.3g} s; set it to 2 s.",
    ),
    "gopSizeOver": Advice(
        "A segment had to be cut without a keyframe. Set the keyframe interval of the encoder to 2 s.",
        "A segment had to be cut without a keyframe: the last one is {gop_s:.3g} s back. Set the encoder's keyframe "
        "interval to 2 s.",
    ),
    "gopIrregular": Advice(
        "Keyframes come at irregular distances. Set a fixed keyframe interval of 2 s and turn scene-cut detection off."
    ),
    "bFramesPresent": Advice(
        "The encoder uses B-frames, which add delay. For the least delay set B-frames to 0, or tune for zero latency.",
        "The encoder uses {b_frames} B-frames in a row, which add delay. For the least delay set them to 0.",
    ),
    "bitrateLow": Advice(
        "The bitrate is low for this resolution and frame rate. Raise it, or send a smaller picture.",
        "{bitrate_kbps:.0f} kbit/s are little for {width}x{height} at {frame_rate:.3g} frames a second. Raise the "
        "bitrate, or send a smaller picture.",
    ),
    "bitrateHigh": Advice(
        "The bitrate is high for this resolution and frame rate: viewers may stall. Lower it.",
        "{bitrate_10s_kbps:.0f} kbit/s are a lot for {width}x{height} at {frame_rate:.3g} frames a second: viewers may "
        "stall. Lower the bitrate.",
    ),
    "frameRateMismatch": Advice(
        "The frame rate is not the one in the stream's own header. The encoder may be overloaded: lower its load.",
        "{frame_rate:.3g} frames a second arrive, which is not what the stream's own header says. The encoder may be "
        "overloaded: lower its load.",
    ),
    "configuredBitrateMismatch": Advice(
        "The bitrate is far from the one that the encoder is set to. Check the connection, or a dynamic bitrate.",
        "Your encoder is set to {configured_kbps:.0f} kbit/s and sends {bitrate_60s_kbps:.0f}. Check the connection: "
        "set what it can carry.",
    ),
    "configuredResolutionMismatch": Advice(
        "The picture has another size than the encoder says. Check the output resolution of the encoder.",
        "Your encoder says {configured_width}x{configured_height} and sends {width}x{height}. Check its output "
        "resolution.",
    ),
    "configuredFrameRateMismatch": Advice(
        "The frame rate is not the one that the encoder is set to. It may be overloaded: lower its load.",
        "Your encoder is set to {configured_frame_rate:.3g} frames a second and sends {frame_rate:.3g}. It may be "
        "overloaded: lower its load.",
    ),
    "videoIngestionStarved": Advice(
        "Video arrives slower than it plays, so viewers stall. Lower the bitrate or use a cable."
    ),
    "videoIngestionFasterThanRealtime": Advice(
        "Video arrives faster than it plays. Let the encoder send in real time."
    ),
    "audioVideoSkew": Advice(
        "Sound and picture are more than half a second apart. Check the audio delay of the encoder.",
        "Sound and picture are {skew_s:.2g} s apart. Check the audio delay of the encoder.",
    ),
    "timestampGaps": Advice("Timestamps jump. Frames are being dropped: check the encoder's load and the connection."),
    "clockDrift": Advice(
        "The stream's time runs away from the clock. Check the encoder's sample rate and frame rate.",
        "The stream's time is {drift_s:.2g} s off the clock. Check the encoder's sample rate and frame rate.",
    ),
    "noAudioStream": Advice("There is no sound. Add an audio track, even a silent one: some players need it."),
    "noVideoStream": Advice("There is no picture. Check that the encoder sends video."),
    "silentAudio": Advice(
        "The sound is silent. Check that the microphone is not muted and the right source is chosen."
    ),
    "blackPicture": Advice("The picture is black. Check the camera, or that the scene shows something."),
    "frozenPicture": Advice("The picture does not move. Check that the camera or the captured window has not hung."),
    "storageFailed": Advice(
        "The server could not store a part of the stream. Operators: look at the disk of the ingest node."
    ),
    "unsupportedProfile": Advice(
        "Browsers cannot play the video as it is sent. Use H.264 with 8 bits and 4:2:0 (profile High or Main)."
    ),
    "ladderOverloaded": Advice(
        "The server is short of CPU and left some qualities out. Operators: add ingest nodes or lower the ladder."
    ),
    "recordingFailed": Advice(
        "The recording has gaps: it could not be kept on disk. Operators: look at the disk of the ingest node, and "
        "whether the store of recordings takes what waits."
    ),
}
"""Each code of `ingest.health.judge`; a test holds that none is missing."""

_UNKNOWN = Advice("Check the encoder's settings and the connection.")


def advice_for(code: str, figures: Mapping[str, Any]) -> str:
    """`figures` are those of `figures_of`."""
    return ADVICE.get(code, _UNKNOWN).said(figures)


def figures_of(sample: Mapping[str, Any], encoder: Mapping[str, Any]) -> dict[str, Any]:
    """What is known of a stream from its last sample and its encoder's word; what is 0 or null is not."""
    known = {**sample, **encoder}
    known |= {
        "gop_s": known.get("gop_ms", 0) / 1000,
        "skew_s": abs(known.get("av_skew_ms", 0)) / 1000,
        "drift_s": abs(known.get("drift_ms", 0)) / 1000,
    }
    if known.get("configured_video_kbps"):
        known["configured_kbps"] = known["configured_video_kbps"] + known["configured_audio_kbps"]
    return {name: value for name, value in known.items() if value}
