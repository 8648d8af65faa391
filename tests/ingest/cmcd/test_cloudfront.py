"""Lines of CloudFront's real-time log."""

from __future__ import annotations

from urllib.parse import quote

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ingest.cmcd.cloudfront import FIELDS, LogError, in_order, order_of, read_line
from ingest.cmcd.parse import Cmcd

SAID = {
    "timestamp": "1790000000.125",
    "c-ip": "198.51.100.7",
    "sc-status": "200",
    "cs-uri-stem": "/live/stream/720p/segment4.m4s",
    "cs-user-agent": "A%20player",
}
CMCD = {
    "cmcd-session-id": "viewer-aaaa",
    "cmcd-encoded-bitrate": "2500",
    "cmcd-buffer-length": "1800",
    "cmcd-measured-throughput": "9000",
    "cmcd-object-type": "av",
    "cmcd-buffer-starvation": "true",
}


def line(fields: dict[str, str], order: tuple[str, ...] = FIELDS) -> str:
    """A line with these fields, `-` for all others."""
    return "\t".join((SAID | fields).get(name, "-") for name in order) + "\n"


def test_the_logs_own_fields_of_cmcd_are_read() -> None:
    request = read_line(line(CMCD), FIELDS)
    assert request is not None
    assert (request.at_ms, request.stream_id, request.status) == (1790000000125, "stream", 200)
    assert request.cmcd == Cmcd(sid="viewer-aaaa", br=2500, bl=1800, mtp=9000, ot="av", bs=True)


@pytest.mark.parametrize("encode", [lambda text: text, quote, lambda text: quote(quote(text))])
def test_without_them_the_query_is_read_however_often_it_was_encoded(encode: type[str]) -> None:
    order = ("timestamp", "sc-status", "cs-uri-stem", "cs-uri-query")
    query = f"_HLS_msn=7&CMCD={encode('br=2500,ot=av,sid=' + chr(34) + 'viewer-aaaa' + chr(34))}"
    request = read_line(line({"cs-uri-query": query}, order), order)
    assert request is not None
    assert request.cmcd == Cmcd(sid="viewer-aaaa", br=2500, ot="av")


@pytest.mark.parametrize(
    "fields",
    [
        {},
        CMCD | {"cs-uri-stem": "/favicon.ico"},
        CMCD | {"cs-uri-stem": "/private/s-1/vod/source/segment1.m4s"},
        CMCD | {"cmcd-session-id": "-"},
        CMCD | {"cmcd-session-id": "no good"},
        CMCD | {"cmcd-encoded-bitrate": "fast"},
    ],
)
def test_requests_that_tell_nothing_of_a_viewer_are_passed_over(fields: dict[str, str]) -> None:
    assert read_line(line(fields), FIELDS) is None


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("1790000000.125\t200\n", f"2 fields where {len(FIELDS)} are expected: set TALLY_CLOUDFRONT_LOG_FIELDS"),
        (line({"timestamp": "yesterday"}), "timestamp is seconds since 1970"),
        (line({"sc-status": "fine"}), "sc-status is a status of HTTP"),
        ("x" * 70_000, "longer than"),
    ],
)
def test_a_line_of_another_log_is_refused(text: str, reason: str) -> None:
    with pytest.raises(LogError, match=reason):
        read_line(text, FIELDS)


def test_the_order_of_the_fields_is_a_setting() -> None:
    assert order_of("") == FIELDS
    assert order_of("timestamp, sc-status,cs-uri-stem,cs-uri-query")[1] == "sc-status"


@pytest.mark.parametrize(
    ("fields", "reason"),
    [
        ("timestamp,sc-status,cs-uri-stem,colour", "'colour' is no field"),
        ("timestamp,cs-uri-stem,cs-uri-query", "needs the field sc-status"),
        ("timestamp,sc-status,cs-uri-stem", "cmcd-session-id"),
    ],
)
def test_an_order_that_cannot_do_is_refused(fields: str, reason: str) -> None:
    with pytest.raises(LogError, match=reason):
        order_of(fields)


def test_lines_come_as_edges_deliver_them_and_are_put_in_order() -> None:
    late, early = (read_line(line(CMCD | {"timestamp": time}), FIELDS) for time in ("1790000002", "1790000001.5"))
    assert late is not None
    assert early is not None
    assert in_order([late, early]) == [early, late]


@given(st.text())
def test_any_line_is_understood_or_refused(text: str) -> None:
    try:
        read_line(line(CMCD).replace("9000", text), FIELDS)
    except LogError as error:
        assert str(error)
