from __future__ import annotations

import re
from collections import Counter

from openapi_spec_validator import OpenAPIV31SpecValidator

from query_api.endpoints import ENDPOINTS
from query_api.openapi import openapi_document
from query_api.scopes import SCOPES
from schemas.consistency import HEADER

DOCUMENT = openapi_document(ENDPOINTS)


def test_the_document_is_valid_openapi_3_1() -> None:
    OpenAPIV31SpecValidator(DOCUMENT).validate()


def test_every_row_of_the_table_is_documented() -> None:
    documented = {(method.upper(), path) for path, item in DOCUMENT["paths"].items() for method in item}
    assert documented == {(endpoint.method, endpoint.path) for endpoint in ENDPOINTS}


def test_no_two_rows_share_a_place_or_a_name() -> None:
    places = Counter((endpoint.method, endpoint.path) for endpoint in ENDPOINTS)
    names = Counter(endpoint.handler.__name__ for endpoint in ENDPOINTS)
    assert max(places.values()) == max(names.values()) == 1


def test_parameters_of_the_path_are_fields_of_the_query() -> None:
    for endpoint in ENDPOINTS:
        assert set(re.findall(r"{(\w+)}", endpoint.path)) <= set(endpoint.query.model_fields)


def test_scopes_are_known_and_each_is_asked_for_somewhere() -> None:
    assert {endpoint.scope for endpoint in ENDPOINTS} - {None} == set(SCOPES)


def test_writes_take_an_idempotency_key_and_reads_take_a_consistency_token() -> None:
    for endpoint in ENDPOINTS:
        operation = DOCUMENT["paths"][endpoint.path][endpoint.method.lower()]
        headers = {parameter["name"] for parameter in operation["parameters"] if parameter["in"] == "header"}
        if endpoint.mutates:
            assert headers == {"Idempotency-Key"}
        elif endpoint.path.startswith("/helix"):
            assert headers == {HEADER}


def test_whatever_changes_state_of_a_user_needs_a_scope() -> None:
    open_writes = {endpoint.path for endpoint in ENDPOINTS if endpoint.mutates and endpoint.scope is None}
    assert open_writes == {"/accounts"}
