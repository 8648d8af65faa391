"""What a session tells its owner. Media comes as `MediaTag`."""

from __future__ import annotations

from dataclasses import dataclass, field

from ingest.media.tag import MediaTag


@dataclass(frozen=True, slots=True)
class PublishRequested:
    """A publisher asks. Answer with `accept_publish` or `refuse`; what it sends meanwhile is held."""

    key: str = field(repr=False)
    backup: bool = False
    """It said `backup=1`, behind the app's or the key's name."""


@dataclass(frozen=True, slots=True)
class Unpublished:
    """The publisher ended its stream in due form; `command` is the one that said so."""

    command: str


@dataclass(frozen=True, slots=True)
class Broken:
    """The peer broke the protocol, a limit, or asked for what we do not serve. Nothing follows: send what is left and
    close."""

    code: str
    message: str


@dataclass(frozen=True, slots=True)
class PublishStarted:
    """To the client: media may be sent."""


@dataclass(frozen=True, slots=True)
class PublishEnded:
    """To the client: the server refused or ended the publish. `code` as in `NetStream.Publish.BadName`."""

    code: str
    description: str


ServerEvent = PublishRequested | Unpublished | Broken | MediaTag
ClientEvent = PublishStarted | PublishEnded | Broken
