"""The quality menu over a real ladder, whose worker may be killed."""

from __future__ import annotations

import threading
from collections.abc import Iterator

import psutil
import pytest
from playwright.sync_api import expect

from tests.engines import answers
from tests.query_api.conftest import Edge, Member, process
from tests.query_api.pages.visiting import SOON_MS, Visit, publishing, seek_bar, shows_what_is_old, watching

pytestmark = [pytest.mark.stack, pytest.mark.browser]

LOOK_S = 0.1
RUNG_COMES_MS = 180_000
"""A ladder that died often waits up to 30 s, and a busy machine sheds its rung first."""
COUNT_REMOVALS = """
window.removals = 0;
const remove = SourceBuffer.prototype.remove;
SourceBuffer.prototype.remove = function (...range) { window.removals++; return remove.apply(this, range); };
"""


class Workers:
    """The ladders' worker processes of an ingest. While they are held down, each is killed as it comes."""

    def __init__(self, ingest_pid: int) -> None:
        self._ingest = psutil.Process(ingest_pid)
        self._held_down = False
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._watch)
        self._thread.start()

    def hold_down(self) -> None:
        self._held_down = True

    def release(self) -> None:
        self._held_down = False

    def close(self) -> None:
        self._over.set()
        self._thread.join()

    def _watch(self) -> None:
        while not self._over.wait(LOOK_S):
            if self._held_down:
                self._kill()

    def _kill(self) -> None:
        for child in self._ingest.children():
            try:
                if "ingest.ladder" in child.cmdline():
                    child.kill()
            except psutil.NoSuchProcess:
                continue


@pytest.fixture(scope="module")
def workers(edge: Edge) -> Iterator[Workers]:
    """Of an ingest that makes one rung."""
    settings = edge.settings.model_copy(update={"ladder": "240p"})
    with process("ingest", settings, lambda: answers(f"{edge.settings.playback_url}/health/ready")) as ingest:
        workers = Workers(ingest.pid)
        yield workers
        workers.close()


def test_the_quality_menu_follows_renditions_that_come_and_go_and_remembers_the_choice(
    edge: Edge, workers: Workers, streamer: Member, visit: Visit
) -> None:
    page = visit.page
    menu = page.get_by_label("Quality")
    workers.hold_down()
    with publishing(edge, streamer):
        watching(edge, streamer, page)
        expect(menu.locator("option")).to_have_text(["Source (360p)"])
        workers.release()
        expect(menu.locator("option")).to_have_text(
            ["Auto: Source (360p)", "Source (360p)", "240p"], timeout=RUNG_COMES_MS
        )
        seek = seek_bar(page)
        seek.press("ArrowLeft")
        shows_what_is_old(page, 8, 60)
        menu.select_option("240p")
        expect(menu.locator("option").first).to_have_text("Auto: 240p", timeout=SOON_MS)
        shows_what_is_old(page, 8, 60)
        page.reload()
        expect(menu.locator("option").first).to_have_text("Auto: 240p", timeout=SOON_MS)
        expect(menu).to_have_value("240p")
        menu.select_option("source")
        expect(menu.locator("option").first).to_have_text("Auto: Source (360p)", timeout=SOON_MS)
        workers.hold_down()
        expect(menu.locator("option")).to_have_text(["Source (360p)"], timeout=SOON_MS)
    visit.check(edge.url, edge.settings.playback_url)


def test_who_looks_at_what_a_chosen_rung_never_showed_sees_it_from_where_it_begins(
    edge: Edge, workers: Workers, streamer: Member, visit: Visit
) -> None:
    page = visit.page
    menu = page.get_by_label("Quality")
    workers.hold_down()
    with publishing(edge, streamer):
        watching(edge, streamer, page)
        seek = seek_bar(page)
        workers.release()
        expect(menu.locator("option")).to_have_count(3, timeout=RUNG_COMES_MS)
        seek.press("ArrowLeft")
        menu.select_option("240p")
        expect(menu.locator("option").first).to_have_text("Auto: 240p", timeout=SOON_MS)
        shows_what_is_old(page, 0, 60)
    visit.check(edge.url, edge.settings.playback_url)


def test_a_choice_at_the_live_edge_throws_nothing_away_that_is_still_to_be_shown(
    edge: Edge, workers: Workers, streamer: Member, visit: Visit
) -> None:
    page = visit.page
    menu = page.get_by_label("Quality")
    page.add_init_script(COUNT_REMOVALS)
    workers.release()
    with publishing(edge, streamer):
        watching(edge, streamer, page)
        expect(menu.locator("option")).to_have_count(3, timeout=RUNG_COMES_MS)
        menu.select_option("source")
        expect(menu.locator("option").first).to_have_text("Auto: Source (360p)", timeout=SOON_MS)
        menu.select_option("240p")
        expect(menu.locator("option").first).to_have_text("Auto: 240p", timeout=SOON_MS)
        menu.select_option("auto")
        assert page.evaluate("window.removals") == 0
    visit.check(edge.url, edge.settings.playback_url)


def test_a_viewer_of_a_rung_that_goes_is_taken_to_another_at_once(
    edge: Edge, workers: Workers, streamer: Member, visit: Visit
) -> None:
    page = visit.page
    menu = page.get_by_label("Quality")
    workers.release()
    with publishing(edge, streamer):
        watching(edge, streamer, page)
        expect(menu.locator("option")).to_have_count(3, timeout=RUNG_COMES_MS)
        menu.select_option("240p")
        expect(menu.locator("option").first).to_have_text("Auto: 240p", timeout=SOON_MS)
        workers.hold_down()
        expect(menu.locator("option")).to_have_text(["Source (360p)"], timeout=SOON_MS)
        shows_what_is_old(page, 0, 10)
    visit.check(edge.url, edge.settings.playback_url)
