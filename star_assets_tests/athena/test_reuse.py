"""How old a result may be that Athena gives again: never older than what it was read from."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import pytest

from star_assets.athena.parse import split
from star_assets.athena.service.reuse import MOST_MINUTES, SETTLED_MINUTES, longest_age
from star_assets.lake.catalog import TableEntry

VIEWS = {
    "stores": "SELECT id FROM dim_store",
    "sold": "SELECT f.id FROM fact_sales f",
    "both": "SELECT s.id FROM stores s JOIN olap.sold t ON s.id = t.id",
    "today": "SELECT id, current_date AS today FROM dim_store",
}

HOUR, NOON = 3600, 1_700_000_000.0


@pytest.fixture
def published(lake: Any) -> Any:
    """A fact published two hours before noon, a dimension three, and views over them."""
    lake.fact("fact_sales", {"id": "bigint"})
    lake.dimension("dim_store", {"id": "bigint"}, "SELECT 1 AS id")
    pointer(lake, "fact_sales", "date=2023-07-01", 4)
    pointer(lake, "fact_sales", "date=2023-07-02", 2)
    pointer(lake, "dim_store", "live", 3)
    lake.catalog.put_table(TableEntry("olap", "theirs", (), location=lake.storage.uri("theirs")))
    for name, sql in VIEWS.items():
        lake.catalog.put_table(TableEntry("olap", name, (), format="view", view_sql=sql))
    return lake


def pointer(lake: Any, table: str, name: str, hours: float) -> None:
    """A pointer that was written so many hours before noon."""
    file: Path = lake.root / f"olap/{table}/_pointers/{name}.json"
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text("{}")
    os.utime(file, (NOON - hours * HOUR,) * 2)


def age(lake: Any, sql: str, prefix: str = "", moment: float = NOON) -> int:
    return longest_age(lake.storage, lake.catalog, split(sql)[0], "olap", prefix, moment)


@pytest.mark.parametrize(
    ("sql", "hours"),
    [
        ("SELECT * FROM dim_store", 3),
        ("SELECT * FROM fact_sales", 2),
        ("SELECT * FROM OLAP.Fact_Sales", 2),
        ('SELECT * FROM "awsdatacatalog"."olap"."fact_sales" AS f', 2),
        ("SELECT * FROM dim_store d JOIN fact_sales f ON d.id = f.id", 2),
        ("SELECT * FROM dim_store WHERE id IN (SELECT id FROM fact_sales)", 2),
        ("WITH f AS (SELECT * FROM fact_sales) SELECT * FROM f, dim_store", 2),
        ("WITH fact_sales AS (SELECT * FROM fact_sales) SELECT * FROM fact_sales", 2),
        ("SELECT 1 FROM dim_store UNION ALL SELECT 2 FROM fact_sales", 2),
        ("SELECT * FROM stores", 3),
        ("SELECT * FROM both", 2),
    ],
)
def test_a_result_may_be_as_old_as_the_last_publish_of_any_table_that_was_read(
    published: Any, sql: str, hours: int
) -> None:
    """Less what a query may take that began before it."""
    assert age(published, sql) == hours * 60 - SETTLED_MINUTES


@pytest.mark.parametrize(
    "sql",
    [
        "SELECT 1",
        "SELECT * FROM theirs",
        "SELECT * FROM dim_store, theirs",
        "SELECT * FROM nowhere",
        "SELECT * FROM other.dim_store",
        "SELECT * FROM elsewhere.olap.dim_store",
        "SELECT * FROM information_schema.tables",
        "SELECT current_date, id FROM dim_store",
        "SELECT id FROM dim_store WHERE now() > TIMESTAMP '2023-07-01 00:00:00'",
        "SELECT rand() FROM dim_store",
        "SELECT * FROM today",
        "SELECT * FROM",
        "INSERT INTO theirs SELECT * FROM dim_store",
        "EXPLAIN SELECT * FROM dim_store",
        "SHOW TABLES",
    ],
)
def test_no_result_is_given_again_where_nobody_can_tell_that_it_would_be_the_same(published: Any, sql: str) -> None:
    assert age(published, sql) == 0


def test_a_table_that_was_never_published_has_no_age(published: Any) -> None:
    published.fact("fact_returns", {"id": "bigint"})
    assert age(published, "SELECT * FROM fact_returns") == 0


def test_in_sql_databases_are_called_as_in_glue(published: Any) -> None:
    """Another lake's tables may have the same names without the prefix."""
    assert age(published, "SELECT * FROM shop_olap.dim_store", "shop_") == 180 - SETTLED_MINUTES
    assert age(published, "SELECT * FROM dim_store", "shop_") == 180 - SETTLED_MINUTES
    assert age(published, "SELECT * FROM stores", "shop_") == 180 - SETTLED_MINUTES
    assert age(published, "SELECT * FROM olap.dim_store", "shop_") == 0
    assert age(published, "SELECT * FROM both", "shop_") == 0


@pytest.mark.parametrize(
    ("hours", "minutes"), [(0, 0), (SETTLED_MINUTES / 60, 0), (1, 60 - SETTLED_MINUTES), (24 * 30, MOST_MINUTES)]
)
def test_the_age_keeps_to_what_is_safe_and_to_what_athena_takes(published: Any, hours: float, minutes: int) -> None:
    """A publish a moment ago leaves no result to reuse; Athena takes a week at most."""
    assert age(published, "SELECT * FROM fact_sales", moment=NOON + (hours - 2) * HOUR) == minutes
