"""The chat process, real, to be killed."""

from __future__ import annotations

import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

from tests.engines import answers, wait_until
from topology.child import Launch, start, stop
from topology.settings import Settings


@dataclass
class Chat:
    """A chat process that may be killed, and comes back on the same ports."""

    settings: Settings
    running: subprocess.Popen[bytes]

    @property
    def url(self) -> str:
        return self.settings.chat_url

    @property
    def irc_port(self) -> int:
        return self.settings.irc_port

    @classmethod
    def started(cls, settings: Settings) -> Chat:
        chat = cls(settings, _process(settings))
        chat.wait()
        return chat

    def kill_and_restart(self) -> None:
        self.running.kill()
        self.running.wait()
        self.running = _process(self.settings)

    def stop(self) -> int | None:
        return stop(self.running, Launch(()))

    def wait(self) -> None:
        ready = f"http://127.0.0.1:{self.settings.chat_port}/health/ready"
        wait_until(lambda: answers(ready), self.running, _log(self.settings))


def _process(settings: Settings) -> subprocess.Popen[bytes]:
    """To be called by the main thread: a child dies with the thread that started it."""
    launch = Launch((sys.executable, "-m", "query_api.chat"), env=settings.environment())
    return start(launch, _log(settings))


def _log(settings: Settings) -> Path:
    return settings.data_dir / "logs" / "chat-tests.log"
