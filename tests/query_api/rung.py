"""A second rendition for players, where a test needs one that comes and goes at its word."""

from __future__ import annotations

import re
from dataclasses import dataclass

from playwright.sync_api import Route


@dataclass
class Rung:
    """A rendition that a proxy makes of the source's own media."""

    name: str
    there: bool = False
    asked_when_gone: int = 0
    """Requests for its playlist since it went, which goes on with gaps."""

    def answer(self, route: Route) -> None:
        url = route.request.url
        own = f"/{self.name}/" in url
        fetched = route.fetch(url=url.replace(f"/{self.name}/", "/source/"))
        if own and not self.there and ".m3u8" in url:
            self.asked_when_gone += 1
            gaps = re.sub(r"(#EXT-X-PART:.*)", r"\1,GAP=YES", fetched.text())
            report = '#EXT-X-RENDITION-REPORT:URI="../source/media.m3u8",LAST-MSN=0,LAST-PART=0\n'
            route.fulfill(response=fetched, body=gaps + report)
            return
        if not self.there or ".m3u8" not in url:
            route.fulfill(response=fetched)
            return
        text = fetched.text()
        if url.endswith("/index.m3u8"):
            variant = re.search(r"#EXT-X-STREAM-INF:.*RESOLUTION.*", text)
            assert variant is not None
            small = re.sub(r"RESOLUTION=\d+x\d+", "RESOLUTION=426x240", variant[0])
            text += f"{re.sub(r'BANDWIDTH=[0-9]+', 'BANDWIDTH=90000', small)}\n{self.name}/media.m3u8\n"
        else:
            other = "source" if own else self.name
            text += f'#EXT-X-RENDITION-REPORT:URI="../{other}/media.m3u8",LAST-MSN=0,LAST-PART=0\n'
        route.fulfill(response=fetched, body=text)
