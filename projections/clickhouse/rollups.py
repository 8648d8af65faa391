"""Views for analysts over the topics' views. They hold no data: always exact, at the cost of reading the events."""

from __future__ import annotations

from collections.abc import Collection
from typing import NamedTuple


class Rollup(NamedTuple):
    """A query over one topic's view; `{db}` stands for the database, `{at}` for what views as of a time end in."""

    topic: str
    comment: str
    query: str


ROLLUPS = {
    "chat_per_minute": Rollup(
        "chat",
        "Messages and different senders, per channel and minute (UTC).",
        """
        SELECT channel_id, toStartOfMinute(occurred_at) AS minute, count() AS messages, uniqExact(sender_id) AS chatters
        FROM {db}.chat{at}
        WHERE type = 'MessageSent'
        GROUP BY channel_id, minute
        """,
    ),
    "followers_per_day": Rollup(
        "follows",
        "Follows and unfollows, per channel and day (UTC); total is the number of followers at the end of that day.",
        """
        SELECT channel_id, toDate(occurred_at) AS day,
               countIf(type = 'UserFollowed') AS followed,
               countIf(type = 'UserUnfollowed') AS unfollowed,
               toInt64(followed) - toInt64(unfollowed) AS net,
               sum(net) OVER (PARTITION BY channel_id ORDER BY day) AS total
        FROM {db}.follows{at}
        GROUP BY channel_id, day
        """,
    ),
    "donations_per_day": Rollup(
        "support",
        "Donations and their sum in the currency, minor units, per channel, day (UTC) and currency.",
        """
        SELECT channel_id, toDate(occurred_at) AS day, currency, count() AS donations,
               uniqExact(donor_id) AS donors, sum(e.amount_minor) AS amount_minor
        FROM {db}.support{at} AS e
        WHERE type = 'DonationReceived'
        GROUP BY channel_id, day, currency
        """,
    ),
    "stream_summary": Rollup(
        "streams",
        "One row per stream. airtime_s counts from the first media and after each resume, up to the disconnect or end; "
        "for a stream on air, up to now.",
        """
        SELECT stream_id, any(e.channel_id) AS channel_id,
               argMaxIf(e.title, occurred_at, type = 'StreamStarted') AS title,
               argMaxIf(e.category, occurred_at, type = 'StreamStarted') AS category,
               minOrNullIf(occurred_at, type = 'StreamStarted') AS started_at,
               maxOrNullIf(occurred_at, type = 'StreamEnded') AS ended_at,
               argMaxIf(reason, occurred_at, type = 'StreamEnded') AS end_reason,
               countIf(type = 'PublisherDisconnected') AS disconnects,
               sumIf(dateDiff('microsecond', occurred_at, until), on_air) / 1e6 AS airtime_s
        FROM (
            SELECT *, type = 'StreamStarted' OR (type = 'PublishAuthorised' AND ifNull(resumed, false)) AS on_air,
                   leadInFrame(occurred_at, 1, now64(6, 'UTC')) OVER (
                       PARTITION BY stream_id ORDER BY occurred_at, _offset
                       ROWS BETWEEN UNBOUNDED PRECEDING AND UNBOUNDED FOLLOWING
                   ) AS until
            FROM {db}.streams{at}
        ) AS e
        GROUP BY stream_id
        """,
    ),
    "health_per_stream": Rollup(
        "stream-health",
        "One row per stream with samples: means weighted by duration, worst values, samples by status.",
        """
        SELECT stream_id, any(e.channel_id) AS channel_id,
               countIf(type = 'HealthSampled') AS samples,
               sum(e.duration_ms) / 1000 AS media_s,
               sum(e.bitrate_kbps * e.duration_ms) / sum(e.duration_ms) AS bitrate_kbps,
               min(e.bitrate_kbps) AS lowest_bitrate_kbps,
               sum(e.frame_rate * e.duration_ms) / sum(e.duration_ms) AS frame_rate,
               max(e.gop_ms) AS longest_gop_ms,
               max(abs(e.av_skew_ms)) AS worst_av_skew_ms,
               sum(e.dts_gaps) AS dts_gaps,
               countIf(type = 'HealthSampled' AND status = 'warning') AS warnings,
               countIf(type = 'HealthSampled' AND status = 'error') AS errors,
               countIf(type = 'HealthChanged') AS changes
        FROM {db}.stream_health{at} AS e
        GROUP BY stream_id
        """,
    ),
    "viewer_sessions": Rollup(
        "playback",
        "One row per viewer session, from its first event to its last; it stood for so many sessions (sampling) when "
        "it joined.",
        """
        SELECT stream_id, viewer_session_id, any(e.channel_id) AS channel_id,
               min(occurred_at) AS joined_at, max(occurred_at) AS last_seen_at,
               countIf(type = 'ViewerLeft') > 0 AS has_left,
               countIf(NOT ifNull(e.started, true)) = 0 AS has_started,
               dateDiff('microsecond', joined_at, last_seen_at) / 1e6 AS watched_s,
               argMin(e.sampling, tuple(occurred_at, e._offset)) AS sampling,
               countIf(type = 'PlaybackSampled') AS samples,
               avgOrNullIf(e.latency_ms, e.latency_ms > 0) AS latency_ms, sum(e.stalled_ms) AS stalled_ms,
               avgOrNullIf(e.bitrate_kbps, e.bitrate_kbps > 0) AS bitrate_kbps, min(e.startup_ms) AS startup_ms,
               sum(e.rebuffers) AS rebuffers, sum(e.failures) AS failures
        FROM {db}.playback{at} AS e
        GROUP BY stream_id, viewer_session_id
        """,
    ),
    "viewers_per_stream": Rollup(
        "playback",
        "One row per stream that was watched. Viewers are viewer sessions: random per page view, not people.",
        """
        SELECT stream_id, any(s.channel_id) AS channel_id, sum(s.sampling) AS viewers, peak AS peak_viewers,
               minutes AS minutes_watched,
               avg(s.latency_ms) AS latency_ms, sum(s.stalled_ms * s.sampling) AS stalled_ms
        FROM {db}.viewer_sessions{at} AS s
        LEFT JOIN (
            SELECT stream_id, max(watching) AS peak, sum(watched_us) / 60e6 AS minutes
            FROM (
                SELECT stream_id, watched_us,
                       sum(change) OVER (PARTITION BY stream_id ORDER BY at, change) AS watching
                FROM (
                    SELECT stream_id, occurred_at AS since,
                           leadInFrame(occurred_at, 1, occurred_at) OVER (
                               PARTITION BY stream_id, viewer_session_id ORDER BY occurred_at, _offset
                               ROWS BETWEEN UNBOUNDED PRECEDING AND UNBOUNDED FOLLOWING
                           ) AS until,
                           if(type = 'ViewerLeft', 0, e.sampling) AS weight
                    FROM {db}.playback{at} AS e
                )
                ARRAY JOIN [since, until] AS at, [weight, -weight] AS change,
                           [0, weight * dateDiff('microsecond', since, until)] AS watched_us
            )
            GROUP BY stream_id
        ) AS spans USING stream_id
        GROUP BY stream_id, peak, minutes
        """,
    ),
    "quality_per_stream": Rollup(
        "playback",
        "One row per stream that was watched: startup time, exits before the first frame, stalls, failures. "
        "rebuffer_ratio is the share of the time watched in which the picture stood still.",
        """
        SELECT stream_id, any(s.channel_id) AS channel_id, sum(s.sampling) AS viewers,
               sumIf(s.sampling, NOT has_started AND s.startup_ms IS NULL) AS exits_before_start,
               quantileExactWeightedOrNullIf(0.5)(assumeNotNull(s.startup_ms), weight, s.startup_ms IS NOT NULL)
                   AS startup_p50_ms,
               quantileExactWeightedOrNullIf(0.95)(assumeNotNull(s.startup_ms), weight, s.startup_ms IS NOT NULL)
                   AS startup_p95_ms,
               sum(s.stalled_ms * s.sampling) / nullIf(sum(watched_s * s.sampling) * 1000, 0) AS rebuffer_ratio,
               sum(s.rebuffers * s.sampling) AS rebuffers, sum(s.failures * s.sampling) AS failures,
               avg(s.bitrate_kbps) AS bitrate_kbps, avg(s.latency_ms) AS latency_ms
        FROM (SELECT *, toUInt32(sampling) AS weight FROM {db}.viewer_sessions{at}) AS s
        GROUP BY stream_id
        """,
    ),
}


def create_rollups(database: str, topics: Collection[str], at: str = "") -> list[str]:
    """The statements that create or renew the rollups of these topics, in order; with `at`, of the views as of then."""
    return [
        f"CREATE OR REPLACE VIEW {database}.{name}{at} AS {rollup.query.format(db=database, at=at)} "
        f"COMMENT '{rollup.comment}'"
        for name, rollup in ROLLUPS.items()
        if rollup.topic in topics
    ]


def rollups_of(topic: str) -> list[str]:
    """The names of a topic's rollups."""
    return [name for name, rollup in ROLLUPS.items() if rollup.topic == topic]
