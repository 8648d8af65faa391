"""What a peer can do wrong."""

from __future__ import annotations


class RtmpError(Exception):
    """Bytes that break the protocol or a limit. `code` is stable and goes to the log; `message` says what was seen and
    goes to the peer, under the status code `status`.
    """

    def __init__(self, code: str, message: str, status: str = "NetStream.Publish.Failed") -> None:
        super().__init__(message)
        self.code = code
        self.message = message
        self.status = status
