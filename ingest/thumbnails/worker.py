"""`python -m ingest.thumbnails.worker`: draws what its standard input asks for until that ends.

It is a process of its own because it decodes what strangers send: a crash, a bomb or an endless loop in a decoder costs
one picture and not a hundred streams. It gives way to the process that serves them.
"""

from __future__ import annotations

import os
import resource
import signal
import sys
from contextlib import suppress
from typing import BinaryIO

from ingest.thumbnails.drawing import Unreadable, picture_of, resized, sheet_of
from ingest.thumbnails.frames import HEAD, count_of, lengths_of, pack

MEMORY_MAX = 2 * 1024**3
"""Bytes of address space: a decoder of 8K and the libraries fit."""
_NICE = 10


def draw(request: list[bytes]) -> list[bytes]:
    """The strings that answer a request. Raises Unreadable, and ValueError for what `Artist` does not ask."""
    match request:
        case [b"picture", media]:
            picture = picture_of(media)
            return [picture.master, picture.tile, *_numbers(*picture.tile_size)]
        case [b"resized", master, width, height, (b"JPEG" | b"WEBP") as form]:
            return [resized(master, int(width), int(height), "WEBP" if form == b"WEBP" else "JPEG")]
        case [b"sheet", width, height, *tiles]:
            return [sheet_of(tiles, (int(width), int(height)))]
    raise ValueError("no such request")


def _numbers(*values: int) -> list[bytes]:
    return [str(value).encode() for value in values]


def _read(file: BinaryIO, size: int) -> bytes:
    data = file.read(size)
    if len(data) < size:
        raise EOFError
    return data


def main() -> None:
    # A Ctrl-C goes to the whole process group; the end comes with the end of the input.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    os.nice(_NICE)
    # macOS knows no such limit.
    with suppress(ValueError, OSError):
        resource.setrlimit(resource.RLIMIT_AS, (MEMORY_MAX, MEMORY_MAX))
    asked, answers = sys.stdin.buffer, sys.stdout.buffer
    while True:
        try:
            count = count_of(_read(asked, HEAD.size))
            lengths = lengths_of(_read(asked, count * HEAD.size))
            request = [_read(asked, length) for length in lengths]
        except EOFError:
            return
        try:
            answer = [b"drawn", *draw(request)]
        except (Unreadable, OSError, MemoryError) as error:
            answer = [b"unreadable", str(error).encode()]
        answers.write(pack(answer))
        answers.flush()


if __name__ == "__main__":
    main()
