"""Fronts of a test's own."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from tests.engines import answers, free_ports, running
from topology.child import Launch
from topology.settings import Settings

WRITER = ("tally", "of-the-writer")
ANALYST = ("analyst", "of-the-analyst")


@contextmanager
def serving(directory: Path, analyst_timeout_s: int = 2) -> Iterator[tuple[str, subprocess.Popen[bytes]]]:
    """A front over `directory`, stopped at the end; its URL and its process."""
    url = f"http://127.0.0.1:{free_ports(1)[0]}"
    settings = Settings.model_validate(
        {
            "data_dir": directory,
            "clickhouse_url": url,
            "clickhouse_password": WRITER[1],
            "clickhouse_analyst_password": ANALYST[1],
            "clickhouse_analyst_timeout_s": analyst_timeout_s,
        }
    )
    launch = Launch((sys.executable, "-m", "topology.embedded.clickhouse"), env=settings.environment())
    with running(launch, directory / "logs" / "clickhouse.log", lambda: answers(f"{url}/ping")) as process:
        yield url, process
