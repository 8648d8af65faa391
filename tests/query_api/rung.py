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

    def answer(self, route: Route) -> None:
        url = route.request.url
        fetched = route.fetch(url=url.replace(f"/{self.name}/", "/source/"))
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
            other = "source" if f"/{self.name}/" in url else self.name
            text += f'#EXT-X-RENDITION-REPORT:URI="../{other}/media.m3u8",LAST-MSN=0,LAST-PART=0\n'
        route.fulfill(response=fetched, body=text)
