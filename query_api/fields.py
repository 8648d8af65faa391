"""Kinds of values in requests. Whatever a stranger sends is bounded and free of control characters."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Annotated

from pydantic import AfterValidator, AwareDatetime, Field, SecretStr, StringConstraints

UserId = Annotated[str, Field(pattern=r"^[0-9]{1,20}$", description="A user's id, which is also the channel's.")]

MessageId = Annotated[str, Field(pattern=r"^[A-Za-z0-9-]{1,64}$")]

StreamId = Annotated[str, Field(pattern=r"^[A-Za-z0-9-]{1,64}$", description="A stream's id.")]


def _in_utc(moment: datetime) -> datetime:
    try:
        return moment.astimezone(UTC)
    except OverflowError as error:  # at the end of all times
        raise ValueError("the time is out of range") from error


Moment = Annotated[AwareDatetime, AfterValidator(_in_utc)]
"""RFC 3339 with an offset."""

Login = Annotated[str, Field(pattern=r"^[A-Za-z0-9_]{1,25}$"), AfterValidator(str.lower)]

Password = Annotated[SecretStr, Field(min_length=8, max_length=128)]

# C0 and C1 controls, and those that turn the direction of the text around them.
_CONTROLS = r"\x00-\x1f\x7f-\x9f\u2028-\u202e\u2066-\u2069"

Line = Annotated[str, StringConstraints(strip_whitespace=True, pattern=rf"^[^{_CONTROLS}]*$")]
"""One line of text."""
