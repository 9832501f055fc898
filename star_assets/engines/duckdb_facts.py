"""Facts with DuckDB: a range of dates in one pass, then a sorted file for each; and what their audits count."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path
from typing import Any

from ibis.expr.types import Table

from star_assets.engines.assembling import DATE
from star_assets.engines.duckdb_relations import Relations, names, physical, sql
from star_assets.engines.duckdb_session import FILE, name, parquet, parquet_format, text, told
from star_assets.engines.engine import FactInput, FactRules
from star_assets.model.source import Source
from star_assets.model.tables import Dimension, Fact, surrogate
from star_assets.staging.histories import with_versions
from star_assets.staging.winners import current, exported_with, lines_of

# Rows per row group of a fact's file: Athena skips whole groups by their
# statistics, so groups are smaller than the writers' default of 122,880.
ROW_GROUP = 65_536

# A file of fewer bytes costs more to open in a statement of its own than to read.
SMALL = 256 * 1024


class Facts(Relations):
    """The half of the DuckDB engine that builds facts."""

    @told("building a fact")
    def build_fact(self, fact: Fact, given: FactInput, folder: Path) -> dict[str, Path]:
        """One statement computes the range; then each date is sorted into its file."""
        rows = self.fact_rows(fact, given)
        # Of small dates, many lie in what DuckDB reads at once; by date, each one's rows are in one place.
        by_date = f" ORDER BY {DATE}" if _are_small(given) else ""
        self._create("built", f"SELECT {physical(rows)} FROM ({sql(rows)}){by_date}")
        self._drop_inputs(fact)
        # Sorting each date by itself takes half the time of sorting the range.
        order = names(dict.fromkeys((*fact.sort_by, fact.key)))

        def write(date: str) -> tuple[str, Path]:
            file = folder / f"{date}.parquet"
            with self.connection.cursor() as cursor:
                cursor.execute(
                    f"COPY (SELECT * EXCLUDE (_date) FROM built WHERE _date = {text(date)} "
                    f"ORDER BY {order}) TO {text(str(file))} "
                    f"{parquet_format(self.settings, f'ROW_GROUP_SIZE {ROW_GROUP}')}"
                )
            return date, file

        with ThreadPoolExecutor(self.settings.threads) as pool:
            files = dict(pool.map(write, given.dates))
        self._drop("built")
        return files

    @told("adding up sources")
    def totals(self, fact: Fact, given: FactInput) -> dict[str, dict[str, Any]]:
        """Per date: rows, and the sum of each measure that adds up."""
        sums = fact.summed
        rows = self.fact_rows(fact, given)
        found = self.connection.execute(
            f"SELECT CAST({DATE} AS VARCHAR), count(*), {', '.join(f'sum({name(c)})' for c in sums)} "
            f"FROM (SELECT {physical(rows)} FROM ({sql(rows)})) GROUP BY {DATE}"
        ).fetchall()
        self._drop_inputs(fact)
        return {date: dict(zip(("rows", *sums), values, strict=True)) for date, *values in found}

    @told("adding up files")
    def file_totals(self, fact: Fact, files: Mapping[str, Sequence[str]]) -> dict[str, dict[str, Any]]:
        """Per date: the same totals, read from the date's files."""
        sums = fact.summed
        by_file = {file: date for date, several in files.items() for file in several}
        if not by_file:
            return {}
        self.connection.execute(f"CREATE OR REPLACE TABLE dated_files ({FILE} VARCHAR, _date VARCHAR)")
        self.connection.executemany("INSERT INTO dated_files VALUES (?, ?)", list(by_file.items()))
        found = self.connection.execute(
            f"SELECT _date, count(*), {', '.join(f'sum({name(c)})' for c in sums)} "
            f"FROM {parquet(list(by_file))} JOIN dated_files USING ({FILE}) GROUP BY _date"
        ).fetchall()
        self.connection.execute("DROP TABLE dated_files")
        return {date: dict(zip(("rows", *sums), values, strict=True)) for date, *values in found}

    @told("auditing a fact")
    def audit_fact(self, fact: Fact, files: Mapping[str, str], dimensions: Mapping[str, str]) -> dict[str, FactRules]:
        """Hold each date's file against the rules of the model and the dimensions' members."""
        unknown = {column: self._unknown(fact, column, files, dimensions) for column in fact.references}
        if sum(Path(file).stat().st_size for file in files.values()) <= SMALL * len(files):
            found = self._audit_together(fact, files)
        else:
            # File by file: one statement over all of them takes four times as long
            # to find repeated keys, because it keeps every key of the range at once.
            with ThreadPoolExecutor(self.settings.threads) as pool:
                audited = pool.map(lambda date: self._audit_file(fact, date, files[date]), files)
                found = dict(zip(files, audited, strict=True))
        return {
            date: replace(rules, unknown_references={c: counts.get(files[date], 0) for c, counts in unknown.items()})
            for date, rules in found.items()
        }

    def _audit_together(self, fact: Fact, files: Mapping[str, str]) -> dict[str, FactRules]:
        """Small files in one statement, whose beginning would cost more than reading one of them."""
        listed = ", ".join(f"({text(file)}, DATE {text(date)})" for date, file in files.items())
        with self.connection.cursor() as cursor:
            found = cursor.execute(
                f"SELECT CAST(_date AS VARCHAR), {self._counts(fact, '_date')} FROM {parquet(list(files.values()))} "
                f"JOIN (VALUES {listed}) AS dated({FILE}, _date) USING ({FILE}) GROUP BY _date"
            ).fetchall()
        counted = {date: counts for date, *counts in found}
        # A file without rows is in no group.
        nothing = [0] * 4 + [0] * len(_minimums(fact)) + [None] * len(fact.summed)
        return {date: self._rules(fact, counted.get(date, nothing)) for date in files}

    def _audit_file(self, fact: Fact, date: str, file: str) -> FactRules:
        with self.connection.cursor() as cursor:
            counts = self._counts(fact, f"DATE {text(date)}")
            found = cursor.execute(f"SELECT {counts} FROM {parquet([file])}").fetchone()
        assert found is not None
        return self._rules(fact, found)

    def _counts(self, fact: Fact, date: str) -> str:
        """SQL for what `_rules` takes, of rows that should all be of one date."""
        key = name(fact.key)
        counts = [
            "count(*)",
            f"count(*) - count({key})",
            f"count({key}) - count(DISTINCT {key})",
            f"count(*) FILTER (business_date({name(fact.date)}) IS DISTINCT FROM {date})",
            *(f"count(*) FILTER ({name(column)} < {least})" for column, least in _minimums(fact).items()),
            *(f"sum({name(column)})" for column in fact.summed),
        ]
        return ", ".join(counts)

    def _rules(self, fact: Fact, counts: Sequence[Any]) -> FactRules:
        sums, minimums = fact.summed, _minimums(fact)
        rows, null_keys, repeated_keys, outside_date, *measured = counts
        below, totals = measured[: len(minimums)], measured[len(minimums) :]
        return FactRules(
            rows,
            null_keys,
            repeated_keys,
            outside_date,
            below_minimum=dict(zip(minimums, below, strict=True)),
            unknown_references={},
            sums=dict(zip(sums, totals, strict=True)),
        )

    @told("joining dimensions")
    def joined_totals(
        self, fact: Fact, files: Sequence[str], dimensions: Mapping[str, str]
    ) -> dict[str, dict[str, Any]]:
        """What a query finds that asks for the fact alone, and one that joins it with a dimension."""
        if not files:
            return {}
        joins = {"": ""}
        for column, target in fact.references.items():
            if target.name in dimensions:
                members = parquet([dimensions[target.name]])
                joins[column] = f"JOIN {members} AS member ON fact.{name(column)} = member.{name(target.key)}"
        sums = ", ".join(["count(*)", *(f"sum(fact.{name(column)})" for column in fact.summed)])
        totals = {}
        for column, join in joins.items():
            found = self.connection.execute(f"SELECT {sums} FROM {parquet(files)} AS fact {join}").fetchone()
            totals[column] = dict(zip(("rows", *fact.summed), found or (), strict=True))
        return totals

    @told("comparing members")
    def missing_members(self, column: str, files: Sequence[str], dimension: Dimension, members: str) -> list[str]:
        """Up to ten values of a fact's column that the dimension's file lacks, as text."""
        if not files:
            return []
        found = self.connection.execute(
            f"SELECT DISTINCT CAST({name(column)} AS VARCHAR) FROM {parquet(files)} "
            f"WHERE {name(column)} NOT IN (SELECT {name(dimension.key)} FROM {parquet([members])}) ORDER BY 1 LIMIT 10"
        )
        return [value for (value,) in found.fetchall()]

    def _unknown(
        self, fact: Fact, column: str, files: Mapping[str, str], dimensions: Mapping[str, str]
    ) -> dict[str, int]:
        """Per file, the rows whose reference is NULL or no member."""
        target = fact.references[column]
        members = parquet([dimensions[target.name]])
        found = self.connection.execute(
            f"SELECT {FILE}, count(*) FROM {parquet(list(files.values()))} "
            f"WHERE {name(column)} NOT IN (SELECT {name(target.key)} FROM {members}) OR {name(column)} IS NULL "
            f"GROUP BY {FILE}"
        )
        return dict(found.fetchall())

    @told("comparing versions")
    def outdated_versions(
        self, fact: Fact, files: Mapping[str, Sequence[str]], histories: Mapping[str, str]
    ) -> list[str]:
        """The dates with a row whose surrogate key is not that of the version in force at its time."""
        self.connection.execute(f"CREATE OR REPLACE TABLE dated_files ({FILE} VARCHAR, _date VARCHAR)")
        dated = [(file, date) for date, several in files.items() for file in several]
        self.connection.executemany("INSERT INTO dated_files VALUES (?, ?)", dated)
        roles = self.star.versioned(fact)
        columns = dict.fromkeys([*roles, *map(surrogate, roles), fact.date])
        self._view("carried", f"SELECT {names(columns)}, {FILE} FROM {parquet([file for file, _ in dated])}")
        kept = self._table("carried").rename({f"_{column}": surrogate(column) for column in roles})
        rows = with_versions(kept, fact.date, self._histories(fact, histories))
        differs = " OR ".join(f"{name(f'_{c}')} IS DISTINCT FROM {name(surrogate(c))}" for c in roles)
        found = self.connection.execute(
            f"SELECT DISTINCT _date FROM ({sql(rows)}) JOIN dated_files USING ({FILE}) WHERE {differs} ORDER BY 1"
        )
        return [date for (date,) in found.fetchall()]

    def _current(self, rows: Table, source: Source) -> Table:
        """Finding the few keys that occur again costs a third of comparing the rows of all."""
        again = f"again_{source.name}"
        self._create(again, f"SELECT {names(source.keys)} FROM ({sql(rows)}) GROUP BY ALL HAVING count(*) > 1")
        return current(rows, source, self._table(again))

    def _lines(self, headers: Table, lines: Table, header: Source, part: Source) -> Table:
        if part.lines == "changed":
            return lines_of(headers, lines, header, part)
        return self._current(self._keep(f"owned_{part.name}", exported_with(headers, lines, header, part)), part)

    def _drop_inputs(self, fact: Fact) -> None:
        """Free what `fact_rows` kept."""
        sources = (self.star.driving_column(fact).source, *self.star.parts(fact))
        self._drop("headers", *(f"{kept}_{source.name}" for source in sources for kept in ("owned", "again")))


def _are_small(given: FactInput) -> bool:
    """Whether an average date has little to read."""
    files = [Path(file) for exports in given.staged.values() for export in exports for file in export.files]
    return sum(file.stat().st_size for file in files) <= SMALL * len(given.dates)


def _minimums(fact: Fact) -> dict[str, Any]:
    """The least value of each measure that has one."""
    return {measure.column: measure.minimum for measure in fact.measures if measure.minimum is not None}
