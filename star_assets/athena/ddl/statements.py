"""Running DDL: the statements that change or show the catalog.

Only publishing changes the star's own tables, so DDL that would change one is refused.
Not here: reading CREATE TABLE (create_table), MSCK (repair).
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import NoReturn

import pyarrow as pa

from star_assets.athena.client import Result
from star_assets.athena.compiling.scope import Field
from star_assets.athena.ddl.create_table import read_create_table
from star_assets.athena.ddl.reader import Reader
from star_assets.athena.ddl.repair import repair
from star_assets.athena.parse import DDL_WORDS, Statement, closest, rest_of
from star_assets.lake import ddl
from star_assets.lake.catalog import Catalog, CatalogColumn, PartitionEntry, TableEntry
from star_assets.lake.storage import Storage
from star_assets.model.errors import Unfaithful

# Compiles a view's query in a database, without running it, and returns its columns.
Check = Callable[[Statement, str], Sequence[Field]]


def is_ddl(statement: Statement) -> bool:
    """Whether a statement changes or shows the catalog, and does not query rows."""
    return statement.words(1)[0] in DDL_WORDS


@dataclass(frozen=True)
class Statements:
    """Runs DDL statements against a catalog."""

    storage: Storage
    catalog: Catalog
    database: str
    check: Check

    def run(self, statement: Statement) -> Result:
        """Run one statement. Raises BadQuery, Unfaithful."""
        reader = Reader(statement, self.database)
        for words, method in _METHODS.items():
            if reader.accept(words):
                return method(self, reader)
        return self._unknown(reader)

    def _unknown(self, reader: Reader) -> NoReturn:
        words = " ".join(reader.statement.words(2))
        raise Unfaithful(words, f"It answers {', '.join(dict.fromkeys(_METHODS))}.")

    # Databases

    def create_database(self, reader: Reader) -> Result:
        """CREATE DATABASE [IF NOT EXISTS] name [COMMENT …] [LOCATION …]. The last two are accepted and ignored."""
        if_not_exists = reader.accept("IF NOT EXISTS")
        name = reader.name("a database")
        if not if_not_exists and name in self.catalog.databases():
            reader.fail(f"Database {name} exists. Write IF NOT EXISTS", back=True)
        if reader.accept("COMMENT"):
            reader.text("a comment")
        if reader.accept("LOCATION"):
            reader.text("a location")
        reader.end()
        self.catalog.create_database(name)
        return printed()

    def drop_database(self, reader: Reader) -> Result:
        """DROP DATABASE [IF EXISTS] name. The database must be empty."""
        if_exists = reader.accept("IF EXISTS")
        name = reader.name("a database")
        if name not in self.catalog.databases():
            if if_exists:
                return printed()
            reader.fail(f"There is no database {name}", back=True)
        reader.accept("RESTRICT")
        if reader.accept("CASCADE"):
            raise Unfaithful("DROP DATABASE … CASCADE", "Drop its tables first, one by one.")
        reader.end()
        try:
            self.catalog.drop_database(name)
        except ValueError:
            reader.fail(f"Database {name} holds tables. Drop them first", back=True)
        return printed()

    # Tables

    def create_table(self, reader: Reader) -> Result:
        """CREATE EXTERNAL TABLE."""
        found = read_create_table(reader, self._location)
        entry = found.entry
        if self.catalog.table(entry.database, entry.name):
            if not found.if_not_exists:
                reader.fail(f"Table {entry.database}.{entry.name} exists. Drop it, or write IF NOT EXISTS", back=True)
            return printed(notices=[f"{entry.database}.{entry.name} exists and was left as it is."])
        self.catalog.put_table(entry)
        return printed(notices=found.notices)

    def drop_table(self, reader: Reader) -> Result:
        """DROP TABLE [IF EXISTS]. Files stay, as on Athena."""
        entry = self._dropped(reader, is_view=False)
        if entry:
            require_not_ours(entry, reader)
            self.catalog.drop_table(entry.database, entry.name)
        return printed()

    def _dropped(self, reader: Reader, is_view: bool) -> TableEntry | None:
        if_exists = reader.accept("IF EXISTS")
        if if_exists and self.catalog.table(*_peeked(reader)) is None:
            reader.index = len(reader.statement.tokens)
            return None
        entry = self._table(reader)
        if (entry.view_sql is not None) != is_view:
            kind, other = ("table", "TABLE") if is_view else ("view", "VIEW")
            reader.fail(f"{entry.name} is a {kind}. Write DROP {other}", back=True)
        reader.end()
        return entry

    def alter_table(self, reader: Reader) -> Result:
        """ALTER TABLE name ADD [IF NOT EXISTS] | DROP [IF EXISTS] PARTITION …."""
        entry = self._table(reader)
        if reader.accept("ADD IF NOT EXISTS"):
            return self._add_partitions(reader, entry, if_not_exists=True)
        if reader.accept("ADD") and not reader.accept("COLUMNS"):
            return self._add_partitions(reader, entry, if_not_exists=False)
        if reader.accept("DROP"):
            reader.accept("IF EXISTS")
            return self._drop_partitions(reader, entry)
        raise Unfaithful(
            "ALTER TABLE other than ADD PARTITION and DROP PARTITION",
            "Drop the table and create it again; its files stay.",
        )

    def _add_partitions(self, reader: Reader, entry: TableEntry, if_not_exists: bool) -> Result:
        require_not_ours(entry, reader)
        known = {partition.values for partition in self.catalog.partitions(entry.database, entry.name)}
        added = []
        while reader.next:
            values = self._values(reader, entry)
            location = f"{entry.location}/" + "/".join(
                f"{column.name}={value}" for column, value in zip(entry.partition_columns, values, strict=True)
            )
            if reader.accept("LOCATION"):
                location = self._location(reader.text("a location"), reader)
            if values not in known:
                added.append(PartitionEntry(values, location, entry.columns))
            elif not if_not_exists:
                reader.fail(f"Partition {'/'.join(values)} exists. Write ADD IF NOT EXISTS", back=True)
        if not added and not known:
            reader.fail("Expected PARTITION (…)")
        self.catalog.put_partitions(entry.database, entry.name, added)
        return printed()

    def _drop_partitions(self, reader: Reader, entry: TableEntry) -> Result:
        require_not_ours(entry, reader)
        dropped = [self._values(reader, entry)]
        while reader.accept(","):
            dropped.append(self._values(reader, entry))
        reader.end()
        self.catalog.drop_partitions(entry.database, entry.name, dropped)
        return printed()

    def _values(self, reader: Reader, entry: TableEntry) -> tuple[str, ...]:
        """PARTITION (key = 'value', …), in the order of the table's partition columns."""
        reader.expect("PARTITION")
        reader.expect("(")
        found = {}
        while True:
            key = reader.name("a partition column")
            if key not in {column.name for column in entry.partition_columns}:
                reader.fail(f"{key!r} is no partition column of {entry.name}", back=True)
            reader.expect("=")
            found[key] = reader.token("a value").text
            if not reader.accept(","):
                break
        reader.expect(")")
        missing = [column.name for column in entry.partition_columns if column.name not in found]
        if missing:
            reader.fail(f"Expected a value for {', '.join(missing)}", back=True)
        return tuple(found[column.name] for column in entry.partition_columns)

    def repair_table(self, reader: Reader) -> Result:
        """MSCK REPAIR TABLE: register the partitions whose folders lie under the table's location."""
        entry = self._table(reader)
        reader.end()
        if not entry.partition_columns:
            reader.fail(f"{entry.name} has no partition columns", back=True)
        lines, notices = repair(self.storage, self.catalog, entry)
        return printed("result", lines, notices=notices)

    # Views

    def create_view(self, reader: Reader, replace: bool = False) -> Result:
        """CREATE [OR REPLACE] VIEW name AS query. The query is compiled to check it, and stored as text."""
        database, name = reader.table()
        if not reader.accept("AS"):
            raise Unfaithful(
                "CREATE VIEW with a list of columns or other clauses",
                "Write CREATE VIEW name AS SELECT … and name the columns in the SELECT.",
            )
        query = rest_of(reader.statement, reader.index)
        fields = self.check(query, self.database)
        for position, field in enumerate(fields, 1):
            if not field.name:
                reader.fail(f"Column {position} of the view has no name. Write AS name", back=True)
            if not field.type.ddl:
                problem = f"Column {field.name} is of type {field.type}, which a view cannot have"
                reader.fail(f"{problem}. CAST it to a type of CREATE TABLE", back=True)
        found = self.catalog.table(database, name)
        if found and (found.view_sql is None or not replace):
            reader.fail(
                f"{database}.{name} exists" + ("" if found.view_sql is None else ". Write CREATE OR REPLACE"), True
            )
        columns = tuple(CatalogColumn(str(field.name).lower(), field.type.ddl) for field in fields)
        self.catalog.put_table(
            TableEntry(database, name, columns, format="view", view_sql=query.text, view_database=self.database)
        )
        return printed()

    def replace_view(self, reader: Reader) -> Result:
        """CREATE OR REPLACE VIEW."""
        return self.create_view(reader, replace=True)

    def drop_view(self, reader: Reader) -> Result:
        """DROP VIEW [IF EXISTS]."""
        if entry := self._dropped(reader, is_view=True):
            self.catalog.drop_table(entry.database, entry.name)
        return printed()

    # SHOW and DESCRIBE

    def show_databases(self, reader: Reader) -> Result:
        """SHOW DATABASES [LIKE 'pattern']."""
        return printed("database_name", _matching(reader, self.catalog.databases()))

    def show_tables(self, reader: Reader) -> Result:
        """SHOW TABLES [IN database] ['pattern']. Views are listed too, as on Athena."""
        return printed("tab_name", _matching(reader, [entry.name for entry in self._of_database(reader)]))

    def show_views(self, reader: Reader) -> Result:
        """SHOW VIEWS [IN database] [LIKE 'pattern']."""
        found = [entry.name for entry in self._of_database(reader) if entry.view_sql is not None]
        return printed("views", _matching(reader, found))

    def _of_database(self, reader: Reader) -> list[TableEntry]:
        database = reader.name("a database") if reader.accept("IN") or reader.accept("FROM") else self.database
        if database not in self.catalog.databases():
            reader.fail(f"There is no database {database}. There are: {', '.join(self.catalog.databases())}", back=True)
        return self.catalog.tables(database)

    def show_partitions(self, reader: Reader) -> Result:
        """SHOW PARTITIONS table: one `key=value/…` for each."""
        entry = self._table(reader)
        reader.end()
        if not entry.partition_columns:
            reader.fail(f"{entry.name} has no partition columns", back=True)
        keys = [column.name for column in entry.partition_columns]
        listed = self.catalog.partitions(entry.database, entry.name)
        return printed(
            "partition", ["/".join(f"{k}={v}" for k, v in zip(keys, one.values, strict=True)) for one in listed]
        )

    def show_columns(self, reader: Reader) -> Result:
        """SHOW COLUMNS {IN | FROM} table."""
        if not reader.accept("IN"):
            reader.expect("FROM")
        entry = self._table(reader)
        reader.end()
        return printed("field", [column.name for column in (*entry.columns, *entry.partition_columns)])

    def show_create_table(self, reader: Reader) -> Result:
        """SHOW CREATE TABLE: the statement that creates the table."""
        entry = self._table(reader)
        reader.end()
        if entry.view_sql is not None:
            reader.fail(f"{entry.name} is a view. Write SHOW CREATE VIEW", back=True)
        return printed("createtab_stmt", ddl.create_table(entry, if_not_exists=False).splitlines())

    def show_create_view(self, reader: Reader) -> Result:
        """SHOW CREATE VIEW: the statement that creates the view."""
        entry = self._table(reader)
        reader.end()
        if entry.view_sql is None:
            reader.fail(f"{entry.name} is no view", back=True)
        return printed("Create View", ddl.create_table(entry).splitlines())

    def describe(self, reader: Reader) -> Result:
        """DESCRIBE table: its columns, the partition columns last."""
        if reader.accept("EXTENDED") or reader.accept("FORMATTED"):
            raise Unfaithful("DESCRIBE EXTENDED", "Write DESCRIBE, SHOW CREATE TABLE or SHOW PARTITIONS.")
        reader.accept("TABLE")
        entry = self._table(reader)
        reader.end()
        columns = [*entry.columns, *entry.partition_columns]
        partitioned = {column.name for column in entry.partition_columns}
        table = pa.table(
            {
                "col_name": [column.name for column in columns],
                "data_type": [column.type for column in columns],
                "comment": [column.comment for column in columns],
                "partition": ["partition key" if column.name in partitioned else "" for column in columns],
            }
        )
        return Result(table, ("varchar",) * 4, statement="ddl")

    # Shared by several statements

    def _table(self, reader: Reader) -> TableEntry:
        database, name = reader.table()
        entry = self.catalog.table(database, name)
        if entry is None:
            known = closest(name, [table.name for table in self.catalog.tables(database)])
            reader.fail(
                f"There is no table {database}.{name}. Known, closest first: {', '.join(known) or 'none'}", True
            )
        return entry

    def _location(self, location: str, reader: Reader) -> str:
        """A LOCATION as a URI of the lake: an absolute one, or one relative to the lake."""
        folder = location.removeprefix("file://").rstrip("/")
        is_absolute = folder.startswith("/") or "://" in folder
        path = self.storage.path(folder if is_absolute else self.storage.uri(folder))
        if path is None:
            reader.fail(f"LOCATION {location} lies outside the lake {self.storage.uri('')}", back=True)
        return self.storage.uri(path)


_METHODS: dict[str, Callable[[Statements, Reader], Result]] = {
    "CREATE DATABASE": Statements.create_database,
    "CREATE SCHEMA": Statements.create_database,
    "CREATE OR REPLACE VIEW": Statements.replace_view,
    "CREATE VIEW": Statements.create_view,
    "CREATE": Statements.create_table,
    "DROP DATABASE": Statements.drop_database,
    "DROP SCHEMA": Statements.drop_database,
    "DROP TABLE": Statements.drop_table,
    "DROP VIEW": Statements.drop_view,
    "ALTER TABLE": Statements.alter_table,
    "MSCK REPAIR TABLE": Statements.repair_table,
    "SHOW DATABASES": Statements.show_databases,
    "SHOW SCHEMAS": Statements.show_databases,
    "SHOW TABLES": Statements.show_tables,
    "SHOW VIEWS": Statements.show_views,
    "SHOW PARTITIONS": Statements.show_partitions,
    "SHOW COLUMNS": Statements.show_columns,
    "SHOW CREATE TABLE": Statements.show_create_table,
    "SHOW CREATE VIEW": Statements.show_create_view,
    "DESCRIBE": Statements.describe,
    "DESC": Statements.describe,
}


def require_not_ours(entry: TableEntry, reader: Reader) -> None:
    """Raises BadQuery if the table, whose name was read last, is one of the star's: only publishing changes it."""
    if entry.is_ours:
        reader.fail(
            f"{entry.database}.{entry.name} belongs to star_assets, which changes it when it publishes. "
            "Nothing was changed. Create a table of your own over its folder, or change the star",
            back=True,
        )


def printed(column: str = "result", lines: Sequence[str] = (), notices: Sequence[str] = ()) -> Result:
    """The result of a statement that prints lines of text, in one column."""
    return Result(pa.table({column: pa.array(lines, pa.string())}), ("varchar",), tuple(notices), statement="ddl")


def _peeked(reader: Reader) -> tuple[str, str]:
    start = reader.index
    found = reader.table()
    reader.index = start
    return found


def _matching(reader: Reader, names: Sequence[str]) -> list[str]:
    """The names that match the optional pattern that follows: `*` is any text, `|` means or."""
    reader.accept("LIKE")
    if reader.next is None:
        return list(names)
    alternatives = reader.text("a pattern").split("|")
    pattern = "|".join(".*".join(re.escape(part) for part in one.split("*")) for one in alternatives)
    reader.end()
    return [name for name in names if re.fullmatch(pattern, name)]
