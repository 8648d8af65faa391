"""CloudFront's real-time log: what a cache saw of players that the origin did not. Pure.

A line holds the chosen fields in the documentation's order, separated by tabs (CloudFront Developer Guide, "Use
real-time access logs"). Addresses and user agents are not looked at.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from typing import NamedTuple
from urllib.parse import parse_qs, unquote

from ingest.cmcd.parse import QUERY, Cmcd, CmcdError, parse

FIELDS = (
    *(
        "timestamp",
        "c-ip",
        "s-ip",
        "time-to-first-byte",
        "sc-status",
        "sc-bytes",
        "cs-method",
        "cs-protocol",
        "cs-host",
    ),
    *("cs-uri-stem", "cs-bytes", "x-edge-location", "x-edge-request-id", "x-host-header", "time-taken"),
    *("cs-protocol-version", "c-ip-version", "cs-user-agent", "cs-referer", "cs-cookie", "cs-uri-query"),
    *("x-edge-response-result-type", "x-forwarded-for", "ssl-protocol", "ssl-cipher", "x-edge-result-type"),
    *("fle-encrypted-fields", "fle-status", "sc-content-type", "sc-content-len", "sc-range-start", "sc-range-end"),
    *("c-port", "x-edge-detailed-result-type", "c-country", "cs-accept-encoding", "cs-accept"),
    *("cache-behavior-path-pattern", "cs-headers", "cs-header-names", "cs-headers-count"),
    *("primary-distribution-id", "primary-distribution-dns-name", "origin-fbl", "origin-lbl", "asn"),
    *("cmcd-encoded-bitrate", "cmcd-buffer-length", "cmcd-buffer-starvation", "cmcd-content-id"),
    *("cmcd-object-duration", "cmcd-deadline", "cmcd-measured-throughput", "cmcd-next-object-request"),
    *("cmcd-next-range-request", "cmcd-object-type", "cmcd-playback-rate", "cmcd-requested-maximum-throughput"),
    *("cmcd-streaming-format", "cmcd-session-id", "cmcd-stream-type", "cmcd-startup", "cmcd-top-bitrate"),
    *("cmcd-version", "r-host", "sr-reason", "x-edge-mqcs", "distribution-tenant-id", "connection-id"),
)
"""Every field, in the order of the documentation, which is the log's."""

NEEDED = ("timestamp", "sc-status", "cs-uri-stem")
MAX_LINE = 65_536

_KEYS = {
    "cmcd-encoded-bitrate": "br",
    "cmcd-buffer-length": "bl",
    "cmcd-measured-throughput": "mtp",
    "cmcd-object-type": "ot",
}
_FLAGS = {"cmcd-buffer-starvation": "bs", "cmcd-startup": "su"}
_ABSENT = ("-", "")
_MEDIA = re.compile(r"/(?:live|private)/([A-Za-z0-9_-]{1,64})/(?!vod/)")
"""Of what is live; recordings have no viewers that are counted."""
_TIMESTAMP = re.compile(r"[0-9]{1,11}(\.[0-9]{1,9})?")
_STATUS = re.compile(r"[0-9]{3}")


class LogError(ValueError):
    """A line that is not of this log; says which field is wrong."""


class Request(NamedTuple):
    """One request of a player that told its CMCD. `at_ms` is when CloudFront finished answering, ms since 1970."""

    at_ms: int
    stream_id: str
    status: int
    cmcd: Cmcd


def order_of(fields: str) -> tuple[str, ...]:
    """The fields of a setting: names separated by commas, or "" for all. Raises LogError."""
    if not fields.strip():
        return FIELDS
    names = tuple(name.strip() for name in fields.split(","))
    if unknown := [name for name in names if name not in FIELDS]:
        raise LogError(f"{unknown[0]!r} is no field of CloudFront's real-time log")
    if missing := [name for name in NEEDED if name not in names]:
        raise LogError(f"the log needs the field {missing[0]}")
    if not {"cmcd-session-id", "cs-uri-query"} & set(names):
        raise LogError("the log needs cmcd-session-id and the other cmcd fields, or cs-uri-query")
    return names


def read_line(line: str, order: Sequence[str]) -> Request | None:
    """The request of a line; None for one without CMCD, or of something else than a stream. Raises LogError."""
    if len(line) > MAX_LINE:
        raise LogError(f"longer than {MAX_LINE} characters")
    values = line.rstrip("\r\n").split("\t")
    if len(values) != len(order):
        raise LogError(
            f"{len(values)} fields where {len(order)} are expected: set TALLY_CLOUDFRONT_LOG_FIELDS to the log's"
        )
    row = dict(zip(order, values, strict=True))
    if not (media := _MEDIA.match(row["cs-uri-stem"])):
        return None
    if not _TIMESTAMP.fullmatch(row["timestamp"]):
        raise LogError("timestamp is seconds since 1970")
    if not _STATUS.fullmatch(row["sc-status"]):
        raise LogError("sc-status is a status of HTTP, or 000 for a viewer who did not wait")
    text = _of_fields(row) or _of_query(row.get("cs-uri-query", ""))
    if not text:
        return None
    try:
        return Request(round(float(row["timestamp"]) * 1000), media[1], int(row["sc-status"]), parse(text))
    except CmcdError:
        return None


def in_order(requests: Iterable[Request]) -> list[Request]:
    """By time; edges deliver their lines as they come."""
    return sorted(requests, key=lambda request: (request.at_ms, request.stream_id, request.cmcd.sid))


def _of_fields(row: dict[str, str]) -> str:
    """CMCD's text from CloudFront's own fields for it; "" without a session."""
    if row.get("cmcd-session-id", "-") in _ABSENT:
        return ""
    session_id = unquote(row["cmcd-session-id"]).strip('"')
    said = [f'sid="{session_id}"']
    said += [f"{key}={row[field]}" for field, key in _KEYS.items() if row.get(field, "-") not in _ABSENT]
    said += [key for field, key in _FLAGS.items() if row.get(field, "-").lower() in ("true", "1", "?1")]
    return ",".join(said)


def _of_query(query: str) -> str:
    if f"{QUERY}=" not in query:
        return ""
    # The log encodes what players have encoded already: the percent signs of the query's own are %25 there.
    return parse_qs(unquote(query) if "%25" in query else query, max_num_fields=64).get(QUERY, [""])[0]
