"""What may run, judged on canonical text alone."""

from __future__ import annotations

import pytest

from topology.embedded.clickhouse.errors import ClickHouseError
from topology.embedded.clickhouse.gate import admit, admit_database


@pytest.mark.parametrize(
    "statement",
    [
        "SELECT count() FROM tally.chat WHERE text = 'file()'",
        "WITH x AS (SELECT 1) SELECT * FROM x",
        "SELECT 'INTO OUTFILE', 'system.processes', '\\'' AS `a'b`",
        "SELECT name FROM system.tables",
        "SHOW TABLES FROM tally",
        "DESCRIBE TABLE tally.chat",
        "EXPLAIN SELECT 1",
        "EXISTS TABLE tally.chat",
    ],
)
def test_analysts_may_read(statement: str) -> None:
    admit(statement, {}, analyst=True)


@pytest.mark.parametrize(
    "statement",
    [
        "INSERT INTO tally.chat SELECT 1",
        "CREATE TABLE tally.x (`a` int) ENGINE = Memory",
        "DROP TABLE tally.chat",
        "SET readonly = 0",
        "USE system",
        "KILL QUERY WHERE 1",
        "SYSTEM FLUSH LOGS",
        "BEGIN TRANSACTION",
        "SELECT * FROM system.processes",
        "SELECT * FROM `system`.`query_log`",
        "SELECT * FROM {d:Identifier}.processes",
    ],
)
def test_analysts_may_do_nothing_else(statement: str) -> None:
    with pytest.raises(ClickHouseError) as refused:
        admit(statement, {"d": "system"}, analyst=True)
    assert refused.value.status == 403


@pytest.mark.parametrize("analyst", [True, False])
@pytest.mark.parametrize(
    "statement",
    [
        "SELECT file('/etc/passwd')",
        "SELECT `file`('/etc/passwd')",
        "SELECT 'a' AS `it\\'s`, file('/etc/passwd'), 'b' AS `it\\'s too`",
        "SELECT '{f:Identifier}', arrayMap({f:Identifier}, ['/etc/passwd'])",
        "SELECT arrayMap({ f : Identifier }, ['/etc/passwd'])",
        "SELECT arrayMap({`f`:Identifier}, ['/etc/passwd'])",
        "SELECT 1 INTO OUTFILE '/tmp/x'",
        "SET ROLE writer",
        "SET DEFAULT ROLE writer TO default",
        "EXECUTE AS default SELECT 1",
        "CREATE TABLE tally.x (`a` int) ENGINE = Kafka('h', 't', 'g', 'CSV')",
        "CREATE TABLE tally.x (`a` int) ENGINE = S3Queue('u', 'CSV')",
        "CREATE TABLE tally.x (`a` int) ENGINE = FileLog('/tmp', 'CSV')",
        "CREATE TABLE tally.x (`a` int) ENGINE = Executable('x', 'CSV')",
        "CREATE DATABASE x ENGINE = PostgreSQL('h', 'd', 'u', 'p')",
    ],
)
def test_no_account_reaches_files_or_other_roles(statement: str, analyst: bool) -> None:
    with pytest.raises(ClickHouseError) as refused:
        admit(statement, {"f": "file"}, analyst=analyst)
    assert refused.value.status == 403


def test_an_identifier_in_a_parameter_may_not_hide_behind_an_escape() -> None:
    with pytest.raises(ClickHouseError, match="escapes"):
        admit("SELECT arrayMap({f:Identifier}, [''])", {"f": "fi\\x6ce"}, analyst=True)


def test_writers_may_make_tables() -> None:
    admit("CREATE TABLE tally.x (`a` int) ENGINE = ReplacingMergeTree ORDER BY a", {}, analyst=False)


def test_the_format_at_the_end_is_found_and_one_in_a_string_is_not() -> None:
    assert admit("SELECT 1 FORMAT JSON", {}, analyst=True).format == "JSON"
    assert admit("SELECT ' FORMAT JSON'", {}, analyst=True).format is None


def test_only_selects_stream() -> None:
    assert admit("SELECT 1", {}, analyst=True).streams
    assert not admit("SHOW TABLES", {}, analyst=True).streams


@pytest.mark.parametrize("name", ["system", "SYSTEM"])
def test_system_is_no_current_database(name: str) -> None:
    with pytest.raises(ClickHouseError):
        admit_database(name)
