"""What the codes of stream health mean to a streamer, and what to do."""

from __future__ import annotations

ADVICE = {
    "gopSizeLong": "Keyframes are more than 4 seconds apart. Set the keyframe interval of the encoder to 2 seconds.",
    "gopSizeOver": "A segment had to be cut without a keyframe. Set the keyframe interval of the encoder to 2 seconds.",
    "bitrateLow": "The bitrate is low for this resolution and frame rate. Raise it, or send a smaller picture.",
    "frameRateMismatch": "The frame rate is not the one announced. The encoder may be overloaded: lower its load.",
    "videoIngestionStarved": "Video arrives slower than it plays, so viewers stall. Lower the bitrate or use a cable.",
    "videoIngestionFasterThanRealtime": "Video arrives faster than it plays. Let the encoder send in real time.",
    "audioVideoSkew": "Sound and picture are more than half a second apart. Check the audio delay of the encoder.",
    "timestampGaps": "Timestamps jump. Frames are being dropped: check the encoder's load and the connection.",
    "clockDrift": "The stream's time runs away from the clock. Check the encoder's sample rate and frame rate.",
    "noAudioStream": "There is no sound. Add an audio track, even a silent one: some players need it.",
    "noVideoStream": "There is no picture. Check that the encoder sends video.",
    "storageFailed": "The server could not store a part of the stream. Operators: look at the disk of the ingest node.",
}


def advice_for(code: str) -> str:
    """One or two sentences in plain words."""
    return ADVICE.get(code, "Check the encoder's settings and the connection.")
