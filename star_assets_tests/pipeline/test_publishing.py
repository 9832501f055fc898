"""How a range is published: what one day's failure, or the catalog's, means for the others."""

from __future__ import annotations

import pytest

from star_assets.lake.catalog import CatalogColumn, TableEntry
from star_assets.model.errors import BrokenFile, NotOurs, UnknownPartition, UnknownTable
from star_assets.pipeline.describe import describe

D1, D2, D3 = DAYS = ["2023-07-01", "2023-07-02", "2023-07-03"]


def product(number: int) -> str:
    return f"{number},Tent,a,b,1,2023-07-01 00:00:00"


def versions(lake, table: str, day: str) -> list[str]:
    """Every version of the day that has files."""
    return [folder.name for folder in (lake.root / "staging" / table / f"date={day}").iterdir()]


def test_a_file_that_breaks_while_it_is_read_fails_its_day_alone(lake) -> None:
    """The days that were committed before it are not built, nor written, a second time."""
    lake.export("products", D1, product(1))
    lake.write("products", D2, {"p.json": '[{"product_id": 1}, {"product_id"'})
    lake.export("products", D3, product(3))
    outcomes = {outcome.day: outcome for outcome in lake.refresh("products", *DAYS)}
    assert {day: o.status for day, o in outcomes.items()} == {D1: "published", D2: "failed", D3: "published"}
    assert isinstance(outcomes[D2].error, BrokenFile)
    for day in (D1, D3):
        manifest = lake.manifest("products", day)
        assert manifest == outcomes[day].manifest
        assert versions(lake, "products", day) == [f"v={manifest.version}"]
        folder = lake.root / "staging" / "products" / f"date={day}" / f"v={manifest.version}"
        assert describe([folder / "part-00000.parquet"])[0] == manifest.files


def test_the_same_day_asked_for_twice_is_one_version(lake) -> None:
    lake.export("products", D1, product(1))
    assert lake.statuses("products", D1, D1) == ["published"]
    assert lake.rows("SELECT product_id FROM products") == [(1,)]


@pytest.mark.parametrize("table", ["products", "dim_product"])
def test_a_table_of_somebody_else_is_left_alone(lake, table: str) -> None:
    """The first run and every later one say so; none ends in a traceback."""
    entry = TableEntry("staging" if table == "products" else "olap", table, (CatalogColumn("x", "int"),))
    lake.warehouse.catalog.put_table(entry)
    lake.export("products", D1, product(1))
    lake.refresh("orders", D1)
    lake.refresh("order_items", D1)
    for _ in range(2):
        lake.refresh("products", D1)
        (outcome,) = lake.again().refresh(table, D1)
        assert outcome.status == "failed"
        assert isinstance(outcome.error, NotOurs)
    assert lake.warehouse.catalog.table(entry.database, table) == entry


def test_what_is_no_table_or_no_day_is_said_at_once(lake) -> None:
    """A typing error must not end in a partition of that name."""
    with pytest.raises(UnknownTable):
        lake.refresh("fact_sale", D1)
    for day in ("2023-7-1", "2023-02-30", "yesterday", "20230701", "2023-06-30"):
        with pytest.raises(UnknownPartition, match="expected a day YYYY-MM-DD from 2023-07-01"):
            lake.refresh("products", D1, day)
    assert lake.warehouse.live_manifest("products", D1) is None


def test_the_days_of_a_lake_end_with_its_last_export(lake) -> None:
    assert lake.warehouse.days() == []
    lake.export("products", D3, product(1))
    lake.export("orders", D1)
    lake.export("orders", "2023-06-01")
    assert lake.warehouse.days() == DAYS


def test_nothing_is_left_in_scratch(lake) -> None:
    """Neither by what was published nor by what failed."""
    lake.export("products", D1, product(1))
    lake.write("products", D2, {"p.json": "[{"})
    lake.refresh("products", D1, D2)
    lake.run(D1)
    assert list((lake.root / "_scratch").iterdir()) == []


def test_optimizers_are_told_what_olap_holds(make_aws_lake) -> None:
    """Joins are ordered by how many values a column has; staging is joined by nobody."""
    lake = make_aws_lake()
    lake.export("orders", D1, f"1,,,{D1} 10:00:00,placed,,I")
    lake.export("order_items", D1, "1,1,7,2,1.50,", "1,2,8,1,1.50,")
    lake.export("products", D1, product(7), product(8))
    lake.run(D1)
    catalog = lake.warehouse.catalog
    given = {"DatabaseName": f"{catalog.prefix}olap", "TableName": "fact_sales", "PartitionValues": [D1]}
    (found,) = catalog.client().get_column_statistics_for_partition(**given, ColumnNames=["product_id"])[
        "ColumnStatisticsList"
    ]
    assert found["StatisticsData"]["LongColumnStatisticsData"]["NumberOfDistinctValues"] == 2
    assert "distinct" not in lake.manifest("orders", D1).statistics["order_id"]
    assert catalog.table("olap", "dim_product") and catalog.takes_statistics
