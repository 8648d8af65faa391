"""`python -m ingest.ladder`: one stream's worker. The parent's messages come on stdin, ours go to stdout."""

from __future__ import annotations

import os
import sys
import threading

from ingest.ladder.transcoder import Transcoder
from ingest.ladder.wire import Message, Reader, encode

_READ = 1 << 16
_NICE = 5
"""Less urgent than the packager: what is shed under load is a rung, not the source."""


def main() -> int:
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


if __name__ == "__main__":
    sys.exit(main())
