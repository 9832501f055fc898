"""Commands that fill the lake: `sample`, `run`, `demo`."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from datetime import datetime
from typing import TYPE_CHECKING

import click

from star_assets.cli.options import MOST_DAYS, chosen_days, days_options, in_order, open_warehouse
from star_assets.cli.shell import exit_code, fail, note

if TYPE_CHECKING:
    from star_assets.model.errors import StarError
    from star_assets.pipeline.warehouse import Warehouse


@click.command(short_help="Write sample exports of a retailer, or ring up its sales one by one.")
@click.option("--days", type=click.IntRange(1, MOST_DAYS), help="How many days.  [default: 92, or 1 with --stream]")
@click.option(
    "--orders-per-day",
    type=click.IntRange(1, 10_000_000),
    default=500,
    show_default=True,
    help="Orders on an average day.",
)
@click.option("--stream", is_flag=True, help="Let tills ring, a day at a time, and export each day at its end.")
@click.option(
    "--speed",
    type=click.FloatRange(1, 1_000_000),
    default=60,
    show_default=True,
    help="With --stream: how many times as fast as in reality.",
)
def sample(days: int | None, orders_per_day: int, stream: bool, speed: float) -> None:
    """Write sample exports of a retailer, from STAR_START_DATE on.

    They are written to the lake's oltp/ folder. Existing exports are not changed, so
    a larger --days adds days.

    With --stream, the day after the last export happens sale by sale: tills ring,
    their events go through a Firehose on this machine to oltp/pos_sales/, and when
    the day is over its exports tell the same sales. Use the --orders-per-day that
    the lake's other days have. See docs/streams.md.

    \b
    Examples:
      star-assets sample --days 7
      star-assets sample --stream --speed 600
    """
    from rich.console import Console

    from star_assets.cli.streaming import show_day
    from star_assets.samples.lake import export_samples
    from star_assets.samples.streaming import next_day

    warehouse = open_warehouse()
    storage, first = warehouse.storage, warehouse.settings.start_date
    console = Console(stderr=True, highlight=False)
    if stream:
        for _ in range(days or 1):
            show_day(console, warehouse, next_day(storage, first), speed=speed, orders_per_day=orders_per_day)
        return
    days = days or 92
    with console.status(f"Writing {days:,} days of exports …"):
        rows = export_samples(storage, first, days, orders_per_day=orders_per_day)
    click.echo(f"{rows:,} rows of {days:,} days, from {first} on, are in {storage.uri('oltp')}.", err=True)


@click.command(short_help="Stage exports and build the star, as far as it is out of date.")
@click.argument("tables", nargs=-1, metavar="[TABLES]...")
@days_options
def run(tables: Sequence[str], from_: datetime | None, to_: datetime | None) -> None:
    """Bring TABLES (default: all of the star) up to date, without Dagster.

    Exports are staged that are new, have changed or were staged by other code; then the
    dimensions and business dates are built that depend on them. If STAR_SOURCE_DSN names a
    database, days without an export are pulled first. With --from or --to, exactly these
    days are refreshed; if the export of such a day is gone, its staged version is withdrawn.

    Each day is staged, audited and published separately: if one fails, its live version
    stays, and the other days are published. The command is idempotent.

    \b
    Examples:
      star-assets run
      star-assets run orders order_items fact_sales --from 2023-07-01 --to 2023-07-07
    """
    build(open_warehouse(), tables, from_, to_)


def build(
    warehouse: Warehouse, tables: Sequence[str] = (), from_: datetime | None = None, to_: datetime | None = None
) -> None:
    """Stage and build the tables (none: all) of these days, by default of all that are due. Exits where one failed."""
    from rich.console import Console

    from star_assets.cli.progress import failures, merged_notes, notes, shown_progress
    from star_assets.cli.pulling import pull_first
    from star_assets.pipeline.out_of_date import stray_remarks

    chosen, console = in_order(warehouse, tables), Console(stderr=True)
    with warehouse.listed_once():
        asked = chosen_days(warehouse, from_, to_)
        refused = pull_first(console, warehouse, chosen, asked)
        failed, published, remarks = list(refused.values()), False, stray_remarks(warehouse)
        for table in chosen:
            days = asked if asked is not None else _due(warehouse, table, remarks)
            if refused and (source := warehouse.star.sources.get(table)):
                without = warehouse.to_pull(refused, [source])
                days = [day for day in days if day not in without]
                if without and not days:
                    continue
            refreshed = warehouse.refresh(table, days, undo_rollbacks=asked is not None)
            outcomes = shown_progress(console, table, len(days), refreshed)
            for text in notes(outcomes):
                note(text)
            for text in failures(outcomes):
                fail(text)
            failed += [outcome.error for outcome in outcomes if outcome.error]
            published = published or any(outcome.status == "published" for outcome in outcomes)
        if published and asked is None:
            failed += _drop_superseded(warehouse, chosen)
        for text in merged_notes(remarks):
            note(text)
        if asked is None:
            # A run that was killed after a commit did not register what it had published.
            warehouse.mend(chosen, listed=True)
    _ended(warehouse, failed, whole=asked is None and not tables)


def _ended(warehouse: Warehouse, failed: Sequence[StarError], whole: bool) -> None:
    """Exit if something failed; otherwise count a `whole` run in CloudWatch, if the settings name a namespace."""
    from star_assets.aws.metrics import count_success

    if failed:
        sys.exit(exit_code(failed))
    if whole and warehouse.settings.metrics_namespace:
        count_success(warehouse.settings.metrics_namespace)


def _drop_superseded(warehouse: Warehouse, tables: Sequence[str]) -> list[StarError]:
    """Build the dimensions again that have members which no version of a fact uses any more. Returns the errors."""
    failed = []
    for table in (name for name in tables if name in warehouse.star.dimensions):
        again = warehouse.refresh(table, _due(warehouse, table, []), undo_rollbacks=False)
        failed += [outcome.error for outcome in again if outcome.error]
    return failed


def _due(warehouse: Warehouse, table: str, remarks: list[str]) -> list[str]:
    """The days of a table to refresh. Adds further remarks for the user to `remarks`."""
    warehouse.catch_up(table)
    found = warehouse.out_of_date(table)
    remarks += warehouse.remarks(table, found)
    return [day for day in found.days if day not in found.rolled_back]


@click.command(short_help="Run the demo: export, materialize, query.")
def demo() -> None:
    """Run the demo: export a quarter of samples, materialize it with Dagster, answer the reference question.

    It takes a minute, and writes to the lake of STAR_LAKE. A second run is quick and
    changes nothing.

    \b
    Example:
      STAR_LAKE=/tmp/lake star-assets demo
    """
    from star_assets.cli.demo import run_demo

    sys.exit(run_demo())
