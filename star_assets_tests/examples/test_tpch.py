"""The TPC-H example, end to end: its queries against plain SQL over the raw files, and against the official answers.

`tpch/*.sql` are the queries as the specifications word them, over the tables as
they were exported. `tpch/*.csv` are TPC's answers at scale factor 1, as its dbgen
brings them in `answers/` and the TPC-H specification shows them (2.4.x.5).
"""

from __future__ import annotations

import importlib
import os
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date
from decimal import ROUND_HALF_UP, Decimal
from pathlib import Path
from typing import Any

import duckdb
import pytest

from star_assets.athena.embedded import EmbeddedAthena
from star_assets.exports.finding import days_between
from star_assets.model import load_star
from star_assets.pipeline.warehouse import Warehouse
from star_assets.settings import Settings

REPOSITORY = Path(__file__).parents[2]
QUERIES = {file.stem: file.read_text() for file in (REPOSITORY / "examples" / "tpch" / "queries").glob("*.sql")}
HERE = Path(__file__).parent / "tpch"
OFFICIAL = {file.stem: file.read_text() for file in HERE.glob("*.csv")}

SMALL = "0.01"
SCALE = os.environ.get("TPCH_SCALE", SMALL)

# Every query finds something in these weeks. At the small scale the other
# years would take time and show nothing new.
WEEKS = [
    *days_between("1993-12-01", "1994-02-15"),
    *days_between("1995-02-20", "1995-03-15"),
    *days_between("1995-08-10", "1995-09-15"),
]

# What DuckDB would take for floats, and flags that it would take for booleans.
MONEY, TEXT = "DECIMAL(15,2)", "VARCHAR"
TYPES = {
    "orders": {"o_orderstatus": TEXT},
    "lineitem": {
        **dict.fromkeys(("l_quantity", "l_extendedprice", "l_discount", "l_tax"), MONEY),
        **dict.fromkeys(("l_returnflag", "l_linestatus"), TEXT),
    },
    "customer": {"c_acctbal": MONEY},
}

pytestmark = pytest.mark.xdist_group("tpch")


@dataclass(frozen=True)
class Example:
    """The star: its warehouse, the days that were built, and the raw files of these days in a database."""

    warehouse: Warehouse
    days: Sequence[str]
    raw: duckdb.DuckDBPyConnection

    def answer(self, sql: str) -> list[tuple[Any, ...]]:
        athena = EmbeddedAthena(self.warehouse.storage, self.warehouse.catalog)
        return [tuple(row.values()) for row in athena.query(sql).table.to_pylist()]


@pytest.fixture(scope="module")
def prepare() -> Iterator[Any]:
    """The example's module, as it is found from the repository's root."""
    with pytest.MonkeyPatch.context() as patch:
        patch.syspath_prepend(str(REPOSITORY))
        yield importlib.import_module("examples.tpch.prepare")


@pytest.fixture(scope="module")
def example(prepare: Any, tmp_path_factory: pytest.TempPathFactory) -> Example:
    lake = tmp_path_factory.mktemp("tpch")
    first, last = prepare.FIRST_DAY, prepare.LAST_DAY
    days = days_between(first, last) if SCALE != SMALL else [first, *WEEKS]
    with pytest.MonkeyPatch.context() as patch:
        # In two parts, as a large scale is laid out.
        patch.setattr(prepare, "SCALE_OF_A_PART", float(SCALE) / 2)
        of_these = {source: f"FROM ({sql}) WHERE date::VARCHAR IN {(*days,)}" for source, sql in prepare.DAILY.items()}
        patch.setattr(prepare, "DAILY", of_these)
        prepare.prepare(float(SCALE), lake)
    found = Warehouse(
        load_star("examples.tpch.tpch:tpch"), Settings(lake=str(lake), start_date=date.fromisoformat(first))
    )
    for name in found.star.tables:
        wanted = days if name in (*prepare.DAILY, *found.star.facts) else [first]
        assert [str(outcome.error) for outcome in found.refresh(name, wanted) if outcome.error] == []
    return Example(found, days, raw_tables(lake, days))


def raw_tables(lake: Path, days: Sequence[str]) -> duckdb.DuckDBPyConnection:
    """The exports of these days as tables, read by DuckDB alone."""
    connection = duckdb.connect(lake / "raw.duckdb")
    for source in (lake / "oltp").iterdir():
        files = [str(file) for day in days for file in sorted((source / f"date={day}").glob("*.csv"))]
        connection.read_csv(files, dtype=TYPES.get(source.name), hive_partitioning=False).create(source.name)
    return connection


def same(ours: Any, expected: Any) -> bool:
    """Whether two values are one: numbers, as far as the one with fewer decimals goes; texts, but for blanks behind."""
    if not isinstance(ours, Decimal):
        return str(ours).rstrip() == str(expected).rstrip()
    numbers = ours, Decimal(str(expected))
    last = max(numbers, key=lambda number: number.as_tuple().exponent)
    left, right = (number.quantize(last, ROUND_HALF_UP) for number in numbers)
    return left == right


def differences(ours: Sequence[Sequence[Any]], expected: Sequence[Sequence[Any]]) -> list[str]:
    """What differs, row by row in order; nothing where all is one."""
    found = [] if len(ours) == len(expected) else [f"{len(ours)} rows, expected {len(expected)}"]
    for left, right in zip(ours, expected, strict=False):
        if len(left) != len(right) or not all(map(same, left, right)):
            found.append(f"{left}, expected {right}")
    return found


@pytest.mark.parametrize("query", sorted(QUERIES))
def test_the_star_answers_as_plain_sql_over_the_raw_files(example: Example, query: str) -> None:
    """Staged, built, published, and asked in Athena's SQL: no cent may differ."""
    expected = example.raw.sql((HERE / f"{query}.sql").read_text()).fetchall()
    assert expected
    assert None not in expected[0]
    assert differences(example.answer(QUERIES[query]), expected) == []


@pytest.mark.skipif(SCALE != "1", reason="TPC's answers are for scale factor 1, which takes minutes: `make tpch`")
@pytest.mark.parametrize("query", sorted(OFFICIAL))
def test_the_star_gives_the_official_answers(example: Example, query: str) -> None:
    """To the last digit that TPC prints."""
    expected = [line.split("|") for line in OFFICIAL[query].splitlines()]
    assert differences(example.answer(QUERIES[query]), expected) == []


def test_a_difference_of_a_cent_is_seen() -> None:
    """A comparison that finds nothing anywhere shows nothing."""
    ours = [(Decimal("10.1250"), "x ", 1)]
    assert differences(ours, [("10.13", "x", "1")]) == differences(ours, [(Decimal("10.125"), "x", 1)]) == []
    for other in (["10.12", "x", "1"], ["10.13", "y", "1"], ["10.13", "x", "2"]):
        assert differences(ours, [other]) != []
    assert differences(ours, []) == ["1 rows, expected 0"]


def test_every_row_is_in_the_star(example: Example) -> None:
    """No row is rejected, none is lost on the way, none is there twice."""
    for source in example.warehouse.star.sources:
        days = [
            day for day in example.days if (manifest := example.warehouse.live_manifest(source, day)) and manifest.rows
        ]
        manifests = [example.warehouse.live_manifest(source, day) for day in days]
        assert sum(manifest.facts["rejected"] for manifest in manifests if manifest) == 0
        assert [(sum(manifest.rows for manifest in manifests if manifest),)] == example.raw.sql(
            f"SELECT count(*) FROM {source}"
        ).fetchall()
    assert (
        example.answer("SELECT count(*), count(DISTINCT line_id) FROM fact_lineitem")
        == example.raw.sql("SELECT count(*), count(*) FROM lineitem").fetchall()
    )


def test_every_member_is_described_but_the_unknown_one(example: Example) -> None:
    for dimension in ("dim_customer", "dim_supplier", "dim_part"):
        kinds = f"SELECT member_kind, count(*) FROM {dimension} WHERE member_kind <> 'described' GROUP BY member_kind"
        assert example.answer(kinds) == [("unknown", 1)]


def test_lines_whose_order_is_in_another_part_are_exported(
    prepare: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """At some scales the generator divides lines otherwise than orders; here a part lacks a line of its order."""
    orders, lines = ["(1, DATE '1992-01-01')", "(2, DATE '1992-01-02')"], ["(1, 1)", "(1, 2), (2, 1)"]

    def generate(kind: str, scale: float, folder: Path, *tables: str, parts: int = 1, part: int = 1) -> None:
        rows = {
            "orders": f"SELECT * FROM (VALUES {orders[part - 1]}) AS t(o_orderkey, o_orderdate)",
            "lineitem": f"SELECT * FROM (VALUES {lines[part - 1]}) AS t(l_orderkey, l_linenumber)",
        }
        folder.mkdir(parents=True, exist_ok=True)
        for table in tables:
            duckdb.execute(f"COPY ({rows.get(table, 'SELECT 1 AS n')}) TO '{folder}/{table}.{kind}'")

    monkeypatch.setattr(prepare, "generate", generate)
    prepare.prepare(2, tmp_path)
    exported = sorted((tmp_path / "oltp" / "lineitem").rglob("*.csv"))
    rows = [(file.parent.name[-2:], *file.read_text().split()[1:]) for file in exported]
    assert sorted(rows) == [("01", "1,1"), ("01", "1,2"), ("02", "2,1")]


def test_exports_are_never_written_over(prepare: Any, tmp_path: Path) -> None:
    """Another scale into the same lake would be a mixture of both."""
    (tmp_path / "oltp").mkdir()
    with pytest.raises(FileExistsError, match="holds exports already"):
        prepare.prepare(1, tmp_path)
