"""FLV tag bodies, plain (FLV 10.1, E.4.2 and E.4.3) and with E-RTMP FourCC headers (Enhanced RTMP v2)."""

from __future__ import annotations

from typing import Literal, NamedTuple

from ingest.media.became import RefusedMedia

VideoCodec = Literal["avc1", "hvc1"]


class VideoConfig(NamedTuple):
    """A sequence header: `record` is the avcC or hvcC box's body."""

    codec: VideoCodec
    record: bytes


class AudioConfig(NamedTuple):
    """A sequence header: `record` is the AudioSpecificConfig."""

    record: bytes


class VideoFrame(NamedTuple):
    """One access unit as length-prefixed NAL units."""

    keyframe: bool
    composition_ms: int
    data: memoryview


class AudioFrame(NamedTuple):
    """One raw AAC frame."""

    data: memoryview


Unit = VideoConfig | AudioConfig | VideoFrame | AudioFrame

_VIDEO_CODECS = {1: "JPEG", 2: "Sorenson H.263", 3: "Screen video", 4: "VP6", 5: "VP6 with alpha", 6: "Screen video 2"}
_AUDIO_CODECS = {
    0: "PCM", 1: "ADPCM", 2: "MP3", 3: "PCM", 4: "Nellymoser", 5: "Nellymoser", 6: "Nellymoser",
    7: "G.711 A-law", 8: "G.711 mu-law", 11: "Speex", 14: "MP3",
}  # fmt: skip
_FOURCC_NAMES = {b"av01": "AV1", b"vp09": "VP9", b"vp08": "VP8", b"Opus": "Opus", b"fLaC": "FLAC", b".mp3": "MP3"}
_VIDEO_FOURCC: dict[bytes, VideoCodec] = {b"avc1": "avc1", b"hvc1": "hvc1"}

_KEYFRAME, _COMMAND_FRAME = 1, 5
_AVC, _HEVC_UNOFFICIAL = 7, 12
_AAC, _AUDIO_EX = 10, 9
_SEQUENCE_START, _CODED_FRAMES, _CODED_FRAMES_X = 0, 1, 3


def read_video(body: bytes) -> VideoConfig | VideoFrame | None:
    """The unit in a video tag; None when it carries nothing to play. Raises RefusedMedia for other codecs."""
    if len(body) < 5:
        return None
    first = body[0]
    if first & 0x80:
        return _read_video_fourcc(body)
    codec_id = first & 0x0F
    if codec_id != _AVC:
        if codec_id != _HEVC_UNOFFICIAL:
            raise RefusedMedia("unsupported_codec", f"{_VIDEO_CODECS.get(codec_id, codec_id)} video is not supported")
        codec: VideoCodec = "hvc1"
    else:
        codec = "avc1"
    return _video_unit(codec, first >> 4, body[1], body, 2)


def _read_video_fourcc(body: bytes) -> VideoConfig | VideoFrame | None:
    fourcc = body[1:5]
    codec = _VIDEO_FOURCC.get(fourcc)
    if codec is None:
        raise RefusedMedia("unsupported_codec", f"{_name(fourcc)} video is not supported")
    frame_type, packet_type = body[0] >> 4 & 0x07, body[0] & 0x0F
    if packet_type == _CODED_FRAMES_X and frame_type != _COMMAND_FRAME:
        return VideoFrame(frame_type == _KEYFRAME, 0, memoryview(body)[5:]) if len(body) > 5 else None
    return _video_unit(codec, frame_type, packet_type, body, 5)


def _video_unit(
    codec: VideoCodec, frame_type: int, packet_type: int, body: bytes, at: int
) -> VideoConfig | VideoFrame | None:
    """Both forms agree on packet types 0 and 1; the plain one has a composition time in its header too."""
    if frame_type == _COMMAND_FRAME or len(body) <= at + 3:
        return None
    if packet_type == _CODED_FRAMES:
        offset = body[at] << 16 | body[at + 1] << 8 | body[at + 2]
        return VideoFrame(
            frame_type == _KEYFRAME, offset - 0x1000000 if offset & 0x800000 else offset, memoryview(body)[at + 3 :]
        )
    if packet_type == _SEQUENCE_START:
        return VideoConfig(codec, body[5:])
    return None


def read_audio(body: bytes) -> AudioConfig | AudioFrame | None:
    """The unit in an audio tag; None when it carries nothing to play. Raises RefusedMedia for other codecs."""
    if len(body) < 3:
        return None
    sound_format = body[0] >> 4
    if sound_format == _AAC:
        packet_type, at = body[1], 2
    elif sound_format == _AUDIO_EX:
        if body[1:5] != b"mp4a":
            raise RefusedMedia("unsupported_codec", f"{_name(body[1:5])} audio is not supported")
        packet_type, at = body[0] & 0x0F, 5
    else:
        name = _AUDIO_CODECS.get(sound_format, sound_format)
        raise RefusedMedia("unsupported_codec", f"{name} audio is not supported")
    if len(body) <= at:
        return None
    if packet_type == _CODED_FRAMES:
        return AudioFrame(memoryview(body)[at:])
    return AudioConfig(body[at:]) if packet_type == _SEQUENCE_START else None


def _name(fourcc: bytes) -> str:
    return _FOURCC_NAMES.get(fourcc) or ascii(fourcc.decode("latin-1"))
