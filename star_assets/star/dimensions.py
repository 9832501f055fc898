"""The dimensions: who, what, where and when.

A dimension is one function from sources to one row per member; the Unknown
member and inferred members are added to what it returns. Write another such
function, list it in `star/__init__.py`, and its asset, checks, catalog entry
and DDL follow.
"""

import ibis
from ibis.expr.types import IntegerColumn, StringColumn, Table

from star_assets.model import dimension
from star_assets.star.sources import order_items, orders

# The month in which the fiscal year begins; retail's usual one is February, so
# that a year ends after the holiday season. FY2023 begins on 2023-02-01.
FISCAL_YEAR_START = 2


@dimension(
    key="product_id",
    inferred_from=[order_items],
    history=["category", "list_price"],
    labels={"product_name": "Product"},
    hierarchies={"Catalogue": ["category", "product_name"]},
)
def dim_product(products: Table) -> Table:
    """One row per product, as last exported; what it was before is in dim_product_history."""
    return products.drop("updated_at")


@dimension(
    key="store_id",
    inferred_from=[orders],
    labels={"store_name": "Store"},
    hierarchies={"Geography": ["region", "state", "city", "store_name"]},
    visible_to="manager_email",
)
def dim_store(stores: Table) -> Table:
    """One row per store, as last exported."""
    return stores.drop("updated_at")


@dimension(key="customer_id", inferred_from=[orders])
def dim_customer(customers: Table) -> Table:
    """One row per customer, as last exported."""
    return customers.drop("updated_at")


@dimension(
    key="date_key",
    columns={
        "date_key": "The day.",
        "partition_date": "The day as text, equal to the partition column of facts: a join through it reads few days.",
        "year": "Calendar year.",
        "quarter": "Quarter of the calendar year, 1 to 4.",
        "month": "Month, 1 to 12.",
        "month_name": "Month in English.",
        "day_of_month": "Day of the month, 1 to 31.",
        "day_of_year": "Day of the year, 1 to 366.",
        "iso_year": "Year that the ISO 8601 week belongs to.",
        "iso_week": "ISO 8601 week, 1 to 53; begins on Monday.",
        "weekday": "Day of the ISO week: 1 Monday to 7 Sunday.",
        "weekday_name": "Day of the week in English.",
        "is_weekend": "Saturday or Sunday.",
        "fiscal_year": "Fiscal year, named after the calendar year it begins in.",
        "fiscal_quarter": "Quarter of the fiscal year, 1 to 4.",
        "holiday": "Name of the US federal holiday, NULL on other days.",
        "is_holiday": "Whether the day is a US federal holiday.",
    },
    labels={"date_key": "Date", "day_of_month": "Day of Month", "day_of_year": "Day of Year"},
    hierarchies={
        "Calendar": ["year", "quarter", "month_name", "date_key"],
        "Fiscal Calendar": ["fiscal_year", "fiscal_quarter", "date_key"],
    },
)
def dim_time(calendar: Table) -> Table:
    """One row per day of every whole year that sales reach into."""
    day = calendar.date_key
    weekday = (day.day_of_week.index() + 1).cast("int32")
    # ISO 8601: a week belongs to the year that its Thursday is in.
    thursday = day + (ibis.literal(4) - weekday).as_interval("D")
    fiscal_month = (day.month() - FISCAL_YEAR_START + 12) % 12
    holiday = us_federal_holiday(day.month(), day.day(), weekday)
    return calendar.select(
        date_key=day,
        partition_date=day.cast("string"),
        year=day.year().cast("int32"),
        quarter=day.quarter().cast("int32"),
        month=day.month().cast("int32"),
        month_name=name_of(day.month(), MONTHS),
        day_of_month=day.day().cast("int32"),
        day_of_year=day.day_of_year().cast("int32"),
        iso_year=thursday.year().cast("int32"),
        iso_week=day.week_of_year().cast("int32"),
        weekday=weekday,
        weekday_name=name_of(weekday, WEEKDAYS),
        is_weekend=weekday >= 6,
        fiscal_year=(day.year() - (day.month() < FISCAL_YEAR_START).cast("int32")).cast("int32"),
        fiscal_quarter=(fiscal_month // 3 + 1).cast("int32"),
        holiday=holiday,
        is_holiday=holiday.notnull(),
    )


MONTHS = (
    "January",
    "February",
    "March",
    "April",
    "May",
    "June",
    "July",
    "August",
    "September",
    "October",
    "November",
    "December",
)
WEEKDAYS = ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday")


def name_of(number: IntegerColumn, names: tuple[str, ...]) -> StringColumn:
    """The name of a month or weekday, counted from 1."""
    return number.cases(*((position, name) for position, name in enumerate(names, 1)))


def us_federal_holiday(month: IntegerColumn, day: IntegerColumn, weekday: IntegerColumn) -> StringColumn:
    """The holiday on that day, by the rules of 5 U.S.C. § 6103(a); NULL if none.

    A "third Monday" is the Monday between the 15th and the 21st. The day itself
    is named, not the Friday or Monday on which it may be observed.
    """

    def nth(which: int, of_month: int, on: int) -> ibis.Value:
        return (month == of_month) & (weekday == on) & day.between(7 * which - 6, 7 * which)

    def fixed(in_month: int, on_day: int) -> ibis.Value:
        return (month == in_month) & (day == on_day)

    return ibis.cases(
        (fixed(1, 1), "New Year's Day"),
        (nth(3, 1, 1), "Martin Luther King Jr. Day"),
        (nth(3, 2, 1), "Washington's Birthday"),
        ((month == 5) & (weekday == 1) & (day >= 25), "Memorial Day"),
        (fixed(6, 19), "Juneteenth"),
        (fixed(7, 4), "Independence Day"),
        (nth(1, 9, 1), "Labor Day"),
        (nth(2, 10, 1), "Columbus Day"),
        (fixed(11, 11), "Veterans Day"),
        (nth(4, 11, 4), "Thanksgiving Day"),
        (fixed(12, 25), "Christmas Day"),
    )
