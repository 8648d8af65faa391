"""The emotes that everybody may say everywhere. Their pictures are Twemoji's, in `web/vendor/@twemoji/svg/<id>.svg`."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

GLOBAL_EMOTES: Mapping[str, str] = MappingProxyType(
    {
        ":wave:": "1f44b",
        ":clap:": "1f44f",
        ":heart:": "2764",
        ":fire:": "1f525",
        ":tada:": "1f389",
        ":100:": "1f4af",
        ":yes:": "1f44d",
        ":no:": "1f44e",
        ":pray:": "1f64f",
        ":muscle:": "1f4aa",
        ":eyes:": "1f440",
        ":skull:": "1f480",
        ":rocket:": "1f680",
        ":trophy:": "1f3c6",
        ":game:": "1f3ae",
        ":popcorn:": "1f37f",
        ":coffee:": "2615",
        ":music:": "1f3b5",
        ":star:": "2b50",
        ":raid:": "1f6e1",
        ":joy:": "1f602",
        ":rofl:": "1f923",
        ":smile:": "1f60a",
        ":love:": "1f60d",
        ":cool:": "1f60e",
        ":wink:": "1f609",
        ":party:": "1f973",
        ":think:": "1f914",
        ":wow:": "1f62e",
        ":scream:": "1f631",
        ":mindblown:": "1f92f",
        ":salute:": "1fae1",
        ":sob:": "1f62d",
        ":sad:": "1f622",
        ":angry:": "1f621",
        ":sleep:": "1f634",
        ":yawn:": "1f971",
        ":clown:": "1f921",
        ":facepalm:": "1f926",
        ":shrug:": "1f937",
    }
)
"""Name to emote id, the emoji's code point. The colons keep the names apart from those of channels' emotes."""
