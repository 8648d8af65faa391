"""A second rendition for players, where a test needs one that comes and goes at its word."""

from __future__ import annotations

import re
from dataclasses import dataclass

from playwright.sync_api import Route


@dataclass
class Rung:
    """A rendition that a proxy makes of the source's own media. While it is away its playlist goes on with gaps."""

    name: str
    there: bool = False
    asked_when_gone: int = 0
    """Requests for its playlist while it is away."""

    def answer(self, route: Route) -> None:
        url = route.request.url
        own = f"/{self.name}/" in url
        fetched = route.fetch(url=url.replace(f"/{self.name}/", "/source/"))
        if ".m3u8" not in url:
            route.fulfill(response=fetched)
            return
        text = fetched.text()
        if own and not self.there:
            self.asked_when_gone += 1
            text = re.sub(r"(#EXT-X-PART:.*)", r"\1,GAP=YES", text)
        if not url.endswith("/index.m3u8"):
            text += self._report("source", absent=False) if own else self._report(self.name, absent=not self.there)
        elif self.there:
            text += self._variant(text)
        route.fulfill(response=fetched, body=text)

    def _variant(self, multivariant: str) -> str:
        variant = re.search(r"#EXT-X-STREAM-INF:.*RESOLUTION.*", multivariant)
        assert variant is not None
        small = re.sub(r"RESOLUTION=\d+x\d+", "RESOLUTION=426x240", variant[0])
        return f"{re.sub(r'BANDWIDTH=[0-9]+', 'BANDWIDTH=90000', small)}\n{self.name}/media.m3u8\n"

    def _report(self, name: str, *, absent: bool) -> str:
        mark = ",X-ABSENT=YES" if absent else ""
        return f'#EXT-X-RENDITION-REPORT:URI="../{name}/media.m3u8",LAST-MSN=0,LAST-PART=0{mark}\n'
