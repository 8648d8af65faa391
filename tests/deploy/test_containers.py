"""The container files cannot run on every machine; what can be checked without an engine is checked here."""

import copy
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import compose_spec
import pytest
import yaml

from topology.settings import Settings

ROOT = Path(__file__).parents[2]
SETTING = re.compile(r"\bTALLY_[A-Z_]+\b")


@pytest.fixture
def compose() -> dict[str, Any]:
    loaded: dict[str, Any] = yaml.safe_load((ROOT / "compose.yaml").read_text())
    return loaded


def test_compose_keeps_to_the_compose_specification(compose: dict[str, Any]) -> None:
    compose_spec.PyCompose.from_yaml(yaml.safe_dump(compose)).validate()


def test_the_specification_check_can_fail(compose: dict[str, Any]) -> None:
    broken = copy.deepcopy(compose)
    broken["services"]["edge"]["imagee"] = "tally"
    with pytest.raises(ValueError, match="imagee"):
        compose_spec.PyCompose.from_yaml(yaml.safe_dump(broken))


def test_every_lasting_service_is_health_checked_and_restarted(compose: dict[str, Any]) -> None:
    lasting = {name: service for name, service in compose["services"].items() if service["restart"] != "no"}
    assert len(lasting) == 10
    for name, service in lasting.items():
        assert service["healthcheck"]["test"], name
        assert service["restart"] == "unless-stopped", name


def test_each_process_of_ours_is_a_module_that_exists(compose: dict[str, Any]) -> None:
    ours = [service["command"][2] for service in compose["services"].values() if "command" in service]
    assert len(ours) == 7
    for module in ours:
        path = ROOT / module.replace(".", "/")
        assert (path / "__main__.py").exists() or path.with_suffix(".py").exists(), module


def test_every_variable_is_a_setting_or_an_engine_password(compose: dict[str, Any]) -> None:
    known = {f"TALLY_{name.upper()}" for name in Settings.model_fields} | {"TALLY_POSTGRES_PASSWORD"}
    for file in ("compose.yaml", "Dockerfile", "deploy/README.md"):
        assert set(SETTING.findall((ROOT / file).read_text())) <= known, file


def test_the_dockerfile_passes_hadolint() -> None:
    linted = subprocess.run(
        [Path(sys.executable).with_name("hadolint"), ROOT / "Dockerfile"], capture_output=True, text=True, check=False
    )
    assert linted.returncode == 0, linted.stdout


def test_the_image_copies_every_package_it_runs() -> None:
    copied = set(re.findall(r"^COPY (\w+) \w+$", (ROOT / "Dockerfile").read_text(), re.MULTILINE))
    allowed = set(re.findall(r"^!(\w+)$", (ROOT / ".dockerignore").read_text(), re.MULTILINE))
    assert copied == {"schemas", "topology", "commands", "projections", "ingest", "query_api", "web"}
    assert copied | {"requirements"} == allowed
