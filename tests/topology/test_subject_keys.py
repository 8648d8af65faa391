"""What the log of the users' keys says, in whatever order processes write to it."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from topology.subject_keys.state import ERASED, SubjectKeys, offer_of

Records = list[tuple[str, bytes | None]]

USERS = st.sampled_from(["1", "2", "3"])
RECORDS = st.lists(
    st.one_of(
        st.tuples(st.builds("{}/{}".format, USERS, st.sampled_from("abc")), st.binary(min_size=1, max_size=2)),
        st.tuples(USERS, st.just(ERASED)),
    ),
    max_size=12,
).map(lambda records: list({key: (key, value) for key, value in records}.values()))  # no key is offered twice


def read(records: Records) -> SubjectKeys:
    keys = SubjectKeys()
    for key, value in records:
        keys.take(key, value)
    return keys


def compacted(records: Records) -> Records:
    """As Kafka's cleaner leaves it: the last record of each key, tombstones gone."""
    last = {key: place for place, (key, _) in enumerate(records)}
    return [(key, value) for place, (key, value) in enumerate(records) if last[key] == place and value is not None]


def test_the_first_offer_is_the_key() -> None:
    keys = read([("1/a", b"first"), ("1/b", b"second")])
    assert keys.wrapped("1") == b"first"


def test_one_users_offer_is_not_anothers() -> None:
    assert read([("1/a", b"key")]).wrapped("11") is None


def test_offers_have_keys_of_their_own() -> None:
    assert offer_of("1") != offer_of("1")
    assert offer_of("1").startswith("1/")


def test_an_erased_user_has_no_key_and_gets_none() -> None:
    keys = read([("1/a", b"key"), ("1", ERASED), ("1/b", b"late")])
    assert keys.wrapped("1") is None
    assert keys.erased == {"1"}


@given(RECORDS)
def test_erasing_leaves_no_wrapped_key_in_a_compacted_log(records: Records) -> None:
    erasure = read(records).erasure("1")
    left = compacted([*records, *erasure])
    assert [key for key, _ in left if key.startswith("1/")] == []
    assert read(left).erased >= {"1"}


@given(RECORDS)
def test_compaction_changes_nothing(records: Records) -> None:
    before = read(records)
    for user in sorted(before.erased):
        records = [*records, *before.erasure(user)]
    whole, left = read(records), read(compacted(records))
    assert whole.erased == left.erased
    assert [whole.wrapped(user) for user in "123"] == [left.wrapped(user) for user in "123"]


@given(RECORDS, st.data())
def test_a_key_never_changes_once_it_was_read(records: Records, data: st.DataObject) -> None:
    cut = data.draw(st.integers(0, len(records)))
    early, late = read(records[:cut]), read(records)
    for user in "123":
        assert late.wrapped(user) in ((early.wrapped(user), None) if early.wrapped(user) else (late.wrapped(user),))
