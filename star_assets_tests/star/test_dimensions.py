"""The dimensions: attributes pass through; every day of the calendar is right."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date, timedelta
from typing import Any

import ibis
import pyarrow as pa
import pytest
from ibis.expr.types import Table

from star_assets.model import Dimension
from star_assets.star import dim_customer, dim_product, dim_store, dim_time, retail
from star_assets.star.dimensions import FISCAL_YEAR_START

Run = Callable[[Table], list[dict[str, Any]]]
Calendar = dict[date, dict[str, Any]]

FIRST, LAST = date(1999, 1, 1), date(2032, 12, 31)

# As published by the Office of Personnel Management, on the day itself.
HOLIDAYS = {
    "New Year's Day": (date(2023, 1, 1), date(2024, 1, 1)),
    "Martin Luther King Jr. Day": (date(2023, 1, 16), date(2024, 1, 15)),
    "Washington's Birthday": (date(2023, 2, 20), date(2024, 2, 19)),
    "Memorial Day": (date(2023, 5, 29), date(2024, 5, 27)),
    "Juneteenth": (date(2023, 6, 19), date(2024, 6, 19)),
    "Independence Day": (date(2023, 7, 4), date(2024, 7, 4)),
    "Labor Day": (date(2023, 9, 4), date(2024, 9, 2)),
    "Columbus Day": (date(2023, 10, 9), date(2024, 10, 14)),
    "Veterans Day": (date(2023, 11, 11), date(2024, 11, 11)),
    "Thanksgiving Day": (date(2023, 11, 23), date(2024, 11, 28)),
    "Christmas Day": (date(2023, 12, 25), date(2024, 12, 25)),
}


@pytest.fixture(scope="module")
def calendar(run: Run) -> Calendar:
    days = [FIRST + timedelta(days=number) for number in range((LAST - FIRST).days + 1)]
    rows = run(dim_time.transform(ibis.memtable({"date_key": days}, schema={"date_key": "date"})))
    return {row["date_key"]: row for row in rows}


@pytest.mark.parametrize("dimension", [dim_product, dim_store, dim_customer], ids=lambda table: table.name)
def test_columns_that_no_one_declared_pass_through(run: Run, dimension: Dimension) -> None:
    """A new column of an export reaches the dimension with no code change."""
    (source,) = retail.upstream_sources(dimension)[:1]
    schema = ibis.schema({**retail.source_table(source).schema(), "shelf_label": "string"})
    row = {dimension.key: 3, "shelf_label": "new"}
    given = ibis.memtable(pa.Table.from_pylist([row], schema.to_pyarrow()))
    (member,) = run(dimension.transform(given))
    assert (member[dimension.key], member["shelf_label"]) == (3, "new")
    assert set(member) == set(schema) - {"updated_at"}


def test_every_day_of_the_calendar_is_a_row(calendar: Calendar) -> None:
    assert len(calendar) == (LAST - FIRST).days + 1


def test_calendar_columns_agree_with_python_on_every_day(calendar: Calendar) -> None:
    """Years of 53 weeks, leap years, days that belong to the next or last ISO year."""
    for day, row in calendar.items():
        iso = day.isocalendar()
        expected = {
            "partition_date": day.isoformat(),
            "year": day.year,
            "quarter": (day.month + 2) // 3,
            "month": day.month,
            "month_name": day.strftime("%B"),
            "day_of_month": day.day,
            "day_of_year": day.timetuple().tm_yday,
            "iso_year": iso.year,
            "iso_week": iso.week,
            "weekday": iso.weekday,
            "weekday_name": day.strftime("%A"),
            "is_weekend": iso.weekday in (6, 7),
        }
        assert {name: row[name] for name in expected} == expected, day


def test_the_fiscal_year_begins_with_its_month_and_has_four_quarters(calendar: Calendar) -> None:
    """January belongs to the fiscal year that began eleven months before."""
    for day, row in calendar.items():
        months = (day.year * 12 + day.month - 1) - (FISCAL_YEAR_START - 1)
        assert (row["fiscal_year"], row["fiscal_quarter"]) == (months // 12, months % 12 // 3 + 1), day


@pytest.mark.parametrize(
    ("day", "fiscal"),
    [
        (date(2023, 1, 31), (2022, 4)),
        (date(2023, 2, 1), (2023, 1)),
        (date(2023, 7, 31), (2023, 2)),
        (date(2024, 1, 31), (2023, 4)),
    ],
)
def test_fiscal_years_are_named_after_the_year_they_begin_in(
    calendar: Calendar, day: date, fiscal: tuple[int, int]
) -> None:
    assert (calendar[day]["fiscal_year"], calendar[day]["fiscal_quarter"]) == fiscal


@pytest.mark.parametrize("year", [2023, 2024])
def test_the_holidays_of_a_year_are_the_published_ones(calendar: Calendar, year: int) -> None:
    found = {row["holiday"]: day for day, row in calendar.items() if row["is_holiday"] and day.year == year}
    assert found == {name: days[year - 2023] for name, days in HOLIDAYS.items()}


def test_a_day_is_a_holiday_exactly_where_it_has_a_name(calendar: Calendar) -> None:
    assert all(row["is_holiday"] == (row["holiday"] is not None) for row in calendar.values())


def test_every_column_of_the_calendar_is_described() -> None:
    """Nobody can guess which week or which fiscal year is meant."""
    assert [field.name for field in retail.fields(dim_time) if not field.description] == []
