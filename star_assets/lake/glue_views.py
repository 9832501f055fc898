"""The databases that a view's text names, with the prefix that they have in Glue and without it.

Athena runs the text as it stands in Glue, so that it must name Glue's databases.
Not here: how a view is kept (glue_entries).
"""

from __future__ import annotations

from collections.abc import Callable, Iterator

import sqlglot
from sqlglot import exp
from sqlglot.errors import SqlglotError

# A table that names no database, and what every catalog has.
_NOT_OURS = ("", "information_schema")


def with_prefix(sql: str, prefix: str) -> str:
    """The text as Athena runs it."""
    return _renamed(sql, lambda name: prefix + name) if prefix else sql


def without_prefix(sql: str, prefix: str) -> str:
    """The text with the catalog's names. Databases of others keep theirs."""
    return _renamed(sql, lambda name: name.removeprefix(prefix)) if prefix else sql


def _renamed(sql: str, rename: Callable[[str], str]) -> str:
    for start, end in sorted(_databases(sql), reverse=True):
        written = sql[start:end]
        quote = '"' if written.startswith('"') else ""
        name = written.strip('"')
        sql = f"{sql[:start]}{quote}{rename(name)}{quote}{sql[end:]}"
    return sql


def _databases(sql: str) -> Iterator[tuple[int, int]]:
    """Where names of databases begin and end. A text that cannot be read has none."""
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
