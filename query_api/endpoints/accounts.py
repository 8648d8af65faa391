"""Taking a login."""

from __future__ import annotations

import time
from typing import Annotated

from pydantic import BaseModel, Field

from commands.identity import secret_hash, user_id_of
from query_api.endpoint import Answer, Body, Call, Endpoint, Nothing
from query_api.fields import Line, Password
from query_api.pages import Listing
from query_api.rate_limit import refuse_if_spent
from schemas.commands.accounts import Register


class NewAccount(Body):
    """Who wants an account."""

    login: str = Field(
        pattern=r"^[a-z0-9_]{3,25}$", description="Small letters, digits and _; also the channel's name."
    )
    display_name: Annotated[Line, Field(min_length=1, max_length=50)] | None = Field(
        default=None, description="How the login is shown; the login itself when left out."
    )
    password: Password


class Account(BaseModel):
    """A new account."""

    id: str
    login: str
    display_name: str


async def register(call: Call[Nothing, NewAccount]) -> Answer:
    new = call.body
    refuse_if_spent(call.services.credentials.take(call.address, time.monotonic()), "Too many registrations.")
    user_id = user_id_of(new.login)
    verifier = await call.services.passwords.verifier(new.login, new.password.get_secret_value())
    display_name = new.display_name or new.login
    # The password is part of the scope: a stranger's equal Idempotency-Key must not be answered as the owner's retry.
    scope = f"POST /accounts {secret_hash(verifier)}"
    accepted = await call.services.gateway.submit(
        Register(
            user_id=user_id,
            login=new.login,
            display_name=display_name,
            password_verifier=verifier,
            **call.envelope(user_id, scope),
        )
    )
    account = Account(id=user_id, login=new.login, display_name=display_name)
    return Answer(Listing[Account](data=[account]), accepted.token)


ENDPOINTS = (
    Endpoint(
        method="POST",
        path="/accounts",
        tag="Accounts",
        summary="Register",
        handler=register,
        query=Nothing,
        body=NewAccount,
        answer=Listing[Account],
        status=201,
        mutates=True,
        rejections=(409,),
    ),
)
