"""What the DuckDB engine writes: types, order and compression of its files."""

from __future__ import annotations

from itertools import pairwise
from pathlib import Path

import duckdb
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from star_assets.books.audits import Audits
from star_assets.books.states import States
from star_assets.engines.duckdb.engine import ROW_GROUP, DuckDBEngine
from star_assets.engines.duckdb.staging import SMALL
from star_assets.engines.engine import DimensionInput, ExportInput, FactInput, RawInput, StagedInput
from star_assets.exports.formats.opening import inspect_file
from star_assets.model import Star
from star_assets.settings import Settings
from star_assets.star import dim_time, retail

from ..workplaces import workplace

DAY = "2023-07-01"
ORDERS = 100_000


def engine(**settings: str) -> DuckDBEngine:
    return DuckDBEngine(workplace(retail, Settings(threads=2, **settings)))


def exported(source: str, day: str, rows: str, folder: Path) -> ExportInput:
    """A day's export of a source as one file, with its columns in their order."""
    raw = folder / f"{source}-{day}.csv"
    raw.write_text(",".join(retail.sources[source].columns) + "\n" + rows)
    return ExportInput(day, (RawInput(raw, raw.name, inspect_file(raw, raw.name, retail.sources[source])),))


def staged(duck: DuckDBEngine, source: str, rows: str, folder: Path) -> StagedInput:
    """One day's export of a source, staged."""
    target = folder / source
    target.mkdir()
    (day,) = duck.stage(retail.sources[source], [exported(source, DAY, rows, folder)], target)
    return StagedInput(DAY, (str(day.file),))


@pytest.fixture(scope="module")
def fact_file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A hundred thousand sales of one day."""
    folder = tmp_path_factory.mktemp("facts")
    duck = engine()
    texts = {
        "orders": "".join(f"{n},1,{n * 7919 % 50},{DAY} 10:00:00.5,placed,,I\n" for n in range(ORDERS)),
        "order_items": "".join(f"{n},1,{n * 104729 % 90},1,2.5,\n" for n in range(ORDERS)),
    }
    given = {source: (staged(duck, source, rows, folder),) for source, rows in texts.items()}
    fact = retail.facts["fact_sales"]
    built = duck.build_fact(fact, FactInput((DAY, "2023-07-02"), {**given, "pos_sales": ()}), folder)
    assert pq.read_metadata(built["2023-07-02"].path).num_rows == 0
    empty, full = (pq.read_schema(built[day].path) for day in ("2023-07-02", DAY))
    assert dict(zip(empty.names, empty.types, strict=True)) == dict(zip(full.names, full.types, strict=True))
    return built[DAY].path


def test_types_are_those_that_athena_reads(fact_file: Path) -> None:
    """Athena reads milliseconds, and refuses a partition whose column has another type."""
    types = {field.name: field.type for field in pq.read_schema(fact_file)}
    assert types["sold_at"] == pa.timestamp("ms")
    assert types["sale_date"] == pa.date32()
    assert types["revenue"] == types["unit_price"] == pa.decimal128(18, 4)
    assert types["sale_id"] == pa.string()
    assert "date" not in types
    assert [name for name in types if name.startswith("_")] == []


def test_rows_are_sorted_so_that_groups_can_be_skipped(fact_file: Path) -> None:
    """A question about one store should read a fraction of the day."""
    rows = duckdb.execute("SELECT store_id, product_id, sale_id FROM read_parquet(?)", [str(fact_file)]).fetchall()
    assert len(rows) == ORDERS
    assert rows == sorted(rows)
    metadata = pq.read_metadata(fact_file)
    assert metadata.num_row_groups == -(-ORDERS // ROW_GROUP)
    column = pq.read_schema(fact_file).names.index("store_id")
    bounds = [metadata.row_group(group).column(column).statistics for group in range(metadata.num_row_groups)]
    assert all(before.max <= after.min for before, after in pairwise(bounds))


@pytest.mark.parametrize("padding", ["", "x" * SMALL])
def test_each_day_counts_its_own_contradictions(tmp_path: Path, padding: str) -> None:
    """Days are looked over together, small ones and large ones; a key of several days contradicts none of them."""
    line = "1,1,1,{day} 10:00:00,{status},{day} 11:00:00,I\n"
    statuses = {"2023-07-01": "ab", "2023-07-02": "aa", "2023-07-03": "a", "2023-07-04": "aba", "2023-07-05": ""}
    exports = [
        exported("orders", day, "".join(line.format(day=day, status=s + padding) for s in found), tmp_path)
        for day, found in statuses.items()
    ]
    found = list(engine().stage(retail.sources["orders"], exports, tmp_path))
    assert {day.day: day.repeated_keys for day in found} == dict(zip(statuses, (1, 0, 0, 1, 0), strict=True))


@pytest.mark.parametrize("compression", ["zstd", "snappy"])
def test_the_compression_is_the_one_asked_for(tmp_path: Path, compression: str) -> None:
    duck = engine(compression=compression)
    given = staged(duck, "stores", "1,a,b,c,d,,,\n", tmp_path)
    state = tmp_path / "state.parquet"
    States(retail, duck.database).fold(retail.sources["stores"], None, [given], state)
    members = tmp_path / "members.parquet"
    duck.build_dimension(retail.dimensions["dim_store"], DimensionInput({"stores": str(state)}, (), (1, 1)), members)
    for file in (given.files[0], state, members):
        assert pq.read_metadata(file).row_group(0).column(0).compression == compression.upper()


def test_a_calendar_of_any_years(tmp_path: Path) -> None:
    """Somebody's sentinel date must not stop the load: the first year and the last are years too."""
    duck = DuckDBEngine(workplace(Star([], [dim_time], []), Settings(threads=2)))
    for first, last, days in ((1, 1, 365), (2024, 2024, 366), (9999, 9999, 365)):
        file = tmp_path / f"{first}.parquet"
        duck.build_dimension(dim_time, DimensionInput({}, (), (first, last)), file)
        assert Audits(duck.star, duck.database).audit_dimension(dim_time, str(file)) == {
            "rows": days + 1,
            "null_keys": 0,
            "repeated_keys": 0,
            "unknown_members": 1,
        }
