"""Looks at a stream for a while."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from urllib.parse import urljoin, urlsplit

import httpx

from ingest.hls.check.attributes import PlaylistError
from ingest.hls.check.facts import Facts, RenditionFacts, Response, shown_url
from ingest.hls.check.fetch import Fetcher, connect
from ingest.hls.check.parser import parse
from ingest.hls.check.playlist import MediaPlaylist, MultivariantPlaylist
from ingest.hls.check.watch import Watch

RENDITIONS_MAX = 32


class Unreadable(Exception):
    """There is nothing to check: says why."""


async def observe(url: str, seconds: float, clients: Callable[[], httpx.AsyncClient] = connect) -> Facts:
    """Watch the stream for this long; a live one to the end of the request that is under way then.

    Raises Unreadable when the URL gives no playlist.
    """
    async with clients() as client, clients() as another:
        fetcher = Fetcher(client)
        first, playlist = await _open(fetcher, url)
        until_s = time.monotonic() + seconds
        if isinstance(playlist, MediaPlaylist):
            name = urlsplit(url).path.rpartition("/")[2]
            return Facts(url, (await Watch(fetcher, name, first.url, until_s).run(),))
        second, other = await _open(Fetcher(another), url)
        uris = _uris(playlist)
        if len(uris) > RENDITIONS_MAX:
            raise Unreadable(
                f"{shown_url(url)} has {len(uris)} renditions; this program watches up to {RENDITIONS_MAX}"
            )
        watches = [Watch(fetcher, uri, urljoin(first.url, uri), until_s).run() for uri in uris]
        renditions: list[RenditionFacts] = await asyncio.gather(*watches)
        third, last = await _open(fetcher, url)
    if not (isinstance(last, MultivariantPlaylist) and isinstance(other, MultivariantPlaylist)):
        raise Unreadable(f"{shown_url(url)} is a multivariant playlist at one time and a media playlist at another")
    return Facts(
        url=url,
        renditions=tuple(renditions),
        multivariant=last,
        multivariant_loads=(first, second, third),
        multivariant_uris=tuple(frozenset(_uris(each)) for each in (playlist, other, last)),
    )


async def _open(fetcher: Fetcher, url: str) -> tuple[Response, MediaPlaylist | MultivariantPlaylist]:
    response = await fetcher.get(url)
    if response.status != 200:
        raise Unreadable(f"{shown_url(url)} cannot be read: {response}")
    try:
        return response, parse(response.body)
    except PlaylistError as error:
        raise Unreadable(f"{shown_url(url)} is no HLS playlist: {error}") from error


def _uris(playlist: MultivariantPlaylist) -> list[str]:
    """Of every media playlist, once each."""
    media = [each.uri for each in playlist.media if each.uri]
    return list(dict.fromkeys([*(variant.uri for variant in playlist.variants), *media]))
