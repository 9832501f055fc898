"""What a page carries, without a browser: periods, exact numbers, sizes, policy."""

from __future__ import annotations

import base64
import hashlib
import json
import re
from collections.abc import Sequence
from dataclasses import replace
from datetime import date, timedelta
from decimal import Decimal
from random import Random
from typing import Any

import pytest

from star_assets.model import BarChart, Dashboard, Page, Star
from star_assets.model.errors import NumberTooLarge
from star_assets.model.members import MEMBER_KIND
from star_assets.reports.dashboard import statements
from star_assets.reports.dashboard.answers import Answers, Row, Slice, ask
from star_assets.reports.dashboard.document import document
from star_assets.reports.dashboard.measured import Breakdown, breakdowns
from star_assets.reports.dashboard.page import html
from star_assets.reports.dashboard.periods import periods
from star_assets.reports.dashboard.publishing import rendered
from star_assets.star import fact_sales, retail, store_managers

from .conftest import FIRST, LAST, Asked

pytestmark = pytest.mark.xdist_group("dashboard")


def days(first: str, count: int) -> list[str]:
    return [(date.fromisoformat(first) + timedelta(days=number)).isoformat() for number in range(count)]


# Periods


def test_periods_are_weeks_of_the_last_quarter_and_months_before_it() -> None:
    found = periods(days("2022-10-20", 200))
    assert [first for first, _ in found[:6]] == [
        "2022-10-20",
        "2022-11-01",
        "2022-12-01",
        "2023-01-01",
        "2023-02-01",
        "2023-02-06",
    ]
    assert found[-1] == ("2023-05-01", "2023-05-07")
    assert len(found) == 5 + 13


@pytest.mark.parametrize("count", [1, 6, 7, 8, 91, 92, 400])
def test_periods_leave_no_day_out_and_take_none_twice(count: int) -> None:
    published = days("2023-01-15", count)
    found = periods(published, [(date(2023, 2, 3), date(2023, 2, 20)), (date(2030, 1, 1), date(2030, 1, 2))])
    told = [
        day
        for first, last in found
        for day in days(first, (date.fromisoformat(last) - date.fromisoformat(first)).days + 1)
    ]
    assert told == published
    assert periods([]) == []


def test_a_fixed_period_begins_and_ends_with_periods() -> None:
    found = periods(days("2023-01-01", 365), [(date(2023, 2, 3), date(2023, 2, 20))])
    assert {"2023-02-03", "2023-02-21"} <= {first for first, _ in found}


# Numbers


def test_a_year_of_every_store_is_what_sql_says(five_weeks: Asked) -> None:
    """Not only what is shown at first: each day and store, in cents."""
    carried = document(retail, store_managers, five_weeks.answers)["daily"]["sum revenue"]
    assert carried["scale"] == 2
    stores = [found.values[1] for found in five_weeks.answers.slices]
    found = {
        (day, store): int(units)
        for store, text in zip(stores, carried["units"], strict=True)
        for day, units in zip(five_weeks.answers.days, text.split(","), strict=True)
        if units
    }
    rows = five_weeks.rows("""SELECT f.date, s.store_name, SUM(revenue) AS sold
        FROM fact_sales f JOIN dim_store s ON f.store_id = s.store_id GROUP BY f.date, s.store_name""")
    assert found == {(row["date"], row["store_name"]): int(row["sold"] * 100) for row in rows}


def test_a_breakdown_adds_up_to_everything(five_weeks: Asked) -> None:
    for rows in five_weeks.answers.broken_down.values():
        assert sum(Decimal(row.sums[0] or 0) for row in rows) == five_weeks.value("SUM(revenue) FROM fact_sales")  # type: ignore[arg-type]


def test_the_greatest_are_named_and_the_others_are_one(five_weeks: Asked, monkeypatch: pytest.MonkeyPatch) -> None:
    """Of a large assortment. Which are greatest is said for each store and period."""
    monkeypatch.setattr(statements, "WHOLE", 10)
    breakdown = Breakdown("revenue", "dim_product.product_name", 3)
    sql = statements.broken_down(retail, store_managers, breakdown, [(FIRST, LAST)])
    rows = [row for row in five_weeks.rows(sql) if row["slice_1"] == "Miami Wynwood"]
    sold = five_weeks.rows("""SELECT p.product_name AS name, SUM(revenue) AS sold FROM fact_sales f
        JOIN dim_store s ON f.store_id = s.store_id JOIN dim_product p ON f.product_id = p.product_id
        WHERE s.store_name = 'Miami Wynwood' GROUP BY p.product_name ORDER BY sold DESC, name""")
    named = {row["value"]: row["sum_0"] for row in rows if row["named"]}
    assert named == {row["name"]: row["sold"] for row in sold[:3]}
    assert [row["sum_0"] for row in rows if not row["named"]] == [sum(row["sold"] for row in sold[3:])]


def of(*sums: Any, column: str = "store") -> Answers:
    """One store on one day, with these sums."""
    slice_ = Slice(("City", column))
    return Answers(["2023-07-01"], [("2023-07-01", "2023-07-01")], [slice_], [Row(slice_, "2023-07-01", sums)])


@pytest.mark.parametrize(
    ("number", "scale", "units"),
    [
        (Decimal("12.3400"), 2, "1234"),
        (Decimal("-0.0001"), 4, "-1"),
        (Decimal("500.0000"), 0, "500"),
        (7, 0, "7"),
        (0.1 + 0.2, 1, "3"),
        (None, 0, ""),
        (Decimal("90071992547409.91"), 2, "9007199254740991"),
    ],
)
def test_numbers_are_carried_in_the_least_unit_that_occurs(number: Any, scale: int, units: str) -> None:
    carried = document(retail, store_managers, of(number, 0, None))["daily"]["sum revenue"]
    assert (carried["scale"], carried["units"]) == (scale, [units])


@pytest.mark.parametrize("number", [Decimal("90071992547409.92"), float("nan"), float("inf"), 1e300, 2**53, -(2**60)])
def test_a_number_that_a_browser_would_round_is_refused(number: Any) -> None:
    """Without a word it would show another cent than SQL."""
    with pytest.raises(NumberTooLarge, match=r"fact_sales\.revenue"):
        document(retail, store_managers, of(number, 0, None))


def test_every_kind_of_measure_and_column_can_be_asked_for(five_weeks: Asked) -> None:
    """A dashboard without filters, by columns of the fact and of a history, with averages and extremes."""
    shown = Dashboard(
        "all",
        "All",
        "fact_sales",
        [
            Page(
                "One",
                tiles=["unit_price", "average_price"],
                charts=[
                    BarChart("average_price", by="dim_product_history.category"),
                    BarChart("unit_price", by="dim_time.is_holiday"),
                    BarChart("quantity", by="fact_sales.line_number"),
                ],
            )
        ],
    )
    star = Star([*retail.sources.values()], [*retail.dimensions.values()], [fact_sales], dashboards=[shown])
    five_weeks.warehouse.star, before = star, five_weeks.warehouse.star
    try:
        answers = ask(five_weeks.warehouse, five_weeks.athena, shown)
    finally:
        five_weeks.warehouse.star = before
    assert {found.values for found in answers.slices} == {()}
    (price,) = five_weeks.rows("SELECT SUM(unit_price) AS above, COUNT(unit_price) AS below FROM fact_sales")
    rows = answers.broken_down[breakdowns(shown)[1]]
    assert {row.value for row in rows} == {"true", "false"}
    assert [sum(Decimal(row.sums[at] or 0) for row in rows) for at in (0, 1)] == [price["above"], price["below"]]  # type: ignore[arg-type]


# What nobody may see


def test_nothing_that_tells_of_a_person_is_carried(five_weeks: Asked) -> None:
    content = rendered(retail, store_managers, five_weeks.answers).decode()
    people = five_weeks.rows(f"SELECT customer_name, email FROM dim_customer WHERE {MEMBER_KIND} = 'described'")
    assert len(people) > 100
    assert [row for row in people if row["customer_name"] in content or row["email"] in content] == []
    assert "store-1@example.com" not in content


def test_the_policy_names_the_script_and_the_style_and_nothing_else(five_weeks: Asked) -> None:
    content = rendered(retail, store_managers, five_weeks.answers).decode()

    def hashed(tag: str) -> str:
        (inside,) = re.findall(rf"<{tag}>(.*?)</{tag}>", content, re.DOTALL)
        return "sha256-" + base64.b64encode(hashlib.sha256(inside.encode()).digest()).decode()

    (policy,) = re.findall(r'http-equiv="Content-Security-Policy" content="(.*?)"', content)
    assert policy.split("; ") == [
        "default-src 'none'",
        f"script-src '{hashed('script')}'",
        f"style-src '{hashed('style')}'",
        "base-uri 'none'",
        "form-action 'none'",
    ]


def test_text_cannot_end_the_block_of_data() -> None:
    """The only `</script>` are the two of the page's own."""
    hostile = replace(store_managers, title="</script><script>alert(1)</script><!--")
    content = html(document(retail, hostile, of(Decimal(1), 1, Decimal(0), column="</ScRiPt><img src=x>")))
    assert len(re.findall("</script", content, re.IGNORECASE)) == 2
    (data,) = re.findall(r'<script type="application/json" id="data">(.*?)</script>', content, re.DOTALL)
    assert json.loads(data)["slicers"]["dim_store.store_name"]["values"] == ["</ScRiPt><img src=x>"]


def test_the_same_answers_make_the_same_bytes(five_weeks: Asked) -> None:
    pages = [rendered(retail, store_managers, one.answers) for one in (five_weeks, five_weeks.again())]
    assert pages[0] == pages[1]


# Size


def synthetic(stores: int, products: int, count: int, named: int) -> Answers:
    """A chain's year as Athena would answer: each store sells ten categories, `named` products by name, and others.

    Half of those are among the 200 that sell best everywhere, where there are so many.
    """
    random, published = Random(7), days("2023-01-01", count)
    known, slices = periods(published), [Slice((f"City {n % 90}", f"Store {n} of the Chain")) for n in range(stores)]
    names = [f"Product number {n} in its usual packing" for n in range(products)]

    def amount(most: int) -> Decimal:
        return Decimal(random.randrange(100, most)).scaleb(-2)

    def sold(slice_: Slice, period: int) -> Sequence[Row]:
        best = {*random.sample(names[:200], named // 2)}
        best |= {*random.sample([name for name in names if name not in best], named - len(best))}
        rows = [Row(slice_, period, (amount(10**6),), name) for name in sorted(best)]
        return [*rows, Row(slice_, period, (amount(10**8),), None, False)]

    def by_kind(slice_: Slice, period: int) -> Sequence[Row]:
        return [Row(slice_, period, (amount(10**7),), f"Category {n}") for n in range(10)]

    daily = [
        Row(one, day, (amount(10**7), random.randrange(10**4), amount(10**6))) for one in slices for day in published
    ]
    rows, kinds = (
        [row for one in slices for period in range(len(known)) for row in rows_of(one, period)]
        for rows_of in (sold, by_kind)
    )
    by_product, by_category = breakdowns(store_managers)
    return Answers(published, known, slices, daily, {by_product: rows, by_category: kinds})


@pytest.mark.parametrize(
    ("stores", "products", "most"),
    [(12, 60, 3_000_000), pytest.param(200, 10_000, 5_000_000, marks=pytest.mark.long)],
    ids=["sample", "chain"],
)
def test_a_year_fits_into_a_mail(stores: int, products: int, most: int) -> None:
    content = rendered(retail, store_managers, synthetic(stores, products, 365, 50))
    assert len(content) < most
