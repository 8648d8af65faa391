"""The ClickHouse HTTP protocol over the engine: what clickhouse-connect and curl speak."""

from __future__ import annotations

import asyncio
import json
import secrets
import uuid
from collections.abc import AsyncIterator, Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import asynccontextmanager
from itertools import islice
from typing import TypeVar

import structlog
from starlette.applications import Starlette
from starlette.requests import ClientDisconnect, Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import Route
from starlette.types import Receive, Scope, Send

from topology.embedded.clickhouse.access import ANALYST, WRITER, Account, authenticate
from topology.embedded.clickhouse.encoding import choose_encoding, encoder
from topology.embedded.clickhouse.engine import Engine, Session
from topology.embedded.clickhouse.errors import ClickHouseError
from topology.embedded.clickhouse.gate import admit, admit_database
from topology.embedded.clickhouse.inserts import InsertHead
from topology.embedded.clickhouse.request import Asked, encoding_wanted, parameters_of, read, settings_of

RUNNING = {WRITER: 6, ANALYST: 3}
"""Statements that run at once, by role, so that analysts never keep the projections waiting."""

MAX_WAITING = 64

PATIENCE_S = 60.0
"""How long a client may take to send a statement, or to take the next block off us."""

_JOINABLE = frozenset(
    [
        "Native",
        "RowBinary",
        "TabSeparated",
        "TSV",
        "TabSeparatedRaw",
        "TSVRaw",
        "CSV",
        "JSONEachRow",
        "JSONLines",
        "NDJSON",
        "JSONCompactEachRow",
    ]
)
"""Formats whose blocks, one after the other, make the whole; the engine frames each block of the others."""

_MEDIA_TYPES = {
    "Native": "application/octet-stream",
    "RowBinary": "application/octet-stream",
    "CSV": "text/csv; charset=UTF-8",
    "CSVWithNames": "text/csv; charset=UTF-8",
    "JSON": "application/json; charset=UTF-8",
    "JSONCompact": "application/json; charset=UTF-8",
    "JSONEachRow": "application/x-ndjson; charset=UTF-8",
    "TabSeparated": "text/tab-separated-values; charset=UTF-8",
    "TSV": "text/tab-separated-values; charset=UTF-8",
}

_T = TypeVar("_T")

log = structlog.get_logger()


class Front:
    """The endpoint: an ASGI app that answers one statement per request."""

    def __init__(self, engine: Engine, accounts: tuple[Account, ...]) -> None:
        self._engine = engine
        self._accounts = accounts
        self._threads = ThreadPoolExecutor(sum(RUNNING.values()) + 2, "statement")
        self._slots = {role: asyncio.Semaphore(count) for role, count in RUNNING.items()}
        self._waiting = 0

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        request = Request(scope, receive)
        if request.method == "GET" and "query" not in request.query_params:
            await PlainTextResponse("Ok.\n")(scope, receive, send)
            return
        reply = _Reply(request, send, self._engine)
        try:
            account = authenticate(self._accounts, request.headers, request.query_params)
            async with asyncio.timeout(PATIENCE_S):
                asked = await read(request)
            async with self._slot(account):
                await self._answer(request, asked, account, reply)
        except ClickHouseError as error:
            log.info("clickhouse.refused", code=error.code, name=error.name, query_id=reply.query_id)
            await reply.fail(error)
        except TimeoutError:
            await reply.fail(ClickHouseError(209, "SOCKET_TIMEOUT", f"The client was silent for {PATIENCE_S} s"))
        except ClientDisconnect:
            log.info("clickhouse.client_left", query_id=reply.query_id)

    async def _answer(self, request: Request, asked: Asked, account: Account, reply: _Reply) -> None:
        database = request.query_params.get("database", "")
        settings = settings_of(request)
        if account.is_analyst:
            admit_database(database)
        elif request.method == "GET":
            settings["readonly"] = "2"
        session = await self._call(self._engine.session, account, database, settings)
        try:
            if asked.insert:
                await self._insert(session, asked.insert, asked.data, reply)
            else:
                await self._run(session, asked.statement, request, account, reply)
        finally:
            self._threads.submit(session.close)

    async def _insert(self, session: Session, head: InsertHead, data: AsyncIterator[bytes], reply: _Reply) -> None:
        await self._call(session.begin_insert, head.statement, head.format)
        async for piece in data:
            await self._call(session.append, piece)
        rows = await self._call(session.finish_insert)
        await reply.begin("TabSeparated", written_rows=rows)
        await reply.end()

    async def _run(self, session: Session, statement: str, request: Request, account: Account, reply: _Reply) -> None:
        parameters = parameters_of(request)
        canonical = await self._call(session.canonical, statement)
        admitted = admit(canonical, parameters, account.is_analyst)
        chosen = request.query_params.get("default_format") or request.headers.get("x-clickhouse-format")
        form = admitted.format or chosen or "TabSeparated"
        if not (admitted.streams and form in _JOINABLE):
            whole = await self._call(session.run, statement, form, parameters)
            await reply.begin(form)
            await reply.write(whole)
            await reply.end()
            return
        blocks = session.stream(statement, form, parameters)
        block = await self._call(next, blocks, None)  # before the status line, so that an error gets its own
        if block is None and form == "Native":
            block = await self._call(_native_header, session, canonical, parameters)
        await reply.begin(form)
        while block is not None:
            await reply.write(block)
            if await request.is_disconnected():
                raise ClientDisconnect
            block = await self._call(next, blocks, None)
        await reply.end()

    async def _call(self, function: Callable[..., _T], *arguments: object) -> _T:
        return await asyncio.get_running_loop().run_in_executor(self._threads, function, *arguments)

    @asynccontextmanager
    async def _slot(self, account: Account) -> AsyncIterator[None]:
        if self._waiting >= MAX_WAITING:
            raise ClickHouseError(202, "TOO_MANY_SIMULTANEOUS_QUERIES", "Too many statements wait already: try again")
        self._waiting += 1
        try:
            await self._slots[account.role].acquire()
        finally:
            self._waiting -= 1
        try:
            yield
        finally:
            self._slots[account.role].release()


class _Reply:
    """The answer: headers once, then encoded pieces; a failure after the headers goes into the body, by its tag."""

    def __init__(self, request: Request, send: Send, engine: Engine) -> None:
        self.query_id = request.query_params.get("query_id", "")[:100] or str(uuid.uuid4())
        self._send = send
        self._engine = engine
        self._encoding = choose_encoding(encoding_wanted(request))
        self._encoder = encoder(self._encoding)
        self._tag = secrets.token_hex(8)
        self._begun = False

    async def begin(self, form: str, written_rows: int = 0) -> None:
        summary = {"read_rows": "0", "read_bytes": "0", "written_rows": str(written_rows)}
        headers = {
            "Content-Type": _MEDIA_TYPES.get(form, "text/plain; charset=UTF-8"),
            "X-ClickHouse-Format": form,
            "X-ClickHouse-Summary": json.dumps(summary),
            "X-ClickHouse-Exception-Tag": self._tag,
        }
        if self._encoding:
            headers["Content-Encoding"] = self._encoding
        await self._start(200, headers)

    async def write(self, data: bytes) -> None:
        async with asyncio.timeout(PATIENCE_S):
            await self._body(self._encoder.encode(data), more=True)

    async def end(self) -> None:
        await self._body(self._encoder.finish(), more=False)

    async def fail(self, error: ClickHouseError) -> None:
        text = error.text(self._engine.version)
        if self._begun and error.code == 209:
            return  # nobody reads; an answer without its end makes the server close the connection
        if self._begun:
            marked = f"\r\n__exception__\r\n{self._tag}\r\n{text}{len(text)} {self._tag}\r\n__exception__\r\n"
            await self.write(marked.encode())
            await self.end()
            return
        headers = {"Content-Type": "text/plain; charset=UTF-8", "X-ClickHouse-Exception-Code": str(error.code)}
        if error.status == 401:
            headers["WWW-Authenticate"] = 'Basic realm="ClickHouse server HTTP API"'
        await self._start(error.status, headers)
        await self._body(text.encode(), more=False)

    async def _start(self, status: int, headers: dict[str, str]) -> None:
        self._begun = True
        headers |= {
            "X-ClickHouse-Query-Id": self.query_id,
            "X-ClickHouse-Timezone": self._engine.timezone,
            "X-ClickHouse-Server-Display-Name": "tally",
        }
        raw = [(name.lower().encode(), value.encode("latin-1", "replace")) for name, value in headers.items()]
        await self._send({"type": "http.response.start", "status": status, "headers": raw})

    async def _body(self, data: bytes, more: bool) -> None:
        await self._send({"type": "http.response.body", "body": data, "more_body": more})


def _native_header(session: Session, canonical: str, parameters: dict[str, str]) -> bytes:
    """The block of no rows that a server sends for an empty result, so that clients learn the columns.

    The statement runs again for it and may find rows by then: they are left out, for there were none the first time.
    """
    described = f"{canonical.removesuffix(' FORMAT Native')} FORMAT RowBinaryWithNamesAndTypes"
    raw = session.run(described, parameters=parameters)
    count = raw[:1]
    texts = _texts(raw, at=1)
    names, types = list(islice(texts, raw[0])), list(islice(texts, raw[0]))
    return count + b"\0" + b"".join(name + form for name, form in zip(names, types, strict=True))


def _texts(raw: bytes, at: int) -> Iterator[bytes]:
    """Length-prefixed texts, prefixes included, up to the end."""
    while at < len(raw):
        start, length, shift = at, 0, 0
        while True:
            byte = raw[at]
            at += 1
            length |= (byte & 0x7F) << shift
            shift += 7
            if byte < 0x80:
                break
        at += length
        yield raw[start:at]


async def _ping(request: Request) -> Response:
    return PlainTextResponse("Ok.\n")


def create_app(engine: Engine, accounts: tuple[Account, ...]) -> Starlette:
    """The front as an ASGI app."""
    return Starlette(routes=[Route("/ping", _ping), Route("/", Front(engine, accounts), methods=["GET", "POST"])])
