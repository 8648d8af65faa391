"""Segments on disk: whatever is put, stored and let go, what is kept reads as it was put."""

from __future__ import annotations

import tracemalloc
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ingest.hls.appender import BLOCK, Appender
from ingest.hls.shelf import FILE_SIZE, Kept, Shelf, Slice

MIB = 1 << 20


def on_disk(kept: Kept, size: int) -> bytes:
    """Read from the disk alone."""
    kept.data = None
    found = kept.read(0, size)
    assert isinstance(found, Slice)
    return found.read()


@given(
    st.lists(
        st.one_of(
            st.binary(min_size=1, max_size=3 * BLOCK),  # put it
            st.just("store"),
            st.integers(0, 30),  # let go of this one
        ),
        max_size=40,
    )
)
def test_what_is_kept_reads_as_it_was_put(steps: list[bytes | str | int]) -> None:
    with TemporaryDirectory() as directory:
        shelf, appender = Shelf(Path(directory) / "stream"), Appender()
        put: list[tuple[Kept, bytes]] = []
        for step in steps:
            if isinstance(step, bytes):
                put.append((shelf.put(step), step))
            elif step == "store":
                shelf.store(appender)
                assert not shelf.has_work
            elif isinstance(step, int) and step < len(put):
                shelf.let_go(put.pop(step)[0])
        assert all(kept.read(0, len(data)) == data for kept, data in put if kept.data)
        shelf.store(appender)
        assert [on_disk(kept, len(data)) for kept, data in put] == [data for _, data in put]


def test_a_part_is_read_from_where_it_lies(tmp_path: Path) -> None:
    shelf = Shelf(tmp_path)
    shelf.put(b"another rendition's")
    kept = shelf.put(b"first second")
    shelf.store(Appender())
    assert kept.read(6, 6) == b"second"
    kept.data = None
    part = kept.read(6, 6)
    assert isinstance(part, Slice)
    assert part.read() == b"second"


def test_a_segment_larger_than_the_buffer_is_whole(tmp_path: Path) -> None:
    data = bytes(range(256)) * (3 * MIB // 256) + b"the end"
    shelf = Shelf(tmp_path)
    shelf.put(b"before")
    kept = shelf.put(data)
    shelf.store(Appender())
    assert on_disk(kept, len(data)) == data


def test_a_file_goes_when_all_in_it_was_let_go_and_it_grows_no_more(tmp_path: Path) -> None:
    shelf, appender = Shelf(tmp_path), Appender()
    first, second = shelf.put(b"x" * FILE_SIZE), shelf.put(b"y")
    shelf.store(appender)
    third = shelf.put(b"z")
    shelf.store(appender)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["segments0.0", "segments0.1"]
    shelf.let_go(first)
    shelf.let_go(third)
    shelf.store(appender)
    assert on_disk(second, 1) == b"y"
    shelf.let_go(second)
    shelf.store(appender)
    assert [path.name for path in tmp_path.iterdir()] == ["segments0.1"]


def test_what_is_let_go_before_it_was_written_is_not_written(tmp_path: Path) -> None:
    shelf = Shelf(tmp_path / "stream")
    shelf.let_go(shelf.put(b"x"))
    shelf.store(Appender())
    assert not (tmp_path / "stream").exists()


def test_a_write_that_failed_is_made_again_and_leaves_no_hole(tmp_path: Path) -> None:
    shelf, appender = Shelf(tmp_path), Appender()
    before = shelf.put(b"before")
    shelf.store(appender)
    (tmp_path / "segments0.0").rename(tmp_path / "aside")
    (tmp_path / "segments0.0").mkdir()
    kept = shelf.put(b"kept")
    shelf.store(appender)
    failed = shelf.has_work and not shelf.takes
    (tmp_path / "segments0.0").rmdir()
    (tmp_path / "aside").rename(tmp_path / "segments0.0")
    shelf.store(appender)
    assert failed
    assert not shelf.has_work
    assert (on_disk(before, 6), on_disk(kept, 4)) == (b"before", b"kept")


def test_a_full_disk_is_said_once(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    blocked = tmp_path / "file"
    blocked.touch()
    shelf, appender = Shelf(blocked / "stream"), Appender()
    for _ in range(3):
        shelf.put(b"x")
        shelf.store(appender)
    assert capsys.readouterr().out.count("segments cannot be stored") == 1


def test_a_full_disk_keeps_nothing_in_memory_that_was_let_go(tmp_path: Path) -> None:
    blocked = tmp_path / "file"
    blocked.touch()
    shelf, appender = Shelf(blocked / "stream"), Appender()
    tracemalloc.start()
    for _ in range(50):
        kept = shelf.put(bytes(100_000))
        shelf.store(appender)
        shelf.let_go(kept)
    held, _ = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert shelf.has_work
    assert held < 1_000_000


def test_memory_that_has_no_direct_writes_takes_segments_too() -> None:
    with TemporaryDirectory(dir="/dev/shm") as directory:  # a file system of another kind
        shelf = Shelf(Path(directory))
        kept = shelf.put(b"x" * 5000)
        shelf.store(Appender())
        assert on_disk(kept, 5000) == b"x" * 5000
