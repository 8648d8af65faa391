"""The pictures of emotes, at `/emotes/{id}/{scale}`. An id never gets another picture, so they may be kept for ever."""

from __future__ import annotations

import re
from typing import NamedTuple

from cachetools import LRUCache
from starlette.requests import Request
from starlette.responses import FileResponse, Response
from starlette.routing import Route

from query_api.database import Database
from query_api.errors import ApiError, error_response
from query_api.services import Services
from query_api.site import WEB
from schemas.emotes import GLOBAL_EMOTES

IMMUTABLE = {"Cache-Control": "public, max-age=31536000, immutable", "Cross-Origin-Resource-Policy": "cross-origin"}
KEPT_BYTES = 32 * 1024 * 1024
"""Of the pictures asked for last: a room's visitors all ask for the same."""

_DRAWN = frozenset(GLOBAL_EMOTES.values())
_ID = re.compile(r"[A-Za-z0-9-]{1,64}")
_SQL = {
    "1x": "SELECT media_type, image_1x AS image FROM emotes WHERE emote_id = $1 AND image_1x IS NOT NULL",
    "2x": "SELECT media_type, image_2x AS image FROM emotes WHERE emote_id = $1 AND image_2x IS NOT NULL",
    "3x": "SELECT media_type, image_3x AS image FROM emotes WHERE emote_id = $1 AND image_3x IS NOT NULL",
}


class Picture(NamedTuple):
    media_type: str
    content: bytes


class EmoteFiles:
    """Global emotes are drawn to any size; those of channels lie in the read model, also once they are removed."""

    def __init__(self) -> None:
        self._kept: LRUCache[tuple[str, str], Picture] = LRUCache(KEPT_BYTES, lambda picture: len(picture.content))

    async def serve(self, request: Request) -> Response:
        emote_id, scale = request.path_params["emote_id"], request.path_params["scale"]
        if emote_id in _DRAWN and scale in _SQL:
            path = WEB / "vendor" / "@twemoji" / "svg" / f"{emote_id}.svg"
            return FileResponse(path, media_type="image/svg+xml", headers=IMMUTABLE)
        services: Services = request.state.services
        try:
            picture = await self._picture(services.database, emote_id, scale)
        except ApiError as error:
            return error_response(error)
        return Response(picture.content, media_type=picture.media_type, headers=IMMUTABLE)

    async def _picture(self, database: Database, emote_id: str, scale: str) -> Picture:
        known = self._kept.get((emote_id, scale))
        if known is not None:
            return known
        found = await database.row(_SQL[scale], emote_id) if scale in _SQL and _ID.fullmatch(emote_id) else None
        if found is None:
            raise ApiError(404, f"There is no such emote, or no such size; there are {', '.join(_SQL)}.")
        picture = self._kept[emote_id, scale] = Picture(found["media_type"], found["image"])
        return picture


def emote_routes() -> list[Route]:
    return [Route("/emotes/{emote_id}/{scale}", EmoteFiles().serve)]
