"""What the analyst may do in the engine itself, and each way out that was tried."""

from __future__ import annotations

from pathlib import Path

import httpx
import pytest

pytestmark = pytest.mark.stack

REFUSED = {403, 404}


@pytest.mark.parametrize(
    ("statement", "answer"),
    [
        ("SELECT count() FROM tally.seen", "3\n"),
        ("SELECT word FROM tally.seen WHERE word = 'b;c'", "b;c\n"),
        ("WITH 1 AS x SELECT x", "1\n"),
        ("SHOW TABLES FROM tally LIKE 'seen'", "seen\n"),
        ("EXISTS TABLE tally.seen", "1\n"),
        ("SELECT name FROM system.databases WHERE name = 'tally'", "tally\n"),
        ("SELECT count() FROM system.tables WHERE database = 'system'", "0\n"),
        ("SELECT sum(number) FROM numbers(3)", "3\n"),
        ("SELECT value FROM system.settings WHERE name = 'readonly'", "1\n"),
    ],
)
def test_the_analyst_reads(analyst: httpx.Client, statement: str, answer: str) -> None:
    assert analyst.post("/", content=statement).text == answer


@pytest.mark.parametrize(
    "statement",
    [
        "INSERT INTO tally.seen VALUES (4, 'd')",
        "INSERT INTO tally.seen SELECT 4, 'd'",
        "INSERT INTO FUNCTION file('/tmp/x', 'CSV', 'a Int8') SELECT 1",
        "INSERT INTO FUNCTION file('/tmp/x', 'CSV', 'a Int8') VALUES (1)",
        "CREATE TABLE tally.mine (a Int8) ENGINE = Memory",
        "CREATE TEMPORARY TABLE mine (a Int8)",
        "CREATE FUNCTION mine AS (x) -> x",
        "CREATE VIEW tally.mine AS SELECT 1",
        "CREATE USER mine",
        "ALTER TABLE tally.seen DELETE WHERE 1",
        "DROP TABLE tally.seen",
        "TRUNCATE TABLE tally.seen",
        "OPTIMIZE TABLE tally.seen FINAL",
        "RENAME TABLE tally.seen TO tally.gone",
        "GRANT SELECT ON *.* TO default",
        "SET ROLE writer",
        "SET readonly = 0",
        "EXECUTE AS default SELECT 1",
        "KILL QUERY WHERE 1",
        "SYSTEM SHUTDOWN",
        "BACKUP TABLE tally.seen TO File('/tmp/x')",
        "ATTACH TABLE tally.mine FROM '/tmp/x' (a Int8) ENGINE = Memory",
    ],
)
def test_the_analyst_changes_nothing(analyst: httpx.Client, writer: httpx.Client, statement: str) -> None:
    assert analyst.post("/", content=statement).status_code == 403
    assert writer.post("/", content="SELECT count() FROM tally.seen").text == "3\n"


@pytest.mark.parametrize(
    "source",
    [
        "file('/etc/passwd', 'LineAsString')",
        "fileCluster('default', '/etc/passwd', 'LineAsString')",
        "filesystem('/etc')",
        "sqlite('/tmp/x.db', 't')",
        "icebergLocal('/tmp')",
        "deltaLakeLocal('/tmp')",
        "url('http://127.0.0.1:1/', 'LineAsString')",
        "s3('http://127.0.0.1:1/bucket/x', 'CSV')",
        "gcs('http://127.0.0.1:1/bucket/x', 'CSV')",
        "hudi('http://127.0.0.1:1/bucket/x')",
        "iceberg('http://127.0.0.1:1/bucket/x')",
        "hdfs('hdfs://127.0.0.1/a', 'CSV')",
        "remote('127.0.0.1', 'system', 'one')",
        "remoteSecure('127.0.0.1', 'system', 'one')",
        "cluster('default', 'system', 'one')",
        "mysql('127.0.0.1:1', 'd', 't', 'u', 'p')",
        "postgresql('127.0.0.1:1', 'd', 't', 'u', 'p')",
        "mongodb('127.0.0.1:1', 'd', 'c', 'u', 'p', 'a String')",
        "redis('127.0.0.1:1', 'k', 'k String, v String')",
        "jdbc('a', 'b')",
        "odbc('a', 'b')",
        "executable('ls', 'TSV', 'a String')",
        "python(accounts)",
        "eval('SELECT 1')",
        "dictionary('x')",
        "`/etc/passwd`",
        "system.processes",
        "system.server_settings",
        "`system`.stack_trace",
        "merge('system', '^processes$')",
    ],
)
def test_the_analyst_reads_nothing_but_the_database(analyst: httpx.Client, source: str) -> None:
    answer = analyst.post("/", content=f"SELECT * FROM {source} LIMIT 1")
    assert answer.status_code >= 400
    assert "root:" not in answer.text


@pytest.mark.parametrize(
    ("statement", "params"),
    [
        ("SELECT file('/etc/passwd')", {}),
        ("SELECT arrayMap(file, ['/etc/passwd'])", {}),
        ("SELECT arrayMap({f:Identifier}, ['/etc/passwd'])", {"param_f": "file"}),
        ("SELECT arrayMap({f:Identifier}, ['/etc/passwd'])", {"param_f": "fi\\x6ce"}),
        ("SELECT '/etc/passwd' AS a, a APPLY file", {}),
        ("SELECT * APPLY file FROM (SELECT '/etc/passwd')", {}),
        ("SELECT 1; SELECT file('/etc/passwd')", {}),
        ("SELECT 1 /* */ ; SET ROLE writer", {}),
        ("SELECT count() FROM {d:Identifier}.processes", {"param_d": "system"}),
        ("SELECT count() FROM processes", {"database": "system"}),
        ("SELECT 1", {"role": "writer", "readonly": "0"}),
        ("SELECT 1", {"max_execution_time": "1000"}),
        ("SELECT 1", {"max_memory_usage": "0"}),
        ("SELECT 1", {"dialect": "prql"}),
        ("SELECT 1 SETTINGS max_memory_usage = 0", {}),
    ],
)
def test_the_ways_around_are_closed(analyst: httpx.Client, statement: str, params: dict[str, str]) -> None:
    answer = analyst.post("/", params=params, content=statement)
    assert answer.status_code >= 400
    assert "root:" not in answer.text


def test_settings_of_an_inner_select_change_nothing(analyst: httpx.Client) -> None:
    statement = "SELECT * FROM (SELECT getSetting('readonly') SETTINGS readonly = 0)"
    assert analyst.post("/", content=statement).text == "1\n"


def test_nothing_is_written_to_the_servers_disk(analyst: httpx.Client, tmp_path: Path) -> None:
    target = tmp_path / "out"
    assert analyst.post("/", content=f"SELECT 1 INTO OUTFILE '{target}'").status_code == 403
    assert not target.exists()


def test_a_statement_without_end_is_ended(analyst: httpx.Client) -> None:
    answer = analyst.post("/", content="SELECT count() FROM numbers(1000000000000) WHERE sipHash64(number) = 1")
    assert (answer.status_code, answer.headers["x-clickhouse-exception-code"]) == (408, "159")


def test_a_result_too_large_to_hold_is_refused(analyst: httpx.Client) -> None:
    answer = analyst.post("/", content="SELECT randomString(1000000) FROM numbers(1000) FORMAT JSON")
    assert answer.headers["x-clickhouse-exception-code"] in ("241", "396")
