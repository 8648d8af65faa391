"""What players say reaches the topic `playback`, from the origin and from a CDN's log."""

from __future__ import annotations

import gzip
import os
import subprocess
import sys
from collections import Counter
from collections.abc import Iterator
from contextlib import closing
from datetime import UTC, datetime
from pathlib import Path

import pytest

from commands.identity import new_id
from ingest.cmcd.cloudfront import LogError
from ingest.cmcd.importing import import_logs
from ingest.cmcd.parse import Cmcd
from ingest.cmcd.viewers import Viewers
from schemas.events.streams import PublishAuthorised
from schemas.wire import Codec, Decoded
from tests.commands.system import Log
from tests.engines import ROOT
from topology.settings import Settings

pytestmark = pytest.mark.stack

FIELDS = "timestamp,c-ip,sc-status,cs-uri-stem,cs-user-agent,cmcd-session-id,cmcd-encoded-bitrate,cmcd-object-type"


@pytest.fixture
def codec(registry: Settings) -> Iterator[Codec]:
    with closing(Codec(registry.schema_registry_url)) as made:
        made.register_all()
        yield made


@pytest.fixture
def log(registry: Settings, codec: Codec) -> Log:
    return Log(registry, codec)


@pytest.fixture
def stream_id(log: Log) -> str:
    """A stream of channel 7 that was published once."""
    stream_id = new_id()
    log.append(
        PublishAuthorised(
            type="PublishAuthorised",
            event_id=new_id(),
            occurred_at=datetime.now(UTC),
            actor="7",
            correlation_id="tests",
            stream_id=stream_id,
            channel_id="7",
            session_id="session",
            node="node",
            key_id="key",
            resumed=False,
        )
    )
    return stream_id


def told_of(log: Log, stream_id: str) -> list[Decoded]:
    records = [placed.record for placed in log.read("playback")]
    return [record for record in records if record.fields["stream_id"] == stream_id]


def write_log(path: Path, stream_id: str, viewers: int, seconds: range) -> Path:
    """Each viewer asks for a segment every two seconds."""
    lines = [
        f"{1_790_000_000 + second}.{viewer:03}\t198.51.100.{viewer}\t200\t/live/{stream_id}/720p/segment{second}.m4s\t"
        f"Secret%20agent\tviewer-{viewer:04}\t2500\tav\n"
        for second in seconds[::2]
        for viewer in range(viewers)
    ]
    text = "".join(reversed(lines))
    if path.suffix == ".gz":
        path.write_bytes(gzip.compress(text.encode()))
    else:
        path.write_text(text)
    return path


async def test_a_viewer_at_the_origin_is_told_until_the_end(registry: Settings, codec: Codec, log: Log) -> None:
    stream_id = new_id()
    viewers = Viewers(registry, codec, lambda asked: "7" if asked == stream_id else "")
    async with viewers.running():
        assert viewers.observe(stream_id, Cmcd(sid="viewer-aaaa", e="t", ts=0, sta="d"))
        assert viewers.observe(stream_id, Cmcd(sid="viewer-aaaa", e="ps", ts=700, sta="p", br=2500))
        assert viewers.observe(stream_id, Cmcd(sid="viewer-aaaa", e="ps", ts=900, sta="e"))
        assert not viewers.observe("unknown", Cmcd(sid="viewer-aaaa"))
        await viewers.drained()
    joined, sampled, left = told_of(log, stream_id)
    assert (joined.type, sampled.type, left.type) == ("ViewerJoined", "PlaybackSampled", "ViewerLeft")
    assert (sampled.fields["startup_ms"], sampled.fields["bitrate_kbps"]) == (700, 2500)
    assert {event.fields["source"] for event in (joined, sampled, left)} == {"cmcd"}
    assert {event.fields["viewer_session_id"] for event in (joined, sampled, left)} == {"viewer-aaaa"}
    assert (left.fields["reason"], left.fields["channel_id"]) == ("ended", "7")


def test_a_cdns_log_tells_who_watched_and_nothing_of_where_they_are(
    registry: Settings, codec: Codec, log: Log, stream_id: str, tmp_path: Path
) -> None:
    settings = registry.model_copy(update={"cloudfront_log_fields": FIELDS})
    path = write_log(tmp_path / "one.log.gz", stream_id, viewers=3, seconds=range(60))
    done = import_logs([path], settings, codec)
    events = told_of(log, stream_id)
    assert (done.lines, done.requests, done.foreign, done.events) == (90, 90, 0, len(events))
    assert Counter(event.type for event in events) == {"ViewerJoined": 3, "PlaybackSampled": 15}
    assert {event.fields["channel_id"] for event in events} == {"7"}
    assert {event.fields["source"] for event in events} == {"cdn"}
    assert "198.51.100" not in repr(events)
    assert "agent" not in repr(events)


def test_a_log_imported_again_or_cut_otherwise_tells_the_same_events(
    registry: Settings, codec: Codec, log: Log, stream_id: str, tmp_path: Path
) -> None:
    settings = registry.model_copy(update={"cloudfront_log_fields": FIELDS})
    whole = write_log(tmp_path / "whole.log", stream_id, viewers=2, seconds=range(100))
    first = write_log(tmp_path / "first.log", stream_id, viewers=2, seconds=range(40))
    rest = write_log(tmp_path / "rest.log", stream_id, viewers=2, seconds=range(40, 100))
    import_logs([first, rest], settings, codec)
    once = {event.fields["event_id"]: event.fields for event in told_of(log, stream_id)}
    import_logs([whole], settings, codec)
    import_logs([whole], settings, codec)
    again = told_of(log, stream_id)
    assert len(again) == 3 * len(once)
    assert {event.fields["event_id"]: event.fields for event in again} == once


def test_streams_that_never_were_are_passed_over(registry: Settings, codec: Codec, log: Log, tmp_path: Path) -> None:
    settings = registry.model_copy(update={"cloudfront_log_fields": FIELDS})
    unknown = new_id()
    done = import_logs([write_log(tmp_path / "one.log", unknown, 1, range(10))], settings, codec)
    assert (done.requests, done.foreign, done.events) == (5, 5, 0)
    assert told_of(log, unknown) == []


def test_of_a_file_with_a_wrong_line_nothing_is_imported(
    registry: Settings, codec: Codec, log: Log, stream_id: str, tmp_path: Path
) -> None:
    settings = registry.model_copy(update={"cloudfront_log_fields": FIELDS})
    path = write_log(tmp_path / "one.log", stream_id, 1, range(10))
    path.write_text(path.read_text() + "cut off")
    with pytest.raises(LogError, match=r"one\.log, line 6: 1 fields where 8 are expected"):
        import_logs([path], settings, codec)
    assert told_of(log, stream_id) == []


def test_the_command_says_what_it_imported_and_why_it_did_not(
    registry: Settings, log: Log, stream_id: str, tmp_path: Path
) -> None:
    settings = registry.model_copy(update={"cloudfront_log_fields": FIELDS})
    good = write_log(tmp_path / "good.log", stream_id, viewers=1, seconds=range(30))
    bad = tmp_path / "bad.log"
    bad.write_text("of something else\n")

    def command(path: Path) -> subprocess.CompletedProcess[str]:
        words = [sys.executable, "-m", "topology.cli", "import-cdn-logs", str(path), "--data", str(tmp_path)]
        environment = os.environ | settings.environment()
        return subprocess.run(words, cwd=ROOT, env=environment, capture_output=True, text=True, check=False)

    done, refused = command(good), command(bad)
    assert (done.returncode, done.stderr) == (0, "")
    told = len(told_of(log, stream_id))
    assert done.stdout == f"15 lines, 15 with CMCD (0 of unknown streams), {told} events\n"
    assert refused.returncode == 1
    assert "bad.log, line 1: 1 fields where 8 are expected" in refused.stderr
