"""Result reuse: the greatest age at which Athena may return a stored result, none older than the tables it read.

Athena compares the texts of queries, not the data. Here: which tables a query reads, when they
were last published, and the age that follows. Not here: running the query (service).
"""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial

from sqlglot import exp

from star_assets.athena.compiling.scope import CATALOG
from star_assets.athena.parse import Statement, parse_query, split
from star_assets.lake.catalog import Catalog
from star_assets.lake.storage import Storage, each
from star_assets.lake.versions import ledgers_folder
from star_assets.model.errors import QueryError

# A query that began before a publish may end after it, with rows from before:
# Athena stops queries after 30 minutes. The catalog follows a ledger within 2
# minutes, or the ledger is renewed, and AWS answers no machine whose clock is
# more than 5 minutes off.
SETTLED_MINUTES = 40

# The greatest age that Athena takes.
MOST_MINUTES = 10_080

# Words whose value changes from one run to the next. A query with a column of such a name is not reused either.
_CHANGING = {
    *("CURRENT_DATE", "CURRENT_TIME", "CURRENT_TIMESTAMP", "LOCALTIME", "LOCALTIMESTAMP", "NOW"),
    *("CURRENT_USER", "RAND", "RANDOM", "SHUFFLE", "TABLESAMPLE", "UUID"),
}


class _Unknown(Exception):
    """It is not known when a query's answer last changed."""


def longest_age(
    storage: Storage, catalog: Catalog, statement: Statement, database: str, prefix: str, moment: float
) -> int:
    """The greatest age in minutes of a stored result that equals a new one at `moment` (Unix seconds); 0 if none does.

    `database` is that of table names without one. In SQL, the names of databases have Glue's `prefix`.
    """
    try:
        tables = set(_tables(catalog, statement, database, prefix))
        published = each(storage, partial(_published, storage), tables)
    except (_Unknown, QueryError):
        return 0
    if not published:
        return 0
    return min(MOST_MINUTES, max(0, int((moment - max(published)) // 60) - SETTLED_MINUTES))


def _published(storage: Storage, table: tuple[str, str]) -> float:
    """When a table's newest ledger was written, in Unix seconds. Raises _Unknown if there is none."""
    modified = [stored.modified for stored in storage.walk(ledgers_folder(*table))]
    if not modified:
        raise _Unknown
    return max(modified)


def _tables(catalog: Catalog, statement: Statement, database: str, prefix: str) -> Iterator[tuple[str, str]]:
    """The star's tables that a query reads, also through views. Raises _Unknown for any other table, QueryError."""
    if any(token.text.upper() in _CHANGING for token in statement.tokens):
        raise _Unknown
    parsed = parse_query(statement)
    defined = {cte.alias.lower() for cte in parsed.find_all(exp.CTE)}
    for table in parsed.find_all(exp.Table):
        name, named = table.name.lower(), table.db.lower()
        if table.catalog.lower() not in ("", CATALOG) or not named.startswith(prefix if named else ""):
            raise _Unknown
        place = named.removeprefix(prefix) or database
        entry = catalog.table(place, name)
        if entry and entry.view_sql is not None:
            # The view's text lacks the prefix, so a database that it names is not known to be the lake's.
            inside = entry.view_database or entry.database
            yield from _tables(catalog, split(entry.view_sql)[0], inside, prefix)
        elif entry and entry.is_ours:
            yield place, name
        elif entry or named or name not in defined:
            raise _Unknown
