"""Whatever a stream's renditions do, its MPD names what is there, and stands by what it said."""

from __future__ import annotations

import asyncio
from pathlib import Path
from tempfile import TemporaryDirectory
from xml.etree import ElementTree

from hypothesis import settings
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from ingest.dash.serving import _Manifest
from ingest.hls.backlog import WindowLimits
from ingest.hls.playback import Playback
from tests.ingest.hls.stage import Stage, window_of

DASH = "{urn:mpeg:dash:schema:mpd:2011}"
Shown = dict[tuple[str, int], tuple[str, int]]


class AnyStream(RuleBasedStateMachine):
    """A window of eight seconds, and renditions that come and go. The MPD is looked at after each step."""

    def __init__(self) -> None:
        super().__init__()
        self.directory = TemporaryDirectory()
        limits = WindowLimits(listed_s=8.0, unlisted_s=4.0)
        self.stage = Stage(Playback("stream", Path(self.directory.name), limits), ["source", "audio"])
        self.manifest = _Manifest()
        self.inits = 0
        self.starts: dict[str, str] = {}
        self.shown: Shown = {}

    def teardown(self) -> None:
        self.directory.cleanup()

    @property
    def open(self) -> bool:
        return bool(self.stage.playback.timeline.slots)

    @initialize()
    def start(self) -> None:
        self.stage.add_parts(1)

    @rule()
    def publish(self) -> None:
        self.stage.add_parts(3)

    @precondition(lambda self: self.open)
    @rule()
    def end_segment(self) -> None:
        self.stage.close()

    @rule()
    def publish_segments(self) -> None:
        self.stage.add_parts(10, close=True)
        self.stage.add_segments(2)

    @precondition(lambda self: not self.open)
    @rule()
    def republish(self) -> None:
        self.inits += 1
        self.stage.begin(b"init %d" % self.inits)

    @precondition(lambda self: not self.open and "360p" not in self.stage.names)
    @rule()
    def join(self) -> None:
        self.stage.join("360p", b"init %d" % self.inits)

    @precondition(lambda self: "360p" in self.stage.names)
    @rule()
    def leave(self) -> None:
        self.stage.leave("360p")

    @invariant()
    def what_the_mpd_names_is_there_and_stays_as_it_was_said(self) -> None:
        playback = self.stage.playback
        if not asyncio.run(self.manifest.refresh(playback, "/time")):
            return
        root = ElementTree.fromstring(self.manifest.plain)
        shown: Shown = {}
        for period in root.iter(DASH + "Period"):
            assert self.starts.setdefault(period.attrib["id"], period.attrib["start"]) == period.attrib["start"]
            for representation in period.iter(DASH + "Representation"):
                shown.update(self._segments(period.attrib["id"], representation))
        assert shown
        for key, said in shown.items():
            assert self.shown.setdefault(key, said) == said
        self.shown = shown

    def _segments(self, period: str, representation: ElementTree.Element) -> Shown:
        name = representation.attrib["id"]
        window = window_of(self.stage.playback, name)
        (template,) = representation.iter(DASH + "SegmentTemplate")
        number, at = int(template.attrib["startNumber"]), 0
        segments: Shown = {}
        for element in template.iter(DASH + "S"):
            at = int(element.attrib.get("t", at))
            for _ in range(1 + int(element.attrib.get("r", 0))):
                entry = window.find(number)
                assert entry and entry.size and entry.ticks.start == at
                assert template.attrib["initialization"] == f"$RepresentationID$/init{entry.init}.mp4"
                assert window.init(entry.init)
                segments[name, number] = period, at
                number, at = number + 1, at + int(element.attrib["d"])
        return segments


TestAnyStream = AnyStream.TestCase
TestAnyStream.settings = settings(max_examples=40, stateful_step_count=30, deadline=None)
