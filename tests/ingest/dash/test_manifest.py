"""The MPD says what ISO/IEC 23009-1 and the DASH-IF's low latency guidelines ask for."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from fractions import Fraction
from xml.etree import ElementTree

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ingest.dash.line import Line
from ingest.dash.manifest import Presentation, render_mpd
from ingest.dash.periods import Period, Representation
from ingest.hls.entries import Rendition, Ticks

NOON_S = 1_795_608_000.0
SOURCE = Rendition("source", "avc1.64001f", 1280, 720, 30_000 / 1001)
RUNG = Rendition("360p", "avc1.4d401e", 640, 360, 30.0)
HEVC = Rendition("source", "hvc1.1.6.L93.B0", 1920, 1080, 50.0)
AUDIO = Rendition("audio", "mp4a.40.2", channels=2, timescale=48_000)
DASH = "{urn:mpeg:dash:schema:mpd:2011}"

GOLDEN = """\
<?xml version="1.0" encoding="UTF-8"?>
<MPD xmlns="urn:mpeg:dash:schema:mpd:2011" \
profiles="urn:mpeg:dash:profile:isoff-live:2011,urn:mpeg:dash:profile:cmaf:2019" type="dynamic" \
availabilityStartTime="2026-11-25T12:00:00.000Z" publishTime="2026-11-25T12:00:16.500Z" \
minimumUpdatePeriod="PT1S" timeShiftBufferDepth="PT7200S" maxSegmentDuration="PT4S" minBufferTime="PT1S">
<ServiceDescription id="0"><Latency target="3500" min="2000" max="8000" referenceId="0"/>\
<PlaybackRate min="0.96" max="1.04"/></ServiceDescription>
<Period id="7" start="PT10.25S">
<AdaptationSet id="1" contentType="video" mimeType="video/mp4" segmentAlignment="true" startWithSAP="1">
<ProducerReferenceTime id="0" type="captured" wallClockTime="2026-11-25T12:00:10.250Z" presentationTime="720000">\
<UTCTiming schemeIdUri="urn:mpeg:dash:utc:http-iso:2014" value="https://live.example/time"/></ProducerReferenceTime>
<Role schemeIdUri="urn:mpeg:dash:role:2011" value="main"/>
<Representation id="source" codecs="avc1.64001f" bandwidth="2500000" width="1280" height="720" frameRate="30000/1001">
<SegmentTemplate timescale="90000" presentationTimeOffset="720000" initialization="$RepresentationID$/init2.mp4" \
media="$RepresentationID$/segment$Number$.m4s" startNumber="7" \
availabilityTimeOffset="1.800" availabilityTimeComplete="false">
<SegmentTimeline><S t="720000" d="180000" r="1"/><S d="90000"/></SegmentTimeline>
</SegmentTemplate>
</Representation>
</AdaptationSet>
<AdaptationSet id="2" contentType="audio" mimeType="audio/mp4" segmentAlignment="true" startWithSAP="1">
<AudioChannelConfiguration schemeIdUri="urn:mpeg:dash:23003:3:audio_channel_configuration:2011" value="2"/>
<ProducerReferenceTime id="0" type="captured" wallClockTime="2026-11-25T12:00:10.250Z" presentationTime="384000">\
<UTCTiming schemeIdUri="urn:mpeg:dash:utc:http-iso:2014" value="https://live.example/time"/></ProducerReferenceTime>
<Role schemeIdUri="urn:mpeg:dash:role:2011" value="main"/>
<Representation id="audio" codecs="mp4a.40.2" bandwidth="128000" audioSamplingRate="48000">
<SegmentTemplate timescale="48000" presentationTimeOffset="384000" initialization="$RepresentationID$/init2.mp4" \
media="$RepresentationID$/segment$Number$.m4s" startNumber="7" \
availabilityTimeOffset="1.800" availabilityTimeComplete="false">
<SegmentTimeline><S t="384000" d="96000" r="1"/><S d="48000"/></SegmentTimeline>
</SegmentTemplate>
</Representation>
</AdaptationSet>
</Period>
<UTCTiming schemeIdUri="urn:mpeg:dash:utc:http-iso:2014" value="https://live.example/time"/>
</MPD>
"""


def period(
    renditions: Sequence[Rendition],
    durations_s: Sequence[Fraction | float] = (2, 2, 1),
    number: int = 7,
    start_s: float = 10.25,
    media_s: float = 8.0,
) -> Period:
    representations = {}
    for rendition in renditions:
        line, at_s = Line(), Fraction(media_s)
        for duration_s in durations_s:
            until_s = at_s + Fraction(duration_s)
            line.add(Ticks(round(at_s * rendition.timescale), round(until_s * rendition.timescale)))
            at_s = until_s
        representations[rendition.name] = Representation(rendition, 2, line)
    last = number + len(durations_s) - 1
    return Period(number, start_s, NOON_S + start_s, media_s, 0, representations, number, last)


def shown(*periods: Period, ended: bool = False) -> Presentation:
    return Presentation(
        started_at_s=NOON_S,
        published_at_s=NOON_S + 16.5,
        ended=ended,
        window_s=7200.0,
        segment_s=4.0,
        early_s=1.8,
        time_url="https://live.example/time",
        periods=periods,
        bandwidths={"source": 2_500_000, "360p": 800_000, "audio": 128_000},
        independent=True,
    )


def parsed(presentation: Presentation) -> ElementTree.Element:
    return ElementTree.fromstring(render_mpd(presentation))


def attributes(root: ElementTree.Element, name: str) -> list[Mapping[str, str]]:
    return [element.attrib for element in root.iter(DASH + name)]


def test_a_live_stream_reads_like_this() -> None:
    assert render_mpd(shown(period([SOURCE, AUDIO]))) == GOLDEN


def test_a_stream_that_is_over_is_static_and_says_how_long_it_was() -> None:
    root = parsed(shown(period([SOURCE, AUDIO], start_s=0.0), period([SOURCE, AUDIO], number=10), ended=True))
    assert (root.attrib["type"], root.attrib["mediaPresentationDuration"]) == ("static", "PT15.25S")
    assert "minimumUpdatePeriod" not in root.attrib
    names = {element.tag.removeprefix(DASH) for element in root.iter()}
    assert not names & {"UTCTiming", "ServiceDescription", "ProducerReferenceTime"}
    assert all("availabilityTimeOffset" not in each for each in attributes(root, "SegmentTemplate"))


def test_renditions_of_one_codec_are_one_set_the_largest_first() -> None:
    root = parsed(shown(period([AUDIO, RUNG, SOURCE])))
    (video, audio) = root.iter(DASH + "AdaptationSet")
    assert [each.attrib["id"] for each in video.iter(DASH + "Representation")] == ["source", "360p"]
    assert [each.attrib["id"] for each in audio.iter(DASH + "Representation")] == ["audio"]


def test_players_are_not_asked_to_switch_between_codecs() -> None:
    root = parsed(shown(period([HEVC, RUNG, AUDIO])))
    sets = [
        [each.attrib["id"] for each in one.iter(DASH + "Representation")] for one in root.iter(DASH + "AdaptationSet")
    ]
    assert sets == [["360p"], ["source"], ["audio"]]
    assert [one["id"] for one in attributes(root, "AdaptationSet")] == ["1", "2", "3"]


def test_segments_that_cannot_be_decoded_alone_are_not_said_to_be() -> None:
    root = parsed(replace(shown(period([SOURCE, AUDIO])), independent=False))
    assert ["startWithSAP" in each for each in attributes(root, "AdaptationSet")] == [False, True]


def test_sound_alone_has_one_set() -> None:
    (only,) = attributes(parsed(shown(period([AUDIO]))), "AdaptationSet")
    assert only["contentType"] == "audio"


def test_periods_keep_their_ids_and_starts_while_their_segments_go() -> None:
    one = period([SOURCE])
    before = parsed(shown(one))
    for each in one.representations.values():
        each.line.drop()
    one.oldest_number += 1
    after = parsed(shown(one))
    assert attributes(before, "Period") == attributes(after, "Period")
    (template,), (element, *_) = attributes(after, "SegmentTemplate"), attributes(after, "S")
    assert (template["startNumber"], template["presentationTimeOffset"], element["t"]) == ("8", "720000", "900000")


@pytest.mark.parametrize(
    ("rate", "said"), [(29.97003, "30000/1001"), (59.9401, "60000/1001"), (25.0, "25"), (1.0, "1"), (12.5, "25/2")]
)
def test_frame_rates_are_exact(rate: float, said: str) -> None:
    (video,) = attributes(parsed(shown(period([replace(SOURCE, frame_rate=rate)]))), "Representation")
    assert video["frameRate"] == said


@given(st.lists(st.sampled_from([Fraction(2), Fraction(1001, 500), Fraction(47, 25)]), min_size=1, max_size=50))
def test_the_elements_of_each_timeline_sum_up_to_the_media(durations_s: list[Fraction]) -> None:
    root = parsed(shown(period([SOURCE, AUDIO], durations_s)))
    for template in root.iter(DASH + "SegmentTemplate"):
        elements = attributes(template, "S")
        repeats = [1 + int(each.get("r", "0")) for each in elements]
        ticks = sum(int(each["d"]) * count for each, count in zip(elements, repeats, strict=True))
        assert sum(repeats) == len(durations_s)
        assert abs(ticks - float(sum(durations_s)) * int(template.attrib["timescale"])) <= 1


def test_two_hours_of_even_segments_are_small() -> None:
    text = render_mpd(shown(period([SOURCE, RUNG, AUDIO], [2] * 3600)))
    assert len(text) < 4_000
