"""Reading CREATE EXTERNAL TABLE statements into catalog entries.

Not here: putting the entry into the catalog (statements).
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass, field

from star_assets.athena.ddl.reader import Reader
from star_assets.athena.type_names import parse_type
from star_assets.lake.catalog import CatalogColumn, TableEntry
from star_assets.model.errors import Unfaithful

# Types of Athena's DDL that a table may have, but that the embedded Athena cannot query.
_OTHER_TYPES = re.compile(r"(map|struct)<.*>|char\(\d+\)|uniontype<.*>")

BARE_DATE = "`date` is a reserved word in Athena's DDL and must stand in backticks there. The bare form was accepted."


@dataclass
class TableStatement:
    """A CREATE EXTERNAL TABLE statement as a catalog entry, with notices for the user."""

    entry: TableEntry
    if_not_exists: bool
    notices: list[str] = field(default_factory=list)


def read_create_table(reader: Reader, resolve: Callable[[str, Reader], str]) -> TableStatement:
    """Read the words after CREATE. `resolve` turns a LOCATION into a URI of the lake. Raises BadQuery, Unfaithful."""
    if not reader.accept("EXTERNAL TABLE"):
        reader.fail("Athena creates tables with CREATE EXTERNAL TABLE")
    if_not_exists = reader.accept("IF NOT EXISTS")
    database, name = reader.table()
    notices: list[str] = []
    columns = _columns(reader, notices)
    partition_columns: tuple[CatalogColumn, ...] = ()
    description, location, parameters, is_parquet = "", None, dict[str, str](), False
    while reader.next is not None:
        if reader.accept("COMMENT"):
            description = reader.text("a comment")
        elif reader.accept("PARTITIONED BY"):
            partition_columns = _columns(reader, notices, {column.name for column in columns})
        elif reader.accept("STORED AS") or reader.accept("ROW FORMAT"):
            is_parquet |= _is_parquet(reader)
        elif reader.accept("LOCATION"):
            location = resolve(reader.text("a location"), reader)
        elif reader.accept("TBLPROPERTIES"):
            parameters = _properties(reader)
        elif reader.accept("CLUSTERED BY"):
            raise Unfaithful("CLUSTERED BY", "Leave it out: buckets do not change answers.")
        else:
            reader.fail("Expected COMMENT, PARTITIONED BY, STORED AS, LOCATION or TBLPROPERTIES")
    if not is_parquet:
        raise Unfaithful(
            "tables over files that are not Parquet",
            "Write STORED AS PARQUET. For raw CSV and JSON, query the table's typed rows in the database staging.",
        )
    if location is None:
        reader.fail("Expected LOCATION")
    entry = TableEntry(
        database, name, columns, partition_columns, location, parameters=parameters, description=description
    )
    return TableStatement(entry, if_not_exists, notices)


def _columns(reader: Reader, notices: list[str], taken: set[str] | None = None) -> tuple[CatalogColumn, ...]:
    """Read `(name type [COMMENT text], …)`. Raises BadQuery for a name that is twice there, or in `taken`."""
    reader.expect("(")
    found: dict[str, CatalogColumn] = {}
    while True:
        token = reader.next
        name = reader.name("a column")
        if name == "date" and token and token.text.upper() == "DATE" and not _is_quoted(reader, token.start):
            notices.append(BARE_DATE)
        if taken and name in taken:
            reader.fail(
                f"Column {name!r} is repeated in PARTITIONED BY. A partition column is no column of the files: "
                "take it out of the first list",
                back=True,
            )
        if name in found:
            reader.fail(f"Column {name!r} is declared twice", back=True)
        type_ = _type(reader)
        comment = reader.text("a comment") if reader.accept("COMMENT") else ""
        found[name] = CatalogColumn(name, type_, comment)
        if not reader.accept(","):
            break
    reader.expect(")")
    return tuple(found.values())


def _is_quoted(reader: Reader, start: int) -> bool:
    return reader.statement.sql[start] in '`"'


def _type(reader: Reader) -> str:
    """Read a type, with the brackets and commas that belong to it."""
    parts, depth = [reader.token("a type").text.lower()], 0
    first = reader.index - 1
    while (token := reader.next) and not (depth == 0 and token.text.upper() in (",", ")", "COMMENT")):
        depth += token.text.count("<") + token.text.count("(") - token.text.count(">") - token.text.count(")")
        parts.append(token.text.lower())
        reader.index += 1
    type_ = "".join(parts)
    if not parse_type(type_).is_known and not _OTHER_TYPES.fullmatch(type_):
        reader.index = first
        reader.fail(
            "Expected a type: boolean, tinyint, smallint, int, bigint, float, double, "
            "decimal(p,s), string, date or timestamp"
        )
    return type_


def _is_parquet(reader: Reader) -> bool:
    """Read a STORED AS or ROW FORMAT up to the next clause. Returns whether it means Parquet."""
    words = []
    while (token := reader.next) and token.text.upper() not in ("LOCATION", "TBLPROPERTIES", "COMMENT", "PARTITIONED"):
        words.append(token.text.lower())
        reader.index += 1
    return any("parquet" in word for word in words)


def _properties(reader: Reader) -> dict[str, str]:
    reader.expect("(")
    found = {}
    while True:
        key = reader.text("a property")
        reader.expect("=")
        found[key] = reader.text("a value")
        if not reader.accept(","):
            break
    reader.expect(")")
    return found
