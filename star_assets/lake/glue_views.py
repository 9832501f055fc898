"""Adding Glue's prefix to the database names in a view's text, and removing it.

Athena runs a view's text as Glue stores it, so the text must have the names that databases
have in Glue. Not here: the form of a view in Glue (glue_entries).
"""

from __future__ import annotations

from collections.abc import Callable, Iterator

import sqlglot
from sqlglot import exp
from sqlglot.errors import SqlglotError

# Database names that get no prefix: none (a table without a database), and the schema that every catalog has.
_NOT_OURS = ("", "information_schema")


def with_prefix(sql: str, prefix: str) -> str:
    """The text with the names that databases have in Glue, as Athena runs it."""
    return _renamed(sql, lambda name: prefix + name) if prefix else sql


def without_prefix(sql: str, prefix: str) -> str:
    """The text with the catalog's names. Databases whose names do not begin with the prefix keep their names."""
    return _renamed(sql, lambda name: name.removeprefix(prefix)) if prefix else sql


def _renamed(sql: str, rename: Callable[[str], str]) -> str:
    for start, end in sorted(_databases(sql), reverse=True):
        written = sql[start:end]
        quote = '"' if written.startswith('"') else ""
        name = written.strip('"')
        sql = f"{sql[:start]}{quote}{rename(name)}{quote}{sql[end:]}"
    return sql


def _databases(sql: str) -> Iterator[tuple[int, int]]:
    """The start and end of each database name in the text; nothing if the text cannot be parsed."""
    try:
        parsed = sqlglot.parse_one(sql, dialect="trino")
    except SqlglotError:
        return
    tables = {(table.db.lower(), table.name.lower()) for table in parsed.find_all(exp.Table)}
    for node in parsed.find_all(exp.Table, exp.Column):
        table = node.name if isinstance(node, exp.Table) else node.table
        if node.db.lower() not in _NOT_OURS and (node.db.lower(), table.lower()) in tables:
            place = node.args["db"].meta
            yield place["start"], place["end"] + 1
