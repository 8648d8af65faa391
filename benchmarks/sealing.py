"""CPU of encoding and decoding chat messages with their personal texts sealed, and as they are."""

from __future__ import annotations

import io
import os
import time
from collections.abc import Callable, Sequence
from functools import partial
from typing import Any

import fastavro
from cryptography.hazmat.primitives.ciphers.aead import AESSIV

from benchmarks.chatter import chatter
from benchmarks.harness import Ratio, Report
from schemas.avro import schema_of
from schemas.events.chat import MessageSent
from schemas.sealing import KEY_BYTES, Personal, personal_of

MESSAGES = 20_000
REPEATS = 3
"""The best counts: the machine's other work only ever slows."""
MOST_US = 15.0
"""More that a message may cost each way."""

_SCHEMA = fastavro.parse_schema(schema_of(MessageSent))


class _Keys:
    """A keyring whose look-ups cost what one with warm keys costs: a dict's."""

    def __init__(self) -> None:
        self._keys: dict[str, AESSIV] = {}

    def reading(self, subject: str) -> AESSIV:
        return self._keys.get(subject) or self._keys.setdefault(subject, AESSIV(os.urandom(KEY_BYTES)))

    writing = reading

    def is_erased(self, subject: str) -> bool:
        return False

    def knows(self, subject: str) -> bool:
        return True

    def close(self) -> None:
        """Holds nothing."""


def run(seed: int, say: Callable[[str], None]) -> Report:
    """The codec's work without the registry's look-ups, which cost nothing once a schema is known."""
    said = [event for event in chatter(MESSAGES, seed) if isinstance(event, MessageSent)]
    personal, keys = personal_of(MessageSent), _Keys()
    if personal is None:
        raise RuntimeError("chat messages have no personal texts")
    say(f"Encoding and decoding {len(said):,} messages …")
    figures: dict[str, Any] = {"messages": len(said)}
    spent: dict[str, float] = {}
    for name, marks in (("plain", None), ("sealed", personal)):
        records, spent[f"encode_{name}"] = _best(partial(_encoded, said, marks, keys), len(said))
        _, spent[f"decode_{name}"] = _best(partial(_decoded, records, marks, keys), len(said))
        figures[f"bytes_per_message_{name}"] = round(sum(map(len, records)) / len(records), 1)
    figures["cpu_us_per_message"] = {name: round(us, 2) for name, us in spent.items()}
    more = {way: spent[f"{way}_sealed"] - spent[f"{way}_plain"] for way in ("encode", "decode")}
    ratios = {f"{way}_more_us_over_{MOST_US:.0f}": Ratio(us / MOST_US, 1.0, "<=") for way, us in more.items()}
    return Report("sealing", figures, ratios, seed)


def _encoded(said: Sequence[MessageSent], personal: Personal | None, keys: _Keys) -> list[bytes]:
    records = []
    for message in said:
        values = message.model_dump()
        if personal:
            personal.seal(values, keys)
        body = io.BytesIO()
        fastavro.schemaless_writer(body, _SCHEMA, values)
        records.append(body.getvalue())
    return records


def _decoded(records: Sequence[bytes], personal: Personal | None, keys: _Keys) -> list[bytes]:
    for record in records:
        fields: Any = fastavro.schemaless_reader(io.BytesIO(record), _SCHEMA, None)
        if personal:
            personal.open(fields, keys)
    return []


def _best(work: Callable[[], list[bytes]], count: int) -> tuple[list[bytes], float]:
    """What the work gives, and its CPU in µs a message."""
    best, made = float("inf"), list[bytes]()
    for _ in range(REPEATS):
        began = time.process_time()
        made = work()
        best = min(best, time.process_time() - began)
    return made, best / count * 1e6
