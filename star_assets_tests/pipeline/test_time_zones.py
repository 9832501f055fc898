"""Business dates in a zone of its own: the days of 23 and 25 hours."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest

from star_assets.model import Star
from star_assets.star import dim_product, fact_sales, order_items, orders, products

NEW_YORK = ZoneInfo("America/New_York")
EXPORT = "2023-07-01"


def dates(lake) -> dict[int, str]:
    """Each order's business date."""
    return dict(lake.rows("SELECT order_id, date FROM fact_sales"))


@pytest.mark.parametrize(("day", "hours"), [("2024-03-10", 23), ("2023-11-05", 25), ("2023-07-04", 24)])
def test_every_hour_is_in_the_day_that_people_lived_it_in(make_lake, day: str, hours: int) -> None:
    """A sale at 20:30 in New York is stored on the next day in UTC, and belongs to this one."""
    lake = make_lake(timezone="America/New_York")
    noon = datetime.fromisoformat(f"{day}T12:00").replace(tzinfo=NEW_YORK).astimezone(UTC)
    moments = [noon + timedelta(minutes=30 * number) for number in range(-60, 60)]
    lake.export("orders", EXPORT, *(f"{n},,,{m:%Y-%m-%d %H:%M:%S}Z,placed,,I" for n, m in enumerate(moments)))
    lake.export("order_items", EXPORT, *(f"{n},1,,1,1," for n in range(len(moments))))
    days = [str(date.fromisoformat(day) + timedelta(days=number)) for number in range(-2, 3)]
    lake.run(EXPORT, *days)
    lived = {n: str(m.astimezone(NEW_YORK).date()) for n, m in enumerate(moments)}
    assert dates(lake) == lived
    assert sum(found == day for found in lived.values()) == 2 * hours
    assert lake.rows("SELECT count(*) FROM fact_sales WHERE sale_date::VARCHAR <> date") == [(0,)]


def test_moving_to_another_zone_moves_the_sales(make_lake) -> None:
    """Neither twice nor lost: the old date is built again too."""
    lake = make_lake()
    lake.export("orders", EXPORT, "1,,,2023-07-02 02:00:00,placed,,I", "2,,,2023-07-02 12:00:00,placed,,I")
    lake.export("order_items", EXPORT, "1,1,,1,1,", "2,1,,1,1,")
    lake.run(EXPORT, "2023-07-02")
    assert dates(lake) == {1: "2023-07-02", 2: "2023-07-02"}
    moved = lake.again(timezone="America/New_York")
    moved.run(EXPORT, "2023-07-02")
    assert dates(moved) == {1: "2023-07-01", 2: "2023-07-02"}


def test_a_source_without_offsets_is_read_in_its_own_zone(make_lake) -> None:
    """Other sources, read by the same process, are not."""
    local = replace(orders, timezone="America/New_York")
    items = replace(order_items, part_of=local)
    dim = replace(dim_product, inferred_from=(items["product_id"],))
    star = Star([local, items, products], [dim], [replace(fact_sales, references={"product_id": dim})])
    lake = make_lake(star, timezone="America/New_York")
    lake.export("orders", EXPORT, "1,,,2023-07-01 23:30:00,placed,2023-07-01 23:30:00+00,I")
    lake.export("order_items", EXPORT, "1,1,7,1,1,")
    lake.export("products", EXPORT, "7,Tent,a,b,1,2023-07-01 23:30:00")
    lake.run(EXPORT)
    assert lake.rows("SELECT sold_at, date FROM fact_sales") == [(datetime(2023, 7, 2, 3, 30), EXPORT)]
    assert lake.rows("SELECT updated_at FROM orders") == [(datetime(2023, 7, 1, 23, 30),)]
    assert lake.rows("SELECT updated_at FROM products") == [(datetime(2023, 7, 1, 23, 30),)]


def test_milliseconds_are_cut_off(make_lake) -> None:
    """Rounding would move the last half millisecond of a day into the next one."""
    lake = make_lake()
    lake.export("orders", EXPORT, "1,,,2023-07-01 23:59:59.999999,placed,,I")
    lake.export("order_items", EXPORT, "1,1,,1,1,")
    lake.run(EXPORT, "2023-07-02")
    assert lake.rows("SELECT sold_at, date FROM fact_sales") == [(datetime(2023, 7, 1, 23, 59, 59, 999000), EXPORT)]
