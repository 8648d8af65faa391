"""The pages for people: the home, watch, video and creator pages and the API's documents, served from `web/`."""

from __future__ import annotations

import os
from pathlib import Path
from urllib.parse import urlsplit

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from starlette.requests import Request
from starlette.responses import HTMLResponse, JSONResponse, Response
from starlette.routing import BaseRoute, Mount, Route
from starlette.staticfiles import PathLike, StaticFiles
from starlette.types import Scope

from topology.settings import Settings

WEB = Path(__file__).parent.parent / "web"

_COMMON = "default-src 'none'; base-uri 'none'; form-action 'self'; frame-ancestors 'none'; script-src 'self'"


_PAGES = Environment(
    loader=FileSystemLoader(WEB / "pages"),
    undefined=StrictUndefined,
    autoescape=True,
    trim_blocks=True,
    lstrip_blocks=True,
)


def markup(page: str) -> str:
    """A page of `web/pages`, put together of its parts: the same for everybody."""
    return _PAGES.get_template(page).render()


def site_routes(settings: Settings, document: bytes) -> list[BaseRoute]:
    """`document` is the OpenAPI document."""
    playback = " ".join(filter(None, (settings.playback_url.rstrip("/"), settings.cloudfront_base_url.rstrip("/"))))
    chat = "{0.scheme}://{0.netloc}".format(urlsplit(settings.chat_url))
    # hls.js feeds the player through blob URLs and may work in a worker made from one.
    pages = (
        f"{_COMMON}; style-src 'self'; img-src 'self' data: {playback}; connect-src 'self' {playback} {chat}; "
        f"media-src 'self' blob: {playback}; worker-src blob:"
    )
    # Swagger UI and ReDoc style their elements by script, and ReDoc searches in a worker.
    docs = f"{_COMMON}; style-src 'self' 'unsafe-inline'; img-src 'self' data:; connect-src 'self'; worker-src blob:"

    async def openapi(request: Request) -> Response:
        return Response(document, media_type="application/json")

    async def addresses(request: Request) -> Response:
        return JSONResponse({"chat_url": settings.chat_url}, headers={"Cache-Control": "no-cache"})

    return [
        _page("/", "home.html", pages),
        _page("/watch/{login}", "watch.html", pages),
        _page("/videos/{video_id}", "video.html", pages),
        _page("/creator", "creator.html", pages),
        _page("/docs", "docs.html", docs),
        _page("/redoc", "redoc.html", docs),
        Route("/openapi.json", openapi),
        Route("/site.json", addresses),
        Mount("/static", _Assets(directory=WEB / "static")),
        Mount("/vendor", _Assets(directory=WEB / "vendor")),
    ]


class _Assets(StaticFiles):
    """Browsers ask whether a file changed before they use their copy: names carry no version."""

    def file_response(
        self, full_path: PathLike, stat_result: os.stat_result, scope: Scope, status_code: int = 200
    ) -> Response:
        response = super().file_response(full_path, stat_result, scope, status_code)
        response.headers["Cache-Control"] = "no-cache"
        return response


def _page(path: str, file: str, policy: str) -> Route:
    response = HTMLResponse(markup(file), headers={"Content-Security-Policy": policy, "Cache-Control": "no-cache"})

    async def page(request: Request) -> Response:
        return response

    return Route(path, page)
