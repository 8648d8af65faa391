"""What the registry decides, folded from records alone."""

from __future__ import annotations

import json

import pytest

from topology.registry.errors import RegistryError
from topology.registry.records import LevelSet, SchemaRegistered, decode, encode
from topology.registry.state import MAX_SUBJECT_CHARS, MAX_VERSIONS, RegistryState


def record(**fields: str) -> str:
    listed = [{"name": name, "type": kind} for name, kind in fields.items()]
    return json.dumps({"type": "record", "name": "R", "fields": listed})


def after(*records: SchemaRegistered | LevelSet) -> RegistryState:
    state = RegistryState()
    for one in records:
        state.evolve(one)
    return state


FIRST = SchemaRegistered("s", 1, 1, record(a="int"))


def test_the_first_schema_gets_the_first_id_and_version() -> None:
    assert RegistryState().decide_registration("s", FIRST.schema) == FIRST


def test_the_same_schema_again_appends_nothing_however_it_is_spaced() -> None:
    spaced = json.dumps(json.loads(FIRST.schema), indent=4, sort_keys=True)
    assert after(FIRST).decide_registration("s", spaced) is None


def test_one_schema_has_one_id_under_every_subject() -> None:
    assert after(FIRST).decide_registration("t", FIRST.schema) == SchemaRegistered("t", 1, 1, FIRST.schema)


def test_the_next_version_gets_the_next_id() -> None:
    state = after(FIRST, SchemaRegistered("t", 1, 7, record(b="int")))
    assert state.decide_registration("s", record()) == SchemaRegistered("s", 2, 8, record())


def test_an_incompatible_schema_is_refused_by_field_and_version() -> None:
    with pytest.raises(RegistryError, match=r"field 'b': missing .* against version 1") as refused:
        after(FIRST).decide_registration("s", record(a="int", b="string"))
    assert (refused.value.status, refused.value.error_code) == (409, 409)


def test_every_earlier_version_is_asked() -> None:
    state = after(SchemaRegistered("s", 1, 1, record()), SchemaRegistered("s", 2, 2, record(a="int")))
    with pytest.raises(RegistryError, match="against version 1"):
        state.decide_registration("s", record(a="long"))


def test_a_subjects_level_goes_before_the_general_one() -> None:
    state = after(FIRST, LevelSet(None, "FULL"), LevelSet("s", "NONE"))
    assert (state.level, state.level_of("s"), state.level_of("t")) == ("FULL", "NONE", "FULL")
    assert state.decide_registration("s", record(a="string")) == SchemaRegistered("s", 2, 2, record(a="string"))


def test_a_level_that_stands_is_not_appended_again() -> None:
    state = after(LevelSet("s", "NONE"))
    assert state.decide_level(LevelSet("s", "NONE")) is None
    assert state.decide_level(LevelSet("s", "FULL")) == LevelSet("s", "FULL")
    assert state.decide_level(LevelSet(None, "BACKWARD_TRANSITIVE")) is None


@pytest.mark.parametrize("subject", ["", "x" * (MAX_SUBJECT_CHARS + 1), "a\nb", "a\0"])
def test_odd_subjects_are_refused(subject: str) -> None:
    with pytest.raises(RegistryError) as refused:
        RegistryState().decide_registration(subject, FIRST.schema)
    assert refused.value.status == 422


def test_a_subject_has_room_for_only_so_many_versions() -> None:
    state = after(*(SchemaRegistered("s", n, n, record(**{f"f{n}": "int"})) for n in range(1, MAX_VERSIONS + 1)))
    state.evolve(LevelSet("s", "NONE"))
    with pytest.raises(RegistryError, match=str(MAX_VERSIONS)):
        state.decide_registration("s", record())


def test_unknown_subjects_versions_and_ids_are_named() -> None:
    state = after(FIRST)
    for ask, code in (
        (lambda: state.versions("t"), 40401),
        (lambda: state.version("t", None), 40401),
        (lambda: state.version("s", 2), 40402),
        (lambda: state.uses_of(2), 40403),
        (lambda: state.find("s", "{}"), 42201),
    ):
        with pytest.raises(RegistryError) as refused:
            ask()
        assert (refused.value.error_code, refused.value.status) == (code, code // 100)


@pytest.mark.parametrize("one", [FIRST, LevelSet(None, "FULL"), LevelSet("s", "NONE")])
def test_records_come_back_from_the_topic_as_they_were(one: SchemaRegistered | LevelSet) -> None:
    assert decode(*encode(one)) == one


def test_a_key_names_subject_and_version_so_that_compaction_keeps_each() -> None:
    assert json.loads(encode(FIRST)[0]) == {"keytype": "SCHEMA", "subject": "s", "version": 1, "magic": 1}


@pytest.mark.parametrize(
    ("key", "value"),
    [
        (b'{"keytype":"NOOP","magic":0}', b"{}"),
        (b'{"keytype":"MODE","subject":null,"magic":0}', b'{"mode":"READONLY"}'),
        (b'{"keytype":"SCHEMA","subject":"s","version":1,"magic":1}', None),
        (None, b"{}"),
    ],
)
def test_records_of_other_kinds_change_nothing(key: bytes | None, value: bytes | None) -> None:
    assert decode(key, value) is None
