"""Whether a text holds a link, also one that is written around."""

from __future__ import annotations

import re
from importlib import resources
from unicodedata import normalize

DOMAINS = resources.files("commands.automod") / "data" / "top-level-domains.txt"

_TOP = "|".join(" ".join(line for line in DOMAINS.read_text("utf-8").splitlines() if line[0] != "#").split())
_DOTS = re.compile(
    r"\s*[\[({<]\s*(?:\.|dot|punkt)\s*[\])}>]\s*|\s+dot\s+(?=(?:com|net|org|tv|gg|io|me|co|ru|xyz|ly)\b)|[。｡]",
    re.IGNORECASE,
)
_HOST = r"(?:[^\W_](?:[\w-]{0,61}[^\W_])?\.){1,6}"
_LINK = re.compile(
    r"\b(?:https?|ftp)://[^\s/]"
    r"|\bwww\.[^\W_]"
    rf"|(?<![\w.-]){_HOST}[a-z]{{2,24}}(?::\d{{1,5}})?/\w"
    rf"|(?<![\w.-]){_HOST}(?:{_TOP})(?![\w-]|\.\w)"
    r"|(?<![\w.])(?:\d{1,3}\.){3}\d{1,3}(?::\d{1,5})?/"
)
_UNSEEN = re.compile(r"[\u00ad\u200b-\u200f\u2060-\u2064\ufeff]")


def has_link(text: str) -> bool:
    """A URL, `www.`, a host with a top-level domain that is in use; also `example (dot) com` and `example dot com`."""
    lower = text.lower()
    if "." not in lower and "dot" not in lower and lower.isascii():
        return "://" in lower
    return _LINK.search(_DOTS.sub(".", _UNSEEN.sub("", normalize("NFKC", lower)))) is not None
