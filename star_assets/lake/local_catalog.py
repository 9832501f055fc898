"""The catalog of a local lake, kept in one SQLite file.

Here: tables and partitions as rows. Every call opens its own connection and is one
transaction, so threads, forks and other processes may call at the same time. Locations
inside the lake are stored relative to it, so that a lake can be moved or copied. Not
here: SQL over the tables (athena), keeping them in step with the ledgers (publish).
"""

from __future__ import annotations

import json
import os
import shutil
import sqlite3
import tempfile
import uuid
from collections.abc import Iterator, Mapping, Sequence
from contextlib import closing, contextmanager, suppress
from dataclasses import replace
from pathlib import Path
from typing import Any

from star_assets.lake.catalog import (
    Catalog,
    CatalogColumn,
    ColumnStatistics,
    PartitionEntry,
    TableEntry,
    folded,
    lowered,
)
from star_assets.model.errors import CatalogBusy, LakeFull, LakeRefused, LostRace, NotOurs
from star_assets.settings import Settings

# How long a call waits for other transactions. Each takes milliseconds, so only a stuck process makes it wait so long.
BUSY_SECONDS = 60.0

# How often the file and its log are copied. If somebody writes during a copy, the two may not match: copy again.
COPIES = 20

# The prefix of stored locations that are inside the lake, and relative to it.
INSIDE = "./"

# Thousands of partitions share a few lists of columns, so each list is kept once.
SCHEMA = """
BEGIN;
CREATE TABLE databases (name TEXT PRIMARY KEY) WITHOUT ROWID;
CREATE TABLE tables (
    id INTEGER PRIMARY KEY,
    database TEXT NOT NULL REFERENCES databases,
    name TEXT NOT NULL,
    definition TEXT NOT NULL,
    UNIQUE (database, name)
);
CREATE TABLE column_lists (id INTEGER PRIMARY KEY, columns TEXT NOT NULL UNIQUE);
CREATE TABLE partitions (
    table_id INTEGER NOT NULL REFERENCES tables ON DELETE CASCADE,
    keys TEXT NOT NULL,
    location TEXT NOT NULL,
    parameters TEXT NOT NULL,
    column_list INTEGER NOT NULL REFERENCES column_lists,
    PRIMARY KEY (table_id, keys)
) WITHOUT ROWID;
COMMIT;
"""


class LocalCatalog(Catalog):
    """Databases, tables and partitions in `<root>/_catalog/catalog.sqlite`, made at the first change."""

    def __init__(self, root: Path) -> None:
        self.root = root.resolve()
        self.file = self.root / "_catalog" / "catalog.sqlite"

    @property
    def takes_statistics(self) -> bool:
        """False: DuckDB reads the statistics in the Parquet files."""
        return False

    def databases(self) -> list[str]:
        """The names of the databases, sorted."""
        with self._reading() as connection:
            return [name for (name,) in connection.execute("SELECT name FROM databases ORDER BY name")]

    def create_database(self, name: str) -> None:
        """Make a database; one that exists is no error."""
        with self._writing() as connection:
            connection.execute("INSERT OR IGNORE INTO databases VALUES (?)", [name.lower()])

    def drop_database(self, name: str) -> None:
        """Drop an empty database. Raises ValueError if it holds tables."""
        with self._writing() as connection:
            try:
                connection.execute("DELETE FROM databases WHERE name = ?", [name.lower()])
            except sqlite3.IntegrityError as error:
                raise ValueError(f"database {name} holds tables") from error

    def tables(self, database: str) -> list[TableEntry]:
        """Every table and view of a database, by name."""
        query = "SELECT database, name, definition FROM tables WHERE database = ? ORDER BY name"
        with self._reading() as connection:
            return [self._table(*row) for row in connection.execute(query, [database.lower()])]

    def table(self, database: str, name: str) -> TableEntry | None:
        """One table or view; None if there is none."""
        with self._reading() as connection:
            found = self._find(connection, database, name)
        return found[1] if found else None

    def put_table(self, entry: TableEntry) -> None:
        """Create a table, or replace its definition; partitions of the same columns stay. Raises NotOurs."""
        with self._writing() as connection:
            self._put_table(connection, folded(entry))

    def replace_table(self, found: TableEntry | None, entry: TableEntry) -> None:
        """Put a table if it is still equal to `found` (None: if it does not exist). Raises LostRace, NotOurs."""
        entry = folded(entry)
        with self._writing() as connection:
            present = self._find(connection, entry.database, entry.name)
            if (present and present[1]) != found:
                raise LostRace(f"{entry.database}.{entry.name}")
            if found != entry:
                self._put_table(connection, entry)

    def drop_table(self, database: str, name: str) -> None:
        """Forget a table and its partitions; one that is gone is no error. Files stay."""
        with self._writing() as connection:
            connection.execute("DELETE FROM tables WHERE (database, name) = (?, ?)", _key(database, name))

    def partitions(self, database: str, name: str) -> list[PartitionEntry]:
        """Every partition of a table, by values."""
        found = self.snapshot([(database, name)]).get((database, name))
        return found[1] if found else []

    def pages(self, database: str, name: str) -> Iterator[list[PartitionEntry]]:
        """Every partition of a table, in one page."""
        yield self.partitions(database, name)

    def some_partitions(self, database: str, name: str, values: Sequence[tuple[str, ...]]) -> list[PartitionEntry]:
        """The partitions with these values. Values without a partition are left out."""
        with self._reading() as connection:
            found = self._find(connection, database, name)
            return self._partitions(connection, found[0], values) if found else []

    def snapshot(
        self, tables: Sequence[tuple[str, str]]
    ) -> dict[tuple[str, str], tuple[TableEntry, list[PartitionEntry]]]:
        """Several tables, as (database, name), with their partitions: all as of one moment."""
        with self._reading() as connection:
            found = {key: self._find(connection, *key) for key in tables}
            return {key: (table[1], self._partitions(connection, table[0])) for key, table in found.items() if table}

    def put_partitions(self, database: str, name: str, entries: Sequence[PartitionEntry]) -> None:
        """Create or replace partitions, all at once. Raises KeyError where there is no such table."""
        with self._writing() as connection:
            found = self._find(connection, database, name)
            if not found:
                raise KeyError(f"{database}.{name}")
            # Thousands of partitions share a few lists of columns, so each list is turned into text once.
            texts = {columns: json.dumps(_rows(lowered(columns))) for columns in {entry.columns for entry in entries}}
            lists = [texts[entry.columns] for entry in entries]
            connection.executemany(
                "INSERT OR IGNORE INTO column_lists (columns) VALUES (?)", [(text,) for text in set(lists)]
            )
            connection.executemany(
                "INSERT OR REPLACE INTO partitions (table_id, keys, location, parameters, column_list)"
                " SELECT ?, ?, ?, ?, id FROM column_lists WHERE columns = ?",
                [
                    (
                        found[0],
                        json.dumps(one.values),
                        self._kept(one.location),
                        json.dumps(dict(one.parameters)),
                        columns,
                    )
                    for one, columns in zip(entries, lists, strict=True)
                ],
            )

    def drop_partitions(self, database: str, name: str, values: Sequence[tuple[str, ...]]) -> None:
        """Forget partitions; one that is gone is no error. Files stay."""
        with self._writing() as connection:
            if found := self._find(connection, database, name):
                connection.executemany(
                    "DELETE FROM partitions WHERE (table_id, keys) = (?, ?)",
                    [(found[0], json.dumps(keys)) for keys in values],
                )

    def put_statistics(
        self, database: str, name: str, entries: Mapping[tuple[str, ...], Sequence[ColumnStatistics]]
    ) -> None:
        """Does nothing: this catalog stores no statistics."""

    def _find(self, connection: sqlite3.Connection, database: str, name: str) -> tuple[int, TableEntry] | None:
        """A table's id and entry."""
        query = "SELECT id, database, name, definition FROM tables WHERE (database, name) = (?, ?)"
        row = connection.execute(query, _key(database, name)).fetchone()
        return (row[0], self._table(*row[1:])) if row else None

    def _table(self, database: str, name: str, definition: str) -> TableEntry:
        found: dict[str, Any] = json.loads(definition)
        for columns in ("columns", "partition_columns"):
            found[columns] = _columns(found[columns])
        return TableEntry(database, name, **{**found, "location": found["location"] and self._full(found["location"])})

    def _put_table(self, connection: sqlite3.Connection, entry: TableEntry) -> None:
        found = self._find(connection, entry.database, entry.name)
        if found and found[1].is_ours != entry.is_ours:
            raise NotOurs(f"{entry.database}.{entry.name}")
        if found and found[1].keys != entry.keys:
            connection.execute("DELETE FROM tables WHERE id = ?", [found[0]])
        kept = replace(entry, location=entry.location and self._kept(entry.location))
        connection.execute("INSERT OR IGNORE INTO databases VALUES (?)", [entry.database])
        connection.execute(
            "INSERT INTO tables (database, name, definition) VALUES (?, ?, ?)"
            " ON CONFLICT DO UPDATE SET definition = excluded.definition",
            [entry.database, entry.name, _definition(kept)],
        )

    def _partitions(
        self, connection: sqlite3.Connection, table: int, values: Sequence[tuple[str, ...]] | None = None
    ) -> list[PartitionEntry]:
        """The partitions of a table, by values; all of them, or those with the given values."""
        chosen = "FROM partitions WHERE table_id = ?"
        chosen += "" if values is None else " AND keys IN (SELECT value FROM json_each(?))"
        given = [table, *([] if values is None else [json.dumps([json.dumps(keys) for keys in values])])]
        lists = connection.execute(
            f"SELECT id, columns FROM column_lists WHERE id IN (SELECT column_list {chosen})", given
        )
        columns = {number: _columns(json.loads(text)) for number, text in lists}
        texts, places = list[str](), list[tuple[str, int]]()
        rows = connection.execute(f"SELECT keys, location, column_list, parameters {chosen}", given)
        for keys, location, number, parameters in rows:
            texts.append(f"[{keys}, {parameters}]")
            places.append((location, number))
        # Decoding thousands of texts as one takes half the time.
        decoded = json.loads(f"[{', '.join(texts)}]")
        found = [
            PartitionEntry(tuple(keys), self._full(location), columns[number], parameters)
            for (keys, parameters), (location, number) in zip(decoded, places, strict=True)
        ]
        return sorted(found, key=lambda entry: entry.values)

    def _kept(self, location: str) -> str:
        """A location as it is stored: relative to the lake if it is inside it."""
        inside = f"{self.root}/"
        return INSIDE + location.removeprefix(inside) if location.startswith(inside) else location

    def _full(self, location: str) -> str:
        """The inverse of `_kept`: an absolute location, below the lake's present folder if it was relative."""
        return f"{self.root}/{location.removeprefix(INSIDE)}" if location.startswith(INSIDE) else location

    @contextmanager
    def _reading(self) -> Iterator[sqlite3.Connection]:
        """A transaction that reads one state of the catalog; an empty catalog if there is none yet."""
        with self._sqlite_errors():
            if not self.file.exists():
                opened = _empty(":memory:")
            elif os.access(self.file.parent, os.W_OK) and os.access(self.file, os.W_OK):
                opened = self._open()
            else:
                opened = self._open_copy()
            with closing(opened) as connection:
                connection.execute("BEGIN")
                yield connection

    @contextmanager
    def _writing(self) -> Iterator[sqlite3.Connection]:
        """A transaction that writes while no other one can; it is undone if anything is raised."""
        with self._sqlite_errors():
            if not self.file.exists():
                self._create()
            with closing(self._open()) as connection:
                connection.execute("BEGIN IMMEDIATE")
                yield connection
                connection.execute("COMMIT")

    def _open(self) -> sqlite3.Connection:
        uri = f"{self.file.as_uri()}?mode=rw"
        connection = sqlite3.connect(uri, uri=True, timeout=BUSY_SECONDS, isolation_level=None)
        connection.execute("PRAGMA foreign_keys = ON")
        # With a write-ahead log, a power loss may undo the last changes, but does not
        # damage the file; `repair` mends the star's tables from the ledgers.
        connection.execute("PRAGMA synchronous = NORMAL")
        return connection

    def _open_copy(self) -> sqlite3.Connection:
        """A copy of the catalog in memory, for a lake that may only be read.

        SQLite cannot read a database with a write-ahead log without writing files beside it.
        Raises CatalogBusy if others write during each of COPIES copies.
        """
        log = self.file.with_name(f"{self.file.name}-wal")
        with tempfile.TemporaryDirectory(prefix="star_assets-") as folder:
            for _ in range(COPIES):
                before = _state(self.file), _state(log)
                for file in (self.file, log):
                    (Path(folder) / file.name).unlink(missing_ok=True)
                    with suppress(FileNotFoundError):
                        shutil.copyfile(file, Path(folder) / file.name)
                if (_state(self.file), _state(log)) == before:
                    with closing(sqlite3.connect(Path(folder) / self.file.name, isolation_level=None)) as copy:
                        opened = sqlite3.connect(":memory:", isolation_level=None)
                        copy.backup(opened)
                        return opened
        raise CatalogBusy(str(self.file), 0)

    def _create(self) -> None:
        """Make the file under another name and link it, so that nobody sees a file without its tables."""
        self.file.parent.mkdir(parents=True, exist_ok=True)
        fresh = self.file.with_name(f".{uuid.uuid4().hex}")
        try:
            _empty(str(fresh)).close()
            with suppress(FileExistsError):
                os.link(fresh, self.file)
        finally:
            fresh.unlink(missing_ok=True)

    @contextmanager
    def _sqlite_errors(self) -> Iterator[None]:
        try:
            yield
        except OSError as error:
            raise LakeRefused(str(self.file), error.strerror or str(error)) from error
        except sqlite3.Error as error:
            problem = str(error)
            if "locked" in problem:
                raise CatalogBusy(str(self.file), BUSY_SECONDS) from error
            if "full" in problem:
                raise LakeFull(str(self.file), problem) from error
            if "not a database" in problem or "malformed" in problem:
                problem += " (remove its folder, and `star-assets repair` makes it again)"
            raise LakeRefused(str(self.file), problem) from error


def open_folder(settings: Settings) -> LocalCatalog:
    """The catalog at `STAR_LAKE=folder`."""
    return LocalCatalog(Path(settings.lake).absolute())


def _empty(file: str) -> sqlite3.Connection:
    connection = sqlite3.connect(file, isolation_level=None)
    connection.execute("PRAGMA journal_mode = WAL")
    connection.executescript(SCHEMA)
    return connection


def _state(file: Path) -> tuple[int, int] | None:
    """A file's time (ns) and size, which a write changes; None if there is no file."""
    with suppress(FileNotFoundError):
        found = file.stat()
        return found.st_mtime_ns, found.st_size
    return None


def _key(database: str, name: str) -> tuple[str, str]:
    return database.lower(), name.lower()


def _definition(entry: TableEntry) -> str:
    """A table's entry as JSON, without its name."""
    return json.dumps(
        {
            "columns": _rows(entry.columns),
            "partition_columns": _rows(entry.partition_columns),
            "location": entry.location,
            "format": entry.format,
            "parameters": dict(entry.parameters),
            "description": entry.description,
            "view_sql": entry.view_sql,
            "view_database": entry.view_database,
            "serde": dict(entry.serde),
        }
    )


def _rows(columns: Sequence[CatalogColumn]) -> list[tuple[str, str, str]]:
    return [(column.name, column.type, column.comment) for column in columns]


def _columns(found: Sequence[Sequence[str]]) -> tuple[CatalogColumn, ...]:
    return tuple(CatalogColumn(*column) for column in found)
