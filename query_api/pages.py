"""Pages of a list: Helix's form, and the opaque cursor that says where the next page begins."""

from __future__ import annotations

import base64
from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from typing import Annotated, Any, Generic, TypeVar

from asyncpg import Record
from pydantic import AfterValidator, AwareDatetime, BaseModel, Field, TypeAdapter

from query_api.errors import ApiError

Item = TypeVar("Item", bound=BaseModel)
Keys = TypeVar("Keys")

Count = Annotated[int, Field(ge=0, lt=2**63)]
CursorId = Annotated[str, Field(max_length=100, pattern=r"^[\x20-\x7e]*$")]

CursorTime = Annotated[AwareDatetime, AfterValidator(lambda time: time.astimezone(UTC))]

by_count: TypeAdapter[tuple[int, str]] = TypeAdapter(tuple[Count, CursorId])
"""A list ordered by a number, then an id."""

by_time: TypeAdapter[tuple[datetime, str]] = TypeAdapter(tuple[CursorTime, CursorId])
"""A list ordered by a time, then an id."""


class PageQuery(BaseModel):
    """What every list takes."""

    first: int = Field(default=20, ge=1, le=100, description="Items on the page.")
    after: str | None = Field(default=None, max_length=400, description="The cursor of the page before.")

    def place(self, order: TypeAdapter[Keys]) -> Keys | tuple[None, None]:
        """The keys of the last item before the page, none on the first. Raises ApiError 400 as `keys_of`."""
        return keys_of(self.after, order) if self.after else (None, None)


class Pagination(BaseModel):
    """Where the next page begins."""

    cursor: str | None = Field(
        default=None,
        exclude_if=lambda cursor: cursor is None,
        description="Pass it as `after`; absent on the last page.",
    )


class Listing(BaseModel, Generic[Item]):
    """Helix's envelope without pages."""

    data: list[Item]

    @classmethod
    def model_parametrized_name(cls, params: tuple[Any, ...]) -> str:
        """Its name in the API's documents, such as StreamPage."""
        return f"{params[0].__name__}{cls.__name__}"


class Page(Listing[Item], Generic[Item]):
    """Helix's envelope of a page."""

    pagination: Pagination = Field(default_factory=Pagination)


def cursor_of(keys: Keys, order: TypeAdapter[Keys]) -> str:
    """The opaque form of the last item's keys."""
    return base64.urlsafe_b64encode(order.dump_json(keys)).decode().rstrip("=")


def keys_of(cursor: str, order: TypeAdapter[Keys]) -> Keys:
    """The keys in a cursor. Raises ApiError 400 on one that is not of this list."""
    try:
        return order.validate_json(base64.urlsafe_b64decode(cursor + "=" * (-len(cursor) % 4)), strict=True)
    except (ValueError, OverflowError) as error:  # the latter from a time at the end of all times
        raise ApiError(400, "after: not a cursor of this list; pass pagination.cursor as it was given.") from error


def paged(
    rows: Sequence[Record],
    first: int,
    order: TypeAdapter[Keys],
    keys: Callable[[Any], Keys],
) -> tuple[Sequence[Record], Pagination]:
    """Cut a page out of `first + 1` rows; the row too many shows that there is a next page."""
    if len(rows) <= first:
        return rows, Pagination()
    page = rows[:first]
    return page, Pagination(cursor=cursor_of(keys(page[-1]), order))
