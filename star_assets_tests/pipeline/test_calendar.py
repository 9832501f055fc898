"""A join by partition finds every row that a join by date finds; an audit of each version holds it."""

from __future__ import annotations

import shutil
from pathlib import Path

import duckdb
import pytest

from star_assets.books.audits import Audits
from star_assets.engines.duckdb.session import Database
from star_assets.lake.versions import LIVE
from star_assets.pipeline.warehouse import Warehouse

DAY = "2023-07-01"


def live_file(warehouse: Warehouse, table: str, day: str) -> Path:
    """The one file of the live version."""
    manifest = warehouse.live_manifest(table, day)
    assert manifest is not None
    folder = f"{table}/date={day}" if day != LIVE else table
    return Path(warehouse.storage.uri(f"olap/{folder}/v={manifest.version}/part-00000.parquet"))


def changed(file: Path, to: Path, change: str) -> str:
    """A copy of a Parquet file in which columns are replaced."""
    shutil.copy(file, to)
    duckdb.execute(f"COPY (SELECT * REPLACE ({change}) FROM '{file}') TO '{to}' (FORMAT parquet)")
    return str(to)


def test_a_join_by_partition_is_the_join_by_date(small_lake) -> None:
    """So that SQL users and Power BI may take the one that reads few days."""
    sums = [
        small_lake.rows(
            f"SELECT t.month_name, count(*) AS n, sum(f.revenue) AS revenue FROM fact_sales f JOIN dim_time t ON {on} "
            "GROUP BY t.month_name"
        )
        for on in ("f.date = t.partition_date", "f.sale_date = t.date_key")
    ]
    assert sums[0] == sums[1]
    assert sums[0][0]["n"] > 20


def test_the_unknown_day_has_its_date_as_text(small_lake) -> None:
    found = small_lake.rows("SELECT partition_date, month_name FROM dim_time WHERE member_kind = 'unknown'")
    assert found == [{"partition_date": "1900-01-01", "month_name": "Unknown"}]


def test_the_checks_of_versions_hold_the_equality(small_lake) -> None:
    fact = small_lake.warehouse.live_manifest("fact_sales", DAY)
    calendar = small_lake.warehouse.live_manifest("dim_time", LIVE)
    assert "calendar" in fact.facts["checks"]
    assert "partition date" in calendar.facts["checks"]


@pytest.mark.parametrize("days", [1, 0])
def test_a_row_whose_date_is_not_its_partitions_is_counted(small_lake, tmp_path: Path, days: int) -> None:
    warehouse = small_lake.warehouse
    star, audits = warehouse.star, Audits(warehouse.star, Database(warehouse.settings))
    fact = star.facts["fact_sales"]
    members = {table: str(live_file(warehouse, table, LIVE)) for table in star.dimensions}
    file = live_file(warehouse, "fact_sales", DAY)
    other = changed(file, tmp_path / "fact.parquet", f"sale_date + {days} AS sale_date")
    rules = audits.audit_fact(fact, {DAY: other}, members)[DAY]
    assert rules.other_reference == (rules.rows if days else 0)
    assert rules.outside_date == 0


def test_a_day_whose_text_is_another_is_counted(small_lake, tmp_path: Path) -> None:
    warehouse = small_lake.warehouse
    calendar, file = warehouse.star.dimensions["dim_time"], live_file(warehouse, "dim_time", LIVE)
    other = changed(file, tmp_path / "time.parquet", "replace(partition_date, '1900', 'Unknown') AS partition_date")
    audits = Audits(warehouse.star, Database(warehouse.settings))
    assert (audits.audit_calendar(calendar, str(file)), audits.audit_calendar(calendar, other)) == (0, 1)
