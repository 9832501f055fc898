"""`make demo-stream`: tills ring, a chart moves, the nightly export comes, and what was provisional becomes final.

A day of the sample retailer in under two minutes, in a lake of its own; each further time the day after. Not here:
tills and their Firehose (samples, tills), the demo of a quarter (demo).
"""

from __future__ import annotations

import os
import sys
import time
from collections.abc import Sequence
from datetime import date
from threading import Thread
from typing import Any

from rich.console import Console, Group
from rich.live import Live
from rich.markup import escape
from rich.table import Table
from rich.text import Text

from star_assets.athena.opening import open_athena
from star_assets.cli.demo import FIRST_DAY, PAGE, write_page
from star_assets.cli.terminal import bar_chart
from star_assets.pipeline.warehouse import Warehouse
from star_assets.samples.lake import export_samples
from star_assets.samples.streaming import Tick, export_night, next_day, ring_up
from star_assets.settings import load_settings
from star_assets.star import retail

LAKE = "lake-stream"

# Days that are exported before the tills ring, and orders of each.
DAYS, ORDERS_PER_DAY = 2, 400

# How many times as fast as in reality the tills ring: a day in a minute and a half. Pauses between batches, in seconds.
SPEED, PAUSE = 900.0, 2.0

BY_HOUR = """\
SELECT hour(sold_at) AS hour, SUM(revenue) AS revenue, COUNT(*) AS lines
FROM fact_sales WHERE date = '{day}' GROUP BY hour(sold_at) ORDER BY 1"""

BY_ORIGIN = """\
SELECT is_provisional, COUNT(*) AS lines, COUNT(DISTINCT order_id) AS receipts, SUM(revenue) AS revenue
FROM fact_sales WHERE date = '{day}' GROUP BY is_provisional ORDER BY is_provisional"""


class Day:
    """A day whose tills ring in a thread, while its sales are built and shown."""

    def __init__(self, console: Console, warehouse: Warehouse, day: date) -> None:
        self.console, self.warehouse, self.day = console, warehouse, day
        self.athena = open_athena(warehouse.storage, warehouse.catalog, warehouse.settings)
        self.tick: Tick | None = None
        self.failure: Exception | None = None

    def ring(self) -> None:
        """Let the tills ring until the day is over."""
        settings, storage = self.warehouse.settings, self.warehouse.storage
        try:
            ticks = ring_up(storage, settings.timezone, self.day, speed=SPEED, orders_per_day=ORDERS_PER_DAY)
            for tick in ticks:
                self.tick = tick
        except Exception as error:
            self.failure = error

    def show(self) -> None:
        """Build what has arrived, and draw it, again and again while the tills ring; once more at the end."""
        tills, batches = Thread(target=self.ring, daemon=True), 0
        tills.start()
        with Live(self.chart(batches), console=self.console, refresh_per_second=4) as live:
            is_over = False
            while not is_over:
                is_over = not tills.is_alive()
                build(self.warehouse)
                write_page(self.warehouse)
                batches += 1
                live.update(self.chart(batches))
                tills.join(0 if is_over else PAUSE)
        if self.failure:
            raise self.failure

    def chart(self, batches: int) -> Group:
        """The revenue of each hour in the fact, and how far the tills are."""
        rows = self.ask(BY_HOUR) if batches else []
        labels = [f"{row['hour']:02d}:00" for row in rows]
        bars = bar_chart(labels, [row["revenue"] for row in rows], min(self.console.width, 100))
        clock = f"{self.tick.moment.astimezone(self.warehouse.settings.zone):%H:%M}" if self.tick else "--:--"
        rung = self.tick.rung if self.tick else 0
        lines = sum(row["lines"] for row in rows)
        heading = f"{self.day} {clock}   {rung:,} events rung up, {lines:,} in the fact after {batches} batches"
        return Group(Text(heading, "bold"), bars)

    def origins(self) -> list[dict[str, Any]]:
        """The day's rows in the fact, final and provisional: lines, receipts, revenue."""
        return self.ask(BY_ORIGIN)

    def ask(self, sql: str) -> list[dict[str, Any]]:
        """The answer of a query about the day."""
        answer: list[dict[str, Any]] = self.athena.query(sql.format(day=self.day)).table.to_pylist()
        return answer


def main() -> int:
    """Run it. Returns the exit code."""
    console, started = Console(highlight=False), time.monotonic()
    os.environ.setdefault("STAR_LAKE", LAKE)
    warehouse = Warehouse(retail, load_settings().model_copy(update={"start_date": FIRST_DAY}))
    storage = warehouse.storage
    if next_day(storage, FIRST_DAY) == FIRST_DAY:
        rows = export_samples(storage, FIRST_DAY, DAYS, orders_per_day=ORDERS_PER_DAY)
        console.print(f"[bold]1. Exports[/]       {rows:,} raw rows of {DAYS} days in {escape(storage.uri('oltp'))}")
        build(warehouse)
    day = Day(console, warehouse, next_day(storage, FIRST_DAY))
    console.print(f"[bold]2. Tills ring[/]    {day.day}, {SPEED:,.0f} times as fast; revenue by hour, from the fact")
    console.print(f"                 and, reloaded, in {escape(storage.uri(PAGE))}\n", soft_wrap=True)
    try:
        day.show()
    except KeyboardInterrupt:
        console.print("Interrupted. The same command rings the day up again, with the same events.")
        return 130
    before = day.origins()
    rows = export_night(storage, FIRST_DAY, day.day, orders_per_day=ORDERS_PER_DAY)
    console.print(f"\n[bold]3. Night[/]         the database exports the same day: {rows:,} rows")
    build(warehouse)
    show_final(console, before, day.origins())
    console.print("\n[bold]4. It adds up[/]    from raw events and orders to the fact, each step named\n")
    adds_up = show_account(console, warehouse, day.day)
    write_page(warehouse)
    seconds, lake = time.monotonic() - started, escape(storage.uri(""))
    console.print(f"\nDone in {seconds:.0f} s. The lake is in [bold]{lake}[/]. Again, it rings up the next day.")
    console.print("Next:  [bold]docs/streams.md[/]   how to send events of your own, what is promised, what it costs")
    return 0 if adds_up else 1


def build(warehouse: Warehouse) -> None:
    """Bring all tables up to date, as `star-assets run` does. Raises what failed first."""
    with warehouse.listed_once():
        for table in warehouse.star.tables:
            warehouse.catch_up(table)
            due = list(warehouse.out_of_date(table).days)
            for outcome in warehouse.refresh(table, due, undo_rollbacks=False):
                if outcome.error:
                    raise outcome.error


def show_final(console: Console, before: Sequence[dict[str, Any]], after: Sequence[dict[str, Any]]) -> None:
    """How much of the day was provisional before its export, and is after it."""
    shown = Table("", header_style="bold")
    for title in ("lines", "receipts", "revenue"):
        shown.add_column(title, justify="right")
    for when, rows in (("by day", before), ("after the export", after)):
        for row in rows:
            kind = "provisional" if row["is_provisional"] else "final"
            shown.add_row(f"{when}, {kind}", f"{row['lines']:,}", f"{row['receipts']:,}", f"{row['revenue']:,.2f}")
        shown.add_section()
    console.print(shown)
    left = [row for row in after if row["is_provisional"]]
    if left:
        line = f"Receipts that are in no export yet: {left[0]['receipts']}. After 36 hours a check names them."
        console.print(line, style="dim")


def show_account(console: Console, warehouse: Warehouse, day: date) -> bool:
    """The steps from raw rows to the fact that change anything on a day. Returns whether they add up."""
    account = warehouse.reconcile("fact_sales", [day.isoformat()])
    shown = Table("step", header_style="bold")
    for title in ("rows", "revenue"):
        shown.add_column(title, justify="right")
    for step, amounts in account.days[day.isoformat()].items():
        if any(amounts.values()) or step == "unexplained":
            revenue = amounts.get("revenue")
            shown.add_row(step, f"{amounts['rows']:,}", "" if revenue is None else f"{revenue:,.2f}")
    console.print(shown)
    return not account.differing


if __name__ == "__main__":
    sys.exit(main())
