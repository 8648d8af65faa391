"""A stream's health: how it is now with advice, and its timelines."""

from __future__ import annotations

import uuid
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from itertools import count
from typing import Any

import pytest

from schemas.events.stream_health import (
    EncoderAnnounced,
    HealthChanged,
    HealthSampled,
    StarvationEnded,
    StarvationStarted,
)
from schemas.events.streams import StreamStarted
from tests.query_api.conftest import Edge

pytestmark = pytest.mark.stack

BEGAN = datetime.now(UTC).replace(microsecond=0) - timedelta(minutes=10)


class Told:
    """A stream of its own, and what is told of its health."""

    _channels: Iterator[int] = count(20_000)

    def __init__(self, edge: Edge) -> None:
        self.edge = edge
        self.stream_id = str(uuid.uuid4())
        self.channel_id = str(next(self._channels))
        self._where = {"stream_id": self.stream_id, "channel_id": self.channel_id}
        facts = {"session_id": "s", "node": "n", "playback_path": f"/live/{self.stream_id}/index.m3u8"}
        started = StreamStarted(**self._head(0), **self._where, **facts)
        self.token = edge.append(started, partitioned_by=self.channel_id)

    def sampled(self, at_s: int, **values: Any) -> None:
        measured = {"duration_ms": 2000, "bitrate_kbps": 2500.5, "frame_rate": 30.0, "gop_ms": 2000, "av_skew_ms": 5}
        blank = {"dts_gaps": 0, "drift_ms": 1, "status": "ok", "sequence": at_s // 2}
        self._append(HealthSampled(**self._head(at_s), **self._where, **(measured | blank | values)))

    def changed(self, at_s: int, **codes: str) -> None:
        """Codes with their severities."""
        status = "error" if "error" in codes.values() else "warning" if "warning" in codes.values() else "ok"
        said = {"codes": list(codes), "severities": list(codes.values())}
        self._append(HealthChanged(**self._head(at_s), **self._where, status=status, previous="ok", **said))

    def starved(self, from_s: int, until_s: int) -> None:
        self._append(
            StarvationStarted(**self._head(from_s), **self._where, behind_ms=2000),
            StarvationEnded(**self._head(until_s), **self._where, lasted_ms=(until_s - from_s) * 1000),
        )

    def announced(self, at_s: int, **values: Any) -> None:
        self._append(EncoderAnnounced(**self._head(at_s), **self._where, **values))

    def ask(self, **query: Any) -> dict[str, Any]:
        answer = self.edge.client.get(
            f"/streams/{self.stream_id}/health", params=query, headers={"Tally-Consistency": self.token}
        )
        assert answer.status_code == 200, answer.text
        page: dict[str, Any] = answer.json()
        return page

    def health(self, **query: Any) -> dict[str, Any]:
        health: dict[str, Any] = self.ask(**query)["data"][0]
        return health

    def _append(self, *events: Any) -> None:
        self.token = self.edge.append(*events)

    def _head(self, at_s: float) -> dict[str, Any]:
        when = {"event_id": str(uuid.uuid4()), "occurred_at": BEGAN + timedelta(seconds=at_s)}
        return {**when, "actor": "system:tests", "correlation_id": "tests"}


@pytest.fixture
def told(edge: Edge) -> Told:
    return Told(edge)


def at(seconds: int) -> datetime:
    return BEGAN + timedelta(seconds=seconds)


def test_a_stream_without_a_segment_has_no_judgement_yet(told: Told) -> None:
    health = told.health()
    assert health["now"] == {"status": "unknown", "since": None, "advice": []}
    assert (health["encoder"], health["samples"], health["starvations"]) == (None, [], [])


def test_a_stream_that_nobody_knows_is_said_so(edge: Edge) -> None:
    assert edge.client.get(f"/streams/{uuid.uuid4()}/health").status_code == 404


def test_a_stream_that_never_changed_is_well_since_its_start(told: Told) -> None:
    told.sampled(2)
    now = told.health()["now"]
    assert (now["status"], datetime.fromisoformat(now["since"]), now["advice"]) == ("ok", at(0), [])


def test_each_code_has_its_severity_its_beginning_and_advice_from_what_was_measured(told: Told) -> None:
    told.changed(10, gopSizeLong="warning")
    told.changed(20)
    told.changed(30, bFramesPresent="info")
    told.changed(40, bFramesPresent="info", gopSizeLong="warning")
    told.changed(50, bFramesPresent="info", gopSizeLong="warning", storageFailed="error")
    told.sampled(52, gop_ms=8000, b_frames=2, status="error")
    now = told.health()["now"]
    assert (now["status"], datetime.fromisoformat(now["since"])) == ("error", at(50))
    said = {one["code"]: (one["severity"], datetime.fromisoformat(one["since"])) for one in now["advice"]}
    assert said == {
        "bFramesPresent": ("info", at(30)),
        "gopSizeLong": ("warning", at(40)),
        "storageFailed": ("error", at(50)),
    }
    messages = {one["code"]: one["message"] for one in now["advice"]}
    assert messages["gopSizeLong"] == "Your encoder's keyframe interval is 8 s; set it to 2 s."
    assert "2 B-frames in a row" in messages["bFramesPresent"]


def test_a_code_that_always_held_began_with_the_first_change_that_is_known(told: Told) -> None:
    told.changed(10, gopSizeLong="warning")
    told.changed(20, gopSizeLong="warning", bitrateLow="warning")
    (low, long) = told.health()["now"]["advice"][::-1]
    assert (low["code"], datetime.fromisoformat(low["since"])) == ("bitrateLow", at(20))
    assert (long["code"], datetime.fromisoformat(long["since"])) == ("gopSizeLong", at(10))


def test_a_change_from_before_codes_had_severities_counts_as_a_warning(told: Told) -> None:
    told._append(HealthChanged(**told._head(1), **told._where, status="warning", previous="ok", codes=["gopSizeLong"]))
    (advice,) = told.health()["now"]["advice"]
    assert (advice["code"], advice["severity"]) == ("gopSizeLong", "warning")


def test_the_encoders_latest_word_is_shown_and_held_against_what_it_sends(told: Told) -> None:
    told.announced(1, encoder="Encoder 1", configured_width=640)
    told.announced(2, encoder="Encoder 2", configured_width=1920, configured_height=1080, configured_video_kbps=6000.0)
    told.sampled(4, width=1280, height=720)
    told.changed(5, configuredResolutionMismatch="warning")
    health = told.health()
    assert (health["encoder"]["encoder"], health["encoder"]["configured_video_kbps"]) == ("Encoder 2", 6000.0)
    assert "says 1920x1080 and sends 1280x720" in health["now"]["advice"][0]["message"]


def test_starvations_have_their_starts_and_ends(told: Told) -> None:
    told.starved(10, 16)
    over, began = told.health()["starvations"]
    assert (began["starving"], began["ms"], datetime.fromisoformat(began["noticed_at"])) == (True, 2000, at(10))
    assert (over["starving"], over["ms"]) == (False, 6000)


def test_samples_come_in_pages_newest_first(told: Told) -> None:
    for second in (0, 2, 4, 6, 8):
        told.sampled(second, brightness=None, loudness_dbfs=-20.5)
    page = told.ask(first=3)
    assert [sample["sequence"] for sample in page["data"][0]["samples"]] == [4, 3, 2]
    assert page["data"][0]["samples"][0]["loudness_dbfs"] == -20.5
    rest = told.ask(first=3, after=page["pagination"]["cursor"])
    assert [sample["sequence"] for sample in rest["data"][0]["samples"]] == [1, 0]
    assert rest["pagination"] == {}


def test_the_timelines_can_be_cut_to_a_range_and_now_stays_now(told: Told) -> None:
    for second in (0, 10, 20, 30):
        told.sampled(second)
        told.changed(second, **({"gopSizeLong": "warning"} if second != 10 else {}))
    told.starved(5, 25)
    health = told.health(started_at=at(10).isoformat(), ended_at=at(30).isoformat())
    assert [sample["sequence"] for sample in health["samples"]] == [10, 5]
    assert [len(change["codes"]) for change in health["changes"]] == [1, 0]
    assert [one["starving"] for one in health["starvations"]] == [False]
    assert datetime.fromisoformat(health["now"]["since"]) == at(30)


@pytest.mark.parametrize("wrong", ["yesterday", "2026-01-01T00:00:00", "0001-01-01T00:00:00+23:00"])
def test_a_time_that_is_none_is_refused_by_name(told: Told, wrong: str) -> None:
    answer = told.edge.client.get(f"/streams/{told.stream_id}/health", params={"started_at": wrong})
    assert answer.status_code == 400
    assert "started_at" in answer.json()["message"]
