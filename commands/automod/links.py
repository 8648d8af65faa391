"""Whether a text holds a link, also one that is written around."""

from __future__ import annotations

import re
from unicodedata import normalize

_TOP = (
    "ac ad ag ai am app art at au ba bar be best bg bid biz blog br by ca cam cash cat cc cf ch chat city click cl cloud club "
    "cn co com coop cr cx cz date de dev digital dk do ec edu ee es eu fan fi finance fm fr fun fund ga games gay gd ge gg "
    "gift gifts gle gl global gov gq gr group gs guru hk hr host hu icu id ie il im in inc info ink int io ir is it je jobs "
    "jp ke kg kr kz la land lat life link live lol lt ltd lu lv ly market me media men mil mk ml mn mobi mobile moe money ms "
    "mt mx my name net network news ng ninja nl no nu nz online onion org page party pe ph photo photos pics pk pl place "
    "plus porn pro promo ps pt pub pw quest rest review rip ro rocks ru run sale se sex sexy sg shop show si site sk social "
    "software space store stream studio su support surf systems ta team tech tel tf th tips tk tn to today tokyo tools top "
    "town toys trade tr tube tv tw ua uk uno us uy uz vc vg video vids vip vn watch web webcam website wiki win work works "
    "world ws wtf xn xxx xyz yt za zip zone"
).split()
"""Top-level domains that are in use; without a path, those that end a file's name or a sentence are no link."""

_DOTS = re.compile(
    r"\s*[\[({<]\s*(?:\.|dot|punkt)\s*[\])}>]\s*|\s+dot\s+(?=(?:com|net|org|tv|gg|io|me|co|ru|xyz|ly)\b)|[。｡]",
    re.IGNORECASE,
)
_HOST = r"(?:[^\W_](?:[\w-]{0,61}[^\W_])?\.){1,6}"
_LINK = re.compile(
    r"\b(?:https?|ftp)://[^\s/]"
    r"|\bwww\.[^\W_]"
    rf"|(?<![\w.-]){_HOST}[a-z]{{2,24}}(?::\d{{1,5}})?/\w"
    rf"|(?<![\w.-]){_HOST}(?:{'|'.join(_TOP)})(?![\w-]|\.\w)"
    r"|(?<![\w.])(?:\d{1,3}\.){3}\d{1,3}(?::\d{1,5})?/"
)
_UNSEEN = re.compile(r"[\u00ad\u200b-\u200f\u2060-\u2064\ufeff]")


def has_link(text: str) -> bool:
    """A URL, `www.`, a host with a top-level domain that is in use; also `example (dot) com` and `example dot com`."""
    lower = text.lower()
    if "." not in lower and "dot" not in lower and lower.isascii():
        return "://" in lower
    return _LINK.search(_DOTS.sub(".", _UNSEEN.sub("", normalize("NFKC", lower)))) is not None
