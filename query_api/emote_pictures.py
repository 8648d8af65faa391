"""Uploaded pictures made into emotes: decoded, fitted into squares of three sizes, and encoded anew as WebP.

A stranger's file is never handed on: what is stored and served was encoded here, without metadata.
"""

from __future__ import annotations

import asyncio
import io
from collections.abc import Iterator
from dataclasses import dataclass

from PIL import Image, ImageSequence, UnidentifiedImageError

from query_api.errors import ApiError, unavailable

MEDIA_TYPE = "image/webp"
SIZES = (28, 56, 112)
"""Pixels, for 1x, 2x and 3x."""

UPLOAD_BYTES = 1024 * 1024
MAX_SIDE = 4096
TOO_WIDE = f"a side has at most {MAX_SIDE} pixels; make the picture smaller"
MAX_PIXELS = 24_000_000
"""Of all frames together: what decoding may cost."""
MAX_FRAMES = 60
MAX_IMAGES = 512 * 1024
"""Bytes of the three pictures together, as the decider has it."""
FRAME_MS = range(20, 10_001)

AT_ONCE = 1
QUEUED = 16

_FORMATS = ("PNG", "GIF", "WEBP")
_QUALITIES = (90, 75, 50)


@dataclass(frozen=True, slots=True)
class EmotePictures:
    """The same picture in `SIZES`."""

    animated: bool
    images: tuple[bytes, bytes, bytes]


class NotAnEmote(ValueError):
    """Says what is wrong with the file and what to do."""


class EmotePainter:
    """Works off the event loop, on few files at a time."""

    def __init__(self) -> None:
        self._slots = asyncio.Semaphore(AT_ONCE)
        self._queued = 0

    async def pictures(self, content: bytes) -> EmotePictures:
        """Raises ApiError 400 on a file that is no emote, 503 when too many wait."""
        if self._queued >= QUEUED:
            raise unavailable("Too many pictures at once. Try again in a moment.")
        self._queued += 1
        try:
            async with self._slots:
                return await asyncio.to_thread(paint, content)
        except NotAnEmote as error:
            raise ApiError(400, f"{error}.", "bad_picture") from error
        finally:
            self._queued -= 1


def paint(content: bytes) -> EmotePictures:
    """Raises NotAnEmote."""
    try:
        with Image.open(io.BytesIO(content), formats=_FORMATS) as picture:
            _require_affordable(picture)
            frames = list(_frames(picture))
    except UnidentifiedImageError as error:
        raise NotAnEmote("the file is no PNG, GIF or WebP") from error
    except (Image.DecompressionBombError, Image.DecompressionBombWarning) as error:
        raise NotAnEmote(TOO_WIDE) from error
    except NotAnEmote:
        raise
    except Exception as error:  # decoders raise whatever a broken file makes them meet
        raise NotAnEmote("the picture cannot be decoded; export it anew") from error
    for quality in _QUALITIES:
        one, two, three = (_encoded(frames, size, quality) for size in SIZES)
        if len(one) + len(two) + len(three) <= MAX_IMAGES:
            return EmotePictures(len(frames) > 1, (one, two, three))
    raise NotAnEmote(f"the pictures have more than {MAX_IMAGES} bytes together; use fewer frames")


def _require_affordable(picture: Image.Image) -> None:
    """By the header alone, before anything is decoded."""
    width, height = picture.size
    count = getattr(picture, "n_frames", 1)
    if max(width, height) > MAX_SIDE:
        raise NotAnEmote(TOO_WIDE)
    if count > MAX_FRAMES:
        raise NotAnEmote(f"an animation has at most {MAX_FRAMES} frames; use fewer")
    if width * height * count > MAX_PIXELS:
        raise NotAnEmote(f"all frames together have at most {MAX_PIXELS} pixels; make the picture smaller")


def _frames(picture: Image.Image) -> Iterator[tuple[Image.Image, int]]:
    """Each frame in the largest size, and how long it stands in ms."""
    for frame in ImageSequence.Iterator(picture):
        decoded = frame.convert("RGBA")
        stands_ms = int(frame.info.get("duration", 100) or 100)  # WebP's is known once a frame is decoded
        yield _fitted(decoded, SIZES[-1]), min(max(stands_ms, FRAME_MS.start), FRAME_MS.stop - 1)


def _fitted(frame: Image.Image, size: int) -> Image.Image:
    """Within a transparent square, in the middle, with its own proportions."""
    scale = size / max(frame.size)
    width, height = (max(1, round(side * scale)) for side in frame.size)
    square = Image.new("RGBA", (size, size), (0, 0, 0, 0))
    scaled = frame.resize((width, height), Image.Resampling.LANCZOS)
    square.paste(scaled, ((size - width) // 2, (size - height) // 2))
    return square


def _encoded(frames: list[tuple[Image.Image, int]], size: int, quality: int) -> bytes:
    pictures = [frame.resize((size, size), Image.Resampling.LANCZOS) for frame, _ in frames]
    target = io.BytesIO()
    animation = {"save_all": True, "append_images": pictures[1:], "duration": [ms for _, ms in frames], "loop": 0}
    pictures[0].save(target, "WEBP", quality=quality, method=4, **(animation if len(pictures) > 1 else {}))
    return target.getvalue()
