"""`python -m ingest.ladder`: one stream's worker. The parent's messages come on stdin, ours go to stdout.

With `--try RUNGS ENCODER` it only says why a ladder of these settings cannot be made on this machine, if so.
"""

from __future__ import annotations

import os
import sys
import threading
import traceback

from ingest.ladder.encoder import require
from ingest.ladder.rungs import parse_names
from ingest.ladder.transcoder import Transcoder
from ingest.ladder.wire import Message, Reader, encode

_READ = 1 << 16
_NICE = 5
"""Less urgent than the packager: what is shed under load is a rung, not the source."""


def main() -> int:
    if sys.argv[1:2] == ["--try"]:
        return _try(*sys.argv[2:])
    os.nice(_NICE)
    threading.excepthook = _fail
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


def _fail(failed: threading.ExceptHookArgs) -> None:
    """A rung that cannot be encoded ends the worker: its parent starts another and says so."""
    traceback.print_exception(failed.exc_value)
    os._exit(1)


def _try(rungs: str, encoder: str) -> int:
    try:
        if parse_names(rungs):
            require(encoder)
    except ValueError as error:
        sys.stdout.write(str(error))
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
