"""`onMetaData` as encoders send it, and as nobody should."""

from __future__ import annotations

from dataclasses import astuple

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ingest.health.metadata import PAYLOAD_MAX, TEXT_MAX, Announced, read_metadata
from ingest.rtmp import amf0
from tests.ingest.media.footage import record

OBS: dict[str, amf0.Value] = {
    "duration": 0.0,
    "width": 1920.0,
    "height": 1080.0,
    "videocodecid": 7.0,
    "videodatarate": 6000.0,
    "framerate": 60.0,
    "audiocodecid": 10.0,
    "audiodatarate": 160.0,
    "encoder": "obs-output module (libobs version 31.0.0)",
}


def said(values: dict[str, amf0.Value]) -> Announced | None:
    return read_metadata(amf0.encode(["onMetaData", values]))


def test_what_obs_says() -> None:
    assert said(OBS) == Announced(
        "obs-output module (libobs version 31.0.0)", "7", "10", 1920, 1080, 60.0, 6000.0, 160.0
    )


def test_what_ffmpeg_says() -> None:
    announced = read_metadata(next(tag.payload for tag in record() if tag.kind == "data"))
    assert announced is not None
    assert (announced.width, announced.height, announced.frame_rate) == (320, 180, 30.0)
    assert (announced.video_codec_id, announced.audio_codec_id) == ("7", "10")
    assert announced.encoder.startswith("Lavf")


@pytest.mark.parametrize(
    ("value", "kept"), [(float(int.from_bytes(b"hvc1", "big")), "hvc1"), ("avc1", "avc1"), (7.0, "7"), (-1.0, "")]
)
def test_codec_ids_are_numbers_or_four_characters(value: amf0.Value, kept: str) -> None:
    announced = said({"videocodecid": value})
    assert announced is not None
    assert announced.video_codec_id == kept


@pytest.mark.parametrize("value", [float("nan"), float("inf"), -5.0, 1e12, "x", True, None, {}, []])
def test_nonsense_counts_as_not_said(value: amf0.Value) -> None:
    names = ["width", "height", "framerate", "videodatarate", "audiodatarate"]
    assert said(dict.fromkeys(names, value)) == Announced()


def test_numbers_may_come_as_text() -> None:
    assert said({"framerate": "29.97", "videodatarate": "2500"}) == Announced(frame_rate=29.97, video_kbps=2500.0)


def test_an_encoders_name_is_cut_and_has_no_control_characters() -> None:
    announced = said({"encoder": "\x1b[31mred\n" + "x" * 1000})
    assert announced is not None
    assert announced.encoder.startswith("[31mred")
    assert len(announced.encoder) <= TEXT_MAX
    assert announced.encoder.isprintable()


@pytest.mark.parametrize(
    "payload",
    [
        b"",
        b"\x02",
        amf0.encode(["onMetaData"]),
        amf0.encode(["onMetaData", "text"]),
        amf0.encode(["onCuePoint", {"width": 5.0}]),
        amf0.encode(["onMetaData", {"x": "y" * PAYLOAD_MAX}]),
    ],
    ids=["empty", "cut", "nothing", "text", "other", "huge"],
)
def test_what_is_no_metadata_says_nothing(payload: bytes) -> None:
    assert read_metadata(payload) is None


values = st.recursive(
    st.none() | st.booleans() | st.floats() | st.text(max_size=300),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(sorted(OBS)), inner, max_size=5),
    max_leaves=10,
)


@given(
    st.binary(max_size=200)
    | st.dictionaries(st.sampled_from(sorted(OBS)), values).map(lambda said: amf0.encode(["onMetaData", said]))
)
def test_any_bytes_are_read_or_passed_over_and_stay_within_bounds(payload: bytes) -> None:
    announced = read_metadata(payload)
    for value in astuple(announced or Announced()):
        assert len(value) <= TEXT_MAX if isinstance(value, str) else 0 <= value <= 1_000_000
