"""Which reference of a fact is its business date, and what makes a dimension a calendar."""

from __future__ import annotations

from dataclasses import replace

import ibis
import pytest
from ibis.expr.types import Table

from star_assets.model import Star, business_date, dimension
from star_assets.model.calendars import Calendar, calendar_of
from star_assets.model.errors import BadDeclaration
from star_assets.star import dim_time, fact_sales, order_items, orders


def star(rows: object = fact_sales.transform, calendar: object = dim_time, **references: object) -> Star:
    """The retailer's fact with another function, and these references to a calendar."""
    referred = dict.fromkeys(references or {"sale_date": calendar}, calendar)
    fact = replace(fact_sales, transform=rows, references=referred)  # type: ignore[arg-type]
    return Star([orders, order_items], [calendar], [fact])  # type: ignore[list-item]


def found(star: Star) -> Calendar | None:
    return calendar_of(star, star.facts["fact_sales"])


def test_the_reference_that_is_the_business_date_is_the_calendars() -> None:
    assert found(star()) == Calendar("sale_date", dim_time)


def test_a_date_of_something_else_is_not() -> None:
    """It is not the partition's: a join by partition would lose its rows."""

    def fact_sales(orders: Table, order_items: Table) -> Table:
        rows = original(orders, order_items)
        changed = orders.select("order_id", changed_on=business_date(orders.updated_at))
        joined = rows.join(changed, "order_id")
        return joined.mutate(next_day=joined.sale_date + ibis.interval(days=1))

    original = star().facts["fact_sales"].transform
    assert found(star(fact_sales, changed_on=None, next_day=None)) is None
    assert found(star(fact_sales, changed_on=None, sale_date=None)) == Calendar("sale_date", dim_time)


def test_a_time_dimension_without_the_column_is_no_calendar() -> None:
    @dimension(key="date_key")
    def dim_day(calendar: Table) -> Table:
        return calendar

    assert found(star(calendar=dim_day)) is None


def test_a_calendar_whose_column_is_no_text_is_told() -> None:
    @dimension(key="date_key")
    def dim_day(calendar: Table) -> Table:
        return calendar.mutate(partition_date=calendar.date_key)

    with pytest.raises(BadDeclaration, match=r"dim_day.*'partition_date' is date"):
        star(calendar=dim_day)
