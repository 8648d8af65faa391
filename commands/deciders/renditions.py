"""The rungs of a live stream's ladder that can be played, as `streams` decides them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any

from commands.deciders.envelope import caused_by
from commands.rejection import Rejected
from schemas.commands.streams import AddRendition, DropRendition
from schemas.events.streams import RenditionAdded, RenditionDropped

RENDITIONS_MAX = 16
"""Of one stream at a time; a ladder has seven rungs and one of the source's size at most."""


@dataclass(frozen=True, slots=True)
class Rendition:
    rendition: str
    width: int
    height: int
    frame_rate: float
    bitrate_kbps: int
    codec: str


Renditions = tuple[Rendition, ...]


def add(command: AddRendition, present: Renditions) -> Sequence[RenditionAdded]:
    """Nothing when it is there as it is said to be."""
    rendition = _rendition(command)
    if rendition in present:
        return []
    if len(_without(present, rendition.rendition)) >= RENDITIONS_MAX:
        raise Rejected("too_many_renditions", f"a stream has {RENDITIONS_MAX} renditions at most; drop one first")
    return [RenditionAdded(**_facts(command, rendition))]


def drop(command: DropRendition, present: Renditions) -> Sequence[RenditionDropped]:
    """Nothing when it is not there."""
    return [
        RenditionDropped(**_facts(command, rendition), reason=command.reason)
        for rendition in present
        if rendition.rendition == command.rendition
    ]


def evolve(present: Renditions, event: RenditionAdded | RenditionDropped) -> Renditions:
    rest = _without(present, event.rendition)
    return (*rest, _rendition(event)) if isinstance(event, RenditionAdded) else rest


def _rendition(said: AddRendition | RenditionAdded) -> Rendition:
    return Rendition(said.rendition, said.width, said.height, said.frame_rate, said.bitrate_kbps, said.codec)


def _without(present: Renditions, name: str) -> Renditions:
    return tuple(rendition for rendition in present if rendition.rendition != name)


def _facts(command: AddRendition | DropRendition, rendition: Rendition) -> dict[str, Any]:
    return {
        **caused_by(command),
        "stream_id": command.stream_id,
        "channel_id": command.channel_id,
        "session_id": command.session_id,
        **asdict(rendition),
    }
