"""Dimensions and their histories with DuckDB, and what their audits count."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from pathlib import Path

from ibis.expr.types import Table

from star_assets.engines.duckdb_relations import Relations, physical, sql
from star_assets.engines.duckdb_session import FILE, name, parquet, text, told
from star_assets.engines.engine import DimensionInput
from star_assets.model.members import MEMBER_KIND, SUPERSEDED
from star_assets.model.tables import IS_CURRENT, VALID_FROM, VALID_TO, Dimension, History
from star_assets.model.types import UNKNOWN
from star_assets.staging.histories import BEGINNING, END


class Dimensions(Relations):
    """The half of the DuckDB engine that builds dimensions."""

    @told("building a dimension")
    def build_dimension(self, dimension: Dimension, given: DimensionInput, file: Path) -> None:
        """The transform over the states, with the members that nothing describes."""
        self._write(self.members(dimension, given), dimension.key, file)

    @told("building a history")
    def build_history(self, history: History, given: DimensionInput, file: Path) -> None:
        """The transform over all that the describing source ever said, interval by interval."""
        self._write(self.intervals(history, given), history.key, file)
        self._drop("steps")

    def _write(self, rows: Table, key: str, file: Path) -> None:
        self._copy(f"SELECT {physical(rows)} FROM ({sql(rows)}) ORDER BY {name(key)}", file)

    @told("comparing members")
    def drops_members(self, dimension: Dimension, before: str, after: str) -> bool:
        """Whether the later file lacks a member of the earlier one."""
        key = name(dimension.key)
        found = self.connection.execute(
            f"SELECT count(*) FROM {parquet([before])} AS was ANTI JOIN {parquet([after])} AS is_now USING ({key})"
        ).fetchone()
        return found is not None and found[0] > 0

    @told("keeping members")
    def keep_members(self, dimension: Dimension, file: str, before: str, used: Sequence[str], kept: Path) -> list[str]:
        """The rows of the earlier file that the later one lacks, as far as facts use them."""
        keys = self.lost_in_use(dimension, before, file, used)
        if keys:
            key = name(dimension.key)
            listed = ", ".join(map(text, keys))
            changed = f"{text(SUPERSEDED)} AS {MEMBER_KIND}"
            changed += f", false AS {IS_CURRENT}" if isinstance(dimension, History) else ""
            lost = f"SELECT * REPLACE ({changed}) FROM lost WHERE CAST({key} AS VARCHAR) IN ({listed})"
            rows = f"FROM {parquet([file])} UNION ALL BY NAME ({lost})"
            self._view("with_superseded", f"SELECT * EXCLUDE ({FILE}) FROM ({rows})")
            self._write(self._table("with_superseded"), dimension.key, kept)
        return keys

    @told("comparing members")
    def lost_in_use(self, dimension: Dimension, before: str, after: str, used: Sequence[str]) -> list[str]:
        """Of the members that the later file lacks, those that facts use."""
        key = name(dimension.key)
        self._view("lost", f"FROM {parquet([before])} AS was ANTI JOIN {parquet([after])} AS is_now USING ({key})")
        return self._used(dimension, "lost", used)

    @told("comparing members")
    def superseded_in_use(self, dimension: Dimension, file: str, used: Sequence[str]) -> list[str]:
        """Of the members that were kept, those that facts still use."""
        self._view("kept", f"FROM {parquet([file])} WHERE {MEMBER_KIND} = {text(SUPERSEDED)}")
        return self._used(dimension, "kept", used)

    def _used(self, dimension: Dimension, members: str, used: Sequence[str]) -> list[str]:
        """The keys of some members that facts use, as text."""
        if not used:
            return []
        key = name(dimension.key)
        found = self.connection.execute(
            f"SELECT DISTINCT CAST({key} AS VARCHAR) FROM {members} "
            f"WHERE {key} IN (SELECT key FROM {parquet(used, evolving=False)}) ORDER BY 1"
        )
        return [value for (value,) in found.fetchall()]

    @told("auditing a dimension")
    def audit_dimension(self, dimension: Dimension, file: str) -> dict[str, int]:
        """Rows, NULL keys, keys that occur again, and Unknown members (there must be one)."""
        key = name(dimension.key)
        unknown = next(f.type for f in self.star.fields(dimension) if f.name == dimension.key)
        found = self.connection.execute(
            f"SELECT count(*), count(*) - count({key}), count({key}) - count(DISTINCT {key}), "
            f"count(*) FILTER (CAST({key} AS VARCHAR) = {text(str(UNKNOWN[str(unknown)]))}) FROM {parquet([file])}"
        ).fetchone()
        assert found is not None
        return dict(zip(("rows", "null_keys", "repeated_keys", "unknown_members"), found, strict=True))

    @told("auditing a history")
    def audit_history(self, history: History, file: str) -> int:
        """The members whose intervals do not follow each other from the beginning of time to one that lasts."""
        in_order = f"(PARTITION BY {name(history.of.key)} ORDER BY {VALID_FROM})"
        in_force = f"{MEMBER_KIND} <> {text(SUPERSEDED)}"
        broken = (
            f"{VALID_FROM} >= {VALID_TO} OR {VALID_FROM} <> coalesce(before, {_moment(BEGINNING)}) "
            f"OR {IS_CURRENT} <> ({VALID_TO} = {_moment(END)}) OR ({IS_CURRENT} AND after IS NOT NULL)"
        )
        found = self.connection.execute(
            f"SELECT count(DISTINCT {name(history.of.key)}) FROM ("
            f"SELECT *, lag({VALID_TO}) OVER {in_order} AS before, lead({VALID_FROM}) OVER {in_order} AS after "
            f"FROM {parquet([file])} WHERE {in_force}) WHERE {broken}"
        ).fetchone()
        assert found is not None
        return int(found[0])

    @told("comparing histories")
    def history_digests(self, history: History, file: str, months: Sequence[str]) -> dict[str, str]:
        """What of the history a month's dates can see. The surrogate key stands for member and values."""
        listed = ", ".join(f"({text(month)}, DATE '{month}-01')" for month in months)
        # Business dates may begin a day before UTC's, or end a day after.
        begin, end = "begins - INTERVAL 1 DAY", "begins + INTERVAL 1 MONTH + INTERVAL 1 DAY"
        bounds = f"greatest({VALID_FROM}, {begin}), least({VALID_TO}, {end})"
        found = self.connection.execute(
            f"SELECT month, count(*) || '-' || bit_xor(hash({name(history.key)}, {bounds})) "
            f"FROM (VALUES {listed}) AS months(month, begins) JOIN {parquet([file])} "
            f"ON {MEMBER_KIND} <> {text(SUPERSEDED)} AND {VALID_FROM} < {end} AND {VALID_TO} > {begin} GROUP BY month"
        )
        return dict(found.fetchall())


def _moment(moment: datetime) -> str:
    return f"TIMESTAMP '{moment}'"
