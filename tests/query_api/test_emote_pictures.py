"""What becomes of uploaded pictures, real ones and wicked ones."""

from __future__ import annotations

import io
import struct
import zlib
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image, ImageSequence

from commands.deciders import emotes as decider
from query_api import emote_pictures
from query_api.emote_pictures import MAX_FRAMES, SIZES, EmotePictures, NotAnEmote, paint


def encoded(picture: Image.Image, kind: str, **options: Any) -> bytes:
    target = io.BytesIO()
    picture.save(target, kind, **options)
    return target.getvalue()


def red(width: int = 64, height: int = 64) -> Image.Image:
    return Image.new("RGBA", (width, height), (255, 0, 0, 255))


def animation(kind: str, frames: int = 3, duration: int = 40) -> bytes:
    pictures = [Image.new("RGB", (64, 64), (index * 80 % 256, 0, 0)) for index in range(frames)]
    return encoded(pictures[0], kind, save_all=True, append_images=pictures[1:], duration=duration, loop=0)


def opened(pictures: EmotePictures) -> list[Image.Image]:
    return [Image.open(io.BytesIO(image)) for image in pictures.images]


def durations(picture: Image.Image) -> list[int]:
    """Of each frame, ms; WebP's is known once it is decoded."""
    return [frame.info["duration"] for frame in ImageSequence.Iterator(picture) if frame.load()]


GOOD = {kind: encoded(red(), kind) for kind in ("PNG", "GIF", "WEBP")}


@pytest.mark.parametrize("kind", ["PNG", "GIF", "WEBP"])
def test_a_picture_comes_in_three_sizes_as_webp(kind: str) -> None:
    painted = paint(encoded(red(), kind))
    assert not painted.animated
    assert [(picture.format, picture.size) for picture in opened(painted)] == [("WEBP", (n, n)) for n in SIZES]


def test_a_wide_picture_stands_in_the_middle_of_a_transparent_square() -> None:
    large = opened(paint(encoded(red(200, 100), "PNG")))[2].convert("RGBA")
    assert large.getpixel((56, 4))[3] == large.getpixel((56, 108))[3] == 0  # type: ignore[index]
    red_, green, _, alpha = large.getpixel((56, 56))  # type: ignore[misc]
    assert (red_ > 240, green < 15, alpha) == (True, True, 255)


@pytest.mark.parametrize("kind", ["GIF", "WEBP", "PNG"])
def test_an_animation_keeps_its_frames_and_their_time(kind: str) -> None:
    painted = paint(animation(kind))
    assert painted.animated
    for picture in opened(painted):
        assert durations(picture) == [40, 40, 40]


def test_a_frame_stands_for_at_least_20_ms() -> None:
    picture = opened(paint(animation("WEBP", duration=1)))[0]
    assert durations(picture) == [20, 20, 20]


def test_nothing_of_the_file_but_its_picture_is_kept() -> None:
    exif = Image.Exif()
    exif[0x010E] = "where I live"
    given_ = encoded(red().convert("RGB"), "WEBP", exif=exif) + b"<script>"
    assert b"where I live" in given_
    for image in paint(given_).images:
        assert b"where I live" not in image
        assert b"<script>" not in image


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b"", "no PNG"),
        (b"<svg xmlns='http://www.w3.org/2000/svg'/>", "no PNG"),
        (encoded(red().convert("RGB"), "JPEG"), "no PNG"),
        (encoded(red(), "PNG")[:60], "cannot be decoded"),
        (encoded(red(4097, 1), "PNG"), "4096 pixels"),
        (animation("GIF", MAX_FRAMES + 1), f"{MAX_FRAMES} frames"),
    ],
    ids=["nothing", "svg", "jpeg", "half a file", "too wide", "too many frames"],
)
def test_what_is_no_emote_is_refused_by_what_is_wrong(content: bytes, said: str) -> None:
    with pytest.raises(NotAnEmote, match=said):
        paint(content)


def test_a_bomb_is_refused_by_its_header() -> None:
    """4096 by 4096 pixels whose data would not even decode: nothing tried."""

    def chunk(kind: bytes, data: bytes) -> bytes:
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

    header = struct.pack(">IIBBBBB", 4096, 8, 8, 6, 0, 0, 0)
    bomb = b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", struct.pack(">IIBBBBB", 4096, 65_535, 8, 6, 0, 0, 0))
    with pytest.raises(NotAnEmote, match="4096 pixels"):
        paint(bomb + chunk(b"IDAT", b"") + chunk(b"IEND", b""))
    broken = b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", b"x") + chunk(b"IEND", b"")
    with pytest.raises(NotAnEmote, match="cannot be decoded"):
        paint(broken)


@given(st.binary(max_size=200), st.integers(0, 150), st.sampled_from(sorted(GOOD)))
def test_no_bytes_break_anything(noise: bytes, at: int, kind: str) -> None:
    good = GOOD[kind]
    try:
        painted = paint(good[:at] + noise + good[at + len(noise) :])
    except NotAnEmote as error:
        assert str(error)
    else:
        assert len(painted.images) == len(SIZES)


def test_the_decider_takes_what_the_edge_makes() -> None:
    assert emote_pictures.MAX_IMAGES == decider.MAX_IMAGES
