"""What a stream's windows have that its MPD may list."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from ingest.dash.periods import Moment, Offer
from ingest.hls.entries import SegmentEntry, shown
from ingest.hls.window import Window


def survey(windows: Sequence[Window], last_number: int, ended: bool) -> Iterator[Moment]:
    """From the segment that was the last to the newest one that each present rendition has begun.

    A rendition that is farther behind than one segment is not waited for. `last_number` is -1 at first.
    """
    ready = [window for window in windows if window.ready]
    if not ready:
        return
    newest = max(window.last[0] for window in ready)
    awaited = (window for window in windows if not window.absent)
    if not ended and any(not window.ready or window.last[0] == newest - 1 for window in awaited):
        newest -= 1
    first = max(last_number, max(window.oldest_number for window in ready))
    for number in range(first, newest + 1):
        entries = [(window, entry) for window in ready if (entry := window.find(number))]
        if entries:
            yield _moment(entries)


def _moment(entries: Sequence[tuple[Window, SegmentEntry]]) -> Moment:
    entry = entries[0][1]
    there = [(window.rendition_of(each.init), window, each) for window, each in entries if each.size]
    names = shown([rendition for rendition, _, _ in there])
    return Moment(
        number=entry.number,
        starts_at_s=entry.starts_at_s,
        media_s=entry.media_s,
        duration_s=max(each.duration_s for _, each in entries),
        discontinuities=entry.discontinuities,
        offers={
            rendition.name: Offer(rendition, each.init, each.ticks, window.growing(each.number) is not None)
            for rendition, window, each in there
            if rendition.name in names
        },
    )
