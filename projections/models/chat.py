"""What was said. A repeated append carries the same message id and changes nothing."""

from __future__ import annotations

from operator import itemgetter

from projections.contract import Fields
from projections.tables import INSERT, Change, Model, Table

MESSAGES = Table(
    "chat_messages",
    {
        "message_id": "text",
        "channel_id": "text",
        "sender_id": "text",
        "sender_login": "text",
        "text": "text",
        "reply_parent_id": "text",
        "sent_at": "timestamptz",
    },
    append_only=True,
    indexes=("(channel_id, sent_at DESC, message_id)",),
)

_row = itemgetter("message_id", "channel_id", "sender_id", "sender_login", "text", "reply_parent_id", "occurred_at")


def _message_sent(e: Fields) -> Change:
    return Change(MESSAGES, _row(e), INSERT)


MODEL = Model(name="chat", topic="chat", tables=(MESSAGES,), on={"MessageSent": _message_sent})
