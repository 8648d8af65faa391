"""Rendering MPDs (ISO/IEC 23009-1; DASH-IF IOP, low latency live). Pure."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from fractions import Fraction
from itertools import groupby

from ingest.dash.line import Run
from ingest.dash.periods import Period, Representation

_PROFILES = "urn:mpeg:dash:profile:isoff-live:2011,urn:mpeg:dash:profile:cmaf:2019"
_TIME_SCHEME = "urn:mpeg:dash:utc:http-iso:2014"
_CHANNELS_SCHEME = "urn:mpeg:dash:23003:3:audio_channel_configuration:2011"
_ROLE = '<Role schemeIdUri="urn:mpeg:dash:role:2011" value="main"/>\n'
_RATE_TOLERANCE = 0.005
_UPDATE_S = 1
"""How long players keep an MPD: it has a new segment up to this long after the segment begins."""
_LATENCY_MS, _LATENCY_MIN_MS, _LATENCY_MAX_MS = 3500, 2000, 8000
"""That players aim at: what they know of may be two seconds old, one here and one at a CDN."""


@dataclass(frozen=True)
class Presentation:
    """All that an MPD shows at one moment. Unix times and durations in seconds."""

    started_at_s: float
    published_at_s: float
    ended: bool
    window_s: float
    """How far back it reaches."""
    segment_s: float
    """Longest duration of a segment."""
    early_s: float
    """How long before its end a segment can be asked for."""
    time_url: str
    periods: Sequence[Period]
    bandwidths: Mapping[str, int]
    """Of each rendition, bit/s."""
    independent: bool
    """Each segment can be decoded by itself."""


def render_mpd(shown: Presentation) -> str:
    """The MPD: dynamic while the stream is live, static when it is over."""
    return "".join(
        (
            '<?xml version="1.0" encoding="UTF-8"?>\n<MPD xmlns="urn:mpeg:dash:schema:mpd:2011"',
            f' profiles="{_PROFILES}" type="{"static" if shown.ended else "dynamic"}"',
            f' availabilityStartTime="{moment(shown.started_at_s)}" publishTime="{moment(shown.published_at_s)}"',
            _ended(shown) if shown.ended else _live(shown),
            f' maxSegmentDuration="{_duration(shown.segment_s)}" minBufferTime="PT1S">\n',
            "" if shown.ended else _service_description(),
            *(_period(shown, period) for period in shown.periods),
            "" if shown.ended else f'<UTCTiming schemeIdUri="{_TIME_SCHEME}" value="{shown.time_url}"/>\n',
            "</MPD>\n",
        )
    )


def moment(unix_s: float) -> str:
    """ISO 8601, to the millisecond."""
    return datetime.fromtimestamp(unix_s, UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def _live(shown: Presentation) -> str:
    return f' minimumUpdatePeriod="{_duration(_UPDATE_S)}" timeShiftBufferDepth="{_duration(shown.window_s)}"'


def _ended(shown: Presentation) -> str:
    return f' mediaPresentationDuration="{_duration(shown.periods[-1].end_s)}"'


def _service_description() -> str:
    return (
        '<ServiceDescription id="0">'
        f'<Latency target="{_LATENCY_MS}" min="{_LATENCY_MIN_MS}" max="{_LATENCY_MAX_MS}" referenceId="0"/>'
        '<PlaybackRate min="0.96" max="1.04"/></ServiceDescription>\n'
    )


def _period(shown: Presentation, period: Period) -> str:
    sets = groupby(sorted(period.representations.items(), key=_placed), key=lambda item: _family(item[1]))
    content = "".join(
        _adaptation_set(shown, period, number, [each for _, each in members])
        for number, (_, members) in enumerate(sets, 1)
    )
    return f'<Period id="{period.first_number}" start="{_duration(period.start_s)}">\n{content}</Period>\n'


def _placed(item: tuple[str, Representation]) -> tuple[bool, str, int, str]:
    """Pictures before sound, by codec, the largest first."""
    name, each = item
    return not each.rendition.width, _family(each), -each.rendition.height, name


def _family(each: Representation) -> str:
    """Players switch within a codec only."""
    return each.rendition.codecs.partition(".")[0]


def _adaptation_set(shown: Presentation, period: Period, number: int, members: Iterable[Representation]) -> str:
    members = list(members)
    first = members[0].rendition
    kind = "video" if first.width else "audio"
    sap = ' startWithSAP="1"' if shown.independent or kind == "audio" else ""
    head = f'<AdaptationSet id="{number}" contentType="{kind}" mimeType="{kind}/mp4" segmentAlignment="true"{sap}>\n'
    reference = ""
    if not shown.ended:
        reference = (
            f'<ProducerReferenceTime id="0" type="captured" wallClockTime="{moment(period.starts_at_s)}"'
            f' presentationTime="{_offset(period, members[0])}">'
            f'<UTCTiming schemeIdUri="{_TIME_SCHEME}" value="{shown.time_url}"/></ProducerReferenceTime>\n'
        )
    channels = ""
    if first.channels:
        channels = f'<AudioChannelConfiguration schemeIdUri="{_CHANNELS_SCHEME}" value="{first.channels}"/>\n'
    listed = "".join(_representation(shown, period, each) for each in members)
    return f"{head}{channels}{reference}{_ROLE}{listed}</AdaptationSet>\n"


def _representation(shown: Presentation, period: Period, each: Representation) -> str:
    rendition = each.rendition
    attributes = f'id="{rendition.name}" codecs="{rendition.codecs}" bandwidth="{shown.bandwidths[rendition.name]}"'
    if rendition.width:
        attributes += f' width="{rendition.width}" height="{rendition.height}"'
        if rate := _exact(rendition.frame_rate):
            attributes += f' frameRate="{rate}"'
    else:
        attributes += f' audioSamplingRate="{rendition.timescale}"'
    early = "" if shown.ended else f' availabilityTimeOffset="{shown.early_s:.3f}" availabilityTimeComplete="false"'
    return (
        f"<Representation {attributes}>\n"
        f'<SegmentTemplate timescale="{rendition.timescale}" presentationTimeOffset="{_offset(period, each)}"'
        f' initialization="$RepresentationID$/init{each.init}.mp4" media="$RepresentationID$/segment$Number$.m4s"'
        f' startNumber="{period.oldest_number}"{early}>\n'
        f"<SegmentTimeline>{_timeline(each.line.runs())}</SegmentTimeline>\n</SegmentTemplate>\n</Representation>\n"
    )


def _exact(frame_rate: float) -> Fraction:
    """What an encoder means by a rate that may have been learnt: whole, a whole one over 1.001, or another."""
    for meant in (Fraction(round(frame_rate)), Fraction(round(frame_rate * 1.001) * 1000, 1001)):
        if abs(frame_rate - meant) < _RATE_TOLERANCE:
            return meant
    return Fraction(frame_rate).limit_denominator(1001)


def _timeline(runs: Iterable[Run]) -> str:
    elements, at = [], None
    for run in runs:
        start = "" if run.start == at else f't="{run.start}" '
        repeat = f' r="{run.segments - 1}"' if run.segments > 1 else ""
        elements.append(f'<S {start}d="{run.duration}"{repeat}/>')
        at = run.end
    return "".join(elements)


def _offset(period: Period, each: Representation) -> int:
    return round(period.media_s * each.rendition.timescale)


def _duration(value_s: float) -> str:
    return f"PT{value_s:.6f}".rstrip("0").rstrip(".") + "S"
