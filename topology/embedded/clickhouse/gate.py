"""What may run, judged on the engine's own one-line form of a statement: one statement, no comments, plain quoting.

Grants in the engine keep each account to its tables; this refuses what the engine does not ask a grant for.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass

from topology.embedded.clickhouse.errors import ClickHouseError, access_denied

_STRING_OR_NAME = re.compile(r"'(?:[^'\\]|\\.)*'|`((?:[^`\\]|\\.)*)`", re.DOTALL)
_PLACEHOLDER = re.compile(r"\{\s*(\w+)\s*:\s*Identifier\s*\}")
_FORMAT = re.compile(r"\bFORMAT (\w+)(?: SETTINGS .*)?$", re.DOTALL)
_ENGINE = re.compile(r"\bENGINE = (\w+)")
_ALLOWED_ENGINE = re.compile(r"\w*MergeTree|Atomic|Memory|Null|Log|TinyLog|StripeLog|Set|Join|View|MaterializedView")
_READS = re.compile(r"\(*(?:SELECT|WITH|SHOW|DESCRIBE|EXPLAIN|EXISTS)\b")
_STREAMED = re.compile(r"\(*(?:SELECT|WITH)\b")
_TO_AND_FROM_FILES = re.compile(r"\b(?:INTO OUTFILE|FROM INFILE)\b")
_SWITCHES_ACCOUNT = re.compile(r"(?:SET (?:DEFAULT )?ROLE|EXECUTE AS)\b")
_SYSTEM = re.compile(r"\bsystem\s*\.\s*(\w+)", re.IGNORECASE)
_SYSTEM_FOR_ANALYSTS = frozenset(
    [
        "build_options",
        "collations",
        "columns",
        "contributors",
        "data_skipping_indices",
        "data_type_families",
        "databases",
        "formats",
        "functions",
        "keywords",
        "licenses",
        "numbers",
        "numbers_mt",
        "one",
        "settings",
        "table_engines",
        "table_functions",
        "tables",
        "time_zones",
        "zeros",
        "zeros_mt",
    ]
)


@dataclass(frozen=True, slots=True)
class Statement:
    """A statement that may run. `format` None leaves the choice to the request; `streams` when rows can flow."""

    format: str | None
    streams: bool


def admit(canonical: str, parameters: Mapping[str, str], analyst: bool) -> Statement:
    """Judge a statement's canonical form together with the values of its `{x:Identifier}` placeholders.

    Raises ClickHouseError.
    """
    words = _PLACEHOLDER.sub(lambda match: _identifier(parameters.get(match[1], "")), canonical)
    words = _STRING_OR_NAME.sub(lambda match: _bare(match[1]), words)
    if re.search(r":\s*Identifier\b", words):
        raise access_denied("A placeholder of type Identifier needs a plain name")
    if _TO_AND_FROM_FILES.search(words):
        raise access_denied("INTO OUTFILE and FROM INFILE work on the client's side only")
    if re.search(r"\bfile\b", words):
        raise access_denied("The function file is not available, nor a name that reads like it")
    if _SWITCHES_ACCOUNT.match(words):
        raise access_denied("An account keeps its role")
    for engine in _ENGINE.findall(words):
        if not _ALLOWED_ENGINE.fullmatch(engine):
            raise access_denied(f"The engine {engine} is not available in the embedded ClickHouse")
    if analyst:
        _admit_analyst(words)
    found = _FORMAT.search(words)
    return Statement(found[1] if found else None, bool(_STREAMED.match(words)))


def admit_database(database: str) -> None:
    """Analysts may not make `system` their current database: its tables are named, so that they can be judged."""
    if database.lower() == "system":
        raise access_denied("Name tables as system.<table>")


def _admit_analyst(words: str) -> None:
    if not _READS.match(words):
        raise ClickHouseError(164, "READONLY", "Cannot execute query in readonly mode: this account only reads")
    for table in _SYSTEM.findall(words):
        if table not in _SYSTEM_FOR_ANALYSTS:
            raise access_denied(f"This account may not read system.{table}")


def _identifier(value: str) -> str:
    """A placeholder's value in the place of its name; `_` for one that needs quotes."""
    if "\\" in value:
        raise access_denied("Identifiers in parameters may not carry escapes")
    return value if re.fullmatch(r"[\w.]+", value) else "_"


def _bare(name: str | None) -> str:
    """A quoted name without its quotes where it is one word; `_` for strings and odd names."""
    return name if name and re.fullmatch(r"\w+", name) else "_"
