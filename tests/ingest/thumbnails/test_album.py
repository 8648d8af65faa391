"""Which segments of a stream are drawn."""

from __future__ import annotations

import pytest

from ingest.hls.entries import Rendition
from ingest.thumbnails.album import SHOT_MAX, Album, Shot
from ingest.thumbnails.drawing import picture_of
from ingest.thumbnails.sprites import Sprites
from tests.ingest.thumbnails.film import BLUE, NOW_S, RED, Reel, entry_of, film, is_coloured, opened


class Shots(list[Shot]):
    """What an album of one picture in ten seconds wants drawn."""

    def __init__(self) -> None:
        super().__init__()
        self.over = 0
        self.album = Album("stream", 0, Sprites(10, 7200), 10, self._shoot, self._end, None)

    def _shoot(self, album: Album, shot: Shot) -> None:
        self.append(shot)

    def _end(self, album: Album) -> None:
        self.over += 1


@pytest.fixture
def shots() -> Shots:
    return Shots()


@pytest.mark.parametrize(
    ("segment_s", "segments", "drawn"),
    [
        (2.0, 15, [0.0, 10.0, 20.0]),
        (1.998, 15, [0.0, 9.99, 19.98]),
        (2.002, 15, [0.0, 10.01, 20.02]),
        (4.0, 12, [0.0, 12.0, 20.0, 32.0, 40.0]),
        (10.0, 3, [0.0, 10.0, 20.0]),
        (25.0, 3, [0.0, 25.0, 50.0]),
    ],
)
def test_one_is_drawn_every_ten_seconds_of_media(
    shots: Shots, segment_s: float, segments: int, drawn: list[float]
) -> None:
    Reel(shots.album, segment_s).show(segments=segments)
    assert [shot.starts_at_s - NOW_S for shot in shots] == pytest.approx(drawn, abs=1e-6)


def test_a_shot_is_enough_for_a_picture(shots: Shots) -> None:
    Reel(shots.album).show(BLUE)
    assert is_coloured(opened(picture_of(shots[0].media).master), (0.5, 0.5), BLUE)


def test_after_a_change_of_the_picture_the_new_init_segment_is_used(shots: Shots) -> None:
    reel = Reel(shots.album, segment_s=10.0)
    reel.show(RED)
    reel.show(BLUE, size=(180, 320))
    assert opened(picture_of(shots[1].media).master).size == (180, 320)


def test_other_renditions_are_not_drawn(shots: Shots) -> None:
    reel = Reel(shots.album)
    init, data = film((RED,))
    reel.init_number = 0
    shots.album.begin(Rendition(name="source", codecs="avc1.64001f", width=320, height=180), 0, init)
    shots.album.begin(Rendition(name="720p", codecs="avc1.64001f", width=1280, height=720), 0, b"another")
    shots.album.segment("720p", entry_of(reel, data), data)
    assert shots == []
    shots.album.segment("source", entry_of(reel, data), data)
    assert [shot.media for shot in shots] == [init + data]


def test_without_a_keyframe_the_next_segment_that_has_one_is_taken(shots: Shots) -> None:
    reel = Reel(shots.album)
    reel.show()
    reel.number = 5
    _, data = film((RED,))
    for _ in range(4):
        shots.album.segment("source", entry_of(reel, data), data)
    shots.clear()
    shots.album.segment("source", entry_of(reel, data, independent=False), data)
    assert shots == []
    shots.album.segment("source", entry_of(reel, data), data)
    assert len(shots) == 1


def test_a_part_that_is_too_large_to_wait_is_not_drawn(shots: Shots) -> None:
    reel = Reel(shots.album)
    init, _ = film((RED,))
    reel.roll(init, bytes(SHOT_MAX + 1))
    assert shots == []
    reel.roll(init, bytes(SHOT_MAX))
    assert len(shots) == 1


def test_sound_alone_is_not_drawn(shots: Shots) -> None:
    Reel(shots.album).roll(*film((RED,)), size=(0, 0), segments=3)
    assert shots == []


def test_the_end_is_said(shots: Shots) -> None:
    shots.album.finish()
    assert shots.over == 1
