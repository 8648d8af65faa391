"""The REST API as Confluent's client and plain HTTP use it."""

from __future__ import annotations

import json
from collections.abc import Iterator
from uuid import uuid4

import httpx
import pytest
from confluent_kafka.schema_registry import Schema, SchemaRegistryClient, SchemaRegistryError

from topology.registry.app import MAX_BODY
from topology.settings import Settings

pytestmark = pytest.mark.stack


def record(**fields: str) -> str:
    listed = [{"name": name, "type": kind} for name, kind in fields.items()]
    return json.dumps({"type": "record", "name": f"R{uuid4().hex}", "fields": listed})


@pytest.fixture(scope="module")
def client(registry: Settings) -> Iterator[SchemaRegistryClient]:
    made = SchemaRegistryClient({"url": registry.schema_registry_url})
    yield made
    made.close()


@pytest.fixture(scope="module")
def http(registry: Settings) -> Iterator[httpx.Client]:
    with httpx.Client(base_url=registry.schema_registry_url, timeout=30) as made:
        yield made


@pytest.fixture
def subject() -> str:
    return f"test-{uuid4()}"


def test_confluents_client_registers_and_reads_back(client: SchemaRegistryClient, subject: str) -> None:
    text = record(a="int")
    schema_id = client.register_schema(subject, Schema(text, "AVRO"))
    assert json.loads(client.get_schema(schema_id).schema_str or "") == json.loads(text)
    assert client.lookup_schema(subject, Schema(text, "AVRO")).version == 1
    assert client.get_latest_version(subject).schema_id == schema_id
    assert client.get_version(subject, 1).schema_id == schema_id
    assert client.get_versions(subject) == [1]
    assert subject in client.get_subjects()
    assert client.get_subjects(subject_prefix=subject) == [subject]
    assert client.get_subjects_by_schema_id(schema_id) == [subject]
    assert [(use.subject, use.version) for use in client.get_schema_versions(schema_id)] == [(subject, 1)]
    assert client.get_schema_types() == ["AVRO"]


def test_compatibility_can_be_asked_before_registering(client: SchemaRegistryClient, subject: str) -> None:
    text = record(a="int")
    wider = text.replace('"type": "int"', '"type": "long"')
    broken = text.replace('"type": "int"', '"type": "string"')
    client.register_schema(subject, Schema(text, "AVRO"))
    assert client.test_compatibility(subject, Schema(wider, "AVRO"))
    assert not client.test_compatibility(subject, Schema(broken, "AVRO"), version=1)
    assert not client.test_compatibility_all_versions(subject, Schema(broken, "AVRO"))
    with pytest.raises(SchemaRegistryError, match="field 'a'") as refused:
        client.register_schema(subject, Schema(broken, "AVRO"))
    assert (refused.value.http_status_code, refused.value.error_code) == (409, 409)


def test_levels_are_set_per_subject(client: SchemaRegistryClient, subject: str) -> None:
    assert client.get_compatibility() == "BACKWARD_TRANSITIVE"
    assert client.get_compatibility(subject) == "BACKWARD_TRANSITIVE"
    client.set_compatibility(subject, "none")
    assert client.get_compatibility(subject) == "NONE"
    assert client.get_mode(subject) == client.get_global_mode() == "READWRITE"
    with pytest.raises(SchemaRegistryError) as refused:
        client.set_compatibility(subject, "sideways")
    assert refused.value.error_code == 42203


def test_a_subject_may_carry_a_slash(client: SchemaRegistryClient, subject: str) -> None:
    schema_id = client.register_schema(f"{subject}/value", Schema(record(), "AVRO"))
    assert client.get_latest_version(f"{subject}/value").schema_id == schema_id


def test_schemas_by_id_are_served_raw_too(http: httpx.Client, client: SchemaRegistryClient, subject: str) -> None:
    text = record(a="int")
    schema_id = client.register_schema(subject, Schema(text, "AVRO"))
    assert http.get(f"/schemas/ids/{schema_id}/schema").json() == json.loads(text)
    assert http.get(f"/subjects/{subject}/versions/latest/schema").json() == json.loads(text)
    assert http.get("/").json() == {}


@pytest.mark.parametrize(
    ("method", "path", "body", "status", "code"),
    [
        ("GET", "/subjects/nobody/versions", None, 404, 40401),
        ("GET", "/subjects/nobody/versions/latest", None, 404, 40401),
        ("GET", "/subjects/nobody/versions/zero", None, 422, 42202),
        ("GET", "/subjects/nobody/versions/0", None, 422, 42202),
        ("GET", f"/subjects/nobody/versions/{2**31}", None, 422, 42202),
        ("GET", "/schemas/ids/2000000000", None, 404, 40403),
        ("POST", "/subjects/nobody", {"schema": '"int"'}, 404, 40401),
        ("POST", "/subjects/bad/versions", {"schema": "{"}, 422, 42201),
        ("POST", "/subjects/bad/versions", {"schema": 1}, 422, 42201),
        ("POST", "/subjects/bad/versions", {}, 422, 42201),
        ("POST", "/subjects/bad/versions", [], 400, 400),
        ("POST", "/subjects/bad/versions", {"schema": '"int"', "schemaType": "JSON"}, 422, 42201),
        ("POST", "/subjects/bad/versions", {"schema": '"int"', "references": [{"name": "x"}]}, 422, 42201),
        ("POST", "/subjects/bad/versions", {"schema": "[" * 100_000}, 422, 42201),
        ("POST", "/subjects/bad/versions", {"schema": '"' + "x" * MAX_BODY + '"'}, 413, 413),
        ("GET", "/nowhere", None, 404, 404),
        ("PATCH", "/subjects", None, 405, 405),
    ],
)
def test_refusals_have_confluents_form(
    http: httpx.Client, method: str, path: str, body: object, status: int, code: int
) -> None:
    answer = http.request(method, path, json=body)
    assert (answer.status_code, answer.json()["error_code"]) == (status, code)
    assert answer.json()["message"]


def test_a_body_that_is_not_json_is_refused(http: httpx.Client) -> None:
    assert http.post("/subjects/bad/versions", content=b"\xff{").status_code == 400
    assert http.post("/subjects/bad/versions", content=b"[" * 200_000).status_code == 400
