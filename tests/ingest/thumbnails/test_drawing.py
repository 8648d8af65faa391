"""What is seen on thumbnails and sheets."""

from __future__ import annotations

from fractions import Fraction

import pytest

from ingest.thumbnails.drawing import Format, Unreadable, picture_of, resized, sheet_of
from tests.ingest.thumbnails.film import BLUE, GREEN, RED, WHITE, Colour, film, is_coloured, opened

QUARTERS = ((0.25, 0.25, RED), (0.75, 0.25, GREEN), (0.25, 0.75, BLUE), (0.75, 0.75, WHITE))


@pytest.mark.parametrize("codec", ["libx264", "libx265", "libsvtav1"])
@pytest.mark.parametrize("bt709", [False, True], ids=["BT.601", "BT.709"])
def test_a_picture_has_the_colours_that_were_encoded(codec: str, bt709: bool) -> None:
    picture = picture_of(b"".join(film(codec=codec, bt709=bt709)))
    for data, size in ((picture.master, (320, 180)), (picture.tile, (160, 90))):
        image = opened(data)
        assert (image.format, image.size) == ("JPEG", size)
        for x, y, colour in QUARTERS:
            assert is_coloured(image, (x, y), colour)


@pytest.mark.parametrize(
    ("encoded", "master", "tile"),
    [
        ((1920, 1080), (1280, 720), (160, 90)),
        ((720, 1280), (720, 1280), (90, 160)),
        ((96, 64), (96, 64), (96, 64)),
        ((1600, 2), (1280, 2), (160, 1)),
    ],
)
def test_a_picture_keeps_its_shape_and_has_a_longest_side(
    encoded: tuple[int, int], master: tuple[int, int], tile: tuple[int, int]
) -> None:
    picture = picture_of(b"".join(film((RED,), encoded)))
    assert (opened(picture.master).size, opened(picture.tile).size, picture.tile_size) == (master, tile, tile)


def test_pixels_that_are_not_square_are_made_so() -> None:
    picture = picture_of(b"".join(film((RED,), (720, 576), aspect=Fraction(16, 11))))
    assert opened(picture.master).size == (1047, 576)


@pytest.mark.parametrize("form", ["JPEG", "WEBP"])
def test_another_shape_is_cut_out_of_the_middle(form: Format) -> None:
    master = picture_of(b"".join(film())).master
    square = opened(resized(master, 90, 90, form))
    assert (square.format, square.size) == (form, (90, 90))
    for x, y, colour in QUARTERS:
        assert is_coloured(square, (x, y), colour)


def test_a_larger_size_than_the_picture_is_given_too() -> None:
    assert opened(resized(picture_of(b"".join(film())).master, 1280, 720, "JPEG")).size == (1280, 720)


@pytest.mark.parametrize(("count", "size"), [(1, (1600, 90)), (10, (1600, 90)), (11, (1600, 180)), (100, (1600, 900))])
def test_a_sheet_has_rows_of_ten(count: int, size: tuple[int, int]) -> None:
    colours: tuple[Colour, ...] = (RED, GREEN, BLUE)
    tiles = [picture_of(b"".join(film((colour,)))).tile for colour in colours]
    sheet = opened(sheet_of([tiles[index % 3] for index in range(count)], (160, 90)))
    assert sheet.size == size
    for index in range(count):
        row, column = divmod(index, 10)
        middle = ((column + 0.5) / 10, (row + 0.5) * 90 / size[1])
        assert is_coloured(sheet, middle, colours[index % 3])


def broken() -> dict[str, bytes]:
    init, fragment = film()
    noise = bytes(range(256)) * 40
    return {
        "nothing": b"",
        "noise": noise,
        "init only": init,
        "fragment only": fragment,
        "noise for media": init + fragment[:200] + noise,
    }


@pytest.mark.parametrize("what", broken())
def test_what_holds_no_picture_is_unreadable(what: str) -> None:
    with pytest.raises(Unreadable):
        picture_of(broken()[what])
