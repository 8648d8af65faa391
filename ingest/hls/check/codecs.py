"""Codec strings (RFC 6381, ISO 14496-15 Annex E, AV1 in ISOBMFF 5) from sample entries. Pure."""

from __future__ import annotations

from collections.abc import Mapping


def codec_of(entry: bytes, children: Mapping[bytes, bytes]) -> str:
    """The codec string of a sample entry and its child boxes; the entry's name alone where more is not known.

    Raises IndexError when a configuration is cut short.
    """
    name = entry.decode("ascii", "replace")
    if b"avcC" in children:
        return f"{name}.{children[b'avcC'][1:4].hex()}"
    if b"hvcC" in children:
        return f"{name}.{_hevc(children[b'hvcC'])}"
    if b"av1C" in children:
        return f"{name}.{_av1(children[b'av1C'])}"
    if b"esds" in children:
        return f"{name}.{_esds(children[b'esds'])}"
    return name


def same_codec(stated: str, found: str) -> bool:
    """Whether a stated codec string names what was found. Letter case and trailing fields are free."""
    stated, found = stated.lower(), found.lower()
    return stated == found or stated.startswith(f"{found}.") or found.startswith(f"{stated}.")


def _hevc(record: bytes) -> str:
    space = ("", "A", "B", "C")[record[1] >> 6]
    tier = "H" if record[1] & 0x20 else "L"
    compatible = int(f"{int.from_bytes(record[2:6], 'big'):032b}"[::-1], 2)
    constraints = record[6:12].rstrip(b"\0")
    fields = [f"{space}{record[1] & 0x1F}", f"{compatible:X}", f"{tier}{record[12]}"]
    return ".".join([*fields, *(f"{byte:X}" for byte in constraints)])


def _av1(record: bytes) -> str:
    profile, level, tier = record[1] >> 5, record[1] & 0x1F, "H" if record[2] & 0x80 else "M"
    depth = (12 if record[2] & 0x20 else 10) if record[2] & 0x40 else 8
    return f"{profile}.{level:02d}{tier}.{depth:02d}"


def _esds(box: bytes) -> str:
    """Object type and audio object type (ISO 14496-1 7.2.6): `40.2` is AAC-LC."""
    at, end = 4, len(box)
    while at < end:
        tag, at = box[at], at + 1
        size = 0
        while True:
            size = size << 7 | box[at] & 0x7F
            at += 1
            if not box[at - 1] & 0x80:
                break
        if tag == 3:
            flags = box[at + 2]
            at += 3 + 2 * bool(flags & 0x80) + 2 * bool(flags & 0x20)
            at += 1 + box[at] if flags & 0x40 else 0
        elif tag == 4:
            kind, at = box[at], at + 13
            if kind != 0x40:
                return f"{kind:02x}"
        elif tag == 5:
            audio = box[at] >> 3
            return f"40.{audio if audio != 31 else 32 + ((box[at] & 7) << 3 | box[at + 1] >> 5)}"
        else:
            at += size
    return ""
