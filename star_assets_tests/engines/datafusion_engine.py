"""An engine as another package would bring it: on Apache DataFusion, another of Ibis's backends.

It stages by the exact reader and values by Python, so it is slow; it is right for
what the sample retailer declares (no `deleted` lines that are exported by themselves).
"""

from __future__ import annotations

import hashlib
import re
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import datafusion
import ibis
import pyarrow as pa
import pyarrow.parquet as pq
import sqlglot.expressions as sge
from ibis.backends.sql.compilers.datafusion import DataFusionCompiler
from ibis.expr.types import Table

from star_assets.engines.assembling import DATE, Assembling
from star_assets.engines.engine import (
    BuiltFile,
    DimensionInput,
    ExportInput,
    FactInput,
    FileCount,
    RawInput,
    StagedDay,
    StagedInput,
    Workplace,
)
from star_assets.exports import grammar
from star_assets.exports.formats.opening import read_records
from star_assets.exports.names import table_names
from star_assets.exports.records import LINE, RAW
from star_assets.exports.rejects_file import RejectsFile
from star_assets.model.days import BusinessDate
from star_assets.model.source import Source
from star_assets.model.star import Star
from star_assets.model.tables import CALENDAR, Dimension, Fact, History
from star_assets.model.types import Type
from star_assets.rules.winners import DELETED, EXPORT

MOMENT = pa.timestamp("ms")


class DataFusionEngine:
    """An Engine on DataFusion in this process."""

    pass_bytes = 24 * 1024 * 1024

    def __init__(self, workplace: Workplace) -> None:
        self.star, self.settings = workplace.star, workplace.settings

    def stage(self, source: Source, exports: Sequence[ExportInput], folder: Path) -> Iterator[StagedDay]:
        for export in exports:
            yield self._stage(source, export, folder)

    def _stage(self, source: Source, export: ExportInput, folder: Path) -> StagedDay:
        valid, counts = list[dict[str, Any]](), list[FileCount]()
        types = {column: Type.parse(spec.type) for column, spec in source.declared.items()}
        with RejectsFile(folder / f"{export.day}.rejects.parquet", self.settings.compression) as rejects:
            for file in export.files:
                rows, refused = self._read(source, types, file)
                valid += rows
                rejects.add(file.name, sorted(refused))
                counts.append(FileCount(file.name, file.profile.records, len(rows), len(refused)))
        extra = tuple(dict.fromkeys(column for row in valid for column in row if column not in (*types, DELETED)))
        fields = [(column, type_.arrow) for column, type_ in types.items()]
        fields += [(DELETED, pa.bool_())] if source.tombstone else []
        schema = pa.schema([*fields, *((column, pa.string()) for column in extra)])
        staged = folder / f"{export.day}.parquet"
        pq.write_table(pa.Table.from_pylist(valid, schema), staged, compression=self.settings.compression)
        first, repeated = tuple(rejects.first), _repeated(source, valid)
        return StagedDay(export.day, staged, tuple(counts), rejects.path, first, extra, repeated)

    def _read(
        self, source: Source, types: Mapping[str, Type], file: RawInput
    ) -> tuple[list[dict[str, Any]], list[tuple[int, str, str]]]:
        valid, refused = list[dict[str, Any]](), list[tuple[int, str, str]]()
        for records in read_records(file.path, file.name, source, file.profile):
            refused += [(reject.line, reject.reason, reject.raw) for reject in records.rejects]
            names = table_names([c for c in records.table.column_names if c not in (LINE, RAW)], source)
            for record in records.table.to_pylist():
                row = self._typed(source, types, names, record)
                if isinstance(row, str):
                    refused.append((record[LINE], row, record[RAW]))
                else:
                    valid.append(row)
        return valid, refused

    def _typed(
        self, source: Source, types: Mapping[str, Type], names: Mapping[str, str], record: Mapping[str, Any]
    ) -> dict[str, Any] | str:
        """The row of a record, or the reason why it is none."""
        row: dict[str, Any] = {}
        for column, staged in names.items():
            text, type_ = record[column], types.get(column, Type("string"))
            row[staged] = value = _value(type_, text, ZoneInfo(source.timezone))
            if value is None and text:
                return f"column {column}: '{text}' is not {grammar.expected(type_)}"
        if source.tombstone:
            column, marked = source.tombstone
            row[DELETED] = record.get(column) == marked
        for column in source.required_values:
            if row.get(column) is None and (column in source.keys or not row.get(DELETED)):
                return f"column {column}: no value"
        for column, key in self.star.reserved_keys(source).items():
            if str(row.get(column)) == str(key):
                return f"column {column}: {key} is the key of the Unknown member"
        return row

    def build_dimension(self, dimension: Dimension, given: DimensionInput, file: Path) -> BuiltFile:
        tables = Tables(self.star, self.settings.zone)
        return self._write(tables.rows(tables.members(dimension, given)), [dimension.key], file)

    def build_history(self, history: History, given: DimensionInput, file: Path) -> BuiltFile:
        tables = Tables(self.star, self.settings.zone)
        return self._write(tables.rows(tables.intervals(history, given)), [history.key], file)

    def build_fact(self, fact: Fact, given: FactInput, folder: Path) -> dict[BusinessDate, BuiltFile]:
        tables = Tables(self.star, self.settings.zone)
        rows = tables.rows(tables.fact_rows(fact, given))
        written = {}
        for day in given.dates:
            of_day = rows.filter(pa.compute.equal(rows[DATE], date.fromisoformat(day))).drop([DATE])
            written[day] = self._write(of_day, fact.row_order, folder / f"{day}.parquet")
        return written

    def _write(self, rows: pa.Table, order: Sequence[str], file: Path) -> BuiltFile:
        rows = rows.sort_by([(column, "ascending") for column in order])
        pq.write_table(rows, file, compression=self.settings.compression)
        return BuiltFile(file)


class Compiler(DataFusionCompiler):
    """Ibis's, but for what DataFusion 51 understands otherwise."""

    def visit_IdenticalTo(self, op: Any, *, left: Any, right: Any) -> Any:  # noqa: N802 Ibis calls it so.
        """In parentheses: `a IS NOT DISTINCT FROM b AND c` is read as `… FROM (b AND c)`."""
        return sge.Paren(this=sge.NullSafeEQ(this=left, expression=right))

    def visit_NonNullLiteral(self, op: Any, *, value: Any, dtype: Any) -> Any:  # noqa: N802 Ibis calls it so.
        """A date is a date: Ibis's truncation to a day is a timestamp there."""
        if dtype.is_date():
            return self.cast(sge.convert(value.isoformat()), dtype)
        return super().visit_NonNullLiteral(op, value=value, dtype=dtype)


class Tables(Assembling):
    """A star's upstream tables in a context of DataFusion's."""

    def __init__(self, star: Star, zone: ZoneInfo) -> None:
        self.star = star
        self.backend = ibis.datafusion.connect()
        self.backend.compiler = Compiler()
        for name, function, taken, given in (
            ("business_date", lambda moment: _utc(moment).astimezone(zone).date(), [MOMENT], pa.date32()),
            (
                "start_of_day",
                lambda day: _naive(datetime(day.year, day.month, day.day, tzinfo=zone)),
                [pa.date32()],
                MOMENT,
            ),
            ("surrogate_key", _surrogate_key, [pa.string(), MOMENT], pa.int64()),
        ):
            self.backend.con.register_udf(
                datafusion.udf(_of_arrays(function, given), taken, given, "immutable", name=name)
            )

    def staged(self, source: Source, exports: Sequence[StagedInput]) -> Table:
        declared = {field.name: field.type.ibis for field in self.star.fields(source)}
        declared |= {DELETED: ibis.dtype("boolean")} if source.tombstone else {}
        days = [
            pq.ParquetFile(file).read().append_column(EXPORT, pa.array([date.fromisoformat(one.day)] * _rows(file)))
            for one in exports
            for file in one.files
        ]
        nothing = pa.schema([*((c, t.to_pyarrow()) for c, t in declared.items()), (EXPORT, pa.date32())]).empty_table()
        found = pa.concat_tables([nothing, *days], promote_options="default")
        return self._table(f"staged_{source.name}", found)

    def read(self, table: str, files: Sequence[str]) -> Table:
        rows = pa.concat_tables([pq.ParquetFile(file).read() for file in files], promote_options="default")
        return self._table(table, rows)

    def _named(self, table: str, rows: Table) -> Table:
        return rows

    def keep(self, table: str, rows: Table) -> Table:
        return self._table(table, self.rows(rows))

    def _calendar(self, first: int, last: int) -> Table:
        begin, days = date(first, 1, 1), (date(last, 12, 31) - date(first, 1, 1)).days + 1
        dates = pa.table({"date_key": [begin + timedelta(days=number) for number in range(days)]})
        return self._table(CALENDAR, dates)

    def _table(self, name: str, rows: pa.Table) -> Table:
        rows = rows.cast(pa.schema([(field.name, field.type) for field in rows.schema]))
        self.backend.con.deregister_table(name)
        batches = rows.to_batches() or [pa.RecordBatch.from_pylist([], rows.schema)]
        self.backend.con.register_record_batches(name, [batches])
        return self.backend.table(name)

    def rows(self, rows: Table) -> pa.Table:
        """Computed, in the types that Parquet holds."""
        types = {column: Type.of(dtype).arrow for column, dtype in rows.schema().items()}
        return self.backend.to_pyarrow(rows).cast(pa.schema(list(types.items())))


def _of_arrays(function: Any, type_: pa.DataType) -> Any:
    def call(*arrays: pa.Array) -> pa.Array:
        rows = zip(*(array.to_pylist() for array in arrays), strict=True)
        return pa.array([None if row[0] is None else function(*row) for row in rows], type_)

    return call


def _surrogate_key(key: str, moment: datetime | None) -> int:
    milliseconds = "" if moment is None else str(round(_utc(moment).timestamp() * 1000))
    return int.from_bytes(hashlib.sha256(f"{key}@{milliseconds}".encode()).digest()[:8]) >> 1


def _value(type_: Type, text: str | None, zone: ZoneInfo) -> Any:
    """The value of a text; None where it is none of its type."""
    if type_.name == "string" or text is None:
        return text
    if not re.fullmatch(grammar.pattern(type_) or "", text):
        return None
    if type_.name == "timestamp":
        moment = datetime.fromisoformat(re.sub(r"([+-]\d\d)$", r"\1:00", text))
        return _naive(moment if moment.tzinfo else moment.replace(tzinfo=zone))
    parse: dict[str, Any] = {"int32": int, "int64": int, "float64": float, "date": date.fromisoformat}
    parse |= {"boolean": lambda text: text.lower() in ("true", "t", "1"), "decimal": Decimal}
    return parse[type_.name](text)


def _naive(moment: datetime) -> datetime:
    return moment.astimezone(UTC).replace(tzinfo=None)


def _utc(moment: datetime) -> datetime:
    return moment.replace(tzinfo=UTC)


def _rows(file: str) -> int:
    return int(pq.read_metadata(file).num_rows)


def _repeated(source: Source, rows: Sequence[Mapping[str, Any]]) -> int:
    """Keys with different rows of one version."""
    different = {tuple(sorted((c, str(v)) for c, v in row.items())): row for row in rows}.values()
    version = (source.version,) if source.version else ()
    found = Counter(tuple(row.get(column) for column in (*source.keys, *version)) for row in different)
    return len({key[: len(source.keys)] for key, count in found.items() if count > 1})
