"""A star's tables in one DuckDB session: reading staged rows, states and members as Ibis tables, and writing files."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path

import duckdb
import ibis
from ibis.expr.types import Table

from star_assets.engines.assembling import Assembling
from star_assets.engines.duckdb.session import (
    FILE,
    Database,
    Session,
    duckdb_errors,
    name,
    parquet,
    parquet_format,
    text,
)
from star_assets.engines.duckdb.sql import ibis_type, sql
from star_assets.engines.engine import StagedInput
from star_assets.model.errors import StagedOtherwise
from star_assets.model.source import Source
from star_assets.model.star import Star
from star_assets.model.tables import CALENDAR, Fact
from star_assets.model.types import Type
from star_assets.rules.winners import DELETED, EXPORT, LISTED, current, exported_with, lines_of
from star_assets.settings import Settings


@contextmanager
def relations(star: Star, database: Database, doing: str) -> Iterator[Relations]:
    """A star's tables for one call. Raises EngineFailed, LakeFull, LakeRefused; `doing` says in them what failed."""
    with duckdb_errors(doing), database.session() as session:
        yield Relations(star, database.settings, session)


class Relations(Assembling):
    """A star's upstream tables in one DuckDB session."""

    def __init__(self, star: Star, settings: Settings, session: Session) -> None:
        self.star = star
        self.settings = settings
        self.session = session

    def execute(self, statement: str) -> duckdb.DuckDBPyConnection:
        """Run a statement in the session; its rows can be fetched."""
        return self.session.connection.execute(statement)

    def cursor(self) -> AbstractContextManager[duckdb.DuckDBPyConnection]:
        """Another connection that sees the session's tables, for another thread."""
        return self.session.cursor()

    def staged(self, source: Source, exports: Sequence[StagedInput], base: str | None = None) -> Table:
        """The staged rows of some exports, each with its `_export`, and the rows of a base state if there is one."""
        view = f"staged_{source.name}"
        days = {file: export.day for export in exports for file in export.files}
        parts = [self._no_rows(source)]
        parts += [f"SELECT * FROM {parquet([base])}"] if base else []
        if days:
            # All rows of a vector are from one file, so a MAP is looked up once per vector; a join works row by row.
            day_of = ", ".join(f"{text(file)}: {text(day)}::{_type_of_exports(source)}" for file, day in days.items())
            parts += [f"SELECT *, MAP {{{day_of}}}[{FILE}] AS {EXPORT} FROM {parquet(list(days))}"]
        rows = f"SELECT * EXCLUDE ({FILE}) FROM ({' UNION ALL BY NAME '.join(parts)})"
        self.view(view, rows)
        if casts := self._casts(source, self.table(view)):
            self.view(view, f"SELECT * REPLACE ({', '.join(casts)}) FROM ({rows})")
        return self.table(view)

    def _casts(self, source: Source, rows: Table) -> list[str]:
        """Casts to the declared types, of the columns that an earlier declaration staged in other types."""
        types = {f.name: (f.type, Type.of(rows[f.name].type())) for f in self.star.fields(source)}
        for column, (declared, found) in types.items():
            if not declared.holds(found):
                raise StagedOtherwise(source.name, column, str(declared), str(found))
        return [f"CAST({name(c)} AS {d.duckdb}) AS {name(c)}" for c, (d, found) in types.items() if d != found]

    def _no_rows(self, source: Source) -> str:
        """SQL for a table without rows: the columns that staged rows have at least, in their declared types."""
        columns = [f"CAST(NULL AS {f.type.duckdb}) AS {name(f.name)}" for f in self.star.fields(source)]
        columns += [f"CAST(NULL AS BOOLEAN) AS {DELETED}"] if source.tombstone else []
        columns += [f"CAST(NULL AS DATE) AS {LISTED}"] if source.exports == "snapshots" else []
        columns += [f"CAST(NULL AS {_type_of_exports(source)}) AS {EXPORT}", f"'' AS {FILE}"]
        return f"SELECT {', '.join(columns)} WHERE false"

    def read(self, table: str, files: Sequence[str]) -> Table:
        """The rows of Parquet files, by column name, as a table of that name."""
        self.view(table, f"SELECT * EXCLUDE ({FILE}) FROM {parquet(files)}")
        return self.table(table)

    def _named(self, table: str, rows: Table) -> Table:
        self.view(table, sql(rows))
        return ibis.table(rows.schema(), name=table)

    def keep(self, table: str, rows: Table) -> Table:
        """The same rows, computed once, as a table of that name."""
        self.create(table, sql(rows))
        return ibis.table(rows.schema(), name=table)

    def _calendar(self, first: int, last: int) -> Table:
        self.view(
            CALENDAR,
            f"SELECT CAST(range AS DATE) AS date_key FROM range(DATE '{first}-01-01', DATE '{last + 1}-01-01', "
            "INTERVAL 1 DAY)",
        )
        return ibis.table({"date_key": "date"}, name=CALENDAR)

    def view(self, view: str, select: str) -> None:
        """Define a view of the session."""
        self.execute(f"CREATE OR REPLACE VIEW {name(view)} AS {select}")

    def create(self, table: str, select: str) -> None:
        """Compute a query's rows into a table of the session."""
        self.execute(f"CREATE OR REPLACE TABLE {name(table)} AS {select}")

    def drop(self, *tables: str) -> None:
        """Drop tables before the session ends, to free their memory."""
        for table in tables:
            self.execute(f"DROP TABLE IF EXISTS {name(table)}")

    def table(self, view: str) -> Table:
        """A view or table of the session as an Ibis table."""
        described = self.execute(f"DESCRIBE {name(view)}").fetchall()
        return ibis.table({column: ibis_type(type_) for column, type_, *_ in described}, name=view)

    def copy(self, select: str, file: Path) -> None:
        """Write a query's rows to a Parquet file."""
        self.execute(f"COPY ({select}) TO {text(str(file))} {parquet_format(self.settings)}")

    def _current(self, rows: Table, source: Source) -> Table:
        """The winning rows that are no tombstones. Only the few keys with several rows are compared.

        Finding those keys first takes a third of the time of comparing the rows of all keys.
        """
        again = f"again_{source.name}"
        self.create(again, f"SELECT {names(source.keys)} FROM ({sql(rows)}) GROUP BY ALL HAVING count(*) > 1")
        return current(rows, source, self.table(again))

    def _lines(self, headers: Table, lines: Table, header: Source, part: Source) -> Table:
        if part.lines == "changed":
            return lines_of(headers, lines, header, part)
        return self._current(self.keep(f"owned_{part.name}", exported_with(headers, lines, header, part)), part)

    def write(self, rows: Table, key: str, file: Path) -> None:
        """Compute rows, and write them to a file, sorted by key."""
        self.copy(f"SELECT {physical(rows)} FROM ({sql(rows)}) ORDER BY {name(key)}", file)

    def drop_inputs(self, fact: Fact) -> None:
        """Drop the tables that `fact_rows` kept, to free their memory."""
        stream = self.star.stream(fact)
        sources = (self.star.driving_column(fact).source, *self.star.parts(fact), *([stream.source] if stream else []))
        self.drop("headers", "events", *(f"{kept}_{source.name}" for source in sources for kept in ("owned", "again")))


def _type_of_exports(source: Source) -> str:
    """The type of the column with a row's export: hours, which streams have, stay texts."""
    return "VARCHAR" if source.is_stream else "DATE"


def physical(rows: Table) -> str:
    """SQL for every column of `rows`, cast to the type that it has in Parquet."""
    return ", ".join(
        f"CAST({name(column)} AS {Type.of(dtype).duckdb}) AS {name(column)}" for column, dtype in rows.schema().items()
    )


def names(columns: Iterable[str]) -> str:
    """SQL for a list of quoted identifiers."""
    return ", ".join(name(column) for column in columns)
