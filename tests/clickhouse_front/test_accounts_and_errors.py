"""Who asks, and how a refusal reads."""

from __future__ import annotations

import base64

import pytest

from topology.embedded.clickhouse.access import accounts_of, authenticate
from topology.embedded.clickhouse.errors import ClickHouseError
from topology.settings import Settings

ACCOUNTS = accounts_of(
    Settings.model_validate({"clickhouse_password": "pässword:1", "clickhouse_analyst_password": "second"})
)


def basic(text: str) -> dict[str, str]:
    return {"authorization": "Basic " + base64.b64encode(text.encode()).decode()}


@pytest.mark.parametrize(
    ("headers", "params"),
    [
        (basic("tally:pässword:1"), {}),
        ({"x-clickhouse-user": "tally", "x-clickhouse-key": "pässword:1"}, {}),
        ({}, {"user": "tally", "password": "pässword:1"}),
    ],
)
def test_each_way_to_show_a_password(headers: dict[str, str], params: dict[str, str]) -> None:
    account = authenticate(ACCOUNTS, headers, params)
    assert (account.name, account.is_analyst) == ("tally", False)


@pytest.mark.parametrize(
    ("headers", "params"),
    [
        (basic("tally:second"), {}),
        (basic("nobody:second"), {}),
        (basic(":"), {}),
        ({"authorization": "Basic !!!"}, {}),
        ({"x-clickhouse-user": "tally"}, {}),
        ({}, {"user": "analyst"}),
        ({}, {"password": ""}),
    ],
)
def test_a_wrong_password_is_refused(headers: dict[str, str], params: dict[str, str]) -> None:
    with pytest.raises(ClickHouseError) as refused:
        authenticate(ACCOUNTS, headers, params)
    assert (refused.value.code, refused.value.status) == (516, 403)


def test_no_password_at_all_is_asked_for() -> None:
    with pytest.raises(ClickHouseError) as refused:
        authenticate(ACCOUNTS, {"authorization": "Bearer x"}, {})
    assert (refused.value.code, refused.value.status) == (194, 401)


def test_an_account_without_a_password_is_off() -> None:
    off = accounts_of(Settings.model_validate({"clickhouse_password": "", "clickhouse_analyst_password": ""}))
    with pytest.raises(ClickHouseError):
        authenticate(off, {}, {"user": "tally", "password": ""})


@pytest.mark.parametrize(
    ("said", "code", "name", "message"),
    [
        ("Code: 60. DB::Exception: No table x. (UNKNOWN_TABLE)", 60, "UNKNOWN_TABLE", "No table x"),
        (
            "Streaming query failed: Code: 56. DB::Exception: Code: 56. DB::Exception: Unknown engine. "
            "(UNKNOWN_STORAGE) (version 26.9.2.1). (UNKNOWN_STORAGE)",
            56,
            "UNKNOWN_STORAGE",
            "Unknown engine",
        ),
        (
            "Code: 62. DB::Exception: Syntax error: at 1: In scope SELECT formatQuerySingleLine('x'). (SYNTAX_ERROR)",
            62,
            "SYNTAX_ERROR",
            "Syntax error: at 1",
        ),
        ("Something else", 1002, "UNKNOWN_EXCEPTION", "Something else"),
    ],
)
def test_the_engines_words_are_taken_apart(said: str, code: int, name: str, message: str) -> None:
    error = ClickHouseError.parse(RuntimeError(said))
    assert (error.code, error.name, error.message) == (code, name, message)
