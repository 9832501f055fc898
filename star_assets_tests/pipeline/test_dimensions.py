"""Members that nothing describes, the calendar, and what a dimension needs to be built."""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal

import pytest

from star_assets.model import Star, business_date, dimension
from star_assets.model.errors import BadDeclaration, NotStaged
from star_assets.star import dim_time, fact_sales, retail

D1, D2, D3 = "2023-07-01", "2023-07-02", "2023-07-03"


def members(lake) -> list[tuple[object, ...]]:
    return lake.rows("SELECT product_id, product_name, list_price, member_kind FROM dim_product ORDER BY product_id")


def test_what_no_export_describes_is_a_member(lake) -> None:
    """An inner join must find a member for every sale."""
    lake.export("orders", D1, f"1,10,5,{D1} 10:00:00,placed,{D1} 10:00:00,I")
    lake.export("order_items", D1, "1,1,100,1,10,", "1,2,77,1,20,", "1,3,,1,40,")
    lake.export("products", D1, "100,Tent,Outdoor,Acme,19.99,2023-07-01 00:00:00")
    lake.run(D1)
    assert members(lake) == [
        (-1, "Unknown", None, "unknown"),
        (77, "Unknown", None, "inferred"),
        (100, "Tent", Decimal("19.99"), "described"),
    ]
    by_name = "SELECT product_id, sum(revenue)::INT FROM fact_sales JOIN dim_product USING (product_id) GROUP BY ALL"
    assert sorted(lake.rows(by_name)) == [(-1, 40), (77, 20), (100, 10)]


def test_an_inferred_member_is_replaced_when_described(lake) -> None:
    """A late product takes over the sales it already has."""
    lake.export("orders", D1, f"1,10,5,{D1} 10:00:00,placed,{D1} 10:00:00,I")
    lake.export("order_items", D1, "1,1,77,1,20,")
    lake.run(D1)
    lake.export("products", D2, "77,Lamp,Home,Acme,5,2023-07-02 00:00:00")
    lake.run(D1, D2)
    assert members(lake) == [(-1, "Unknown", None, "unknown"), (77, "Lamp", Decimal(5), "described")]


def test_an_empty_dimension_has_its_unknown_member(lake) -> None:
    lake.run(D1)
    assert members(lake) == [(-1, "Unknown", None, "unknown")]
    lake.export("products", D2)
    lake.run(D2)
    assert members(lake) == [(-1, "Unknown", None, "unknown")]


def test_inner_joins_with_all_dimensions_keep_every_cent(make_lake) -> None:
    """With stores, customers and the calendar, and every reference missing, unknown or undescribed."""
    lake = make_lake(retail)
    lake.export(
        "orders",
        D1,
        f"1,,,{D1} 10:00:00,placed,{D1} 10:00:00,I",
        f"2,9,9,2019-12-31 23:59:59,placed,{D1} 10:00:00,I",
        f"3,10,5,{D1} 10:00:00,placed,{D1} 10:00:00,I",
        "4,10,5,2031-01-01 00:00:00,placed,,I",
    )
    lake.export("order_items", D1, "1,1,,1,1,", "2,1,9,1,2,", "3,1,100,1,4,", "4,1,100,1,8,")
    lake.export("stores", D1, "5,Corner,Miami,FL,South,2020-01-01,2023-07-01 00:00:00")
    lake.run(D1)
    joined = """SELECT sum(revenue)::INT FROM fact_sales JOIN dim_product USING (product_id)
                JOIN dim_store USING (store_id) JOIN dim_customer USING (customer_id)
                JOIN dim_time ON sale_date = date_key"""
    assert lake.rows(joined) == lake.rows("SELECT sum(revenue)::INT FROM fact_sales") == [(5,)]


def test_a_date_beyond_the_calendar_is_a_member_and_makes_no_days(make_lake) -> None:
    """ordered_at in 9999 would make 2.9 million rows of dim_time."""

    def sales(orders, order_items):
        due = orders.select("order_id", due_on=business_date(orders.updated_at))
        return fact_sales.transform(orders, order_items).join(due, "order_id")

    fact = replace(fact_sales, transform=sales, references={**fact_sales.references, "due_on": dim_time})
    lake = make_lake(Star(retail.sources.values(), retail.dimensions.values(), [fact]))
    lake.export("orders", D1, f"1,,,{D1} 10:00:00,placed,9999-12-31 10:00:00,I", "2,,,0020-07-01 10:00:00,placed,,I")
    lake.export("order_items", D1, "1,1,,1,1,", "2,1,,1,2,")
    lake.run(D1)
    found = lake.rows("SELECT member_kind, count(*), max(date_key)::VARCHAR FROM dim_time GROUP BY ALL ORDER BY 1")
    assert found == [
        ("described", 200 * 365 + 49, "2100-12-31"),
        ("inferred", 2, "9999-12-31"),
        ("unknown", 1, "1900-01-01"),
    ]
    assert lake.rows("SELECT count(*) FROM fact_sales JOIN dim_time ON due_on = date_key") == [(1,)]
    assert lake.warehouse.remarks("dim_time", lake.warehouse.out_of_date("dim_time")) == [
        "dim_time: dates of sales reach the year 0020 and 9999, and its calendar 1901 to 2100. Days beyond are "
        "inferred members. Correct the dates, or declare other calendar_years."
    ]


@pytest.mark.parametrize("years", [(2030, 2020), (1900, 2100)])
def test_a_calendar_that_has_no_days_or_the_unknown_one_is_refused(years: tuple[int, int]) -> None:
    with pytest.raises(BadDeclaration, match="calendar_years are"):
        dimension(key="date_key", calendar_years=years)(dim_time.transform)


def test_the_calendar_covers_every_year_that_facts_reach_into(make_lake) -> None:
    """Whole years, so that a month without sales is a row in a chart and not a gap."""
    lake = make_lake(retail)
    span = (
        "SELECT min(date_key)::VARCHAR, max(date_key)::VARCHAR, count(*) FROM dim_time WHERE member_kind = 'described'"
    )
    lake.run(D1)
    assert lake.rows(span) == [("2023-01-01", "2023-12-31", 365)]
    lake.export("orders", D1, "1,,,2020-02-29 10:00:00,placed,,I", "2,,,2025-01-01 10:00:00,placed,,I")
    lake.run(D1)
    assert lake.rows(span) == [("2020-01-01", "2025-12-31", 2192)]
    assert lake.rows("SELECT count(*) FROM dim_time WHERE member_kind = 'unknown'") == [(1,)]


def test_days_that_are_not_staged_fail_and_the_others_are_published(lake) -> None:
    """A range must do what can be done, and say what it could not."""
    lake.run(D1, D3, tables=["products", "orders", "order_items"])
    for table in ("dim_product", "dim_product_history"):
        assert lake.statuses(table, D1, D2, D3) == ["published"] * 3
    outcomes = {outcome.day: outcome for outcome in lake.refresh("fact_sales", D1, D2, D3)}
    assert {day: o.status for day, o in outcomes.items()} == {D1: "published", D2: "failed", D3: "published"}
    assert isinstance(outcomes[D2].error, NotStaged)
    assert f"fact_sales {D2}: needs " in str(outcomes[D2].error)


def test_a_fact_needs_the_lines_of_its_headers_exports(lake) -> None:
    """A header without its lines staged would be published as an order that sold nothing."""
    lake.export("orders", D1, f"1,10,5,{D1} 10:00:00,placed,{D1} 10:00:00,I")
    lake.export("orders", D2, f"1,10,5,{D1} 10:00:00,placed,{D2} 10:00:00,U")
    lake.run(D1, D2, tables=["orders", "products"])
    lake.run(D1, tables=["order_items", "dim_product"])
    (outcome,) = lake.refresh("fact_sales", D1)
    assert str(outcome.error).startswith(f"fact_sales {D1}: needs order_items {D2}, which is not published.")


def test_a_fact_needs_its_dimensions(lake) -> None:
    """Every day says so for itself."""
    lake.run(D1, D2, tables=["orders", "order_items"])
    for outcome in lake.refresh("fact_sales", D1, D2):
        assert str(outcome.error).startswith(f"fact_sales {outcome.day}: needs dim_product, which is not published.")


def test_the_days_of_a_dimension_share_one_version(lake) -> None:
    """A dimension has one live version; a day means that its exports are included."""
    lake.run(D1, D2, tables=["products", "order_items"])
    first, second = lake.refresh("dim_product", D1, D2)
    assert first.manifest is not None
    assert first.manifest == second.manifest
    assert (first.day, second.day) == (D1, D2)
    assert first.partition == second.partition
