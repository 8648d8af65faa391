"""Cutting clips. A clip has its own copies of its segments, so it does not care what becomes of its recording."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass

import structlog

from ingest.publishing.outbox import Submitter, submit_until_known
from ingest.recording import shipping, wishes
from ingest.recording.manifest import Manifest, Nothing
from ingest.recording.objects import homes_of, init_key, manifest_key, segment_key
from ingest.recording.recorder import Recorder
from ingest.storage.contract import Store, StoreAway

ARRIVES_S = 30.0
"""How long the media of a live clip's last moment is waited for: longer than a segment lasts."""

COPIES = 8
"""At a time."""

_log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class Wanted:
    """What ClipCreated asks for. A live clip has no offset: it ends at `ends_at_s`, Unix time."""

    clip_id: str
    stream_id: str
    channel_id: str
    duration_s: float
    ends_at_s: float
    offset_s: float | None


class Clips:
    """Makes clips, of recordings that are finished or still under way."""

    def __init__(self, store: Store, recorder: Recorder, submitter: Submitter) -> None:
        self._store = store
        self._recorder = recorder
        self._submitter = submitter

    async def make(self, wanted: Wanted) -> None:
        """Returns when the clip lies in the store and that is known, or that there is nothing to cut. May be repeated.

        Raises StoreAway.
        """
        try:
            recording = await self._recording_of(wanted)
            first, last = _bounds(recording, wanted)
            clip = recording.cut(wanted.clip_id, first, last)
        except Nothing:
            _log.warning("a clip has nothing in it", clip_id=wanted.clip_id, stream_id=wanted.stream_id)
            await submit_until_known(self._submitter, wishes.delete_clip(wanted.clip_id, wanted.channel_id))
            return
        await self._copy(_copies(recording.home, clip))
        await shipping.put_playlists(self._store, clip)
        published = wishes.publish_clip(clip, recording.offset_of(first))
        await submit_until_known(self._submitter, published)

    async def _copy(self, copies: list[tuple[str, str]]) -> None:
        for at in range(0, len(copies), COPIES):
            batch = copies[at : at + COPIES]
            there = await asyncio.gather(*(self._store.copy(source, target) for source, target in batch))
            if not all(there):
                raise StoreAway(f"{batch[there.index(False)][0]} is not in the store yet")

    async def _recording_of(self, wanted: Wanted) -> Manifest:
        """Raises Nothing when the recording is gone."""
        if recording := self._recorder.find(wanted.stream_id):
            ends_at_s = wanted.ends_at_s if wanted.offset_s is None else 0.0
            try:
                async with asyncio.timeout(ARRIVES_S):
                    await recording.reached(ends_at_s)
            except TimeoutError:
                _log.warning("a live clip's end did not arrive", clip_id=wanted.clip_id)
            return await recording.manifest()
        for home in homes_of(wanted.stream_id):
            if found := await self._store.get(manifest_key(home)):
                return await asyncio.to_thread(Manifest.from_json, found.data)
        raise Nothing


def _bounds(recording: Manifest, wanted: Wanted) -> tuple[int, int]:
    if wanted.offset_s is None:
        return recording.between_times(wanted.ends_at_s - wanted.duration_s, wanted.ends_at_s)
    return recording.between_offsets(wanted.offset_s, wanted.offset_s + wanted.duration_s)


def _copies(home: str, clip: Manifest) -> list[tuple[str, str]]:
    """Each object and what it becomes."""
    copies = []
    for track in clip.tracks:
        there = [segment for segment in track.segments if not segment.gap]
        for number in sorted({segment.init for segment in there}):
            copies.append((init_key(home, track.name, number), init_key(clip.home, track.name, number)))
        for segment in there:
            key = segment_key(home, track.name, segment.number)
            copies.append((key, segment_key(clip.home, track.name, segment.number)))
    return copies
