"""Content encodings in pieces."""

from __future__ import annotations

import gzip
import zlib

import lz4.frame
import pytest
from hypothesis import given
from hypothesis import strategies as st

from topology.embedded.clickhouse.encoding import PIECE, Decoder, choose_encoding, encoder
from topology.embedded.clickhouse.errors import ClickHouseError

COMPRESS = {"lz4": lz4.frame.compress, "gzip": gzip.compress, "": bytes}
DECOMPRESS = {"lz4": lz4.frame.decompress, "gzip": lambda data: zlib.decompress(data, wbits=31), None: bytes}


@given(
    name=st.sampled_from(sorted(COMPRESS)),
    members=st.lists(st.binary(max_size=300), max_size=3),
    size=st.integers(1, 50),
)
def test_any_split_of_a_body_decodes_to_the_same_bytes(name: str, members: list[bytes], size: int) -> None:
    body = b"".join(COMPRESS[name](member) for member in members)
    decoder = Decoder(name)
    pieces = [piece for at in range(0, len(body), size) for piece in decoder.decode(body[at : at + size])]
    decoder.finish()
    assert b"".join(pieces) == b"".join(members)


@given(name=st.sampled_from(["lz4", "gzip", None]), blocks=st.lists(st.binary(max_size=200), max_size=4))
def test_encoded_blocks_decode_to_the_same_bytes(name: str | None, blocks: list[bytes]) -> None:
    out = encoder(name)
    body = b"".join(out.encode(block) for block in blocks) + out.finish()
    assert DECOMPRESS[name](body) == b"".join(blocks)


@pytest.mark.parametrize("name", ["lz4", "gzip"])
def test_a_bomb_comes_out_in_pieces_of_bounded_size(name: str) -> None:
    size = 20 * PIECE
    pieces = [len(piece) for piece in Decoder(name).decode(COMPRESS[name](bytes(size)))]
    assert sum(pieces) == size
    assert max(pieces) <= PIECE


@pytest.mark.parametrize("name", ["lz4", "gzip"])
def test_damage_and_an_early_end_are_refused(name: str) -> None:
    with pytest.raises(ClickHouseError, match="damaged"):
        list(Decoder(name).decode(b"not compressed at all"))
    cut = Decoder(name)
    list(cut.decode(COMPRESS[name](b"hello")[:-3]))
    with pytest.raises(ClickHouseError, match="too early"):
        cut.finish()


def test_the_first_encoding_that_we_speak_is_chosen() -> None:
    assert choose_encoding("zstd, lz4;q=1, gzip") == "lz4"
    assert choose_encoding("br") is None
    assert choose_encoding("") is None


def test_an_unknown_content_encoding_is_refused_by_name() -> None:
    with pytest.raises(ClickHouseError, match="snappy"):
        Decoder("snappy")
