"""The demo: a quarter of sample exports, one Dagster run over all of them, the reference question, a dashboard."""

from __future__ import annotations

import time
from datetime import date, timedelta

from rich.console import Console
from rich.markup import escape
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TaskID, TextColumn
from rich.text import Text

from star_assets.athena.opening import open_athena
from star_assets.cli.terminal import bar_chart, table
from star_assets.orchestration.run import materialize_all
from star_assets.pipeline.outcome import Outcome
from star_assets.pipeline.warehouse import Warehouse
from star_assets.reports.dashboard.answers import ask
from star_assets.reports.dashboard.publishing import rendered
from star_assets.samples.lake import export_samples
from star_assets.settings import Settings, load_settings
from star_assets.star import retail
from star_assets.star.dashboard import store_managers
from star_assets.visible import visible

FIRST_DAY, DAYS = date(2023, 7, 1), 92

# The reference question: the top-selling products in Miami, third quarter of 2023.
REFERENCE_SQL = """\
SELECT p.product_name, SUM(f.revenue) AS total_revenue
FROM fact_sales f
JOIN dim_product p ON f.product_id = p.product_id
JOIN dim_store s ON f.store_id = s.store_id
WHERE s.city = 'Miami' AND f.date BETWEEN '2023-07-01' AND '2023-09-30'
GROUP BY p.product_name
ORDER BY total_revenue DESC;"""

# The page with all stores. The pages of the managers are written by the dashboard's asset.
PAGE = "reports/store_managers.html"

# Products that the chart shows.
TOP = 10


def run_demo() -> int:
    """Run the demo in the lake of the environment's settings. Returns the exit code."""
    console, started = Console(highlight=False), time.monotonic()
    warehouse = demonstrate(console, load_settings())
    if warehouse is None:
        return 1
    write_page(warehouse)
    lake, page, seconds = warehouse.storage.uri(""), warehouse.storage.uri(PAGE), time.monotonic() - started
    console.print(f"\n[bold]4. Dashboard[/]     {escape(page)}", soft_wrap=True)
    console.print(f"\nDone in {seconds:.0f} s. The lake is in [bold]{escape(lake)}[/]: oltp/ staging/ olap/ reports/")
    console.print("Open:  [bold]the dashboard[/] in a browser: it is one file, and makes no requests")
    console.print("Next:  [bold]make ui[/]                                  assets, lineage, checks")
    console.print('       [bold].venv/bin/star-assets query "SELECT …"[/]   ask something else')
    console.print("       [bold].venv/bin/star-assets status[/]             what is live")
    return 0


def demonstrate(console: Console, settings: Settings) -> Warehouse | None:
    """Export, materialize, answer. Returns the warehouse; None if the run failed."""
    last_day = FIRST_DAY + timedelta(days=DAYS - 1)
    settings = settings.model_copy(update={"start_date": FIRST_DAY, "end_date": last_day})
    warehouse = Warehouse(retail, settings)
    rows = export_samples(warehouse.storage, FIRST_DAY, DAYS)
    raw = escape(warehouse.storage.uri("oltp"))
    console.print(f"[bold]1. Exports[/]       {rows:,} raw rows of {DAYS} days in {raw}")
    console.print(f"[bold]2. Dagster run[/]   {len(retail.tables)} assets × {DAYS} days")
    days = warehouse.days()[:DAYS]
    with RunProgress(console, len(days)) as progress:
        succeeded = materialize_all(retail, settings, days, progress.count)
    if not succeeded:
        console.print("[red]The run failed.[/] `make ui` shows it; the live versions stay.")
        return None
    show_answer(console, warehouse, settings)
    return warehouse


def show_answer(console: Console, warehouse: Warehouse, settings: Settings) -> None:
    """Ask the reference question and show its answer as a table and a bar chart."""
    answer = open_athena(warehouse.storage, warehouse.catalog, settings).query(REFERENCE_SQL)
    console.print("[bold]3. Athena[/]        top-selling products in Miami, Q3 2023\n")
    console.print(REFERENCE_SQL, style="dim")
    top = answer.table.slice(0, TOP)
    console.print()
    console.print(table(top))
    console.print(f"{answer.table.num_rows} products in {answer.seconds:.2f} s; the first {top.num_rows} are shown.\n")
    labels, values = top.column(0).to_pylist(), top.column(1).to_pylist()
    console.print(bar_chart(labels, values, min(console.width, 100)))


def write_page(warehouse: Warehouse) -> None:
    """Write the dashboard of all stores into the lake."""
    athena = open_athena(warehouse.storage, warehouse.catalog, warehouse.settings)
    warehouse.storage.write(PAGE, rendered(retail, store_managers, ask(warehouse, athena, store_managers)))


class RunProgress:
    """The progress of the run: a line for each table with a bar, its rows and its seconds."""

    def __init__(self, console: Console, days: int) -> None:
        self.days = days
        self.tasks: dict[str, TaskID] = {}
        self.rows: dict[str, dict[str, int]] = {}
        self.seconds: dict[str, float] = {}
        self.failures: list[Outcome] = []
        self.progress = Progress(
            TextColumn("   {task.description:<19}"),
            BarColumn(bar_width=30),
            MofNCompleteColumn(),
            TextColumn("{task.fields[seconds]:>5.1f} s"),
            TextColumn("{task.fields[rows]:>9,} rows"),
            console=console,
        )

    def __enter__(self) -> RunProgress:
        self.progress.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.progress.stop()
        for outcome in self.failures:
            self.progress.console.print(Text(visible(str(outcome.error)), style="red"))

    def count(self, outcome: Outcome) -> None:
        """Count a day of a table."""
        if outcome.table not in self.tasks:
            self.tasks[outcome.table] = self.progress.add_task(outcome.table, total=self.days, rows=0, seconds=0)
            self.seconds[outcome.table] = 0.0
            self.rows[outcome.table] = {}
        if outcome.manifest:
            self.rows[outcome.table][outcome.manifest.version] = outcome.manifest.rows
        if outcome.error:
            self.failures.append(outcome)
        rows = sum(self.rows[outcome.table].values())
        self.seconds[outcome.table] += outcome.seconds
        self.progress.update(self.tasks[outcome.table], advance=1, rows=rows, seconds=self.seconds[outcome.table])
