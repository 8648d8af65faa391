"""Stream keys: shown once, kept only as a hash."""

from __future__ import annotations

from datetime import datetime

from pydantic import BaseModel, Field

from commands.identity import new_id, new_stream_key, secret_hash
from query_api.endpoint import Answer, Call, Endpoint, Nothing
from query_api.errors import ApiError
from query_api.fields import MessageId
from query_api.pages import Listing
from schemas.commands.accounts import IssueStreamKey, RevokeStreamKey

SCOPE = "channel:manage:stream_key"

_SQL = """
SELECT key_id, created_at FROM stream_keys WHERE user_id = $1 AND revoked_at IS NULL ORDER BY created_at, key_id
"""


class NewStreamKey(BaseModel):
    """A key to publish with. It cannot be shown again."""

    stream_key: str
    key_id: str


class StreamKey(BaseModel):
    """A key that works; only its id is known."""

    key_id: str
    created_at: datetime


class KeyQuery(BaseModel):
    """Which key."""

    key_id: MessageId = Field(description="As it was answered when the key was made.")


async def list_keys(call: Call[Nothing, Nothing]) -> Answer:
    rows = await call.services.database.rows(_SQL, call.user.user_id)
    return Answer(Listing[StreamKey](data=[StreamKey(**row) for row in rows]))


async def issue_key(call: Call[Nothing, Nothing]) -> Answer:
    user_id, key_id = call.user.user_id, new_id()
    key = new_stream_key(user_id)
    command = IssueStreamKey(
        user_id=user_id,
        key_id=key_id,
        key_hash=secret_hash(key),
        **call.envelope(user_id, "POST /helix/streams/key"),
    )
    accepted = await call.services.gateway.submit(command)
    first_id = accepted.reply.get("key_id", key_id)
    if first_id != key_id:
        # The hash in the log is the first request's, whose key nobody can read back.
        raise ApiError(
            409,
            f"This Idempotency-Key made key {first_id} before, which is shown only once. "
            f"If it was lost, delete it and make another with a new Idempotency-Key.",
            "already_issued",
        )
    return Answer(Listing[NewStreamKey](data=[NewStreamKey(stream_key=key, key_id=key_id)]), accepted.token)


async def revoke_key(call: Call[KeyQuery, Nothing]) -> Answer:
    user_id, key_id = call.user.user_id, call.query.key_id
    scope = f"DELETE /helix/streams/key {key_id}"
    command = RevokeStreamKey(user_id=user_id, key_id=key_id, **call.envelope(user_id, scope))
    accepted = await call.services.gateway.submit(command)
    return Answer(consistency=accepted.token)


ENDPOINTS = (
    Endpoint(
        method="GET",
        path="/helix/streams/key",
        tag="Stream keys",
        summary="Get the ids of the keys that work",
        handler=list_keys,
        query=Nothing,
        body=Nothing,
        answer=Listing[StreamKey],
        scope=SCOPE,
    ),
    Endpoint(
        method="POST",
        path="/helix/streams/key",
        tag="Stream keys",
        summary="Make a stream key",
        description="Keys made before go on working until they are deleted.",
        handler=issue_key,
        query=Nothing,
        body=Nothing,
        answer=Listing[NewStreamKey],
        scope=SCOPE,
        mutates=True,
        rejections=(409,),
    ),
    Endpoint(
        method="DELETE",
        path="/helix/streams/key",
        tag="Stream keys",
        summary="Delete a stream key",
        description="A stream that was published with it ends.",
        handler=revoke_key,
        query=KeyQuery,
        body=Nothing,
        status=204,
        scope=SCOPE,
        mutates=True,
        rejections=(404,),
    ),
)
