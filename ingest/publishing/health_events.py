"""From what a live stream reports of its health to the events of it."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

from commands.identity import new_id
from ingest.media.became import EncoderSaid, HealthBecame, HealthReport, SegmentClosed, StarvationBegan, StarvationOver
from ingest.publishing.journal import Entry
from schemas.events.stream_health import (
    EncoderAnnounced,
    HealthChanged,
    HealthSampled,
    StarvationEnded,
    StarvationStarted,
    StreamHealthEvent,
)


def event_of(entry: Entry, report: HealthReport) -> StreamHealthEvent:
    """The event, as of now."""
    head = {
        "event_id": new_id(),
        "occurred_at": datetime.now(UTC),
        "actor": "system:ingest",
        "correlation_id": entry.session_id,
        "stream_id": entry.stream_id,
        "channel_id": entry.channel_id,
    }
    return _EVENTS[type(report)](head, report)


def _sampled(head: dict[str, Any], became: SegmentClosed) -> HealthSampled:
    return HealthSampled(**head, **vars(became.sample))


def _changed(head: dict[str, Any], became: HealthBecame) -> HealthChanged:
    return HealthChanged(
        **head,
        status=became.status,
        previous=became.previous,
        codes=list(became.codes),
        severities=list(became.severities),
    )


def _starving(head: dict[str, Any], became: StarvationBegan) -> StarvationStarted:
    return StarvationStarted(**head, behind_ms=became.behind_ms)


def _starved(head: dict[str, Any], became: StarvationOver) -> StarvationEnded:
    return StarvationEnded(**head, lasted_ms=became.lasted_ms)


def _announced(head: dict[str, Any], became: EncoderSaid) -> EncoderAnnounced:
    said = became.announced
    return EncoderAnnounced(
        **head,
        encoder=said.encoder,
        video_codec_id=said.video_codec_id,
        audio_codec_id=said.audio_codec_id,
        configured_width=said.width,
        configured_height=said.height,
        configured_frame_rate=said.frame_rate,
        configured_video_kbps=said.video_kbps,
        configured_audio_kbps=said.audio_kbps,
    )


_EVENTS: dict[type[HealthReport], Callable[[dict[str, Any], Any], StreamHealthEvent]] = {
    SegmentClosed: _sampled,
    HealthBecame: _changed,
    StarvationBegan: _starving,
    StarvationOver: _starved,
    EncoderSaid: _announced,
}
