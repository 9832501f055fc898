"""Folding and indexing with DuckDB: what all exports of a source say together, and where each key occurs."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from star_assets.engines.duckdb_relations import Relations, names, physical, sql
from star_assets.engines.duckdb_session import FILE, name, parquet, text, told
from star_assets.engines.engine import StagedInput
from star_assets.model.source import Source
from star_assets.staging.winners import EXPORT, LISTED, folded, versions


class States(Relations):
    """The folding half of the DuckDB engine: states of sources, and the key index."""

    @told("folding exports")
    def fold(self, source: Source, base: str | None, exports: Sequence[StagedInput], file: Path) -> str:
        """One row per key: the winner over the base state and the exports."""
        found = folded(self._staged(source, exports, base), source)
        self._copy(f"SELECT {physical(found)} FROM ({sql(found)}) ORDER BY {names(source.keys)}", file)
        return self._visible(source, file)

    def _visible(self, source: Source, file: Path) -> str:
        """A digest of a state without what changes when the same rows are exported again."""
        rows = f"SELECT * EXCLUDE ({FILE}, {EXPORT}) FROM {parquet([str(file)])}"
        if source.exports == "snapshots":
            listed = f"{LISTED} = max({LISTED}) OVER () AS {LISTED}"
            rows = f"SELECT * REPLACE ({listed}) FROM ({rows})"
        digest = "count(*), coalesce(bit_xor(hash(row)), 0), coalesce(sum(hash(row)), 0)"
        found = self.connection.execute(f"SELECT {digest} FROM ({rows}) AS row").fetchone()
        return "-".join(map(str, found or ()))

    @told("folding versions")
    def fold_versions(self, source: Source, base: str | None, exports: Sequence[StagedInput], file: Path) -> None:
        """Several rows per key: those that say something new."""
        found = versions(self._staged(source, exports, base), source)
        self._copy(f"SELECT {physical(found)} FROM ({sql(found)}) ORDER BY ALL", file)

    @told("folding keys")
    def fold_keys(self, column: str, key: str, base: str | None, exports: Sequence[StagedInput], file: Path) -> None:
        """The distinct values of a column, over the base's and the exports'."""
        parts = [f"SELECT {name(key)} FROM {parquet([base])}"] if base else []
        files = [file_ for export in exports for file_ in export.files]
        parts += [f"SELECT {name(column)} AS {name(key)} FROM {parquet(files)}"] if files else []
        self._copy(
            f"SELECT DISTINCT {name(key)} FROM ({' UNION ALL '.join(parts)}) WHERE {name(key)} IS NOT NULL ORDER BY 1",
            file,
        )

    @told("indexing keys")
    def index_keys(
        self, source: Source, column: str, base: str | None, exports: Sequence[StagedInput], file: Path
    ) -> None:
        """(keys, export, date) of the base's and the exports' rows, sorted by date."""
        keys = names(source.keys)
        parts = [f"SELECT {keys}, export, date FROM {parquet([base])}"] if base else []
        rows = self._staged(source, exports)
        day = f"business_date({name(column)})"
        parts.append(f"SELECT {keys}, {EXPORT} AS export, {day} AS date FROM {rows.get_name()}")
        self._copy(f"SELECT * FROM ({' UNION ALL '.join(parts)}) ORDER BY date, {keys}", file)

    @told("reading the key index")
    def exports_of_dates(
        self, source: Source, index: Sequence[str], dates: Sequence[str] | None
    ) -> dict[str, list[str]]:
        """For each date, the exports with any row of a key that has a row of that date."""
        if not index or (dates is not None and not dates):
            return {}
        files, keys = parquet(index, evolving=False), names(source.keys)
        pairs = _pairs(files, keys) if dates is None else _pairs_of(files, keys, dates)
        return dict(self.connection.execute(f"{pairs} {_BY_DATE}").fetchall())

    @told("indexing lines")
    def index_lines(self, part: Source, base: str | None, exports: Sequence[StagedInput], file: Path) -> None:
        """(keys, header's keys, export) of the base's and the exports' lines, sorted by the header's keys."""
        columns = names(_line_columns(part))
        parts = [f"SELECT {columns}, export FROM {parquet([base])}"] if base else []
        parts.append(f"SELECT {columns}, {EXPORT} AS export FROM {self._staged(part, exports).get_name()}")
        self._copy(f"SELECT DISTINCT * FROM ({' UNION ALL '.join(parts)}) ORDER BY {columns}, export", file)

    @told("reading the key index")
    def line_exports_of_dates(
        self, header: Source, index: Sequence[str], part: Source, lines: Sequence[str], dates: Sequence[str] | None
    ) -> dict[str, list[str]]:
        """For each date, the exports with any row of a line that ever belonged to a header of that date."""
        if not index or not lines or (dates is not None and not dates):
            return {}
        wanted = "date IS NOT NULL" if dates is None else _is_among(dates)
        named = ", ".join(f"{name(k)} AS {name(c)}" for k, c in zip(header.keys, part.header_keys, strict=True))
        files, keys = parquet(lines, evolving=False), names(part.keys)
        owned = f"owned AS (SELECT DISTINCT {keys}, date FROM {files} JOIN wanted USING ({names(part.header_keys)}))"
        needed = f"SELECT DISTINCT date, export FROM {files} JOIN owned USING ({keys})"
        if set(part.header_keys) <= set(part.keys):
            # No line can move to another header.
            owned, needed = "owned AS (FROM wanted)", f"SELECT DISTINCT date, export FROM {files} JOIN owned USING "
            needed += f"({names(part.header_keys)})"
        found = self.connection.execute(
            f"WITH wanted AS (SELECT DISTINCT {named}, date FROM {parquet(index, evolving=False)} WHERE {wanted}), "
            f"{owned}, needed AS ({needed}) {_BY_DATE}"
        )
        return dict(found.fetchall())

    @told("listing members")
    def fold_members(self, column: str, base: str | None, facts: Sequence[StagedInput], file: Path) -> None:
        """(version, key) of the base's and the facts' rows, each once."""
        parts = [f"SELECT version, key FROM {parquet([base])}"] if base else []
        listed = ", ".join(f"({text(path)}, {text(fact.day)})" for fact in facts for path in fact.files)
        if listed:
            files = parquet([path for fact in facts for path in fact.files], evolving=False)
            parts.append(
                f"SELECT DISTINCT version, {name(column)} AS key FROM {files} "
                f"JOIN (VALUES {listed}) AS named({FILE}, version) USING ({FILE})"
            )
        self._copy(f"SELECT * FROM ({' UNION ALL '.join(parts)}) ORDER BY key, version", file)


# From `needed`, (date, export): each date with a list of its exports.
_BY_DATE = (
    "SELECT CAST(date AS VARCHAR), list_sort(list(CAST(export AS VARCHAR))) FROM needed "
    "WHERE date IS NOT NULL GROUP BY date"
)


def _is_among(dates: Sequence[str]) -> str:
    """SQL that finds the dates. The bounds let the reader skip row groups; the list alone would not."""
    listed = ", ".join(f"DATE {text(date)}" for date in dates)
    return f"date IN ({listed}) AND date BETWEEN {text(min(dates))} AND {text(max(dates))}"


def _line_columns(part: Source) -> Sequence[str]:
    """The header's key and the line's own, each column once."""
    return tuple(dict.fromkeys((*part.header_keys, *part.keys)))


def _pairs_of(files: str, keys: str, dates: Sequence[str]) -> str:
    """SQL that defines `needed`: the dates, each with the exports that it needs."""
    return (
        f"WITH wanted AS (SELECT {keys}, date FROM {files} WHERE {_is_among(dates)}), "
        f"needed AS (SELECT DISTINCT wanted.date, export FROM {files} AS every JOIN wanted USING ({keys}))"
    )


def _pairs(files: str, keys: str) -> str:
    """The same for every date. Only keys that moved join a date to exports that have no row of it."""
    return (
        f"WITH moved AS (SELECT {keys} FROM {files} GROUP BY ALL "
        "HAVING min(date) IS DISTINCT FROM max(date) OR count(date) < count(*)), "
        f"rows AS (SELECT {keys}, date, export FROM {files} SEMI JOIN moved USING ({keys})), "
        f"needed AS (SELECT date, export FROM {files} "
        f"UNION SELECT a.date, b.export FROM rows AS a JOIN rows AS b USING ({keys}))"
    )
