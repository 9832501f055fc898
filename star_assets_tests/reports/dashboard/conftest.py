"""Five weeks of the retailer, published; and pages in a real browser."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import date
from decimal import ROUND_HALF_UP, Decimal
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser

from star_assets.athena.client import Athena
from star_assets.athena.opening import open_athena
from star_assets.pipeline.warehouse import Warehouse
from star_assets.reports.dashboard.answers import Answers, ask
from star_assets.samples.retailer import write_exports
from star_assets.settings import Settings
from star_assets.star import retail, store_managers

from ...browser import browsing

FIRST, LAST, DAYS = "2023-07-01", "2023-08-04", 35


@dataclass
class Asked:
    """A lake, what Athena says of it, and what the dashboard was told."""

    warehouse: Warehouse
    athena: Athena
    answers: Answers

    def rows(self, sql: str) -> list[dict[str, Any]]:
        found: list[dict[str, Any]] = self.athena.query(sql).table.to_pylist()
        return found

    def value(self, sql: str) -> Any:
        ((value,),) = (row.values() for row in self.rows(f"SELECT {sql}"))
        return value

    def again(self) -> Asked:
        return asked(self.warehouse)


def asked(warehouse: Warehouse) -> Asked:
    athena = open_athena(warehouse.storage, warehouse.catalog, warehouse.settings)
    return Asked(warehouse, athena, ask(warehouse, athena, store_managers))


def money(value: Decimal | None) -> str:
    """As a page shows it: to the cent."""
    cents = (value or Decimal(0)).quantize(Decimal("0.01"), ROUND_HALF_UP)
    return f"{'−' if cents < 0 else ''}${abs(cents):,}"


@pytest.fixture(scope="session")
def five_weeks(tmp_path_factory: pytest.TempPathFactory) -> Asked:
    """Tests look at it, and change nothing."""
    settings = Settings(lake=str(tmp_path_factory.mktemp("five_weeks") / "lake"), start_date=date.fromisoformat(FIRST))
    write_exports(Path(settings.lake), settings.start_date, DAYS, orders_per_day=12)
    warehouse = Warehouse(retail, settings)
    for table in retail.tables:
        assert [outcome.error for outcome in warehouse.refresh(table, warehouse.days()) if outcome.error] == []
    return asked(warehouse)


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    """One for a module's tests."""
    with browsing() as started:
        yield started


@dataclass
class Tab:
    """A page in the browser, and all that it said or asked for. A test that expects no word checks `silent`."""

    page: Any
    file: Path
    said: list[str] = field(default_factory=list)
    requests: list[str] = field(default_factory=list)

    def open(self, content: bytes, fragment: str = "") -> Tab:
        self.file.write_bytes(content)
        self.page.on("console", lambda message: self.said.append(message.text))
        self.page.on("pageerror", lambda error: self.said.append(str(error)))
        self.page.on("dialog", lambda dialog: (self.said.append("dialog"), dialog.dismiss()))
        self.page.on("request", lambda request: self.requests.append(request.url))
        self.page.goto(self.file.as_uri() + fragment)
        return self

    def go(self, fragment: str) -> Tab:
        """As who types another address: done when the page has seen it."""
        self.page.evaluate(
            """fragment => new Promise(done => {
                const before = location.href;
                addEventListener("hashchange", () => done(), { once: true });
                location.hash = fragment;
                if (location.href === before) done();
            })""",
            fragment,
        )
        return self

    @property
    def fragment(self) -> str:
        found: str = self.page.evaluate("location.hash")
        return found

    def silent(self) -> bool:
        return (self.said, len(self.requests)) == ([], 1)

    def texts(self, selector: str) -> list[str]:
        found: list[str] = self.page.locator(selector).all_text_contents()
        return found

    def rows(self, selector: str) -> list[list[str]]:
        """The rows of a table's body, cell by cell, without what only a bar is."""
        script = """tables => tables.flatMap(table => [...table.tBodies[0].rows].map(row =>
            [...row.cells].filter(cell => !cell.ariaHidden).map(cell => cell.textContent)))"""
        found: list[list[str]] = self.page.locator(selector).evaluate_all(script)
        return found

    def tile(self, measure: str) -> tuple[str, dict[str, tuple[str, str]]]:
        """A tile's value, and by label what it is compared with, and the change."""
        place = f".tile[data-measure={measure}]"
        compared = {label: (value, change) for label, value, change in self.rows(f"{place} table")}
        return self.texts(f"{place} .value")[0], compared

    def chart(self, title: str) -> list[list[str]]:
        return self.rows(f"[data-chart='{title}'] table")

    def note(self, title: str) -> str:
        return " ".join(self.texts(f"[data-chart='{title}'] .note"))

    def overflow(self) -> int:
        """How many pixels the page is wider than the window."""
        found: int = self.page.evaluate("document.documentElement.scrollWidth - innerWidth")
        return found


@pytest.fixture
def tab(browser: Browser, tmp_path: Path) -> Iterator[Tab]:
    context = browser.new_context(viewport={"width": 1280, "height": 900})
    # It is fixed, so that a mistake is told in seconds.
    context.set_default_timeout(5_000)
    yield Tab(context.new_page(), tmp_path / "page.html")
    context.close()
