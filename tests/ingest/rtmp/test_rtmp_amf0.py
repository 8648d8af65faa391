"""AMF0 values survive the way there and back; bombs do not go off."""

from __future__ import annotations

import math
import struct

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ingest.rtmp import amf0
from ingest.rtmp.errors import RtmpError

TEXT = st.text(st.characters(codec="utf-8"), max_size=20)
NAMES = TEXT.filter(bool)
VALUES = st.recursive(
    st.none() | st.booleans() | st.floats(allow_nan=False) | TEXT,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(NAMES, inner, max_size=4),
    max_leaves=20,
)


@given(st.lists(VALUES, max_size=5))
@settings(deadline=None)
def test_what_is_encoded_decodes_to_the_same(values: list[amf0.Value]) -> None:
    assert amf0.decode(amf0.encode(values)) == values


@given(st.binary(max_size=300))
@settings(deadline=None)
def test_any_bytes_decode_or_are_refused_by_type(data: bytes) -> None:
    try:
        amf0.decode(data)
    except RtmpError as error:
        assert error.code in {"amf_invalid", "amf_truncated", "amf_too_deep", "amf_too_large"}


def test_long_strings_take_the_long_form() -> None:
    assert amf0.decode(amf0.encode(["x" * 70_000])) == ["x" * 70_000]


def test_reads_what_only_peers_write() -> None:
    ecma = b"\x08\x00\x00\x00\x01" + b"\x00\x01a" + amf0.encode([1]) + b"\x00\x00\x09"
    date = b"\x0b" + struct.pack(">d", 5.0) + b"\x00\x00"
    typed = b"\x10\x00\x01T" + b"\x00\x01b" + amf0.encode([True]) + b"\x00\x00\x09"
    assert amf0.decode(ecma + date + typed + b"\x06\x0d") == [{"a": 1.0}, 5.0, {"b": True}, None, None]


def test_integers_become_doubles() -> None:
    (value,) = amf0.decode(amf0.encode([math.inf]))
    assert value == math.inf
    assert isinstance(amf0.decode(amf0.encode([3]))[0], float)


@pytest.mark.parametrize(
    ("data", "code"),
    [
        (b"\x0a\x00\x00\x00\x01" * 100, "amf_too_deep"),
        (b"\x03\x00\x01a" * 100, "amf_too_deep"),
        (b"\x0a\xff\xff\xff\xff", "amf_too_large"),
        (b"\x05" * 3000, "amf_too_large"),
        (b"\x0c\xff\xff\xff\xff", "amf_truncated"),
        (b"\x00\x00", "amf_truncated"),
        (b"\x07\x00\x00", "amf_invalid"),
        (b"\x11", "amf_invalid"),
    ],
)
def test_refuses(data: bytes, code: str) -> None:
    with pytest.raises(RtmpError) as refused:
        amf0.decode(data)
    assert refused.value.code == code
