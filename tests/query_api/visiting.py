"""A page in a real Chromium, and what is told of it."""

from __future__ import annotations

import re
from dataclasses import dataclass, field

from playwright.sync_api import Page

HOSTILE = '<img src=x onerror="window.pwned=1"><script>window.pwned=1</script>'
FLAGS = [
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--autoplay-policy=no-user-gesture-required",
]
SOON_MS = 30_000
AT_LEAST_14_S = re.compile(r"^-(1[4-9]|[2-9]\d)$")


@dataclass
class Visit:
    """An open page with what went wrong on it and what it asked for."""

    page: Page
    errors: list[str] = field(default_factory=list)
    addresses: list[str] = field(default_factory=list)

    def watch(self) -> None:
        self.page.on(
            "console", lambda said: self.errors.append(said.text) if said.type in ("error", "warning") else None
        )
        self.page.on("pageerror", lambda error: self.errors.append(str(error)))
        self.page.on("request", lambda request: self.addresses.append(request.url))

    def check(self, *origins: str) -> None:
        """Nothing went wrong, and nothing was asked of anybody else."""
        assert self.errors == []
        elsewhere = [url for url in self.addresses if not url.startswith((*origins, "data:", "blob:"))]
        assert elsewhere == []
