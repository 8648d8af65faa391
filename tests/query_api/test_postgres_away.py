"""Postgres vanishes in the middle of the traffic and comes back: a proxy inside the test cuts its connections."""

from __future__ import annotations

import socket
import threading
from collections.abc import Iterator
from contextlib import suppress
from urllib.parse import urlsplit

import pytest
from starlette.testclient import TestClient

from query_api.app import create_app
from tests.query_api.conftest import Edge, eventually

pytestmark = pytest.mark.stack


class Proxy:
    """Forwards one TCP port to another until it is cut."""

    def __init__(self, host: str, port: int) -> None:
        self._target = (host, port)
        self._sockets: list[socket.socket] = []
        self._threads: list[threading.Thread] = []
        self.port = 0
        self.restore()

    def restore(self) -> None:
        listener = socket.create_server(("127.0.0.1", self.port))
        self.port = listener.getsockname()[1]
        self._sockets.append(listener)
        self._spawn(self._accept, listener)

    def cut(self) -> None:
        for each in self._sockets:
            with suppress(OSError):
                each.shutdown(socket.SHUT_RDWR)
            each.close()
        for thread in self._threads:
            thread.join()
        self._sockets, self._threads = [], []

    def _spawn(self, target: object, *arguments: socket.socket) -> None:
        thread = threading.Thread(target=target, args=arguments)  # type: ignore[arg-type]
        self._threads.append(thread)
        thread.start()

    def _accept(self, listener: socket.socket) -> None:
        with suppress(OSError):
            while True:
                near, _ = listener.accept()
                far = socket.create_connection(self._target)
                self._sockets += [near, far]
                self._spawn(self._pump, near, far)
                self._spawn(self._pump, far, near)

    @staticmethod
    def _pump(source: socket.socket, sink: socket.socket) -> None:
        with suppress(OSError):
            while data := source.recv(65_536):
                sink.sendall(data)
        with suppress(OSError):
            sink.shutdown(socket.SHUT_RDWR)


@pytest.fixture
def proxy(edge: Edge) -> Iterator[Proxy]:
    server = urlsplit(edge.settings.postgres_dsn.get_secret_value())
    proxy = Proxy(server.hostname or "127.0.0.1", server.port or 5432)
    yield proxy
    proxy.cut()


def test_reads_are_refused_while_postgres_is_away_and_answered_when_it_is_back(edge: Edge, proxy: Proxy) -> None:
    dsn = edge.settings.postgres_dsn.get_secret_value()
    port = urlsplit(dsn).port
    through = edge.settings.model_validate(
        edge.settings.model_dump() | {"postgres_dsn": dsn.replace(f":{port}/", f":{proxy.port}/")}
    )
    with TestClient(create_app(through)) as client:
        assert client.get("/helix/streams").status_code == 200
        proxy.cut()
        away = client.get("/helix/streams")
        assert (away.status_code, away.json()["error"]) == (503, "Service Unavailable")
        assert int(away.headers["Retry-After"]) >= 1
        waiting = client.get("/helix/streams", headers={"Tally-Consistency": "streams:0:0"})
        assert waiting.status_code == 503
        proxy.restore()
        eventually(lambda: client.get("/helix/streams").status_code == 200)
        eventually(lambda: client.get("/health/ready").status_code == 200)
