"""The whole checker on real streams over HTTP: our own origin, live and ended, and ffmpeg's classic HLS."""

from __future__ import annotations

import asyncio
import gzip
import json
import os
import signal
import subprocess
import sys
from collections.abc import Callable, Iterable, Sequence
from fractions import Fraction
from pathlib import Path

import pytest
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from ingest.hls.check.facts import Facts
from ingest.hls.check.observe import Unreadable, observe
from ingest.hls.check.rule import Outcome, Severity, judge
from ingest.hls.check.rules import RULES
from ingest.hls.playback import Playback
from ingest.ladder.ladder import Budget, Ladder, LadderSettings
from ingest.media.tag import MediaTag
from tests.engines import ROOT
from tests.ingest.hls.check.good_server import GoodServer
from tests.ingest.hls.check.serving import STREAM, Broadcast, files_served, serving
from tests.ingest.hls.check.verdicts import failures, rules_with
from tests.ingest.media.footage import is_frame, is_keyframe, record, shifted
from topology.settings import HlsProfile

LOW_LATENCY = {
    "block-reload-offered", "preload-hint", "reload-blocks", "part-inf", "part-cadence", "skip-answered",
    "hint-comes-true", "segment-is-its-parts", "rendition-reports",
}  # fmt: skip
SEEN_LIVE = {
    "reload-blocks", "hint-comes-true", "skip-answered", "delta-is-whole", "segment-is-its-parts", "part-alone-400",
    "removed-still-there", "decode-times-continue", "independent-true", "codecs-true", "window-of-three-targets",
    "segments-never-change", "part-at-least-85", "segment-too-far-400", "past-last-part", "near-parts-listed",
    "old-parts-unlisted",
}  # fmt: skip
"""Rules that must have had something to look at in a live stream."""

SEEN_BESIDE = {
    "rendition-reports", "reports-true", "same-target", "same-discontinuities", "segments-aligned", "groups-exist",
    "bandwidth-covers-peak", "independent-segments-said",
}  # fmt: skip
"""The same where there are several renditions."""

SMALL = (64, 48)

WITHOUT_KEYFRAMES = {"segments-start-with-keyframe"}
"""MUST that no server can keep that passes on a GOP longer than its target duration."""


def without_pictures(tags: Iterable[MediaTag], missing: Callable[[int], bool]) -> list[MediaTag]:
    """Pictures that are missing at these times, milliseconds; keyframes never are."""
    return [
        tag
        for tag in tags
        if tag.kind != "video" or not is_frame(tag) or is_keyframe(tag) or not missing(tag.timestamp_ms)
    ]


def without_last_sound(tags: Iterable[MediaTag], from_ms: int) -> list[MediaTag]:
    """As when a connection breaks whose sound is late."""
    return [tag for tag in tags if tag.kind != "audio" or tag.timestamp_ms < from_ms]


def broken_musts(facts: Facts) -> dict[str, tuple[str, ...]]:
    """With their evidence. Rules of time are left out: the machine that runs tests is busy."""
    return {
        verdict.rule.id: verdict.evidence
        for verdict in judge(facts, RULES)
        if verdict.outcome is Outcome.FAILED and verdict.rule.severity is Severity.MUST and not verdict.rule.timed
    }


async def test_a_server_without_a_fault_breaks_no_rule() -> None:
    async with serving(GoodServer().app) as address:
        facts = await observe(f"{address}/live/index.m3u8", seconds=5)
    timed = {rule.id for rule in RULES if rule.timed}
    assert failures(facts) - timed == set()
    assert rules_with(Outcome.PASSED, facts) >= SEEN_LIVE | SEEN_BESIDE


@pytest.mark.parametrize(
    ("wrong", "broken"),
    [
        ("blocking", "reload-blocks"),
        ("hints", "hint-comes-true"),
        ("part alone", "part-alone-400"),
        ("reports", "reports-true"),
    ],
)
async def test_what_a_server_does_wrong_is_seen(wrong: str, broken: str) -> None:
    async with serving(GoodServer(wrong).app) as address:
        facts = await observe(f"{address}/live/index.m3u8", seconds=2)
    assert broken in failures(facts)


@pytest.mark.parametrize("gop", [60, 75])
async def test_our_own_origin_keeps_the_rules_while_live(tmp_path: Path, gop: int) -> None:
    broadcast = Broadcast(tmp_path, record(seconds=54, gop=gop), backlog_s=40)
    async with broadcast.on_air() as url:
        facts = await observe(url, seconds=6)
    assert broken_musts(facts) == {}
    assert rules_with(Outcome.PASSED, facts) >= SEEN_LIVE | SEEN_BESIDE


async def test_our_own_origin_keeps_the_rules_in_the_strict_profile(tmp_path: Path) -> None:
    broadcast = Broadcast(tmp_path, record(94, size=SMALL), 80, HlsProfile.STRICT)
    async with broadcast.on_air() as url:
        facts = await observe(url, seconds=8)
    assert broken_musts(facts) == {}
    assert rules_with(Outcome.PASSED, facts) >= SEEN_LIVE | SEEN_BESIDE
    last = facts.renditions[0].last
    assert (last.target_s, last.part_target_s, last.control and last.control.part_hold_back_s) == (6, 1.0, 3.0)
    assert {round(segment.duration_s, 3) for segment in last.segments} == {6.0}


def still(tags: Iterable[MediaTag]) -> list[MediaTag]:
    return without_pictures(tags, lambda at_ms: at_ms % 1900 < 300 or at_ms % 4700 < 1200)


ODD_PICTURES: dict[str, Callable[[], Sequence[MediaTag]]] = {
    "one a second": lambda: record(54, Fraction(1), 2, size=SMALL),
    "one every two seconds and a half": lambda: record(54, Fraction(2, 5), 1, size=SMALL),
    "one is missing now and then": lambda: without_pictures(record(54, size=SMALL), lambda at_ms: at_ms % 700 < 30),
    "many are missing now and then": lambda: still(record(54, size=SMALL)),
}


@pytest.mark.parametrize("pictures", ODD_PICTURES.values(), ids=ODD_PICTURES)
async def test_our_own_origin_keeps_the_rules_however_rare_pictures_are(
    tmp_path: Path, pictures: Callable[[], Sequence[MediaTag]]
) -> None:
    broadcast = Broadcast(tmp_path, pictures(), backlog_s=40)
    async with broadcast.on_air() as url:
        facts = await observe(url, seconds=4)
    assert broken_musts(facts) == {}
    assert {"part-at-most-target", "part-duration-true", "parts-fill-segment"} <= rules_with(Outcome.PASSED, facts)


async def test_our_own_origin_breaks_no_more_rules_than_it_must_when_keyframes_become_rare(tmp_path: Path) -> None:
    tags = [*record(seconds=20), *shifted(record(seconds=30, gop=900), 20_000)]
    broadcast = Broadcast(tmp_path, tags, backlog_s=20)
    async with broadcast.on_air() as url:
        facts = await observe(url, seconds=10)
    assert broken_musts(facts).keys() == WITHOUT_KEYFRAMES, broken_musts(facts)
    assert "target-never-changes" in rules_with(Outcome.PASSED, facts)
    assert max(segment.duration_s for segment in facts.renditions[0].last.segments) > 4


async def test_our_own_origin_keeps_the_rules_after_the_end(tmp_path: Path) -> None:
    broadcast = Broadcast(tmp_path, record(seconds=20), backlog_s=20)
    broadcast.close()
    async with broadcast.on_air() as url:
        facts = await observe(url, seconds=6)
    assert broken_musts(facts) == {}
    assert "no-directives-after-end" in rules_with(Outcome.PASSED, facts)
    assert rules_with(Outcome.NOT_APPLICABLE, facts) >= LOW_LATENCY


async def test_a_stream_that_ends_while_it_is_watched_is_checked_to_its_end(tmp_path: Path) -> None:
    broadcast = Broadcast(tmp_path, record(seconds=20), backlog_s=17)
    async with broadcast.on_air() as url:
        facts = await observe(url, seconds=60)
    assert facts.renditions[0].last.ended
    assert broken_musts(facts) == {}


@pytest.mark.parametrize("profile", HlsProfile)
async def test_our_own_origin_keeps_the_rules_when_a_publisher_comes_back(tmp_path: Path, profile: HlsProfile) -> None:
    broadcast = Broadcast(tmp_path, without_last_sound(record(seconds=20), from_ms=9_800), 9, profile)
    async with broadcast.on_air() as url:
        watching = asyncio.create_task(observe(url, seconds=6))
        await asyncio.sleep(1.5)
        broadcast.vanish(1, record(seconds=20))
        facts = await watching
    assert broken_musts(facts) == {}
    assert "same-discontinuities" in rules_with(Outcome.PASSED, facts)
    assert any(segment.discontinuity for segment in facts.renditions[0].last.listed)


async def test_our_own_origin_keeps_the_rules_when_the_worker_of_its_ladder_dies(tmp_path: Path) -> None:
    opened: list[Ladder] = []

    def open_ladder(playback: Playback) -> Ladder:
        opened.append(Ladder(playback, LadderSettings(names=("240p",)), Budget(8.0)))
        return opened[-1]

    broadcast = Broadcast(tmp_path, record(seconds=54, size=(320, 256)), 0, open_ladder=open_ladder)
    async with broadcast.on_air() as url:
        playback = broadcast.registry.find(STREAM)
        assert playback
        async with asyncio.timeout(30):
            while "240p" not in {each.name for each in playback.renditions()} or not playback.ready:  # noqa: ASYNC110
                await asyncio.sleep(0.1)
        watching = asyncio.create_task(observe(url, seconds=9))
        await asyncio.sleep(4)
        pid = opened[0].worker_pid
        assert pid
        os.kill(pid, signal.SIGKILL)
        facts = await watching
    broadcast.close()
    await opened[0].gone()
    assert broken_musts(facts) == {}
    rung = facts.rendition("240p/media.m3u8")
    assert rung
    assert any(part.gap for segment in rung.last.listed for part in segment.parts)
    assert "rendition-reports" in rules_with(Outcome.PASSED, facts)


async def test_a_media_playlist_can_be_checked_by_itself(tmp_path: Path) -> None:
    broadcast = Broadcast(tmp_path, record(seconds=20), backlog_s=20)
    broadcast.close()
    async with broadcast.on_air() as url:
        rendition = (await observe(url, seconds=0)).renditions[0].url
        facts = await observe(rendition, seconds=0)
    assert facts.multivariant is None
    assert "target-duration" in rules_with(Outcome.PASSED, facts)
    assert "codecs-true" in rules_with(Outcome.NOT_APPLICABLE, facts)


@pytest.mark.parametrize("kind", ["mpegts", "fmp4"])
async def test_classic_hls_of_ffmpeg_is_read_and_low_latency_is_not_asked_of_it(tmp_path: Path, kind: str) -> None:
    make = (
        "ffmpeg -v error -f lavfi -i testsrc=s=320x180:r=25 -f lavfi -i sine -t 12 -c:v libx264 -preset ultrafast "
        f"-b:v 600k -pix_fmt yuv420p -g 50 -c:a aac -f hls -hls_time 2 -hls_list_size 0 -hls_segment_type {kind} "
        "-master_pl_name master.m3u8 media.m3u8"
    )
    await asyncio.to_thread(subprocess.run, make.split(), cwd=tmp_path, check=True)
    async with files_served(tmp_path) as address:
        facts = await observe(f"{address}/master.m3u8", seconds=1)
    passed = rules_with(Outcome.PASSED, facts)
    assert rules_with(Outcome.NOT_APPLICABLE, facts) >= LOW_LATENCY
    assert passed >= {"playlist-syntax", "target-duration", "listed-is-available", "bandwidth-covers-peak"}
    assert failures(facts) >= {"playlist-gzip", "other-sites", "media-cacheable"}
    assert ("decode-times-continue" in passed) == (kind == "fmp4")


async def test_classic_live_hls_of_ffmpeg_is_followed(tmp_path: Path) -> None:
    make = (
        "ffmpeg -v error -re -f lavfi -i testsrc=s=320x180:r=25 -t 120 -c:v libx264 -preset ultrafast -pix_fmt yuv420p "
        "-g 25 -f hls -hls_time 1 -hls_list_size 6 -hls_segment_type fmp4 media.m3u8"
    )
    publishing = await asyncio.create_subprocess_exec(*make.split(), cwd=tmp_path)
    try:
        async with files_served(tmp_path) as address, asyncio.timeout(60):
            while not (tmp_path / "media.m3u8").exists():  # noqa: ASYNC110  # another program's file
                await asyncio.sleep(0.1)
            facts = await observe(f"{address}/media.m3u8", seconds=5)
    finally:
        publishing.terminate()
        await publishing.wait()
    assert {"segments-never-change", "sequence-never-falls", "target-duration"} <= rules_with(Outcome.PASSED, facts)
    assert rules_with(Outcome.NOT_APPLICABLE, facts) >= LOW_LATENCY


async def test_what_cannot_be_read_says_why(tmp_path: Path) -> None:
    (tmp_path / "page.html").write_text("<html>")
    async with files_served(tmp_path) as address:
        cases = {
            f"{address}/absent.m3u8": "HTTP 404",
            f"{address}/page.html": "line 1: the first line is #EXTM3U",
            "http://127.0.0.1:1/x.m3u8": "ConnectError",
            "ftp://example/x.m3u8": "no http or https URL",
            "http://[bad/x.m3u8": "cannot be read",
        }
        for url, reason in cases.items():
            with pytest.raises(Unreadable, match=reason):
                await observe(url, seconds=0)


async def test_a_hostile_server_is_told_of_and_not_followed() -> None:
    """Endless playlists, other schemes, redirects in a circle: each a failed rule or a reason, none a crash."""
    bomb = gzip.compress(bytes(80 << 20))
    playlists = {
        "index.m3u8": "#EXT-X-STREAM-INF:BANDWIDTH=1\n/bomb\n#EXT-X-STREAM-INF:BANDWIDTH=1\nfile:///etc/passwd\n"
        "#EXT-X-STREAM-INF:BANDWIDTH=1\n/circle\n#EXT-X-STREAM-INF:BANDWIDTH=1\n/index.m3u8\n"
        "#EXT-X-STREAM-INF:BANDWIDTH=1\n/odd.m3u8\n",
        "odd.m3u8": '#EXT-X-TARGETDURATION:1\n#EXT-X-MAP:URI="data:,x"\n#EXTINF:1,\nfile:///etc/passwd\n'
        "#EXTINF:1,\nhttp://127.0.0.1:99999/a\n#EXT-X-ENDLIST\n",
    }

    async def answer(request: Request) -> Response:
        name = request.path_params["name"]
        if name == "bomb":
            return Response(bomb, headers={"Content-Encoding": "gzip"})
        if name == "circle":
            return Response(status_code=302, headers={"Location": "/circle"})
        if name not in playlists:
            return Response(status_code=404)
        return Response("#EXTM3U\n" + playlists[name], media_type="application/vnd.apple.mpegurl")

    async with serving(Starlette(routes=[Route("/{name}", answer)])) as address:
        facts = await observe(f"{address}/index.m3u8", seconds=1)
    unreadable = [text for rendition in facts.renditions for text in rendition.unreadable]
    assert len(unreadable) == 4
    assert {"playlist-syntax", "listed-is-available"} <= failures(facts)


async def test_the_command_line_tells_by_its_exit_status(tmp_path: Path) -> None:
    async def run(*arguments: str) -> tuple[int | None, str, str]:
        command = (sys.executable, "-m", "topology.cli", "check-hls", *arguments)
        pipe = asyncio.subprocess.PIPE
        process = await asyncio.create_subprocess_exec(*command, cwd=ROOT, stdout=pipe, stderr=pipe)
        out, error = await process.communicate()
        return process.returncode, out.decode(), error.decode()

    broadcast = Broadcast(tmp_path / "live", record(seconds=20), backlog_s=20)
    broadcast.close()
    (tmp_path / "bad.m3u8").write_text("#EXTM3U\n#EXT-X-TARGETDURATION:1\n#EXTINF:9,\na.ts\n#EXT-X-ENDLIST\n")
    async with broadcast.on_air() as url, files_served(tmp_path) as address:
        own = await run(url, "--seconds", "0", "--json")
        bad = await run(f"{address}/bad.m3u8")
        absent = await run(f"{address}/absent.m3u8")
        absent_told = await run(f"{address}/absent.m3u8", "--json")
    told = json.loads(own[1])
    assert (own[0], told["conforms"]) in ((0, True), (1, False))
    assert {rule["id"] for rule in told["rules"]} == {rule.id for rule in RULES}
    assert bad[0] == 1
    assert "target-duration" in bad[1]
    assert (absent[0], absent[1]) == (2, "")
    assert "HTTP 404" in absent[2]
    assert absent_told[0] == 2
    assert "HTTP 404" in json.loads(absent_told[1])["message"]
