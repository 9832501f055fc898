"""Folded states: over all exports, the winning row of each key, all different rows of it, or a column's values."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from star_assets.books.book import Book
from star_assets.engines.duckdb.relations import Relations, names, physical
from star_assets.engines.duckdb.session import FILE, name, parquet
from star_assets.engines.duckdb.sql import sql
from star_assets.engines.engine import StagedInput
from star_assets.model.source import Source, SourceColumn
from star_assets.rules.winners import EXPORT, LISTED, folded, versions


class States(Book):
    """Folds exports onto an earlier state, the base, and writes a new one. A base of None stands for no rows."""

    def fold(self, source: Source, base: str | None, exports: Sequence[StagedInput], file: Path) -> str:
        """Write the winning row of each key of the base and the exports. Returns a digest, see `_visible`."""
        with self._tables("folding exports") as tables:
            found = folded(tables.staged(source, exports, base), source)
            tables.copy(f"SELECT {physical(found)} FROM ({sql(found)}) ORDER BY {names(source.keys)}", file)
            return self._visible(tables, source, file)

    def _visible(self, tables: Relations, source: Source, file: Path) -> str:
        """A digest of a state that stays the same if the same rows are exported again."""
        rows = f"SELECT * EXCLUDE ({FILE}, {EXPORT}) FROM {parquet([str(file)])}"
        if source.exports == "snapshots":
            listed = f"{LISTED} = max({LISTED}) OVER () AS {LISTED}"
            rows = f"SELECT * REPLACE ({listed}) FROM ({rows})"
        digest = "count(*), coalesce(bit_xor(hash(row)), 0), coalesce(sum(hash(row)), 0)"
        found = tables.execute(f"SELECT {digest} FROM ({rows}) AS row").fetchone()
        return "-".join(map(str, found or ()))

    def fold_versions(self, source: Source, base: str | None, exports: Sequence[StagedInput], file: Path) -> None:
        """Write the rows of each key that differ from the row before, for a history."""
        with self._tables("folding versions") as tables:
            found = versions(tables.staged(source, exports, base), source)
            tables.copy(f"SELECT {physical(found)} FROM ({sql(found)}) ORDER BY ALL", file)

    def fold_keys(
        self, column: SourceColumn, key: str, base: str | None, exports: Sequence[StagedInput], file: Path
    ) -> None:
        """Write the distinct values of a column in the base and the exports."""
        self._fold_distinct(column.source, name(column.column), key, base, exports, file)

    def fold_days(
        self, column: SourceColumn, key: str, base: str | None, exports: Sequence[StagedInput], file: Path
    ) -> None:
        """Write the distinct business dates of a timestamp column in the base and the exports."""
        self._fold_distinct(column.source, f"business_date({name(column.column)})", key, base, exports, file)

    def _fold_distinct(
        self, source: Source, value: str, key: str, base: str | None, exports: Sequence[StagedInput], file: Path
    ) -> None:
        with self._tables("folding keys") as tables:
            parts = [f"SELECT {name(key)} FROM {parquet([base])}"] if base else []
            files = [file_ for export in exports for file_ in export.files]
            parts += [f"SELECT {value} AS {name(key)} FROM {parquet(files)}"] if files else []
            # If the source has exported nothing yet, only the column's type is known: write a file without rows.
            parts = parts or [f"SELECT {value} AS {name(key)} FROM {tables.staged(source, ()).get_name()}"]
            tables.copy(
                f"SELECT DISTINCT {name(key)} FROM ({' UNION ALL '.join(parts)}) "
                f"WHERE {name(key)} IS NOT NULL ORDER BY 1",
                file,
            )
