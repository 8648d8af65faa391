"""One row of the route table: everything that serving and documenting an endpoint needs to know."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Generic, TypeVar

from pydantic import BaseModel, ConfigDict

from commands.identity import command_id_of, new_id
from query_api.errors import ApiError
from query_api.services import Services
from query_api.sessions import Session
from schemas.consistency import ConsistencyToken

UNAUTHORISED = {"WWW-Authenticate": "Bearer"}


class Nothing(BaseModel):
    """No parameters, or no body."""


class Body(BaseModel):
    """A request body: unknown members are refused by name, so that a typing error cannot pass for a wish."""

    model_config = ConfigDict(extra="forbid")


class Upload(BaseModel):
    """A body that is a file: of one of the endpoint's `media_types`, and of at most its `upload_bytes`."""

    content: bytes


Q = TypeVar("Q", bound=BaseModel)
B = TypeVar("B", bound=BaseModel)


@dataclass(frozen=True, slots=True)
class Call(Generic[Q, B]):
    """One request, checked."""

    services: Services
    query: Q
    body: B
    session: Session | None
    address: str
    correlation_id: str
    idempotency_key: str | None

    @property
    def user(self) -> Session:
        """Who asks. Raises ApiError 401 without a token."""
        if self.session is None:
            raise ApiError(401, "Sign in: send Authorization: Bearer <access token>.", headers=UNAUTHORISED)
        return self.session

    def envelope(self, actor: str, scope: str) -> dict[str, Any]:
        """A command's envelope; the same Idempotency-Key within a scope names the same command."""
        key = self.idempotency_key
        return {
            "command_id": new_id() if key is None else command_id_of(actor, scope, key),
            "issued_at": datetime.now(UTC),
            "actor": actor,
            "correlation_id": self.correlation_id,
        }


@dataclass(frozen=True, slots=True)
class Answer:
    """What a handler returns. `consistency` is the place that a later read must have passed to see what was done."""

    model: BaseModel | None = None
    consistency: ConsistencyToken | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Endpoint(Generic[Q, B]):
    """`{name}` in the path is a field of `query`. A scope implies `signed_in`; any of `or_scopes` does as well.
    `rejections` are the 4xx of commands.
    """

    method: str
    path: str
    tag: str
    summary: str
    handler: Callable[[Call[Q, B]], Awaitable[Answer]]
    query: type[Q]
    body: type[B]
    answer: type[BaseModel] | None = None
    status: int = 200
    scope: str | None = None
    or_scopes: tuple[str, ...] = ()
    signed_in: bool = False
    mutates: bool = False
    oauth: bool = False
    text_body: bool = False
    media_types: tuple[str, ...] = ()
    upload_bytes: int = 0
    rejections: tuple[int, ...] = ()
    description: str = ""

    @property
    def scopes(self) -> tuple[str, ...]:
        """Any of these will do; none means that none is needed."""
        return () if self.scope is None else (self.scope, *self.or_scopes)

    @property
    def needs_token(self) -> bool:
        return self.signed_in or self.scope is not None

    @property
    def waits(self) -> bool:
        """Whether it reads the models, and so can be asked to wait for a write."""
        return not self.mutates and not self.oauth
