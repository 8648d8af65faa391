"""The command line's what-if, on a real log."""

from __future__ import annotations

import json
import os
import re
import subprocess
from contextlib import closing
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from commands.channel_log import channel_events
from commands.what_if.wanted import load
from schemas.events.accounts import UserRegistered
from schemas.events.chat import MessageSent
from schemas.events.follows import UserFollowed
from schemas.message import Event
from schemas.wire import Codec
from tests.commands.scenario import NOON
from tests.commands.system import Log, new_login
from tests.engines import ROOT
from topology.cli.options import Exit
from topology.settings import Settings


def event(kind: type[Event], event_id: str, at_s: float, actor: str, **facts: Any) -> Event:
    at = NOON + timedelta(seconds=at_s)
    return kind.model_validate(
        {"event_id": event_id, "occurred_at": at, "actor": actor, "correlation_id": "c", **facts}
    )


def sent(channel_id: str, number: int, text: str, at_s: float) -> Event:
    facts = {"channel_id": channel_id, "message_id": f"m{number}", "sender_id": "2001", "sender_login": "bob"}
    return event(MessageSent, f"e{number}", at_s, "2001", **facts, text=text)


@pytest.fixture
def channel_id(registry: Settings) -> str:
    """A channel with a follower and three messages, one of which was appended twice."""
    channel = new_login()
    with closing(Codec(registry.schema_registry_url)) as codec:
        codec.register_all()
        log = Log(registry, codec)
        known = {"user_id": channel, "login": "ada", "display_name": "Ada", "password_hash": "h"}
        log.append(event(UserRegistered, "u", -9, channel, **known))
        log.append(
            sent(channel, 1, "hello", 0), sent(channel, 2, "see example.com", 9), sent(new_login(), 7, "other", 9)
        )
        log.append(sent(channel, 2, "see example.com", 9), sent(channel, 3, "the spoiler", 20))
        log.append(event(UserFollowed, "f", 5, "2001", channel_id=channel, follower_id="2001"))
    return channel


def what_if(registry: Settings, tmp_path: Path, channel_id: str, policy: str) -> subprocess.CompletedProcess[str]:
    file = tmp_path / "policy.toml"
    file.write_text(policy)
    words = [str(ROOT / "tally"), "moderation", "what-if", "--channel", channel_id, "--since", "2026-05-01T12:00:00Z"]
    environment = os.environ | registry.environment() | {"TALLY_DATA_DIR": str(tmp_path)}
    return subprocess.run(
        [*words, "--settings", str(file), "--json"], env=environment, capture_output=True, text=True, check=False
    )


@pytest.mark.stack
def test_a_channels_events_come_once_and_in_order_of_time(registry: Settings, channel_id: str) -> None:
    with closing(Codec(registry.schema_registry_url)) as codec:
        events = list(channel_events(registry, codec, channel_id, NOON))

    assert [event.event_id for event in events] == ["u", "e1", "f", "e2", "e3"]


@pytest.mark.stack
def test_what_would_change_is_told(registry: Settings, tmp_path: Path, channel_id: str) -> None:
    policy = 'blocked_terms = ["spoiler*"]\n[chat]\nfollower_mode = true\n[automod]\nblock_links = true\n'
    done = what_if(registry, tmp_path, channel_id, policy)

    assert done.returncode == Exit.DONE, done.stderr
    told = json.loads(done.stdout)
    assert (told["judged"], told["changed"]) == (3, 3)
    assert {change["would_be"]: change["examples"][0]["text"] for change in told["changes"]} == {
        "refused: msg_followersonly": "hello",
        "refused: link": "see example.com",
        "refused: blocked_term": "the spoiler",
    }


def test_a_file_that_is_no_policy_is_told(tmp_path: Path) -> None:
    done = what_if(Settings(), tmp_path, "1", "[automod]\nblock_link = true\n")

    assert done.returncode == Exit.USAGE
    assert "automod.block_link" in " ".join(done.stderr.split())


def test_the_page_shows_a_policy(tmp_path: Path) -> None:
    (shown,) = re.findall(r"```toml\n(.*?)```", (ROOT / "docs/automod.md").read_text(), re.DOTALL)
    file = tmp_path / "policy.toml"
    file.write_text(shown)

    assert load(file).automod.toxicity_level == 2
