"""What empties the personal texts about users in a topic's storage."""

from __future__ import annotations

from collections.abc import Collection, Iterator

from schemas.catalog import events_of
from schemas.sealing import personal_of


def texts_of(topic: str, subjects: Collection[str]) -> Iterator[tuple[str, str]]:
    """Each column with the condition on the rows in which it is a text about one of these users."""
    users = ", ".join(map(_quoted, sorted(subjects)))
    for model in events_of(topic):
        personal = personal_of(model)
        for column, about in personal.fields if personal else ():
            yield column, f"type = {_quoted(model.__name__)} AND {about} IN ({users}) AND {column} != ''"


def _quoted(text: str) -> str:
    escaped = text.replace("\\", "\\\\").replace("'", "\\'")
    return f"'{escaped}'"
