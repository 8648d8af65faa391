"""Bearer tokens, in OAuth 2.0's form (RFC 6749 §4.3, RFC 7009) with Twitch's validate endpoint."""

from __future__ import annotations

import time
from datetime import UTC, datetime, timedelta
from typing import Literal

from pydantic import BaseModel, Field, SecretStr

from commands.identity import new_id, new_token, normalise_login, secret_hash, user_id_of
from query_api.endpoint import Answer, Call, Endpoint, Nothing
from query_api.errors import ApiError
from query_api.rate_limit import refuse_if_spent
from query_api.scopes import SCOPES
from schemas.commands.accounts import SignIn, SignOut


class TokenForm(BaseModel):
    """The resource owner's password grant. Other OAuth fields, such as client_id, are ignored."""

    grant_type: str = Field(max_length=100, description="Must be `password`.")
    username: str = Field(max_length=100, description="The login.")
    password: SecretStr = Field(max_length=128)
    scope: str | None = Field(
        default=None, max_length=4000, description="Scopes with spaces between; all when left out."
    )


class Token(BaseModel):
    """A sign-in. The token is shown once and kept only as a hash."""

    access_token: str
    token_type: Literal["bearer"] = "bearer"  # noqa: S105  # RFC 6750's word
    expires_in: int = Field(description="Seconds.")
    scope: list[str]


class RevokeForm(BaseModel):
    """RFC 7009."""

    token: SecretStr = Field(max_length=200)


class Validation(BaseModel):
    """What a token is good for."""

    client_id: str = Field(default="", description="Clients are not registered here: always empty.")
    login: str
    user_id: str
    scopes: list[str]
    expires_in: int = Field(description="Seconds.")


async def sign_in(call: Call[Nothing, TokenForm]) -> Answer:
    form, services = call.body, call.services
    if form.grant_type != "password":
        raise ApiError(400, "grant_type: only `password` is supported.", "unsupported_grant_type")
    scopes = _scopes(form.scope)
    try:
        login = normalise_login(form.username)
    except ValueError as error:
        raise _wrong_credentials() from error
    refuse_if_spent(services.credentials.take(call.address, time.monotonic()), "Too many sign-ins.")
    refuse_if_spent(services.sign_ins.take(login, time.monotonic()), "Too many sign-ins with this login.")
    token = new_token()
    user_id = user_id_of(login)
    lifetime_s = services.settings.session_lifetime_s
    verifier = await services.passwords.verifier(login, form.password.get_secret_value())
    try:
        accepted = await services.gateway.submit(
            SignIn(
                user_id=user_id,
                password_verifier=verifier,
                session_id=new_id(),
                token_hash=secret_hash(token),
                scopes=scopes,
                expires_at=datetime.now(UTC) + timedelta(seconds=lifetime_s),
                **call.envelope(user_id, "POST /oauth2/token"),
            )
        )
    except ApiError as error:
        if error.code in ("bad_credentials", "unknown_user"):
            raise _wrong_credentials() from error
        raise
    if accepted.token is not None:
        await services.consistency.wait(accepted.token)
    return Answer(Token(access_token=token, expires_in=lifetime_s, scope=scopes), accepted.token)


async def sign_out(call: Call[Nothing, RevokeForm]) -> Answer:
    services, token = call.services, call.body.token.get_secret_value()
    session = await services.sessions.find(token)
    if session is None:  # RFC 7009 §2.2: an unknown token is no error, the client cannot do more
        return Answer()
    command = SignOut(
        user_id=session.user_id, session_id=session.session_id, **call.envelope(session.user_id, "POST /oauth2/revoke")
    )
    accepted = await services.gateway.submit(command)
    if accepted.token is not None:
        await services.consistency.wait(accepted.token)
    services.sessions.forget(token)
    return Answer(consistency=accepted.token)


async def validate(call: Call[Nothing, Nothing]) -> Answer:
    user = call.user
    return Answer(
        Validation(login=user.login, user_id=user.user_id, scopes=sorted(user.scopes), expires_in=user.expires_in_s())
    )


def _scopes(wanted: str | None) -> list[str]:
    scopes = sorted(SCOPES) if wanted is None else wanted.split()
    unknown = [scope for scope in scopes if scope not in SCOPES]
    if unknown:
        raise ApiError(400, f"scope: there is no {unknown[0]}. There are: {' '.join(SCOPES)}.", "invalid_scope")
    return scopes


def _wrong_credentials() -> ApiError:
    return ApiError(400, "Wrong login or password.", "invalid_grant")


ENDPOINTS = (
    Endpoint(
        method="POST",
        path="/oauth2/token",
        tag="Tokens",
        summary="Sign in",
        description="The token works as soon as this answers.",
        handler=sign_in,
        query=Nothing,
        body=TokenForm,
        answer=Token,
        oauth=True,
    ),
    Endpoint(
        method="POST",
        path="/oauth2/revoke",
        tag="Tokens",
        summary="Sign out",
        description="The token stops working: here at once, on other edges within a second.",
        handler=sign_out,
        query=Nothing,
        body=RevokeForm,
        oauth=True,
    ),
    Endpoint(
        method="GET",
        path="/oauth2/validate",
        tag="Tokens",
        summary="Say whose token this is",
        handler=validate,
        query=Nothing,
        body=Nothing,
        answer=Validation,
        signed_in=True,
        oauth=True,
    ),
)
