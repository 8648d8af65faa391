"""A real Chromium, and streams from a real encoder."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, sync_playwright

from benchmarks.chromium import FLAGS, chromium_path
from tests.engines import answers
from tests.query_api.chatting import Chat
from tests.query_api.conftest import Edge, Member, process
from tests.query_api.pages.visiting import HOSTILE, SOON_MS, Visit


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    chromium = chromium_path()
    if chromium is None:
        pytest.skip("Chromium is not installed")
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=chromium, args=FLAGS)
        yield browser
        browser.close()


@pytest.fixture(scope="module")
def chat(edge: Edge) -> Iterator[Chat]:
    """The process that the watch page's chat connects to."""
    chat = Chat.started(edge.settings)
    yield chat
    assert chat.stop() == 0


@pytest.fixture
def visit(browser: Browser, chat: Chat) -> Iterator[Visit]:
    context = browser.new_context(viewport={"width": 1280, "height": 800})
    page = context.new_page()
    page.set_default_timeout(SOON_MS)
    visit = Visit(page)
    visit.watch()
    yield visit
    context.close()


@pytest.fixture(scope="module")
def ingest(edge: Edge) -> Iterator[None]:
    settings = edge.settings.model_copy(update={"viewer_heartbeat_s": 1.0})
    with process("ingest", settings, lambda: answers(f"{edge.settings.playback_url}/health/ready")):
        yield


@pytest.fixture(scope="module")
def streamer(edge: Edge) -> Member:
    member = edge.register(display_name="Anna <b>& friends</b>")
    own = {"broadcaster_id": member.id}
    change = member.ask("PATCH", "/helix/channels", params=own, json={"title": HOSTILE, "game_id": "<i>Chess</i>"})
    assert change.status_code == 204, change.text
    return member
