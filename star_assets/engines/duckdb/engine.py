"""The DuckDB engine, the default: it stages exports and builds tables on one machine, in bounded memory."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from star_assets.engines.assembling import DATE
from star_assets.engines.duckdb.relations import Relations, names, physical, relations
from star_assets.engines.duckdb.session import are_small, parquet_format, text
from star_assets.engines.duckdb.sql import sql
from star_assets.engines.duckdb.staging import Staging
from star_assets.engines.engine import BuiltFile, DimensionInput, ExportInput, FactInput, StagedDay, Workplace
from star_assets.model.source import Source
from star_assets.model.tables import Dimension, Fact, History

# Rows per row group of a fact's file: Athena skips whole groups by their
# statistics, so groups are smaller than the writers' default of 122,880.
ROW_GROUP = 65_536


class DuckDBEngine:
    """The implementation of Engine on the DuckDB of this process."""

    # In memory, rows take ten times as many bytes as in Parquet, and twice that while they are sorted.
    # Larger passes save no time.
    pass_bytes = 24 * 1024 * 1024

    def __init__(self, workplace: Workplace) -> None:
        self.star = workplace.star
        self.database = workplace.database
        self.settings = workplace.settings

    def stage(self, source: Source, exports: Sequence[ExportInput], folder: Path) -> Iterator[StagedDay]:
        """Turn raw exports into files of typed, valid rows and of rejects, one of each per day."""
        staging = Staging(self.database, source, self.star.reserved_keys(source), self.star.receipt_of(source))
        return staging.stage(exports, folder)

    def build_dimension(self, dimension: Dimension, given: DimensionInput, file: Path) -> BuiltFile:
        """Write the transform's rows over the states, with the Unknown and inferred members, into `file`."""
        with relations(self.star, self.database, "building a dimension") as tables:
            tables.write(tables.members(dimension, given), dimension.key, file)
        return BuiltFile(file)

    def build_history(self, history: History, given: DimensionInput, file: Path) -> BuiltFile:
        """Write the history's rows, from all versions of the describing source's rows, into `file`."""
        with relations(self.star, self.database, "building a history") as tables:
            tables.write(tables.intervals(history, given), history.key, file)
        return BuiltFile(file)

    def build_fact(self, fact: Fact, given: FactInput, folder: Path) -> dict[str, BuiltFile]:
        """Compute the rows of all dates in one statement, then sort and write each date's rows into a file."""
        with relations(self.star, self.database, "building a fact") as tables:
            rows = tables.fact_rows(fact, given)
            # DuckDB reads the rows of many small dates at once. Sorted by date, each date's rows are found quickly.
            files = [file for exports in given.staged.values() for export in exports for file in export.files]
            by_date = f" ORDER BY {DATE}" if are_small(files, len(given.dates)) else ""
            tables.create("built", f"SELECT {physical(rows)} FROM ({sql(rows)}){by_date}")
            tables.drop_inputs(fact)
            with ThreadPoolExecutor(self.settings.threads) as pool:
                written = pool.map(lambda date: self._write_date(tables, fact, date, folder), given.dates)
                return dict(zip(given.dates, written, strict=True))

    def _write_date(self, tables: Relations, fact: Fact, date: str, folder: Path) -> BuiltFile:
        """Sort and write the rows of one date. Sorting each date takes half the time of sorting the whole range."""
        order = names(fact.row_order)
        file = folder / f"{date}.parquet"
        with tables.cursor() as cursor:
            cursor.execute(
                f"COPY (SELECT * EXCLUDE ({DATE}) FROM built WHERE {DATE} = {text(date)} ORDER BY {order}) "
                f"TO {text(str(file))} {parquet_format(self.settings, f'ROW_GROUP_SIZE {ROW_GROUP}')}"
            )
        return BuiltFile(file)
