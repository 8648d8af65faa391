"""What is left on disk, whenever the process died."""

from __future__ import annotations

import shutil
import tempfile
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ingest.recording.journal import Begun, Finished, Kept, Line, Opened, read, write
from ingest.recording.manifest import KeptSegment
from ingest.recording.spool import Spool
from tests.ingest.recording.disks import room_for
from tests.ingest.recording.takes import SOURCE, data_of, kept

OPENED = Opened("stream", "channel")
BEGUN = Begun(SOURCE, 0)


def filled(directory: Path, segments: int = 3) -> Spool:
    spool = Spool(directory)
    spool.say(OPENED)
    spool.keep(BEGUN, b"init")
    for number in range(segments):
        spool.keep(Kept("source", kept(number)), data_of("source", number))
    return spool


def names(spool: Spool) -> list[str]:
    return sorted(name for name, _ in spool.waiting())


def test_what_was_kept_is_found_again(tmp_path: Path) -> None:
    filled(tmp_path)
    again = Spool(tmp_path)
    assert (again.story.stream_id, again.story.channel_id, again.story.finished) == ("stream", "channel", False)
    assert (again.story.last_number, again.story.last_init) == (2, 0)
    assert names(again) == ["source/init0.mp4", *(f"source/segment{number}.m4s" for number in range(3))]
    assert again.path("source/segment1.m4s").read_bytes() == data_of("source", 1)
    assert [segment.number for segment in again.manifest().timeline] == [0, 1, 2]


def test_what_the_store_has_is_forgotten_but_stays_in_the_manifest(tmp_path: Path) -> None:
    spool = filled(tmp_path)
    spool.stored("source/segment0.m4s")
    again = Spool(tmp_path)
    assert "source/segment0.m4s" not in names(again)
    assert again.manifest().timeline[0].number == 0


def test_it_goes_on_where_it_was_left(tmp_path: Path) -> None:
    filled(tmp_path)
    again = Spool(tmp_path)
    again.keep(Kept("source", kept(3)), b"more")
    again.say(Finished())
    assert Spool(tmp_path).story.finished
    assert len(Spool(tmp_path).manifest().timeline) == 4


def test_a_segment_written_before_its_line_is_not_there(tmp_path: Path) -> None:
    filled(tmp_path)
    (tmp_path / "files" / "source" / "segment3.m4s").write_bytes(b"without a line")
    (tmp_path / "files" / "source" / ".segment4.m4s").write_bytes(b"half")
    again = Spool(tmp_path)
    assert "source/segment3.m4s" not in names(again)
    assert not (tmp_path / "files" / "source" / ".segment4.m4s").exists()


@settings(deadline=None)
@given(cut=st.integers(0, 2000))
def test_a_journal_cut_at_any_byte_is_taken_up_to_its_last_whole_line(cut: int) -> None:
    with tempfile.TemporaryDirectory() as directory:
        filled(Path(directory))
        journal = Path(directory) / "journal"
        whole = journal.read_bytes()
        journal.write_bytes(whole[:cut])

        again = Spool(Path(directory))

        lines = whole[:cut].count(b"\n")
        assert journal.read_bytes() == b"".join(whole.splitlines(keepends=True)[:lines])
        assert len(again.waiting()) == max(0, lines - 1)
        again.say(Finished())
        assert Spool(Path(directory)).story.finished


def test_lines_that_the_disk_does_not_take_are_written_when_it_does(tmp_path: Path) -> None:
    spool = filled(tmp_path, segments=0)
    with room_for((tmp_path / "journal").stat().st_size + 10):
        spool.say(Kept("source", kept(0, gap="disk_full", size=0)))
        spool.say(Kept("source", kept(1, gap="disk_full", size=0)))
    assert [segment.number for segment in spool.manifest().timeline] == [0, 1], "known meanwhile"
    spool.keep(Kept("source", kept(2)), b"there is room again")
    timeline = Spool(tmp_path).manifest().timeline
    assert [(segment.number, segment.gap) for segment in timeline] == [(0, "disk_full"), (1, "disk_full"), (2, "")]


def test_a_segment_that_the_disk_refuses_leaves_nothing_behind(tmp_path: Path) -> None:
    spool = filled(tmp_path, segments=0)
    shutil.rmtree(tmp_path / "files")
    (tmp_path / "files").write_text("in the way")
    with pytest.raises(OSError, match="files"):
        spool.keep(Kept("source", kept(0)), b"data")
    assert not spool.manifest().timeline


def test_removing_leaves_nothing(tmp_path: Path) -> None:
    spool = filled(tmp_path / "spool")
    spool.remove()
    assert not (tmp_path / "spool").exists()


segments = st.builds(
    KeptSegment,
    *(st.integers(0, 10**9), st.integers(0, 10**9), st.booleans(), st.booleans()),
    *(st.floats(0, 4e9), st.floats(0, 1000), st.integers(0, 10**9), st.sampled_from(["", "lost"])),
)


@settings(deadline=None)
@given(st.one_of(st.just(OPENED), st.just(BEGUN), st.just(Finished()), st.builds(Kept, st.just("720p"), segments)))
def test_every_line_reads_back_as_it_was_written(line: Line) -> None:
    assert read(write(line)) == line


@pytest.mark.parametrize("data", [b"", b"{}", b"[]", b"[1]", b'["kept"]', b'["begun",0,{}]', b'["opened"]', b"\xff"])
def test_what_is_no_line_is_refused(data: bytes) -> None:
    with pytest.raises(ValueError, match="journal"):
        read(data)
