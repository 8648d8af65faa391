from __future__ import annotations

import hashlib
import json
import re
from pathlib import Path

from query_api.site import markup
from schemas.emotes import GLOBAL_EMOTES

WEB = Path(__file__).parents[2] / "web"
MANIFEST = json.loads((WEB / "vendor" / "manifest.json").read_text())


def test_vendored_files_are_the_ones_that_were_written_down() -> None:
    expected = {f"{entry['package']}/{name}": total for entry in MANIFEST for name, total in entry["sha256"].items()}
    found = {
        str(path.relative_to(WEB / "vendor")): hashlib.sha256(path.read_bytes()).hexdigest()
        for path in (WEB / "vendor").rglob("*")
        if path.is_file() and path.name != "manifest.json"
    }
    assert found == expected


def test_every_vendored_package_brings_its_licence() -> None:
    for entry in MANIFEST:
        assert entry["license"]
        assert {"LICENSE", "LICENSE.md"} & {name.replace("license", "LICENSE") for name in entry["sha256"]}


def test_every_global_emote_has_its_picture() -> None:
    for emote_id in GLOBAL_EMOTES.values():
        assert (WEB / "vendor" / "@twemoji" / "svg" / f"{emote_id}.svg").is_file()


def test_pages_load_nothing_from_elsewhere_and_hold_no_inline_script_or_style() -> None:
    for page in (WEB / "pages").glob("*.html"):
        text = markup(page.name)
        for target in re.findall(r'(?:src|href)="([^"]*)"', text):
            assert target.startswith("/"), f"{page.name} loads {target}"
            if target.startswith(("/static/", "/vendor/")):
                assert (WEB / target[1:]).is_file(), f"{page.name} misses {target}"
        assert not re.search(r"<script(?![^>]*\bsrc=)|<style|\bstyle=|\bon\w+=", text), page.name


def test_scripts_never_make_markup_out_of_text() -> None:
    for script in (WEB / "static").glob("*.js"):
        assert not re.search(r"innerHTML|outerHTML|insertAdjacentHTML|document\.write|eval\(", script.read_text())
