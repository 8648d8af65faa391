"""Open pages, and streams to be watched on them."""

from __future__ import annotations

import re
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

from playwright.sync_api import ConsoleMessage, Locator, Page, expect

from ingest.demo.clock import READ_CLOCK_JS, WRAP_MS
from ingest.demo.publisher import Footage, publish
from tests.query_api.conftest import Edge, Member, eventually

HOSTILE = '<img src=x onerror="window.pwned=1"><script>window.pwned=1</script>'
SOON_MS = 60_000
_AT_LEAST_14_S = re.compile(r"^-(1[4-9]|[2-9]\d)$")


@dataclass
class Visit:
    """An open page with what went wrong on it and what it asked for."""

    page: Page
    errors: list[str] = field(default_factory=list)
    addresses: list[str] = field(default_factory=list)

    def watch(self) -> None:
        self.page.on("console", self._hear)
        self.page.on("pageerror", lambda error: self.errors.append(str(error)))
        self.page.on("request", lambda request: self.addresses.append(request.url))

    def check(self, *origins: str) -> None:
        """Nothing went wrong, and nothing was asked of anybody else."""
        assert self.errors == [], self.errors
        elsewhere = [url for url in self.addresses if not url.startswith((*origins, "data:", "blob:"))]
        assert elsewhere == [], elsewhere

    def _hear(self, said: ConsoleMessage) -> None:
        if said.type in ("error", "warning"):
            self.errors.append(f"{said.text} ({said.location['url']})")


@contextmanager
def publishing(edge: Edge, member: Member, gop_s: float = 1.0) -> Iterator[None]:
    key = member.ask("POST", "/helix/streams/key").json()["data"][0]["stream_key"]
    stopped = threading.Event()
    footage = Footage(width=640, height=360, frame_rate=15, gop_s=gop_s, video_kbps=600)
    url = f"rtmp://127.0.0.1:{edge.settings.rtmp_port}/live/{key}"
    thread = threading.Thread(target=publish, args=(url, footage, stopped, lambda text: None))
    thread.start()
    try:
        eventually(lambda: edge.client.get("/helix/streams", params={"user_id": member.id}).json()["data"])
        yield
    finally:
        stopped.set()
        thread.join()


def watching(edge: Edge, member: Member, page: Page) -> None:
    """Open the watch page of somebody who is live, until it plays."""
    page.goto(f"{edge.url}/watch/{member.login}")
    expect(page.locator(".screen")).to_have_attribute("data-state", "playing", timeout=SOON_MS)


def seek_bar(page: Page) -> Locator:
    """The seek bar, once one can go back 14 s."""
    seek = page.get_by_role("slider", name="Position")
    expect(seek).to_have_attribute("aria-valuemin", _AT_LEAST_14_S, timeout=SOON_MS)
    return seek


def shows_what_is_old(page: Page, from_s: float, to_s: float) -> None:
    """Wait for a picture that was taken so long ago."""

    def age_s() -> float:
        age = (
            f"(Date.now() - (({READ_CLOCK_JS})(document.querySelector('video')) ?? NaN) + {WRAP_MS}) % {WRAP_MS} / 1000"
        )
        return float(page.evaluate(age))

    eventually(lambda: from_s <= age_s() < to_s)


def thumbnail_appears(page: Page) -> None:
    """Wait for the picture over the middle of the seek bar, the mouse on it."""
    page.hover("#seek")
    expect(page.locator("#preview-time")).to_have_text(re.compile(r"−\d+:\d\d"))
    picture = "document.querySelector('#preview img')"
    eventually(lambda: page.evaluate(f"!{picture}.hidden && {picture}.naturalWidth > 0"))


def has_thumbnails(edge: Edge, member: Member) -> None:
    """Wait for the first picture."""

    def listed() -> bool:
        streams = edge.client.get("/helix/streams", params={"user_id": member.id}).json()["data"]
        return any(stream["thumbnail_url"] for stream in streams)

    eventually(listed)


def sign_in(page: Page, login: str, password: str) -> None:
    """By the dialog, once it is open."""
    page.fill("input[name=login]", login)
    page.fill("input[name=password]", password)
    page.click("#sign-in-form button >> nth=0")
