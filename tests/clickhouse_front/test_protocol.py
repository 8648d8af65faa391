"""The protocol as unmodified clients speak it."""

from __future__ import annotations

import gzip
import subprocess
from collections.abc import Iterator
from datetime import UTC, datetime
from urllib.parse import urlsplit

import clickhouse_connect
import httpx
import lz4.frame
import pytest
from clickhouse_connect.driver.client import Client
from clickhouse_connect.driver.exceptions import DatabaseError, StreamFailureError

from tests.clickhouse_front.fronts import ANALYST, WRITER
from topology.embedded.clickhouse.request import MAX_STATEMENT

pytestmark = pytest.mark.stack


@pytest.fixture
def connect(front: str) -> Iterator[Client]:
    host, port = urlsplit(front).hostname, urlsplit(front).port
    with clickhouse_connect.get_client(
        host=host, port=port, username=WRITER[0], password=WRITER[1], autogenerate_session_id=False
    ) as client:
        yield client


def test_clickhouse_connect_inserts_native_blocks_and_reads_them_back(connect: Client) -> None:
    connect.command(
        "CREATE TABLE tally.native (n UInt64, at DateTime64(6, 'UTC'), words Array(String)) ENGINE = Memory"
    )
    at = datetime(2026, 1, 2, 3, 4, 5, 678901, tzinfo=UTC)
    rows = [[n, at, ["a", "b\n'"]] for n in range(1000)]
    summary = connect.insert("tally.native", rows, column_names=["n", "at", "words"]).summary
    assert summary["written_rows"] == "1000"
    result = connect.query("SELECT * FROM tally.native WHERE n = {n:UInt64}", parameters={"n": 7})
    assert result.result_rows == [(7, at.replace(tzinfo=None), ["a", "b\n'"])]


def test_clickhouse_connect_learns_the_columns_of_an_empty_result(connect: Client) -> None:
    result = connect.query("SELECT n, word FROM tally.seen WHERE n > 100")
    assert (result.column_names, result.result_rows) == (("n", "word"), [])


def test_clickhouse_connect_reads_a_long_result_block_by_block(connect: Client) -> None:
    with connect.query_row_block_stream("SELECT number FROM numbers(1000000)") as blocks:
        lengths = [len(block) for block in blocks]
    assert sum(lengths) == 1_000_000
    assert len(lengths) > 1


def test_an_error_after_the_first_block_reaches_the_client(connect: Client) -> None:
    with pytest.raises(StreamFailureError, match="FUNCTION_THROW_IF"):
        connect.query("SELECT number, throwIf(number = 900000) FROM numbers(1000000)").result_rows  # noqa: B018


def test_clickhouse_connect_names_the_error(connect: Client) -> None:
    with pytest.raises(DatabaseError, match="UNKNOWN_TABLE") as raised:
        connect.query("SELECT * FROM tally.nothing")
    assert raised.value.code == 60


def test_curl_asks_and_inserts(front: str) -> None:
    def curl(*arguments: str, data: bytes = b"") -> bytes:
        done = subprocess.run(["curl", "-sS", *arguments], input=data, capture_output=True, check=True, timeout=30)
        return done.stdout

    login = ("-u", ":".join(WRITER))
    curl(*login, front, "-d", "CREATE TABLE tally.curled (n UInt64) ENGINE = Memory")
    curl(*login, f"{front}/?query=INSERT%20INTO%20tally.curled%20FORMAT%20CSV", "--data-binary", "@-", data=b"4\n5\n")
    assert curl(*login, front, "--data-binary", "SELECT sum(n) FROM tally.curled") == b"9\n"
    assert curl(f"{front}/?query=SELECT+1&user={ANALYST[0]}&password={ANALYST[1]}") == b"1\n"


@pytest.mark.parametrize(
    ("form", "body"),
    [
        ("TabSeparated", "1\n2\n"),
        ("CSVWithNames", '"number"\n1\n2\n'),
        ("JSONEachRow", '{"number":1}\n{"number":2}\n'),
        ("JSONCompactColumns", "[\n\t[1, 2]\n]\n"),
    ],
)
def test_formats_come_whole_whether_named_or_by_default(writer: httpx.Client, form: str, body: str) -> None:
    statement = "SELECT number FROM numbers(1, 2)"
    assert writer.post("/", content=f"{statement} FORMAT {form}").text == body
    assert writer.post("/", params={"default_format": form}, content=statement).text == body


def test_a_long_result_in_a_framed_format_is_one_document(writer: httpx.Client) -> None:
    answer = writer.post("/", content="SELECT number FROM numbers(200000) FORMAT JSONCompact").json()
    assert answer["rows"] == len(answer["data"]) == 200_000


@pytest.mark.parametrize("name", ["lz4", "gzip"])
def test_results_are_compressed_where_both_header_and_setting_ask(front: str, name: str) -> None:
    with httpx.Client(auth=WRITER) as client:
        request = client.build_request(
            "POST",
            front,
            params={"enable_http_compression": "1"},
            headers={"Accept-Encoding": name},
            content="SELECT number FROM numbers(100000)",
        )
        answer = client.send(request, stream=True)
        raw = b"".join(answer.iter_raw())
        answer.close()
    assert answer.headers["content-encoding"] == name
    plain = lz4.frame.decompress(raw) if name == "lz4" else gzip.decompress(raw)
    assert plain == b"".join(b"%d\n" % n for n in range(100_000))


@pytest.mark.parametrize("name", ["lz4", "gzip"])
def test_compressed_inserts(writer: httpx.Client, name: str) -> None:
    table = f"tally.packed_{name}"
    writer.post("/", content=f"CREATE TABLE {table} (n UInt64) ENGINE = Memory").raise_for_status()
    data = b"".join(b"%d\n" % n for n in range(1000))
    body = lz4.frame.compress(data) if name == "lz4" else gzip.compress(data)
    query = {"query": f"INSERT INTO {table} FORMAT TSV"}
    writer.post("/", params=query, headers={"Content-Encoding": name}, content=body).raise_for_status()
    assert writer.post("/", content=f"SELECT sum(n) FROM {table}").text == "499500\n"
    refused = writer.post("/", params=query, headers={"Content-Encoding": name}, content=body[:-5])
    assert refused.headers["x-clickhouse-exception-code"] == "354"
    assert writer.post("/", content=f"SELECT count() FROM {table}").text == "1000\n", "a torn insert leaves nothing"


@pytest.mark.parametrize(
    ("body", "code", "status", "name"),
    [
        ("SELEC 1 FRM", "62", 400, "SYNTAX_ERROR"),
        ("SELECT 1; SELECT 2", "62", 400, "SYNTAX_ERROR"),
        ("", "62", 400, "SYNTAX_ERROR"),
        ("SELECT 1 " + " " * MAX_STATEMENT, "62", 400, "SYNTAX_ERROR"),
        ("SELECT * FROM nothing", "60", 404, "UNKNOWN_TABLE"),
        ("SELECT * FROM nothing.at_all", "81", 404, "UNKNOWN_DATABASE"),
        ("SELECT no_such_function(1)", "46", 404, "UNKNOWN_FUNCTION"),
        ("INSERT INTO tally.seen FORMAT Nothing\n1", "73", 404, "UNKNOWN_FORMAT"),
        ("INSERT INTO tally.seen FORMAT CSV\nx,y\n", "27", 400, "CANNOT_PARSE_INPUT_ASSERTION_FAILED"),
        ("CREATE TABLE tally.k (a Int8) ENGINE = Kafka('h:1', 't', 'g', 'CSV')", "497", 403, "ACCESS_DENIED"),
    ],
)
def test_refusals_read_as_clickhouses_do(writer: httpx.Client, body: str, code: str, status: int, name: str) -> None:
    answer = writer.post("/", content=body)
    assert (answer.status_code, answer.headers["x-clickhouse-exception-code"]) == (status, code)
    assert answer.text.startswith(f"Code: {code}. DB::Exception: ")
    assert f"({name})" in answer.text


def test_bytes_that_are_no_text_are_refused(writer: httpx.Client) -> None:
    assert writer.post("/", content=b"SELECT \xff\xfe").status_code == 400


def test_settings_and_the_current_database_end_with_their_request(writer: httpx.Client) -> None:
    ask = "SELECT getSetting('max_threads'), currentDatabase()"
    before = writer.post("/", content=ask).text
    changed = writer.post("/", params={"max_threads": "3", "database": "default"}, content=ask).text
    writer.post("/", content="SET max_threads = 5")
    assert changed == "3\tdefault\n"
    assert writer.post("/", content=ask).text == before != changed


def test_an_unknown_setting_is_refused_by_name(writer: httpx.Client) -> None:
    answer = writer.post("/", params={"no_such_setting": "1"}, content="SELECT 1")
    assert answer.status_code == 404
    assert "no_such_setting" in answer.text


def test_get_only_reads(writer: httpx.Client) -> None:
    assert writer.get("/", params={"query": "SELECT count() FROM tally.seen"}).text == "3\n"
    answer = writer.get("/", params={"query": "INSERT INTO tally.seen VALUES (9, 'x')"})
    assert (answer.status_code, answer.headers["x-clickhouse-exception-code"]) == (403, "164")


def test_the_query_id_comes_back(writer: httpx.Client) -> None:
    assert writer.post("/", params={"query_id": "mine"}, content="SELECT 1").headers["x-clickhouse-query-id"] == "mine"


def test_ping_needs_no_account_and_a_query_does(front: str) -> None:
    assert httpx.get(f"{front}/ping").text == "Ok.\n"
    assert httpx.get(front).text == "Ok.\n"
    answer = httpx.get(front, params={"query": "SELECT 1"})
    assert (answer.status_code, answer.headers["www-authenticate"][:5]) == (401, "Basic")


def test_a_client_that_leaves_in_the_middle_frees_its_place(writer: httpx.Client) -> None:
    for _ in range(20):
        with writer.stream("POST", "/", content="SELECT number FROM numbers(100000000)") as answer:
            next(answer.iter_raw())
    assert writer.post("/", content="SELECT 1").text == "1\n"
