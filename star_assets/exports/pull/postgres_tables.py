"""The SQL of pulling a source from PostgreSQL: describing its table, and the COPY that exports a day of it.

Here: SQL. Not here: connections (postgres), errors of the server (postgres_errors).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo

from star_assets.exports.pull.database import Day
from star_assets.model.errors import BadDeclaration, DatabaseRefused
from star_assets.model.source import Source

if TYPE_CHECKING:
    from psycopg.sql import Composable, Composed

# A table, view or other relation on the search path: its name, whether LOCK TABLE accepts it,
# and for each column its name, its type (of a domain, the base type), whether it is NOT NULL,
# and whether the role may read it.
DESCRIBE = """
    SELECT c.oid::regclass::text, c.relkind IN ('r', 'p') AND has_table_privilege(c.oid, 'SELECT'),
           a.attname, coalesce(nullif(t.typbasetype, 0), t.oid)::regtype::text, a.attnotnull,
           has_column_privilege(c.oid, a.attnum, 'SELECT')
    FROM pg_class c JOIN pg_attribute a ON a.attrelid = c.oid JOIN pg_type t ON t.oid = a.atttypid
    WHERE c.oid = to_regclass(quote_ident(%s)) AND a.attnum > 0 AND NOT a.attisdropped
    ORDER BY a.attnum"""


@dataclass(frozen=True)
class TableColumn:
    """A column as the table has it. `name` may differ from the Source's in case."""

    name: str
    type: str
    not_null: bool
    readable: bool


@dataclass(frozen=True)
class Table:
    """A table: its quoted name, whether it can be locked, and its columns by their names in lower case."""

    name: str
    lockable: bool
    columns: Mapping[str, TableColumn]


def described(rows: list[tuple[str, bool, str, str, bool, bool]]) -> Table:
    """The table that the rows of DESCRIBE describe."""
    columns = {row[2].strip().lower(): TableColumn(*row[2:]) for row in rows}
    return Table(rows[0][0], rows[0][1], columns)


def check_columns(source: Source, table: Table, where: str, role: str) -> None:
    """Raises DatabaseRefused if a column that the source declares is missing or may not be read."""
    for name, declared in source.declared.items():
        column = table.columns.get(name)
        if column is None and not declared.optional:
            raise DatabaseRefused(
                where,
                f"expected column {name!r}, found {', '.join(table.columns)}",
                "Mark the column optional in the Source, or make a view of that name that has it",
            )
        if column and not column.readable:
            grant = f"GRANT SELECT ON {table.name} TO {role}"
            raise DatabaseRefused(where, f"{role} may not read the column {name!r}", f"Run `{grant}`")


def copy_statement(source: Source, tables: Mapping[str, Table], day: Day) -> Composed:
    """The COPY that exports a source's day: declared columns, then the others that the role may read."""
    from psycopg import sql

    table = tables[source.name]
    names = [name for name in source.declared if name in table.columns]
    names += [name for name, column in table.columns.items() if name not in source.declared and column.readable]
    condition = _changed(source, tables, day, 0)
    return sql.SQL("COPY (SELECT {} FROM {} t0{}) TO STDOUT ({})").format(
        sql.SQL(", ").join(sql.Identifier("t0", table.columns[name].name) for name in names),
        sql.SQL(table.name),
        sql.SQL(" WHERE {}").format(condition) if condition else sql.SQL(""),
        _dialect(source),
    )


def _dialect(source: Source) -> Composable:
    from psycopg import sql

    csv = source.csv
    if not csv.null:
        raise BadDeclaration(f"source {source.name}", "its csv has no text for NULL", 'Declare null=("",)')
    if csv.escape or not csv.header:
        problem = "its csv says that exports have no header, or an escape character, and it is pulled"
        raise BadDeclaration(f"source {source.name}", problem, "Leave that out: pulled exports are plain CSV")
    options = sql.SQL("FORMAT csv, HEADER, DELIMITER {}, QUOTE {}, NULL {}").format(
        csv.delimiter, csv.quote, csv.null[0]
    )
    # COPY has one text for NULL, and quotes only a value that equals it; so with several, all are quoted.
    return options + sql.SQL(", FORCE_QUOTE *") if len(csv.null) > 1 else options


def _changed(source: Source, tables: Mapping[str, Table], day: Day, depth: int) -> Composable | None:
    """The condition of the rows to export, in the table `t<depth>`; None if all rows are exported."""
    from psycopg import sql

    if source.exports == "snapshots":
        return None
    if source.part_of is None or source.lines != "complete":
        return _in_window(source, tables[source.name], day, depth)
    header, of_header = source.part_of, _changed(source.part_of, tables, day, depth + 1)
    if of_header is None:
        return None
    line, head, pairs = tables[source.name], tables[header.name], zip(source.header_keys, header.keys, strict=True)
    return sql.SQL("EXISTS (SELECT FROM {} {} WHERE {} AND {})").format(
        sql.SQL(head.name),
        sql.Identifier(f"t{depth + 1}"),
        sql.SQL(" AND ").join(
            sql.SQL("{} = {}").format(_column(line, key, depth), _column(head, header_key, depth + 1))
            for key, header_key in pairs
        ),
        of_header,
    )


def _in_window(source: Source, table: Table, day: Day, depth: int) -> Composable | None:
    """The condition that the version lies in the day. A row without a version is exported every day."""
    from psycopg import sql

    if source.version is None:
        return None
    type_ = table.columns[source.version].type
    begin, end = _moment(day.begin, type_, source), _moment(day.end, type_, source)
    if begin is None:
        return None
    version = _column(table, source.version, depth)
    condition = sql.SQL("{} < {}").format(version, end)
    if source.name not in day.whole:
        condition = sql.SQL("{} >= {} AND {}").format(version, begin, condition)
    if table.columns[source.version].not_null:
        return condition
    return sql.SQL("({} OR {} IS NULL)").format(condition, version)


def _moment(moment: datetime, type_: str, source: Source) -> datetime | date | None:
    """A time as a value of a version column's type; None for a type that has no day."""
    if type_ == "timestamp with time zone":
        return moment
    if type_ == "timestamp without time zone":
        return moment.astimezone(ZoneInfo(source.timezone)).replace(tzinfo=None)
    return moment.date() if type_ == "date" else None


def _column(table: Table, name: str, depth: int) -> Composable:
    from psycopg import sql

    return sql.Identifier(f"t{depth}", table.columns[name].name)
