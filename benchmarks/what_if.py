"""Messages a second that another policy judges again, on one core: with and without the model, and with decoding."""

from __future__ import annotations

import io
import time
from collections.abc import Callable, Iterable, Iterator
from typing import Any

import fastavro

from benchmarks.chatter import BEGAN, chatter
from benchmarks.harness import Ratio, Report
from commands.what_if.report import what_if
from commands.what_if.wanted import Wanted
from schemas.avro import schema_of
from schemas.catalog import BY_FULL_NAME
from schemas.events.chat import MessageSent
from schemas.events.chat_policy import AUTOMOD_CATEGORIES
from schemas.message import Event

MESSAGES = 20_000
REPEATS = 9
"""The best counts: the machine's other work only ever slows."""
LEAST_PER_S = 20_000

STRICT: dict[str, Any] = {
    "chat": {"slow_mode_s": 3, "follower_mode": True, "unique_chat_mode": True},
    "automod": {"levels": dict.fromkeys(AUTOMOD_CATEGORIES, 3), "block_links": True, "block_spam": True},
    "blocked_terms": ["spoiler*", "*leak*", "patch notes", "b*t here", "giveaway", "free * coins"],
}


def run(seed: int, say: Callable[[str], None]) -> Report:
    """Judge a made-up month of chat by a policy that uses every rule."""
    say(f"Making {MESSAGES:,} messages …")
    events = list(chatter(MESSAGES, seed))
    encoded = [_encoded(event) for event in events]
    with_model = STRICT | {"automod": STRICT["automod"] | {"toxicity_level": 3}}
    kinds: dict[str, tuple[dict[str, Any], Callable[[], Iterable[Event]]]] = {
        "without_model": (STRICT, lambda: events),
        "with_model": (with_model, lambda: events),
        "without_model_and_decoded": (STRICT, lambda: _decoded(encoded)),
    }
    lengths = [len(event.text) for event in events if isinstance(event, MessageSent)]
    figures: dict[str, Any] = {"messages": MESSAGES, "characters_per_message": round(sum(lengths) / MESSAGES, 1)}
    for name, (policy, given) in kinds.items():
        say(f"Judging {name.replace('_', ' ')} …")
        seconds, changed = _best(policy, given)
        figures[name] = {
            "messages_per_cpu_s": round(MESSAGES / seconds),
            "cpu_us_per_message": round(seconds / MESSAGES * 1e6, 1),
            "changed": changed,
        }
    fast = Ratio(figures["without_model"]["messages_per_cpu_s"] / LEAST_PER_S, 1.0, ">=")
    return Report("what_if", figures, {"messages_per_core_s_over_20000": fast}, seed)


def _best(policy: dict[str, Any], given: Callable[[], Iterable[Event]]) -> tuple[float, int]:
    wanted, best, changed = Wanted.model_validate(policy), float("inf"), 0
    for _ in range(REPEATS):
        began = time.process_time()
        report = what_if(given(), wanted, BEGAN)
        best, changed = min(best, time.process_time() - began), report.changes.total()
    return best, changed


def _encoded(event: Event) -> tuple[str, bytes]:
    body = io.BytesIO()
    schema = schema_of(type(event))
    fastavro.schemaless_writer(body, _parsed(schema), event.model_dump())
    return f"{schema['namespace']}.{schema['name']}", body.getvalue()


_PARSED: dict[str, Any] = {}


def _parsed(schema: Any) -> Any:
    return _PARSED.setdefault(f"{schema['namespace']}.{schema['name']}", fastavro.parse_schema(schema))


def _decoded(encoded: Iterable[tuple[str, bytes]]) -> Iterator[Event]:
    for name, value in encoded:
        event = BY_FULL_NAME[name].model_validate(fastavro.schemaless_reader(io.BytesIO(value), _PARSED[name], None))
        if isinstance(event, Event):
            yield event
