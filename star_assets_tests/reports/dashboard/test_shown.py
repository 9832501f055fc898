"""What the page shows, in a real browser, is what SQL says."""

from __future__ import annotations

from datetime import date, timedelta
from decimal import ROUND_HALF_UP, Decimal

import pytest

from star_assets.reports.dashboard.publishing import rendered
from star_assets.star import retail, store_managers

from .conftest import FIRST, LAST, Asked, Tab, money

pytestmark = pytest.mark.xdist_group("dashboard")

BEGIN = "2023-07-08"
SOLD = "FROM fact_sales f JOIN dim_store s ON f.store_id = s.store_id JOIN dim_product p ON f.product_id = p.product_id"


@pytest.fixture
def page(tab: Tab, five_weeks: Asked) -> Tab:
    return tab.open(rendered(retail, store_managers, five_weeks.answers))


def percent(value: Decimal, sign: bool = False) -> str:
    rounded = (value * 100).quantize(Decimal("0.1"), ROUND_HALF_UP)
    mark = "−" if rounded < 0 else "+" if sign and rounded > 0 else ""
    return f"{mark}{abs(rounded):,}\u202f%"


def revenue(lake: Asked, first: str, last: str, where: str = "TRUE") -> Decimal:
    return Decimal(lake.value(f"SUM(revenue) {SOLD} WHERE f.date BETWEEN '{first}' AND '{last}' AND {where}") or 0)


def by(lake: Asked, column: str, first: str, last: str, where: str = "TRUE", limit: int = 10) -> list[list[str]]:
    sql = f"""SELECT {column} AS name, SUM(revenue) AS sold {SOLD}
        WHERE f.date BETWEEN '{first}' AND '{last}' AND {where}
        GROUP BY {column} ORDER BY sold DESC, name LIMIT {limit}"""
    return [[row["name"], money(row["sold"])] for row in lake.rows(sql)]


def test_tiles_are_what_sql_says_beside_the_period_before(page: Tab, five_weeks: Asked) -> None:
    """Of 28 days before the first seven are published: a sum of a quarter of the days is no comparison."""
    now, before = revenue(five_weeks, BEGIN, LAST), revenue(five_weeks, FIRST, "2023-07-07")
    day, week_ago = revenue(five_weeks, LAST, LAST), revenue(five_weeks, "2023-07-28", "2023-07-28")
    assert page.tile("revenue") == (
        money(now),
        {
            "7 of 28 days before": (money(before), ""),
            "Fri, Aug 4": (money(day), ""),
            "Fri, Jul 28": (money(week_ago), percent(day / week_ago - 1, sign=True)),
        },
    )
    assert page.silent()


def test_ratios_are_sums_over_sums(page: Tab, five_weeks: Asked) -> None:
    (row,) = five_weeks.rows(f"""SELECT SUM(revenue) / SUM(quantity) AS price, SUM(quantity) AS units,
        SUM(discount) AS discount, SUM(revenue) AS revenue FROM fact_sales WHERE date >= '{BEGIN}'""")
    assert page.tile("average_price")[0] == money(row["price"])
    assert page.tile("quantity")[0] == f"{row['units']:,}"
    assert page.tile("discount_rate")[0] == percent(row["discount"] / (row["revenue"] + row["discount"]))


def test_a_whole_period_before_is_compared(page: Tab, five_weeks: Asked) -> None:
    page.page.get_by_role("button", name="7 days").click()
    now, before = revenue(five_weeks, "2023-07-29", LAST), revenue(five_weeks, "2023-07-22", "2023-07-28")
    value, compared = page.tile("revenue")
    assert (value, compared["7 days before"]) == (money(now), (money(before), percent(now / before - 1, sign=True)))


def test_charts_are_what_sql_says(page: Tab, five_weeks: Asked) -> None:
    assert page.chart("Revenue by Product") == by(five_weeks, "p.product_name", BEGIN, LAST)
    assert page.chart("Revenue by Category") == by(five_weeks, "p.category", BEGIN, LAST)
    assert page.chart("Revenue by Store") == by(five_weeks, "s.store_name", BEGIN, LAST, limit=20)
    days = [date.fromisoformat(BEGIN) + timedelta(days=number) for number in range(28)]
    expected = [[f"{day:%a, %b} {day.day}", money(revenue(five_weeks, str(day), str(day)))] for day in days]
    assert page.chart("Revenue by Day") == expected


def test_the_question_of_top_selling_products_in_miami_is_answered(page: Tab, five_weeks: Asked) -> None:
    page.page.get_by_role("link", name="Miami, third quarter of 2023").click()
    assert page.fragment == "#page=2"
    expected = by(five_weeks, "p.product_name", "2023-07-01", "2023-09-30", "s.city = 'Miami'")
    assert page.chart("Top-selling products in Miami") == expected
    assert page.texts("#scope") == ["Miami · July 1 – September 30, 2023 (35 of 92 days published)"]


def test_filters_choose_rows_and_an_address_shows_the_same(page: Tab, five_weeks: Asked) -> None:
    """Who is sent the address sees what the sender saw."""
    page.page.get_by_label("City").select_option("Miami")
    assert page.texts("select[name='dim_store.store_name'] option")[1:] == [
        "Miami Brickell",
        "Miami Coral Way",
        "Miami Wynwood",
    ]
    page.page.get_by_label("Store").select_option("Miami Wynwood")
    page.page.get_by_label("From").fill("2023-07-15")
    where = "s.store_name = 'Miami Wynwood'"
    assert page.tile("revenue")[0] == money(revenue(five_weeks, "2023-07-15", LAST, where))
    assert page.chart("Revenue by Category") == by(five_weeks, "p.category", "2023-07-15", LAST, where)
    shared, shown = page.fragment, page.texts("main")
    assert shared == "#dim_store.city=Miami&dim_store.store_name=Miami+Wynwood&from=2023-07-15"
    assert page.go("#").texts("main") != shown
    assert page.go(shared).texts("main") == shown
    page.page.get_by_label("City").select_option("Boston")
    assert page.texts("#scope") == ["Boston · July 15 – August 4, 2023"], "a store elsewhere is let go"
    assert page.silent()


def test_what_a_page_fixes_stays_chosen_for_the_others(page: Tab) -> None:
    page.go("#dim_store.city=Boston&from=2023-07-20")
    shown = page.texts("main")
    page.page.get_by_role("link", name="Miami, third quarter of 2023").click()
    assert page.texts("#scope")[0].startswith("Miami · July 1 – September 30, 2023")
    page.page.get_by_role("link", name="Sales", exact=True).click()
    assert page.texts("main") == shown


def test_a_date_is_typed_without_losing_the_field(page: Tab, five_weeks: Asked) -> None:
    """Each digit may make a date: the field must not be made anew under it."""
    page.page.get_by_label("From").focus()
    page.page.keyboard.type("07212023")
    assert page.page.get_by_label("From").input_value() == "2023-07-21"
    assert page.page.evaluate("document.activeElement.name") == "from"
    assert page.tile("revenue")[0] == money(revenue(five_weeks, "2023-07-21", LAST))


def test_a_bar_of_a_store_leads_to_it(page: Tab) -> None:
    page.page.get_by_role("link", name="Miami Brickell").click()
    assert page.fragment == "#dim_store.store_name=Miami+Brickell"
    assert [name for name, _ in page.chart("Revenue by Store")] == ["Miami Brickell"]


def test_charts_of_products_take_whole_weeks_and_say_so(page: Tab, five_weeks: Asked) -> None:
    assert page.note("Revenue by Category") == ""
    page.go("#from=2023-07-12&to=2023-07-20")
    assert page.note("Revenue by Category") == "Whole weeks or months: July 8 – 21, 2023."
    assert page.chart("Revenue by Category") == by(five_weeks, "p.category", "2023-07-08", "2023-07-21")
    assert page.chart("Revenue by Store") == by(five_weeks, "s.store_name", "2023-07-12", "2023-07-20", limit=20)


@pytest.mark.parametrize("wrong", ["#page=9", "#from=x&to=1999-13-45", "#dim_store.city=Nowhere", "#%", "#page=-1"])
def test_an_address_that_says_nothing_sensible_shows_the_first_page(page: Tab, wrong: str) -> None:
    shown = page.texts("main")
    assert page.go(wrong).texts("main") == shown
    assert page.silent()


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("size", [(360, 740), (1280, 900)], ids=["phone", "desktop"])
def test_it_fits_phones_and_desktops_by_day_and_night(page: Tab, size: tuple[int, int], scheme: str) -> None:
    page.page.emulate_media(color_scheme=scheme)
    page.page.set_viewport_size({"width": size[0], "height": size[1]})
    for fragment in ("#", "#page=2", f"#from={FIRST}"):
        assert page.go(fragment).overflow() <= 0
    paper = page.page.evaluate("getComputedStyle(document.body).backgroundColor")
    assert (sum(map(int, paper[4:-1].split(","))) < 384) == (scheme == "dark")


@pytest.mark.parametrize("width", range(320, 1500, 70))
def test_millions_with_their_cents_stand_in_one_line(page: Tab, width: int) -> None:
    page.page.set_viewport_size({"width": width, "height": 900})
    lines = """values => values.map(value => {
        value.textContent = "$9,255,415.67";
        return Math.round(value.getBoundingClientRect().height / parseFloat(getComputedStyle(value).lineHeight));
    })"""
    assert set(page.page.locator(".tile .value").evaluate_all(lines)) == {1}


def test_it_is_read_without_eyes_and_without_a_mouse(page: Tab) -> None:
    """Bars are a table's rows, and behind the drawing of a line is a table; arrow keys tell each day."""
    assert page.page.get_by_role("table", name="Revenue by Product").count() == 1
    assert page.page.get_by_role("row", name="Outdoor").count() == 1
    page.page.get_by_label("City").focus()
    page.page.keyboard.type("Miami")
    assert page.page.evaluate("document.activeElement.name") == "dim_store.city"
    assert page.tile("revenue")[0] != ""
    page.page.locator(".stage").focus()
    for key in ("End", "ArrowLeft"):
        page.page.keyboard.press(key)
    day = page.chart("Revenue by Day")[-2]
    assert page.texts(".stage [aria-live]") == [f"Thursday, August 3, 2023: {day[1]}"]


def test_it_prints_what_is_chosen_and_nothing_to_choose_with(page: Tab) -> None:
    page.page.emulate_media(media="print")
    page.page.set_viewport_size({"width": 720, "height": 1000})
    assert not page.page.locator("nav").is_visible()
    assert not page.page.locator("form").is_visible()
    assert page.page.get_by_text("July 8 – August 4, 2023").is_visible()
    heights = page.page.locator(".tile").evaluate_all("tiles => tiles.map(tile => tile.offsetHeight)")
    assert max(heights) < 200, "nothing is squeezed"
    assert page.overflow() <= 0
    assert page.page.pdf()[:4] == b"%PDF"
