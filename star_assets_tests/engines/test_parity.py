"""DuckDB and Spark give the same: row for row, type for type, file for file, rejects included."""

from __future__ import annotations

import gzip
import importlib
import json
from datetime import date
from pathlib import Path
from random import randrange
from typing import NamedTuple

import duckdb
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from star_assets.engines.duckdb.engine import DuckDBEngine
from star_assets.engines.duckdb.typed_sql import DuckDBTypedSql
from star_assets.engines.spark.engine import SparkEngine
from star_assets.model import Source, Star, load_star
from star_assets.samples.retailer import write_exports
from star_assets.settings import Settings
from star_assets.star import retail

from ..exports import dirty_files
from ..exports.test_grammar import NEVER, NO_VALUES, TYPES, VALUES
from ..exports.test_two_readers import all_of
from ..shop import rows_of
from ..spark import needs_spark
from ..workplaces import workplace
from .hard_cases import DAYS, hard, write_hard_cases
from .pairs import Pair, columns, require_same

pytestmark = needs_spark

REPOSITORY = Path(__file__).parents[2]

# What each type is in a published Parquet file, whichever engine computed it.
PARQUET = {
    "int32": ("INT32", "Int(bitWidth=32, isSigned=true)"),
    "int64": ("INT64", "Int(bitWidth=64, isSigned=true)"),
    "float64": ("DOUBLE", "None"),
    "boolean": ("BOOLEAN", "None"),
    "string": ("BYTE_ARRAY", "String"),
    "date": ("INT32", "Date"),
    "timestamp": ("INT64", "Timestamp(isAdjustedToUTC=false, timeUnit=milliseconds, "),
    "decimal(9,2)": ("INT32", "Decimal(precision=9, scale=2)"),
    "decimal(18,4)": ("INT64", "Decimal(precision=18, scale=4)"),
    "decimal(38,10)": ("FIXED_LEN_BYTE_ARRAY", "Decimal(precision=38, scale=10)"),
}


class Retailer(NamedTuple):
    """Days of the sample retailer."""

    pair: Pair
    days: list[str]


@pytest.fixture(scope="module", params=[2, pytest.param(3, marks=pytest.mark.long)], ids="{} days".format)
def retailer(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Retailer:
    root, days = tmp_path_factory.mktemp("retailer"), ["2023-07-01", "2023-07-02", "2023-07-03"][: request.param]
    write_exports(root, date(2023, 7, 1), len(days), orders_per_day=30)
    ring_up(root)
    pair = Pair(retail, root, start_date=date(2023, 7, 1))
    assert pair.run(days) == {}
    return Retailer(pair, days)


def ring_up(root: Path) -> None:
    """What tills told: twice, in any order, of receipts that are exported and of others, and badly."""
    exported = rows_of(root, "orders", date(2023, 7, 1))[0]["order_id"]
    sale = {"event_type": "sale", "line_number": 1, "store_id": 999, "product_id": 1, "customer_id": None}
    sale |= {"sold_at": "2023-07-01T23:30:00-04:00", "quantity": 2, "unit_price": 2.5, "discount": None}
    told = [("a", 10**9), ("a", 10**9), ("b", int(exported or 0)), ("c", 10**9 + 1), ("none", None)]
    events = [{"event_id": name, "order_id": receipt, **sale} for name, receipt in told]
    events += [{**events[3], "event_id": "d", "quantity": -2}, {**events[3], "discount": "0.10"}]
    for day, several in (("2023-07-01", events), ("2023-07-02", [*events[:1], {**events[0], "event_id": "e"}])):
        folder = root / "oltp" / "pos_sales" / f"date={day}" / "hour=23"
        folder.mkdir(parents=True)
        (folder / "object.gz").write_bytes(gzip.compress("\n".join(map(json.dumps, several)).encode()))


@pytest.mark.parametrize("table", retail.tables)
def test_the_sample_retailer_is_the_same(retailer: Retailer, table: str) -> None:
    """The whole way: CSV and JSON, snapshots, a history, references."""
    for day in retailer.days:
        require_same(retailer.pair, table, day, in_order=table not in retail.sources)


def test_both_engines_have_the_same_provisional_sales(retailer: Retailer) -> None:
    """Nothing is equal to nothing: of the events above, these count."""
    for file in retailer.pair.files("fact_sales", "2023-07-02").values():
        found = duckdb.sql(f"SELECT sale_id, revenue::VARCHAR FROM '{file}' WHERE is_provisional ORDER BY 1").fetchall()
        assert found == [
            ("provisional:a", "5.0000"),
            ("provisional:c", "4.9000"),
            ("provisional:d", "-5.0000"),
            ("provisional:e", "5.0000"),
        ]


@pytest.fixture(scope="module")
def hard_cases(tmp_path_factory: pytest.TempPathFactory) -> Pair:
    """Exports that are hard to read, and values at their limits."""
    root = tmp_path_factory.mktemp("hard cases")
    write_hard_cases(root)
    pair = Pair(hard, root, start_date=date.fromisoformat(DAYS[0]), timezone="America/New_York")
    failed = pair.run(DAYS)
    assert failed.get("spark") == failed.get("duckdb")
    return pair


@pytest.mark.parametrize("table", hard.tables)
def test_hard_cases_are_the_same(hard_cases: Pair, table: str) -> None:
    """Limits of decimals, NaN, NULL, the extra hour, Unicode, empty text, ties; every kind of reject."""
    for day in DAYS:
        require_same(hard_cases, table, day, in_order=table not in hard.sources)


def test_every_table_of_the_hard_cases_has_rows(hard_cases: Pair) -> None:
    """Nothing is equal to nothing."""
    for table in hard.tables:
        files = [file for day in DAYS for file in hard_cases.files(table, day).values()]
        assert sum(pq.read_metadata(file).num_rows for file in files) > 0, table


def test_every_type_has_one_form_in_parquet(hard_cases: Pair) -> None:
    """What Athena and Glue are told is one type for a column, whichever engine wrote a day."""
    for file in hard_cases.files("all_types", DAYS[0]).values():
        found = {name: (physical, logical) for name, physical, _, logical in columns(file)}
        declared = {field.name: str(field.type) for field in hard.fields(hard.sources["all_types"])}
        assert set(PARQUET) <= set(declared.values())
        for name, type_ in declared.items():
            if type_ in PARQUET:
                assert found[name][0] == PARQUET[type_][0]
                assert found[name][1].startswith(PARQUET[type_][1])


@pytest.mark.parametrize("timezone", ["UTC", "America/New_York", "America/Havana", "Australia/Lord_Howe"])
def test_the_grammar_means_the_same(timezone: str) -> None:
    """Every text that is, or only looks like, a value of some type, read as each type."""
    from star_assets.engines.spark.session import open_session
    from star_assets.engines.spark.typed_sql import SparkTypedSql

    texts = [
        None,
        "",
        *NEVER,
        *(text for given in (VALUES, NO_VALUES) for several in given.values() for text in several),
    ]
    texts += [f"2023-{day} {hour}:{minute}:00" for day, hours in EXTRA.items() for hour in hours for minute in (15, 45)]
    columns = {f"v{number}": type_ for number, type_ in enumerate(TYPES)}
    source = Source("s", key="k", columns={"k": "int64", **columns}, timezone=timezone)
    header = ("k", *columns)
    session = open_session(Settings(engine="spark"))
    given = [(str(n), *[text] * len(columns), n, text) for n, text in enumerate(dict.fromkeys(texts))]
    schema = ", ".join(f"{column} STRING" for column in header) + ", _line BIGINT, _raw STRING"
    session.createDataFrame(given, schema).createOrReplaceTempView("texts")
    spark = session.sql(SparkTypedSql(source, {}).explained("texts", header)).collect()
    with duckdb.connect() as connection:
        connection.execute(f"SET TimeZone = '{timezone}'")
        names = [*header, "_line", "_raw"]
        table = pa.table([pa.array([row[n] for row in given]) for n in range(len(names))], names=names)
        connection.register("texts", table)
        duck = connection.execute(DuckDBTypedSql(source, {}).explained("texts", header)).fetchall()
    assert {row["k"]: str(tuple(row)) for row in spark} == {row[0]: str(row) for row in duck}


@pytest.mark.parametrize("files", [20, pytest.param(400, marks=pytest.mark.long)], ids="{} files".format)
def test_dirty_files_are_the_same(tmp_path: Path, files: int) -> None:
    """What the quick readers and the exact one do with files that nobody thought of."""
    shared = workplace(Star(dirty_files.SOURCES, [], []), Settings(lake=str(tmp_path), engine="spark", threads=2))
    first = randrange(10**9)
    found = dirty_files.exports(range(first, first + files), tmp_path)
    for source in dirty_files.SOURCES:
        exports = found.get(source.name, [])
        duck, spark = (
            all_of(engine(shared), source, exports, tmp_path / f"{engine.__name__}-{source.name}")
            for engine in (DuckDBEngine, SparkEngine)
        )
        for export in exports:
            assert spark[export.day] == duck[export.day], f"seed {export.files[0].name}, source {source.name}"


# Days on which clocks are changed somewhere, and the hours around that.
EXTRA = {"03-12": ("01", "02", "03"), "11-05": ("00", "01", "02"), "04-02": ("01", "02"), "10-01": ("01", "02")}


@pytest.fixture(scope="module")
def jaffle(tmp_path_factory: pytest.TempPathFactory) -> Pair:
    """Somebody else's data: a dump of 2.5 MB, one day of its sales."""
    root = tmp_path_factory.mktemp("jaffle")
    with pytest.MonkeyPatch.context() as patch:
        patch.syspath_prepend(str(REPOSITORY))
        prepare = importlib.import_module("examples.jaffle.prepare")
        star = load_star("examples.jaffle.jaffle:jaffle")
    dump = prepare.dump_folder()
    if not dump.is_dir():
        pytest.skip(f"no Jaffle dump in {dump}; JAFFLE_DATA names its folder")
    prepare.prepare(dump, root)
    pair = Pair(star, root, start_date=date.fromisoformat(prepare.FIRST_DAY))
    assert pair.run([prepare.DUMP_DAY]) == {}
    return pair


@pytest.mark.long
def test_the_jaffle_dump_is_the_same(jaffle: Pair) -> None:
    """UUIDs, prices in cents, descriptions with commas and quotes."""
    for table in jaffle.star.tables:
        require_same(jaffle, table, "2019-08-31", in_order=table not in jaffle.star.sources)
