"""What a client reads when something was wrong: Helix's error body, and OAuth's on the token endpoints."""

from __future__ import annotations

from collections.abc import Mapping
from http import HTTPStatus
from typing import Any

from pydantic import BaseModel, Field
from starlette.responses import JSONResponse

_OAUTH_CODES = {
    400: "invalid_request",
    401: "invalid_token",
    403: "insufficient_scope",
    429: "slow_down",
    503: "temporarily_unavailable",
}


class ApiError(Exception):
    """Ends a request. `message` says what was wrong and what to do; `code` is for programs, where one is known."""

    def __init__(self, status: int, message: str, code: str | None = None, headers: Mapping[str, str] | None = None):
        super().__init__(message)
        self.status, self.message, self.code, self.headers = status, message, code, dict(headers or {})


class ErrorBody(BaseModel):
    """Helix's error body."""

    error: str = Field(description="The HTTP status in words.")
    status: int = Field(description="The HTTP status.")
    message: str = Field(description="What was wrong and what to do.")
    code: str | None = Field(
        default=None, description="Stable reason of a refused command, such as login_taken; absent otherwise."
    )


class OAuthErrorBody(BaseModel):
    """RFC 6749 §5.2, with Twitch's `status` and `message` beside it."""

    error: str = Field(description="Such as invalid_grant.")
    error_description: str
    status: int
    message: str


def unavailable(message: str, retry_after_s: int = 1) -> ApiError:
    """503 that says when to come back."""
    return ApiError(503, message, headers={"Retry-After": str(retry_after_s)})


def error_response(error: ApiError, *, oauth: bool = False) -> JSONResponse:
    """The body that the endpoint's family promises."""
    body: dict[str, Any]
    if oauth:
        code = error.code or _OAUTH_CODES.get(error.status, "invalid_request")
        body = {"error": code, "error_description": error.message, "status": error.status, "message": error.message}
    else:
        body = {"error": HTTPStatus(error.status).phrase, "status": error.status, "message": error.message}
        if error.code is not None:
            body["code"] = error.code
    return JSONResponse(body, error.status, headers=error.headers)
