"""A stored corpus of client byte streams, mutated by seed: the server answers with typed faults and grows no further
than its limits. Add a file to `corpus/` for every fault found in the wild.
"""

from __future__ import annotations

import random
import tracemalloc
from pathlib import Path

import pytest

from ingest.media.tag import MediaTag
from ingest.rtmp.events import Broken, PublishRequested, Unpublished
from ingest.rtmp.handshake import RANDOM_SIZE
from ingest.rtmp.limits import Limits
from ingest.rtmp.session import ServerSession

CORPUS = sorted(Path(__file__).with_name("corpus").glob("*.rtmp"))
MUTANTS = 60
LIMITS = Limits(max_message=1 << 20, max_buffered=2 << 20)
GROWTH_MAX = 8 << 20
"""Bytes: the buffers of LIMITS, twice while one is copied, and room for the parser."""


def mutate(data: bytes, chance: random.Random) -> bytes:
    """A few edits behind the handshake's first byte, mostly small ones in the first kilobytes after it."""
    out = bytearray(data)
    for _ in range(chance.randint(1, 6)):
        place = min(3073 + int(chance.expovariate(1 / 800)), len(out) - 1)
        match chance.randrange(6):
            case 0:
                out[place] ^= 1 << chance.randrange(8)
            case 1:
                out[place] = chance.choice((0x00, 0x7F, 0x80, 0xFF))
            case 2:
                out[place : place + 4] = chance.choice((b"\xff\xff\xff\xff", b"\x00\x00\x00\x01", b"\x0a\xff\xff\xff"))
            case 3:
                del out[place : place + chance.randrange(1, 64)]
            case 4:
                out[place:place] = chance.randbytes(chance.randrange(1, 64))
            case _:
                out[place:place] = out[place : place + chance.randrange(1, 2000)] * chance.randrange(1, 8)
    return bytes(out)


def drive(data: bytes, step: int) -> list[str]:
    """Feed the bytes in steps, accepting the publish; what happened, by name."""
    session = ServerSession("live", bytes(RANDOM_SIZE), LIMITS)
    happened: list[str] = []
    for start in range(0, len(data), step):
        events = session.receive_data(data[start : start + step])
        if any(isinstance(event, PublishRequested) for event in events):
            events += session.accept_publish()
        happened += [event.code if isinstance(event, Broken) else type(event).__name__ for event in events]
        assert all(isinstance(event, MediaTag | PublishRequested | Unpublished | Broken) for event in events)
        assert len(session.data_to_send()) < 1 << 16
    return happened


@pytest.mark.parametrize("path", CORPUS, ids=lambda path: path.stem)
def test_the_stored_stream_does_what_its_name_says(path: Path) -> None:
    wanted = path.stem.partition(".")[0]
    happened = drive(path.read_bytes(), 4096)
    assert wanted in happened


@pytest.mark.parametrize("path", CORPUS, ids=lambda path: path.stem)
def test_mutants_are_taken_or_refused_by_name_within_bounds(path: Path) -> None:
    data = path.read_bytes()
    tracemalloc.start()
    try:
        before = tracemalloc.get_traced_memory()[0]
        for seed in range(MUTANTS):
            tracemalloc.reset_peak()
            mutant = mutate(data, random.Random(seed))
            drive(mutant, random.Random(seed).choice((7, 509, 4096, 65_536)))
            grown = tracemalloc.get_traced_memory()[1] - before - len(mutant)
            assert grown < GROWTH_MAX, f"seed {seed} of {path.name} grew by {grown} bytes"
    finally:
        tracemalloc.stop()
