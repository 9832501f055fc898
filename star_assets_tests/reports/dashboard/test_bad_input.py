"""Names that would be code, figures below zero, and nothing at all: shown as they are, or said plainly."""

from __future__ import annotations

import http.server
import json
import threading
from collections.abc import Iterator
from dataclasses import replace
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from star_assets.reports.dashboard.answers import Answers, Row, Slice
from star_assets.reports.dashboard.measured import breakdowns
from star_assets.reports.dashboard.publishing import rendered
from star_assets.settings import Settings
from star_assets.star import retail, store_managers

from .conftest import Asked, Tab, asked, money
from .test_documents import days, synthetic

pytestmark = pytest.mark.xdist_group("dashboard")

DAY = "2023-07-02"

NAMES = [
    "</script><script>document.title = 'ran'</script>",
    '<img src="http://127.0.0.1:9/x.png" onerror="document.title = `ran`">',
    "\"double\" 'single' `back` \\ & &amp; %20 #&page=2",
    "👩‍🚀 Café № 1 — Ümläute",
    "متجر دبي (فرع 2)",
    "a\u202etxt.exe\u2028line\x00",
    " ",
    "__proto__",
    None,
]


@pytest.fixture
def hostile(small_lake: Any) -> Asked:
    """A lake whose newest exports call stores, cities and products so."""

    def renamed(rows: list[dict[str, Any]], *columns: str) -> list[dict[str, Any]]:
        named = [row | dict.fromkeys(columns, NAMES[place % len(NAMES)]) for place, row in enumerate(rows)]
        return [{**row, "updated_at": "2023-07-03T00:00:00Z"} for row in named]

    stores = small_lake.export("stores", DAY) / "stores.json"
    stores.write_text(json.dumps(renamed(json.loads(stores.read_text()), "store_name", "city")))
    products = small_lake.export("products", DAY) / "products.jsonl"
    told = renamed([json.loads(line) for line in products.read_text().splitlines()], "product_name", "category")
    products.write_text("".join(json.dumps(row) + "\n" for row in told))
    for table in ("stores", "products", "dim_store", "dim_product", "fact_sales"):
        outcomes = [*small_lake.warehouse.refresh(table, small_lake.warehouse.days())]
        assert [outcome.error for outcome in outcomes if outcome.error] == []
    return asked(small_lake.warehouse)


def test_names_are_shown_as_they_are_and_never_run(hostile: Asked, tab: Tab) -> None:
    tab.open(rendered(retail, store_managers, hostile.answers))
    rows = hostile.rows("""SELECT s.store_name AS name, SUM(revenue) AS sold
        FROM fact_sales f JOIN dim_store s ON f.store_id = s.store_id GROUP BY s.store_name""")
    told = {None: "no value", " ": "empty"}
    expected = {told.get(row["name"], row["name"]): money(row["sold"]) for row in rows}
    assert set(NAMES) & {row["name"] for row in rows} == set(NAMES)
    assert dict(tab.chart("Revenue by Store")) == expected  # type: ignore[arg-type]
    assert tab.silent()
    assert tab.page.title() == "Store Sales"
    assert tab.overflow() <= 0


def test_a_filter_by_any_name_can_be_shared(hostile: Asked, tab: Tab) -> None:
    tab.open(rendered(retail, store_managers, hostile.answers))
    for name in ({None: "no value", " ": "empty"}.get(name, name) for name in NAMES):
        values = tab.go("#").texts("select[name='dim_store.store_name'] option")
        tab.page.get_by_label("Store").select_option(index=values.index(str(name)))
        tab.page.wait_for_selector("[data-chart='Revenue by Store'] tr:only-child th")
        assert [row[0] for row in tab.chart("Revenue by Store") if row[0] != name] == []
        shared, shown = tab.fragment, tab.texts("main")
        assert tab.go("#").texts("main") != shown
        assert tab.go(shared).texts("main") == shown
    assert tab.silent()


@pytest.fixture
def elsewhere() -> Iterator[tuple[str, list[str]]]:
    """A server, and what it is asked for."""
    asked_for: list[str] = []

    class Handler(http.server.BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            asked_for.append(self.path)
            self.send_response(200)
            self.end_headers()

        def log_message(self, *_: object) -> None: ...

    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        threading.Thread(target=server.serve_forever).start()
        yield f"http://127.0.0.1:{server.server_port}", asked_for
        server.shutdown()


def test_a_script_and_an_image_that_somebody_adds_to_the_file_do_not_run(
    five_weeks: Asked, tab: Tab, elsewhere: tuple[str, list[str]]
) -> None:
    """The policy holds where escaping would have failed: it is in the file, whoever serves it."""
    url, asked_for = elsewhere
    added = f"""<script>document.title = "ran"</script><script src="{url}/x.js"></script>
        <img src="{url}/x.png" onerror="document.title = 'ran'"><iframe src="{url}/x.html"></iframe>
        <a href="javascript:document.title='ran'" id="added">x</a>"""
    content = rendered(retail, store_managers, five_weeks.answers).decode().replace("</body>", f"{added}</body>")
    tab.open(content.encode())
    tab.page.locator("#added").click()
    assert tab.page.title() == "Store Sales"
    assert asked_for == []
    assert len([text for text in tab.said if "Content Security Policy" in text]) >= 4
    assert tab.tile("revenue")[0].startswith("$")


def test_the_page_of_a_web_server_asks_for_nothing_more(five_weeks: Asked, tab: Tab, tmp_path: Path) -> None:
    """Browsers ask servers for an icon unasked; a page of a mail has none to ask for."""
    content, asked_for = rendered(retail, store_managers, five_weeks.answers), []

    class Handler(http.server.BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            asked_for.append(self.path)
            self.send_response(200)
            self.send_header("Content-Type", "text/html; charset=utf-8")
            self.end_headers()
            self.wfile.write(content)

        def log_message(self, *_: object) -> None: ...

    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        threading.Thread(target=server.serve_forever).start()
        tab.page.on("console", lambda message: tab.said.append(message.text))
        tab.page.goto(f"http://127.0.0.1:{server.server_port}/page.html")
        assert tab.tile("revenue")[0].startswith("$")
        server.shutdown()
    assert (asked_for, tab.said) == (["/page.html"], [])


def made(*rows: tuple[str, Any], days_: int = 3) -> Answers:
    """One store's revenue by day, and by one product in all of them."""
    published = days("2023-07-01", days_)
    slice_ = Slice(("Miami", "Miami Brickell"))
    daily = [Row(slice_, day, (amount, 1, Decimal(0))) for day, amount in rows]
    broken_down = {
        breakdown: [Row(slice_, 0, (sum(amount for _, amount in rows),), "Returned")] if rows else []
        for breakdown in breakdowns(store_managers)
    }
    return Answers(published, [(published[0], published[-1])] if published else [], [slice_], daily, broken_down)


def test_figures_below_zero_are_below_zero(tab: Tab) -> None:
    answers = made(("2023-07-01", Decimal("-10.5")), ("2023-07-03", Decimal("3.25")))
    tab.open(rendered(retail, store_managers, answers))
    assert tab.tile("revenue")[0] == "−$7.25"
    assert tab.chart("Revenue by Category") == [["Returned", "−$7.25"]]
    assert tab.page.locator(".fill.negative").count() == 3
    assert tab.chart("Revenue by Day")[:2] == [["Sat, Jul 1", "−$10.50"], ["Sun, Jul 2", "$0.00"]]
    (zero,) = tab.page.locator("svg .zero").evaluate_all("lines => lines.map(line => Number(line.getAttribute('y1')))")
    dots = tab.page.locator("svg .dot").evaluate_all("dots => dots.map(dot => Number(dot.getAttribute('cy')))")
    assert dots[0] > zero == dots[1] > dots[2]
    assert tab.silent()


def test_a_day_that_is_not_published_is_a_gap_and_not_zero(tab: Tab) -> None:
    answers = made(("2023-07-01", Decimal(1)), ("2023-07-03", Decimal(1)))
    tab.open(rendered(retail, store_managers, replace(answers, days=["2023-07-01", "2023-07-03"])))
    assert tab.chart("Revenue by Day")[1] == ["Sun, Jul 2", "not published"]
    assert tab.page.locator("svg .line").count() == 2
    assert "(2 of 3 days published)" in tab.texts("#scope")[0]


def test_one_day_is_a_period(tab: Tab) -> None:
    tab.open(rendered(retail, store_managers, made(("2023-07-01", Decimal(5)), days_=1)))
    assert tab.tile("revenue") == (
        "$5.00",
        {"1 day before": ("not published", ""), "Sat, Jun 24": ("not published", "")},
    )
    assert tab.page.locator("svg .dot").count() == 1
    assert tab.silent()


def test_a_store_without_sales_is_there_and_says_so(tab: Tab) -> None:
    """It has opened, or has sold nothing yet: it is no mistake of the page's."""
    tab.open(rendered(retail, store_managers, made()))
    tab.page.get_by_label("Store").select_option("Miami Brickell")
    assert tab.tile("revenue")[0] == "$0.00"
    assert tab.tile("average_price")[0] == "–"
    assert tab.texts("[data-chart='Revenue by Product'] p") == ["Nothing in this period."]
    assert tab.silent()


@pytest.mark.parametrize("fragment", ["", "#page=2"])
def test_an_empty_lake_says_so(tmp_path: Path, tab: Tab, fragment: str) -> None:
    from star_assets.pipeline.warehouse import Warehouse

    empty = asked(Warehouse(retail, Settings(lake=str(tmp_path / "lake"))))
    tab.open(rendered(retail, store_managers, empty.answers), fragment)
    assert tab.texts("main") == ["No Sales are published yet."]
    assert tab.silent()


def test_a_page_whose_fixed_choice_nobody_sold_says_so(tab: Tab) -> None:
    """A manager in Boston opens the page on Miami."""
    boston = replace(made(), slices=[Slice(("Boston", "Boston Back Bay"))], broken_down={})
    tab.open(rendered(retail, store_managers, boston), "#page=2")
    assert tab.texts("main") == ["No Sales are published of this choice."]
    assert tab.silent()


def test_ten_thousand_products_are_the_best_by_name_and_what_that_leaves_out_is_said(tab: Tab) -> None:
    tab.open(rendered(retail, store_managers, synthetic(3, 10_000, 35, 50)))
    assert len(tab.chart("Revenue by Product")) == 10
    assert all(value.startswith("≈ $") for _, value in tab.chart("Revenue by Product"))
    assert "≈ lacks sales of weeks or months in which it was not among the first 50." in tab.note("Revenue by Product")
    assert tab.silent()
