"""Requests made up from the OpenAPI document: no answer may contradict it, and none may be a 500."""

from __future__ import annotations

from typing import Any

import pytest
import schemathesis
from hypothesis import HealthCheck, Phase, settings
from schemathesis.checks import not_a_server_error
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    response_schema_conformance,
    status_code_conformance,
)

from query_api.endpoints import ENDPOINTS
from query_api.openapi import openapi_document
from schemas.consistency import HEADER
from tests.query_api.conftest import Edge

pytestmark = pytest.mark.stack

# Registering and signing in cost a password hash each, and are limited.
schema = schemathesis.openapi.from_dict(openapi_document(ENDPOINTS)).exclude(path=["/accounts", "/oauth2/token"])


@schema.parametrize()
@settings(
    max_examples=10,
    deadline=None,
    derandomize=True,
    phases=[Phase.explicit, Phase.generate],
    suppress_health_check=list(HealthCheck),
)
def test_an_answer_is_as_documented(case: schemathesis.Case[Any], edge: Edge) -> None:
    case.headers.pop(HEADER, None)  # it would wait for places that are never reached
    token = edge.member("schemathesis").token
    headers = {"Authorization": f"Bearer {token}"}
    response = case.call(base_url=edge.url, headers=headers)
    case.validate_response(
        response,
        checks=[not_a_server_error, status_code_conformance, content_type_conformance, response_schema_conformance],
    )
