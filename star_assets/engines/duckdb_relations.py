"""What the halves of the DuckDB engine share: its connection, and staged rows and states as Ibis tables."""

from __future__ import annotations

import tempfile
from collections.abc import Iterable, Sequence
from functools import cached_property
from pathlib import Path
from typing import Any

import duckdb
import ibis
from ibis.expr.types import Table

from star_assets.engines.assembling import Assembling
from star_assets.engines.duckdb_session import FILE, connect, name, parquet, parquet_format, sql_type, text
from star_assets.engines.engine import StagedInput
from star_assets.model.errors import StagedOtherwise
from star_assets.model.source import Source
from star_assets.model.star import Star
from star_assets.model.tables import CALENDAR
from star_assets.model.types import Type
from star_assets.settings import Settings
from star_assets.staging.winners import DELETED, EXPORT, LISTED


class Relations(Assembling):
    """A star's upstream tables on one DuckDB connection."""

    def __init__(self, star: Star, settings: Settings) -> None:
        self.star = star
        self.settings = settings
        self._spill = tempfile.TemporaryDirectory(prefix="star_assets_spill_")

    @cached_property
    def connection(self) -> duckdb.DuckDBPyConnection:
        """The one connection of this engine, opened when first used."""
        return connect(self.settings, self._spill.name)

    def _staged(self, source: Source, exports: Sequence[StagedInput], base: str | None = None) -> Table:
        """The staged rows of some exports, each with `_export`, and of a base state."""
        view = f"staged_{source.name}"
        days = {file: export.day for export in exports for file in export.files}
        parts = [self._no_rows(source)]
        parts += [f"SELECT * FROM {parquet([base])}"] if base else []
        if days:
            # All rows of a vector are of one file, so it is looked up once for them; a join would look up each row.
            day_of = ", ".join(f"{text(file)}: DATE {text(day)}" for file, day in days.items())
            parts += [f"SELECT *, MAP {{{day_of}}}[{FILE}] AS {EXPORT} FROM {parquet(list(days))}"]
        rows = f"SELECT * EXCLUDE ({FILE}) FROM ({' UNION ALL BY NAME '.join(parts)})"
        self._view(view, rows)
        if casts := self._casts(source, self._table(view)):
            self._view(view, f"SELECT * REPLACE ({', '.join(casts)}) FROM ({rows})")
        return self._table(view)

    def _casts(self, source: Source, rows: Table) -> list[str]:
        """What makes rows of the declared types, where an earlier declaration staged some in others."""
        types = {f.name: (f.type, Type.of(rows[f.name].type())) for f in self.star.fields(source)}
        for column, (declared, found) in types.items():
            if not declared.holds(found):
                raise StagedOtherwise(source.name, column, str(declared), str(found))
        return [f"CAST({name(c)} AS {sql_type(d)}) AS {name(c)}" for c, (d, found) in types.items() if d != found]

    def _no_rows(self, source: Source) -> str:
        """The columns that staged rows have at least, in their declared types."""
        columns = [f"CAST(NULL AS {sql_type(f.type)}) AS {name(f.name)}" for f in self.star.fields(source)]
        columns += [f"CAST(NULL AS BOOLEAN) AS {DELETED}"] if source.tombstone else []
        columns += [f"CAST(NULL AS DATE) AS {LISTED}"] if source.exports == "snapshots" else []
        return f"SELECT {', '.join(columns)}, CAST(NULL AS DATE) AS {EXPORT}, '' AS {FILE} WHERE false"

    def _read(self, table: str, files: Sequence[str]) -> Table:
        self._view(table, f"SELECT * EXCLUDE ({FILE}) FROM {parquet(files)}")
        return self._table(table)

    def _named(self, table: str, rows: Table) -> Table:
        self._view(table, sql(rows))
        return ibis.table(rows.schema(), name=table)

    def _keep(self, table: str, rows: Table) -> Table:
        self._create(table, sql(rows))
        return ibis.table(rows.schema(), name=table)

    def _calendar(self, first: int, last: int) -> Table:
        self._view(
            CALENDAR,
            f"SELECT CAST(range AS DATE) AS date_key FROM range(DATE '{first}-01-01', DATE '{last + 1}-01-01', "
            "INTERVAL 1 DAY)",
        )
        return ibis.table({"date_key": "date"}, name=CALENDAR)

    def _view(self, view: str, select: str) -> None:
        self.connection.execute(f"CREATE OR REPLACE VIEW {name(view)} AS {select}")

    def _create(self, table: str, select: str) -> None:
        self.connection.execute(f"CREATE OR REPLACE TABLE {name(table)} AS {select}")

    def _drop(self, *tables: str) -> None:
        for table in tables:
            self.connection.execute(f"DROP TABLE IF EXISTS {name(table)}")

    def _table(self, view: str) -> Table:
        """A view as an Ibis table, with the columns that it really has."""
        described = self.connection.execute(f"DESCRIBE {name(view)}").fetchall()
        return ibis.table({column: _ibis_type(type_) for column, type_, *_ in described}, name=view)

    def _copy(self, select: str, file: Path) -> None:
        self.connection.execute(f"COPY ({select}) TO {text(str(file))} {parquet_format(self.settings)}")


def sql(table: Table) -> str:
    """The DuckDB statement of an Ibis expression."""
    return str(ibis.to_sql(table, dialect="duckdb"))


def _ibis_type(duckdb_type: str) -> Any:
    from ibis.backends.sql.datatypes import DuckDBType

    return DuckDBType.from_string(duckdb_type)


def physical(rows: Table) -> str:
    """Every column, cast to the type that Parquet holds it in."""
    return ", ".join(
        f"CAST({name(column)} AS {sql_type(Type.of(dtype))}) AS {name(column)}"
        for column, dtype in rows.schema().items()
    )


def names(columns: Iterable[str]) -> str:
    """Identifiers, quoted, as a list."""
    return ", ".join(name(column) for column in columns)
