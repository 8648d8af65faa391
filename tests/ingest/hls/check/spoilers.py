"""Short ways to spoil the good stream."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import replace
from typing import Any

from ingest.hls.check.facts import Facts, Probe, Question, RenditionFacts, Resource, Response
from tests.ingest.hls.check.good import NAMES, nothing

Edit = Callable[[str, str], str]


def swap(old: str, new: str, *, only: str = "", count: int = 0) -> Edit:
    """Replace a pattern; in the playlist of one rendition `only`, else in all."""

    def edit(name: str, text: str) -> str:
        if only and not name.startswith(only):
            return text
        changed, made = re.subn(old, new, text, count=count, flags=re.MULTILINE)
        assert made, f"{old} is not in {text}"
        return changed

    return edit


def drop(pattern: str, *, only: str = "") -> Edit:
    """Leave out the lines that begin with the pattern."""
    return swap(rf"^{pattern}.*\n", "", only=only)


def before(pattern: str, line: str) -> Edit:
    """Put a line in front of the first one that begins with the pattern."""
    return swap(rf"^({pattern})", rf"{line}\n\1", count=1)


def after(pattern: str, line: str) -> Edit:
    """Put a line behind the first one that begins with the pattern."""
    return swap(rf"^({pattern}.*\n)", rf"\g<1>{line}\n", count=1)


def both(*edits: Edit) -> Edit:
    def edit(name: str, text: str) -> str:
        for each in edits:
            text = each(name, text)
        return text

    return edit


def when(present: str, edit: Edit) -> Edit:
    """Edit only texts in which this stands."""
    return lambda name, text: edit(name, text) if present in text else nothing(name, text)


def in_multivariant(old: str, new: str) -> Callable[[str], str]:
    return lambda text: swap(old, new)("", text)


def probes(status: int, *questions: Question, max_age: int = 1) -> Callable[[RenditionFacts], RenditionFacts]:
    """Answer these questions with this status and no playlist."""

    def edit(rendition: RenditionFacts) -> RenditionFacts:
        headers = {"cache-control": f"max-age={max_age}", "access-control-allow-origin": "*"}
        bad = [Probe(question, Response(rendition.url, status, headers)) for question in questions]
        kept = [probe for probe in rendition.probes if probe.question not in questions]
        return replace(rendition, probes=(*kept, *bad))

    return edit


def resources(pattern: str, **changes: Any) -> Callable[[str, Resource], Resource]:
    """Change the responses of resources with such a name."""

    def edit(uri: str, resource: Resource) -> Resource:
        return replace(resource, response=replace(resource.response, **changes)) if re.match(pattern, uri) else resource

    return edit


def headers(pattern: str, **values: str | None) -> Callable[[str, Resource], Resource]:
    """Change headers of resources with such a name; underscores stand for hyphens, None leaves one out."""

    def edit(uri: str, resource: Resource) -> Resource:
        if not re.match(pattern, uri):
            return resource
        said = dict(resource.response.headers) | {
            name.replace("_", "-"): value for name, value in values.items() if value
        }
        for name in (name.replace("_", "-") for name, value in values.items() if value is None):
            said.pop(name, None)
        return replace(resource, response=replace(resource.response, headers=said))

    return edit


def loads(edit: Callable[[int, Response], Response]) -> Callable[[RenditionFacts], RenditionFacts]:
    """Change the responses of the playlist's loads, by their index."""
    return lambda rendition: replace(
        rendition,
        loads=tuple(replace(load, response=edit(index, load.response)) for index, load in enumerate(rendition.loads)),
    )


def only_first_rendition(
    edit: Callable[[RenditionFacts], RenditionFacts],
) -> Callable[[RenditionFacts], RenditionFacts]:
    return lambda rendition: edit(rendition) if rendition.name == NAMES[0] else rendition


def second_client(uris: frozenset[str]) -> Callable[[Facts], Facts]:
    return lambda facts: replace(
        facts, multivariant_uris=(facts.multivariant_uris[0], uris, facts.multivariant_uris[0])
    )
