"""One live stream, from FLV tags to parts and segments."""

from __future__ import annotations

from ingest.hls.registry import Registry
from ingest.media.became import Became
from ingest.media.settings import MediaSettings
from ingest.media.tag import MediaTag


class LiveStream:
    """The media side of one live stream: synchronous, CPU only plus one file write a segment.

    Make it when the publisher is authorised. A resumed stream is the same object: `interrupt`, then `push` again.
    """

    def __init__(self, stream_id: str, channel_id: str, settings: MediaSettings, registry: Registry) -> None: ...

    def push(self, tag: MediaTag, now_s: float) -> list[Became]:
        """Take one tag. `now_s` is Unix time. Raises RefusedMedia; the stream should then be closed."""
        raise NotImplementedError

    def interrupt(self) -> None:
        """The publisher vanished. What was taken is published; the next push opens a discontinuity."""
        raise NotImplementedError

    def close(self) -> None:
        """The stream is over: the last part is published and the playlist ends. Calling it again does nothing."""
        raise NotImplementedError
