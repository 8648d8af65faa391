"""`python -m ingest.ladder`: one stream's worker. The parent's messages come on stdin, ours go to stdout.

With `--try ENCODER` it only says whether this machine has the encoder.
"""

from __future__ import annotations

import os
import sys
import threading

from ingest.ladder.encoder import require
from ingest.ladder.transcoder import Transcoder
from ingest.ladder.wire import Message, Reader, encode

_READ = 1 << 16
_NICE = 5
"""Less urgent than the packager: what is shed under load is a rung, not the source."""


def main() -> int:
    if sys.argv[1:2] == ["--try"]:
        return _try(sys.argv[2])
    os.nice(_NICE)
    lock = threading.Lock()
    out = sys.stdout.buffer

    def say(message: Message) -> None:
        data = encode(message)
        try:
            with lock:
                out.write(data)
                out.flush()
        except BrokenPipeError:
            os._exit(0)  # the parent is gone

    reader, transcoder = Reader(), Transcoder(say)
    while data := os.read(sys.stdin.fileno(), _READ):
        for message in reader.feed(data):
            transcoder.take(message)
    transcoder.close()
    return 0


def _try(encoder: str) -> int:
    try:
        require(encoder)
    except ValueError as error:
        sys.stdout.write(str(error))
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
