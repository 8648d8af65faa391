"""A message's text, taken to pieces: emotes where the decider saw them, mentions, and text between."""

from __future__ import annotations

import re
from collections.abc import Iterator

from query_api.chat.frames import Cheer, Fragment
from schemas.money import written

_MENTION = re.compile(r"(?<!\w)@([A-Za-z0-9_]{3,25})(?!\w)", re.ASCII)


def fragments_of(text: str, emotes: str) -> list[Fragment]:
    """`emotes` is in the form of IRC's tag, `id:first-last,…/id:…`, in characters. Places that are none are skipped."""
    pieces: list[Fragment] = []
    done = 0
    for first, end, emote_id in sorted(_places(emotes)):
        if done <= first < end <= len(text):
            pieces += _mentions(text[done:first])
            pieces.append(Fragment(type="emote", text=text[first:end], emote_id=emote_id))
            done = end
    return [*pieces, *_mentions(text[done:])]


def cheered(cheer: Cheer, text: str, emotes: str) -> list[Fragment]:
    """What was said with a donation, behind the amount; `emotes` are places in the text alone."""
    amount = Fragment(type="cheer", text=written(cheer.amount_minor, cheer.currency), cheer=cheer)
    return [amount, Fragment(type="text", text=" "), *fragments_of(text, emotes)]


def text_of(fragments: list[Fragment]) -> str:
    """The content of a message of these."""
    return "".join(fragment.text for fragment in fragments)


def emotes_tag(fragments: list[Fragment]) -> str:
    """The other way round."""
    places: dict[str, list[str]] = {}
    at = 0
    for fragment in fragments:
        if fragment.emote_id is not None:
            places.setdefault(fragment.emote_id, []).append(f"{at}-{at + len(fragment.text) - 1}")
        at += len(fragment.text)
    return "/".join(f"{emote_id}:{','.join(spans)}" for emote_id, spans in places.items())


def _places(emotes: str) -> Iterator[tuple[int, int, str]]:
    for group in filter(None, emotes.split("/")):
        emote_id, _, spans = group.rpartition(":")
        for span in spans.split(","):
            first, _, last = span.partition("-")
            if first.isdecimal() and last.isdecimal():
                yield int(first), int(last) + 1, emote_id


def _mentions(text: str) -> Iterator[Fragment]:
    done = 0
    for match in _MENTION.finditer(text):
        if match.start() > done:
            yield Fragment(type="text", text=text[done : match.start()])
        yield Fragment(type="mention", text=match[0], login=match[1].lower())
        done = match.end()
    if done < len(text):
        yield Fragment(type="text", text=text[done:])
