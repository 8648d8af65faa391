"""The query for what was said in a channel, with donations' words, a page at a time."""

from __future__ import annotations

# A deletion counts unless it was undone since: then it lies in a span of its moderator's that ended before the undoing.
# What lies before the last clearing that counts is not searched through for those who do not see it.
COUNTING = """
SELECT a.* FROM chat_actions a
WHERE a.channel_id = $1 AND NOT EXISTS (
    SELECT FROM moderation_undone u
    WHERE u.channel_id = a.channel_id AND u.moderator_id = a.moderator_id
      AND a.acted_at BETWEEN u.since AND u.until AND a.acted_at <= u.undone_at)
"""
"""What was done to a channel's messages and counts."""

_MESSAGES = """
SELECT message_id, channel_id, sender_id, sender_login, sender_name, text, reply_parent_id, badges, emotes,
       announcement, sent_at, NULL::bigint AS amount_minor, NULL::text AS currency
FROM chat_messages
"""

# A donation does not keep what the giver was: the badges are those of now.
_GIFTS = """
SELECT d.donation_id AS message_id, d.channel_id, d.donor_id AS sender_id, d.donor_login AS sender_login,
       d.donor_name AS sender_name, d.message AS text, NULL::text AS reply_parent_id,
       concat_ws(' ', CASE WHEN d.donor_id = d.channel_id THEN 'broadcaster/1' END,
           (SELECT string_agg(r.role || '/1', ' ' ORDER BY r.role) FROM channel_roles r
            WHERE r.channel_id = d.channel_id AND r.user_id = d.donor_id)) AS badges,
       d.emotes, '' AS announcement, d.donated_at AS sent_at, d.amount_minor, d.currency
FROM donations d WHERE d.message <> ''
"""

# For a join, or EXISTS, the planner reads all of a channel's messages, or deletions. A scalar it asks for row by row,
# along the index, until the page is full.
_PAGE = """
SELECT m.* FROM ({said}) m
WHERE m.channel_id = $1 AND ($2::text IS NULL OR m.sender_id = $2)
  AND ($3::timestamptz IS NULL OR m.sent_at >= $3) AND ($4::timestamptz IS NULL OR m.sent_at < $4)
  AND ($5::timestamptz IS NULL OR (m.sent_at, m.message_id) {beyond} ($5, $6))
  AND ($7 OR m.sent_at > coalesce((SELECT max(acted_at) FROM counting WHERE action = 'clear'), '-infinity'))
  AND ($7 OR NOT coalesce(
      (SELECT true FROM counting c WHERE c.action = 'delete' AND c.subject_id = m.message_id LIMIT 1), false))
ORDER BY m.sent_at {way}, m.message_id {way} LIMIT $8
"""

_SQL = """
WITH counting AS NOT MATERIALIZED ({counting}),
page AS (({messages}) UNION ALL ({gifts}) ORDER BY sent_at {way}, message_id {way} LIMIT $8)
SELECT m.*, deletion.acted_at AS deleted_at, deletion.moderator_id AS deleted_by
FROM page m
LEFT JOIN LATERAL (
    (SELECT c.acted_at, c.moderator_id FROM counting c WHERE c.action = 'delete' AND c.subject_id = m.message_id)
    UNION ALL
    (SELECT c.acted_at, c.moderator_id FROM counting c
     WHERE c.action = 'clear' AND c.acted_at >= m.sent_at ORDER BY c.acted_at LIMIT 1)
    ORDER BY acted_at LIMIT 1
) deletion ON true
ORDER BY m.sent_at {way}, m.message_id {way}
"""


def _sorted(way: str, beyond: str) -> str:
    messages, gifts = (_PAGE.format(said=said, way=way, beyond=beyond) for said in (_MESSAGES, _GIFTS))
    return _SQL.format(counting=COUNTING, messages=messages, gifts=gifts, way=way)


SORTED = {"newest": _sorted("DESC", "<"), "oldest": _sorted("ASC", ">")}
"""Of a channel, a user, from, before, the place after which the page begins (two), with what was deleted, how many."""
