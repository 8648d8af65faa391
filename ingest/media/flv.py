"""FLV tag bodies, plain (FLV 10.1, E.4.2 and E.4.3) and with E-RTMP FourCC headers (Enhanced RTMP v2)."""

from __future__ import annotations

from typing import Literal, NamedTuple

from ingest.media.av1 import without_temporal_delimiters
from ingest.media.became import RefusedMedia
from ingest.media.tag import MediaTag

VideoCodec = Literal["avc1", "hvc1", "av01"]


class VideoConfig(NamedTuple):
    """A sequence header: `record` is the body of the avcC, hvcC or av1C box."""

    codec: VideoCodec
    record: bytes


class AudioConfig(NamedTuple):
    """A sequence header: `record` is the AudioSpecificConfig."""

    record: bytes


class VideoFrame(NamedTuple):
    """One access unit as length-prefixed NAL units; AV1: one temporal unit as OBUs, without delimiters."""

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
_FOURCC_NAMES = {
    b"vp08": "VP8", b"vp09": "VP9", b"vvc1": "VVC", b"av01": "AV1", b"avc1": "H.264", b"hvc1": "HEVC",
    b"Opus": "Opus", b"fLaC": "FLAC", b".mp3": "MP3", b"ac-3": "AC-3", b"ec-3": "E-AC-3", b"mp4a": "AAC",
}  # fmt: skip
_VIDEO_FOURCC: dict[bytes, VideoCodec] = {b"avc1": "avc1", b"hvc1": "hvc1", b"av01": "av01"}
_TAKEN = {"video": "send H.264, HEVC or AV1", "audio": "send AAC"}

_KEYFRAME, _COMMAND_FRAME = 1, 5
_AVC, _HEVC_UNOFFICIAL = 7, 12
_AAC, _AUDIO_EX = 10, 9
_SEQUENCE_START, _CODED_FRAMES, _CODED_FRAMES_X, _METADATA, _MPEG2TS_START, _MOD_EX = 0, 1, 3, 4, 5, 7
_PLAIN_HEADER = 2
_MULTITRACK = {"video": 6, "audio": 5}
_MOD_EX_MAX = 8
"""Extensions in front of one unit; each is at most 64 KiB, and none says what changes how it is played."""


def is_sequence_header(tag: MediaTag) -> bool:
    """Whether a video or audio tag configures its decoder; without a look at the rest. Raises RefusedMedia."""
    body = tag.payload
    if len(body) < 3:
        return False
    first = body[0]
    if tag.kind == "video":
        if first & 0x80:
            return _packet_type(body, "video")[0] == _SEQUENCE_START
        return body[1] == _SEQUENCE_START and first >> 4 != _COMMAND_FRAME
    if first >> 4 == _AUDIO_EX:
        return _packet_type(body, "audio")[0] == _SEQUENCE_START
    return first >> 4 == _AAC and body[1] == _SEQUENCE_START


def read_video(body: bytes) -> VideoConfig | VideoFrame | None:
    """The unit in a video tag; None when it carries nothing to play. Raises RefusedMedia for what is not taken."""
    if len(body) < 5:
        return None
    first = body[0]
    if first & 0x80:
        return _read_video_fourcc(body)
    codec_id = first & 0x0F
    if codec_id != _AVC:
        if codec_id != _HEVC_UNOFFICIAL:
            raise _unsupported(_VIDEO_CODECS.get(codec_id, codec_id), "video")
        codec: VideoCodec = "hvc1"
    else:
        codec = "avc1"
    return _video_unit(codec, first >> 4, body[1], body, 2)


def _read_video_fourcc(body: bytes) -> VideoConfig | VideoFrame | None:
    frame_type = body[0] >> 4 & 0x07
    packet_type, at = _packet_type(body, "video")
    if packet_type == _METADATA or frame_type == _COMMAND_FRAME:
        return None
    fourcc = body[at : at + 4]
    codec = _VIDEO_FOURCC.get(fourcc)
    if codec is None:
        raise _unsupported(_name(fourcc), "video")
    at += 4
    if codec == "av01":
        return _av1_unit(frame_type, packet_type, body, at)
    if packet_type == _CODED_FRAMES_X:
        return VideoFrame(frame_type == _KEYFRAME, 0, memoryview(body)[at:]) if len(body) > at else None
    return _video_unit(codec, frame_type, packet_type, body, at)


def _packet_type(body: bytes, kind: Literal["video", "audio"]) -> tuple[int, int]:
    """The packet type behind any ModEx extensions, and where what follows begins. Raises RefusedMedia."""
    packet_type, at = body[0] & 0x0F, 1
    for _ in range(_MOD_EX_MAX):
        if packet_type != _MOD_EX:
            break
        size = body[at] + 1 if at < len(body) else 1
        at += 1
        if size == 256:
            size = int.from_bytes(body[at : at + 2], "big") + 1
            at += 2
        at += size
        if at >= len(body):
            raise RefusedMedia("bad_enhanced_header", f"an enhanced {kind} header ends within its ModEx packet")
        packet_type = body[at] & 0x0F
        at += 1
    if packet_type == _MULTITRACK[kind]:
        raise RefusedMedia("multitrack", f"multitrack {kind} is not supported; send one {kind} track")
    return packet_type, at


def _av1_unit(frame_type: int, packet_type: int, body: bytes, at: int) -> VideoConfig | VideoFrame | None:
    """AV1 has no composition times: both kinds of coded frames look the same."""
    if packet_type == _SEQUENCE_START:
        return VideoConfig("av01", body[at:])
    if packet_type == _MPEG2TS_START:
        raise RefusedMedia("unsupported_codec", "AV1 with an MPEG-2 TS descriptor is not supported; send av1C")
    if packet_type not in (_CODED_FRAMES, _CODED_FRAMES_X):
        return None
    unit = without_temporal_delimiters(memoryview(body)[at:])
    return VideoFrame(frame_type == _KEYFRAME, 0, unit) if unit else None


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
        return VideoConfig(codec, body[at + 3 if at == _PLAIN_HEADER else at :])
    return None


def read_audio(body: bytes) -> AudioConfig | AudioFrame | None:
    """The unit in an audio tag; None when it carries nothing to play. Raises RefusedMedia for what is not taken."""
    if len(body) < 3:
        return None
    sound_format = body[0] >> 4
    if sound_format == _AAC:
        packet_type, at = body[1], 2
    elif sound_format == _AUDIO_EX:
        packet_type, at = _packet_type(body, "audio")
        if body[at : at + 4] != b"mp4a":
            raise _unsupported(_name(body[at : at + 4]), "audio")
        at += 4
    else:
        raise _unsupported(_AUDIO_CODECS.get(sound_format, sound_format), "audio")
    if len(body) <= at:
        return None
    if packet_type == _CODED_FRAMES:
        return AudioFrame(memoryview(body)[at:])
    return AudioConfig(body[at:]) if packet_type == _SEQUENCE_START else None


def _unsupported(name: str | int, kind: Literal["video", "audio"]) -> RefusedMedia:
    return RefusedMedia("unsupported_codec", f"{name} {kind} is not supported; {_TAKEN[kind]}")


def _name(fourcc: bytes) -> str:
    return _FOURCC_NAMES.get(fourcc) or ascii(fourcc.decode("latin-1"))
