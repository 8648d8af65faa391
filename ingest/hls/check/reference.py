"""`docs/hls-rules.md` from the rules, so that it cannot drift: `python -m ingest.hls.check.reference`."""

from __future__ import annotations

from pathlib import Path

from ingest.hls.check.report import section_name
from ingest.hls.check.rules import RULES

PAGE = Path(__file__).parents[3] / "docs" / "hls-rules.md"

HEAD = """# The rules of `check-hls`

Written by `python -m ingest.hls.check.reference` from `ingest/hls/check/rules/`; a test holds it against them.

`./tally check-hls URL` watches a stream for `--seconds` (20) as a low-latency player on another site does: it reads
the multivariant playlist and every media playlist in it, waits for each part by blocking reload, asks for hinted parts
before they exist, takes delta updates, fetches init segments, segments and parts, and tries directives that make no
sense. Then it judges what it saw. An ended stream is checked as it stands. It follows URIs and takes no name for
granted, so it checks anybody's HLS.

Each rule passes, fails with evidence, or is not applicable: the stream has nothing that the rule is about (a classic
playlist no parts, an ended one no reloads), or nothing of it came by while it was watched.

Sections are those of [RFC 8216bis](https://datatracker.ietf.org/doc/draft-pantos-hls-rfc8216bis/) unless they say
Apple (the HLS authoring specification for Apple devices), CMAF (ISO/IEC 23000-19), CORS (the Fetch standard) or CDN
(what lets one copy in a cache serve all viewers). MUST and SHOULD are as the section has it. Rules marked *timed* can
also fail because the network or the watching machine was slow.

| rule | section | | says |
|---|---|---|---|
"""

TAIL = """
What a client cannot see is not checked: that the whole route has TCP selective acknowledgements, that caches join
requests for one resource (B.1), and which version of HTTP a CDN in front will speak.

## Gaps, and pictures that last longer than a part

EXT-X-GAP says that a segment's URI has no media data (4.4.4.7), and GAP=YES that a part is not available (4.4.4.9). So
a segment of which the rendition has something is no gap; those of its parts that it lacks have GAP=YES, and its EXTINF
counts them, as all renditions share one time. A part is never longer than PART-TARGET, whatever the frame rate: it is
at least a frame of the first pictures, at most 2 s, and does not change. A picture that lasts on takes up the time of
the parts that follow, and a part within which no picture begins has GAP=YES. The sample keeps its duration, so whole
segments have no hole.

## What it found

Our own origin breaks no MUST that is not *timed*, in both profiles (`TALLY_HLS_PROFILE`), live, ended, and after a
publisher came back; with a picture a second, every 2.5 s, or with pictures missing; with rungs of the ladder, also when
one is given up. `tests/ingest/hls/check/test_observing.py` holds it to that. One MUST depends on the publisher: where
its keyframes are farther apart than a segment may be long, segments of `source` begin without one (Apple 7.4), while
the rungs' have a keyframe of their own.

Others, with `--seconds 20`, a test picture of 25 frames a second and a keyframe every two seconds, over a plain file
server, which accounts for gzip, types, caches and CORS:

- nginx 1.22.1 with libnginx-mod-rtmp 1.2.2, `hls on`: 21 rules passed, 3 MUST failed. Its own faults:
  `program-date-time`, and `discontinuity-sequence-steady`, since it begins with EXT-X-DISCONTINUITY and drops that
  without EXT-X-DISCONTINUITY-SEQUENCE.
- ffmpeg 5.1.9, `-f hls -hls_segment_type fmp4 -hls_flags program_date_time+delete_segments`, with `-master_pl_name`:
  34 passed, 6 MUST failed. Its own: `bandwidth-covers-peak`, `average-bandwidth`, `frame-rate`,
  `independent-segments-said`, `removed-still-there`.

Both are classic HLS: the report ends with what they lack for low latency, and no rule fails for that.
`tests/ingest/hls/check/test_peers.py` runs the first.
"""


def render() -> str:
    """The whole page as Markdown."""
    rows = (
        f"| `{rule.id}` | {section_name(rule.section).removeprefix('RFC 8216bis ')} | {rule.severity} "
        f"| {rule.text}{' (*timed*)' if rule.timed else ''} |\n"
        for rule in RULES
    )
    return HEAD + "".join(rows) + TAIL


if __name__ == "__main__":
    PAGE.write_text(render())
