from __future__ import annotations

import json
import stat
from pathlib import Path

import pytest

from topology import logs
from topology.ports import DEFAULTS, OFFSETS, local_settings, ports, taken
from topology.probes import tail
from topology.reference import PAGE, render
from topology.secrets import Secrets
from topology.settings import Settings


def test_every_setting_says_what_it_is() -> None:
    assert [name for name, field in Settings.model_fields.items() if not field.description] == []


def test_the_settings_page_is_what_the_code_says() -> None:
    assert PAGE.read_text() == render(), "run `python -m topology.reference`"


def test_settings_survive_the_way_to_a_child_process(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    original = Secrets().apply(local_settings(tmp_path, 31_000))
    for name, value in original.environment().items():
        monkeypatch.setenv(name, value)
    assert Settings() == original


def test_a_port_base_moves_every_server_by_a_fixed_number() -> None:
    assert ports(20_000) == {
        "edge": 20_000,
        "playback": 20_001,
        "rtmp": 20_002,
        "kafka": 20_003,
        "kafka_controller": 20_004,
        "schema_registry": 20_005,
        "postgres": 20_006,
        "clickhouse": 20_007,
        "chat": 20_008,
        "irc": 20_009,
    }
    assert OFFSETS.keys() == DEFAULTS.keys()


def test_without_a_port_base_a_local_system_listens_where_the_defaults_say(tmp_path: Path) -> None:
    local, default = local_settings(tmp_path, None), Settings()
    for name in Settings.model_fields:
        if name.endswith(("_port", "_url", "_bootstrap")):
            assert getattr(local, name) == getattr(default, name), name


def test_settings_of_a_local_system_name_each_port_once(tmp_path: Path) -> None:
    settings = local_settings(tmp_path, 20_000)
    text = " ".join(str(value) for value in settings.model_dump().values())
    for port in ports(20_000).values():
        assert str(port) in text


def test_only_the_owner_reads_the_secrets(tmp_path: Path) -> None:
    secrets = Secrets.load_or_make(tmp_path)
    assert stat.S_IMODE((tmp_path / "secrets.json").stat().st_mode) == 0o600
    assert Secrets.load_or_make(tmp_path) == secrets
    assert Secrets() != secrets


def test_saved_secrets_stay_the_owners(tmp_path: Path) -> None:
    Secrets.load_or_make(tmp_path).model_copy(update={"demo_token": "t"}).save(tmp_path)
    assert stat.S_IMODE((tmp_path / "secrets.json").stat().st_mode) == 0o600
    assert [path.name for path in tmp_path.iterdir()] == ["secrets.json"]


def test_a_secret_that_a_later_version_adds_is_made_once(tmp_path: Path) -> None:
    file = tmp_path / "secrets.json"
    Secrets.load_or_make(tmp_path)
    earlier = {name: value for name, value in json.loads(file.read_text()).items() if name != "privacy_master_key"}
    file.write_text(json.dumps(earlier))
    made = Secrets.load_or_make(tmp_path)
    assert Secrets.load(tmp_path) == made
    assert made.pepper == earlier["pepper"]


def test_secrets_are_not_shown_by_the_settings_that_carry_them(tmp_path: Path) -> None:
    secrets = Secrets.load_or_make(tmp_path)
    shown = repr(secrets.apply(local_settings(tmp_path, None)))
    passwords = ("postgres_password", "clickhouse_password", "clickhouse_analyst_password")
    for name in ("pepper", "privacy_master_key", *passwords):
        assert getattr(secrets, name) not in shown


def test_a_large_log_is_moved_aside_while_its_writer_goes_on(tmp_path: Path) -> None:
    log = tmp_path / "edge.log"
    with log.open("ab", buffering=0) as writer:
        writer.write(b"before\n")
        logs.rotate(log)
        writer.write(b"after\n")
    assert (tmp_path / "edge.log.1").read_text() == "before\n"
    assert log.read_text() == "after\n"


def test_a_tail_is_the_last_lines_of_a_log_that_may_be_missing(tmp_path: Path) -> None:
    log = tmp_path / "edge.log"
    assert tail(log, 2) == []
    log.write_text("one\ntwo\nthree\n")
    assert tail(log, 2) == ["two", "three"]


def test_taken_names_the_server_whose_port_is_in_use(tmp_path: Path) -> None:
    import socket

    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        listener.listen()
        base = listener.getsockname()[1] - OFFSETS["rtmp"]
        assert taken(base)["rtmp"] == base + OFFSETS["rtmp"]
