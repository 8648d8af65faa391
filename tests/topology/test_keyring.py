"""Keyrings over a real Kafka: what processes that never heard of each other agree on."""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, closing
from uuid import uuid4

import pytest
from pydantic import SecretStr

from schemas.sealing import KeysUnavailable
from topology.settings import Settings
from topology.subject_keys.keyring import KafkaKeyring, open_keyring

pytestmark = pytest.mark.stack

PLACE = [b"place"]


def keyring(kafka: Settings, master_key: str = "of tests") -> KafkaKeyring:
    made = open_keyring(kafka.model_copy(update={"privacy_master_key": SecretStr(master_key)}))
    assert made
    return made


@pytest.fixture
def one(kafka: Settings) -> Iterator[KafkaKeyring]:
    with closing(keyring(kafka)) as made:
        yield made


@pytest.fixture
def other(kafka: Settings) -> Iterator[KafkaKeyring]:
    with closing(keyring(kafka)) as made:
        yield made


def sealed(ring: KafkaKeyring, user: str) -> bytes:
    key = ring.writing(user)
    assert key
    return key.encrypt(b"hello", PLACE)


def opened(ring: KafkaKeyring, user: str, text: bytes) -> bytes | None:
    key = ring.reading(user)
    return key.decrypt(text, PLACE) if key else None


def test_what_one_process_seals_another_opens(one: KafkaKeyring, other: KafkaKeyring) -> None:
    user = uuid4().hex
    assert opened(other, user, sealed(one, user)) == b"hello"


def test_processes_that_make_a_users_key_at_once_end_up_with_the_same(kafka: Settings) -> None:
    user = uuid4().hex
    with ExitStack() as stack, ThreadPoolExecutor(4) as pool:
        rings = [stack.enter_context(closing(keyring(kafka))) for _ in range(4)]
        assert len(set(pool.map(lambda ring: sealed(ring, user), rings))) == 1


def test_a_system_without_a_master_key_has_no_keyring(kafka: Settings) -> None:
    assert open_keyring(kafka) is None


def test_who_has_no_key_has_none_to_read_with(one: KafkaKeyring) -> None:
    assert one.reading(uuid4().hex) is None


def test_an_erased_user_has_no_key_anywhere_and_gets_none(one: KafkaKeyring, other: KafkaKeyring) -> None:
    user, bystander = uuid4().hex, uuid4().hex
    text, kept = sealed(one, user), sealed(one, bystander)
    assert opened(other, user, text) == b"hello"
    one.erase(user)
    assert user in other.erased()
    for ring in (one, other):
        assert ring.reading(user) is None
        assert ring.writing(user) is None
        assert ring.is_erased(user)
        assert opened(ring, bystander, kept) == b"hello"


def test_a_process_that_starts_later_knows_who_is_erased(one: KafkaKeyring, kafka: Settings) -> None:
    user = uuid4().hex
    sealed(one, user)
    one.erase(user)
    with closing(keyring(kafka)) as late:
        assert late.is_erased(user)
        assert late.reading(user) is None


def test_another_master_key_is_told_from_an_erasure(one: KafkaKeyring, kafka: Settings) -> None:
    user = uuid4().hex
    sealed(one, user)
    with closing(keyring(kafka, "another")) as stranger, pytest.raises(KeysUnavailable, match="MASTER_KEY"):
        stranger.reading(user)


def test_without_kafka_nobody_is_taken_for_erased() -> None:
    nowhere = Settings(kafka_bootstrap="127.0.0.1:1")
    with closing(keyring(nowhere)) as away, pytest.raises(KeysUnavailable):
        away.reading("1")


def test_looking_up_and_making_keys_opens_no_connection_each(
    one: KafkaKeyring, monkeypatch: pytest.MonkeyPatch
) -> None:
    sealed(one, uuid4().hex)
    made: list[str] = []
    for name in ("AdminClient", "Producer"):
        monkeypatch.setattr(f"topology.subject_keys.keyring.{name}", lambda *_, kind=name: made.append(kind))
    sealed(one, uuid4().hex)
    assert one.reading(uuid4().hex) is None
    assert made == []
