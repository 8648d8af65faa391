"""Load for an RTMP server: many publishers on one loop, each repeating a recording in real time."""

from __future__ import annotations

import asyncio
import os
from collections.abc import Sequence
from urllib.parse import urlsplit

from benchmarks.recording import FlvTag
from ingest.media.tag import Kind, MediaTag
from ingest.rtmp.client import ClientSession
from ingest.rtmp.events import Broken, PublishEnded, PublishStarted

KINDS: dict[int, Kind] = {8: "audio", 9: "video", 18: "data"}


class Publisher:
    """One encoder. `run` publishes until it is cancelled; raises RuntimeError when the server ends it."""

    def __init__(self, url: str, key: str, recording: Sequence[FlvTag], period_ms: int) -> None:
        self._url, self._key = urlsplit(url), key
        self._recording, self._period_ms = recording, period_ms
        self.accepted = asyncio.Event()

    async def run(self) -> None:
        reader, writer = await asyncio.open_connection(self._url.hostname, self._url.port or 1935)
        session = ClientSession("live", self._key, self._url.geturl(), os.urandom(1528))
        listening = asyncio.create_task(self._listen(reader, writer, session))
        try:
            writer.write(session.data_to_send())
            await asyncio.wait(
                {listening, accepting := asyncio.create_task(self.accepted.wait())}, return_when="FIRST_COMPLETED"
            )
            accepting.cancel()
            if listening.done():
                listening.result()
            await self._send(writer, session, listening)
        finally:
            if self.accepted.is_set() and not writer.is_closing():
                session.unpublish()
                writer.write(session.data_to_send())
            listening.cancel()
            writer.close()

    async def _listen(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, session: ClientSession) -> None:
        while data := await reader.read(65_536):
            for event in session.receive_data(data):
                match event:
                    case PublishStarted():
                        self.accepted.set()
                    case PublishEnded() | Broken():
                        raise RuntimeError(f"the server refused the publisher: {event.code} {event}")
            writer.write(session.data_to_send())
        raise RuntimeError("the server closed the connection")

    async def _send(self, writer: asyncio.StreamWriter, session: ClientSession, listening: asyncio.Task[None]) -> None:
        loop = asyncio.get_running_loop()
        began, turn = loop.time(), 0
        while True:
            for tag in self._recording:
                # The codecs' headers open the stream once; a repeat would be a change of parameters.
                if turn and _opens(tag):
                    continue
                stamp = tag.timestamp_ms + turn * self._period_ms
                await asyncio.sleep(max(0.0, began + stamp / 1000 - loop.time()))
                if listening.done():
                    listening.result()
                session.send_media(MediaTag(KINDS[tag.type], stamp, tag.body))
                writer.write(session.data_to_send())
            await writer.drain()
            turn += 1


def _opens(tag: FlvTag) -> bool:
    """Whether the tag is metadata or a codec's sequence header (FLV 1.0 §E.4.2.2, §E.4.3.2)."""
    return tag.type == 18 or tag.body[1] == 0
