"""The keys of staged rows: adds ids to rows without a key, and finds several rows of one key and version.

Such rows are counted or rejected, as the source declares. Not here: reading files, writing days (staging).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace

import duckdb

from star_assets.engines.duckdb.session import FILE, SMALL, name, parquet, text, text_list
from star_assets.engines.duckdb.typed_sql import DuckDBTypedSql
from star_assets.engines.engine import StagedDay
from star_assets.engines.typed_sql import Header
from star_assets.exports.records import LINE, RAW
from star_assets.exports.rejects_file import Reject
from star_assets.model.source import ROW_ID

# Hexadecimal digits of the digest of a row's content, if the source has no key.
DIGEST = 32

# The column with the raw file of a row; no column of an export begins with an underscore.
OF_FILE = "_of_file"


class RowKeys:
    """Adds or compares the keys of one source's staged rows, whichever engine staged them.

    `form` are the options of a COPY.
    """

    def __init__(self, sql: DuckDBTypedSql, form: str) -> None:
        self.sql = sql
        self.source = sql.source
        self.form = form

    def with_ids(self, cursor: duckdb.DuckDBPyConnection, day: StagedDay) -> StagedDay:
        """The day with an id for each row, which does not depend on the rows' files and order."""
        columns = [*self.sql.types, *day.extra]
        content = f"left(sha256({_content(columns)}), {DIGEST})"
        numbered = day.file.with_suffix(".numbered.parquet")
        rows = f"read_parquet({text(str(day.file))}, hive_partitioning=false, file_row_number=true)"
        row_id = f"{text(day.day)} || '-' || _content || '-' || row_number() OVER (PARTITION BY _content) AS {ROW_ID}"
        # DuckDB reads a timestamp in milliseconds as one in microseconds.
        typed = [
            f"CAST({name(column)} AS {type_.duckdb}) AS {name(column)}" for column, type_ in self.sql.types.items()
        ]
        listed = ", ".join([*typed, row_id, *map(name, day.extra)])
        cursor.execute(
            f"COPY (SELECT {listed} FROM (SELECT *, {content} AS _content FROM {rows}) ORDER BY file_row_number) "
            f"TO {text(str(numbered))} {self.form}"
        )
        return replace(day, file=numbered)

    def counted(self, cursor: duckdb.DuckDBPyConnection, staged: Sequence[StagedDay]) -> list[StagedDay]:
        """The days, each with its count of keys that have different rows of one version, and of identical rows."""
        files = [str(day.file) for day in staged]
        keys = ", ".join(map(name, self.source.keys))
        version = f", {name(self.source.version)}" if self.source.version else ""
        if all(day.file.stat().st_size <= SMALL for day in staged):
            # For many small files, one look at all keys is cheaper than one at each file's. Few files are left then.
            listed = cursor.execute(
                f"SELECT DISTINCT {FILE} FROM (SELECT {FILE} FROM {parquet(files)} GROUP BY {FILE}, {keys}{version} "
                "HAVING count(*) > 1)"
            ).fetchall()
            files = sorted(file for (file,) in listed)
            if not files:
                return list(staged)
        # The keys alone first, file by file: grouping whole rows, or the keys of all files, takes twice as long.
        again = " UNION ALL ".join(
            f"SELECT {number} AS {FILE}, {keys} FROM "
            f"(SELECT {keys} FROM {parquet([file])} GROUP BY {keys}{version} HAVING count(*) > 1)"
            for number, file in enumerate(files)
        )
        # Grouping by a file's number takes half the time of grouping by its name.
        rows = f"(SELECT * REPLACE (list_position({text_list(files)}, {FILE}) - 1 AS {FILE}) FROM {parquet(files)})"
        found = cursor.execute(
            f"WITH again AS ({again}), "
            f"known AS (SELECT {FILE}, {keys}, count(*) AS every, count(DISTINCT row) AS different "
            f"FROM {rows} AS row SEMI JOIN again USING ({FILE}, {keys}) GROUP BY {FILE}, {keys}{version}) "
            f"SELECT {FILE}, count(DISTINCT ({keys})) FILTER (different > 1), "
            f"CAST(sum(every - different) AS BIGINT) FROM known GROUP BY ALL"
        ).fetchall()
        counts = {files[number]: pair for number, *pair in found}
        return [
            replace(day, repeated_keys=repeated, identical_rows=identical)
            for day in staged
            for repeated, identical in (counts.get(str(day.file), (0, 0)),)
        ]

    def marked(self, file: str) -> str:
        """SQL that selects explained rows for an exact table, with their file and line if duplicates are rejected."""
        if self.source.duplicates == "collapse":
            return f"SELECT * EXCLUDE ({LINE}, {RAW}, _reason)"
        return f"SELECT * EXCLUDE (_reason), {text(file)} AS {OF_FILE}"

    def rejected(
        self, cursor: duckdb.DuckDBPyConnection, tables: Mapping[Header, str]
    ) -> list[tuple[str, list[Reject]]]:
        """The rows of the exact tables that are rejected as duplicates, by file; fills the table `duplicates`."""
        if self.source.duplicates == "collapse" or not tables:
            return []
        columns = [*self.sql.columns, *self.sql.extra(list(tables))]
        parts = [f"SELECT {text(table)} AS _table, rowid AS _row, * FROM {table}" for table in tables.values()]
        every = " UNION ALL BY NAME ".join([f"({self.sql.no_rows()})", *parts])
        version = [self.source.version] if self.source.version else []
        same = f"PARTITION BY {', '.join(map(name, (*self.source.keys, *version)))}"
        where = f"ORDER BY {OF_FILE}, {LINE}, _row"
        keys = ", ".join((*self.source.keys, *version))
        cursor.execute(
            f"CREATE TEMP TABLE duplicates AS SELECT _table, _row, {OF_FILE} AS file, {LINE}, {RAW}, "
            f"{text(f'expected one row of its {keys}, found ')} || "
            "CASE WHEN _least <> _greatest THEN 'several that differ' "
            "ELSE 'the same row on line ' || _line_before || ' of ' || _file_before END AS reason "
            f"FROM (SELECT *, min(_content) OVER ({same}) AS _least, max(_content) OVER ({same}) AS _greatest, "
            f"row_number() OVER ({same} {where}) AS _number, first({LINE}) OVER ({same} {where}) AS _line_before, "
            f"first({OF_FILE}) OVER ({same} {where}) AS _file_before "
            f"FROM (SELECT *, {_content(columns)} AS _content FROM ({every}))) "
            "WHERE _number > 1 OR _least <> _greatest"
        )
        found: dict[str, list[Reject]] = {}
        rows = cursor.execute(f"SELECT file, {LINE}, reason, {RAW} FROM duplicates ORDER BY file, {LINE}, _row")
        for file, *reject in rows.fetchall():
            found.setdefault(file, []).append(tuple(reject))
        return list(found.items())

    def kept(self, table: str) -> str:
        """SQL for the rows of an exact table that are staged."""
        if self.source.duplicates == "collapse":
            return f"FROM {table}"
        beside = f"{OF_FILE}, {LINE}, {RAW}"
        gone = f"SELECT _row FROM duplicates WHERE _table = {text(table)}"
        return f"SELECT * EXCLUDE ({beside}) FROM {table} WHERE rowid NOT IN ({gone})"


def _content(columns: Sequence[str]) -> str:
    """SQL for a text of all of a row's values, which differs between different rows."""
    return f"CAST(to_json([{', '.join(f'CAST({name(column)} AS VARCHAR)' for column in sorted(columns))}]) AS VARCHAR)"
