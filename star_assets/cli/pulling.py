"""The command `pull`, which exports from a database, and the pulling that `run` does first."""

from __future__ import annotations

import sys
from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import TYPE_CHECKING

import click

from star_assets.cli.options import chosen_days, days_options, open_warehouse
from star_assets.cli.shell import exit_code, fail, note

if TYPE_CHECKING:
    from rich.console import Console

    from star_assets.exports.pull.pulling import Pulled
    from star_assets.model.errors import StarError
    from star_assets.pipeline.warehouse import Warehouse

LABEL = f"{'pulled':<20}"


@click.command(short_help="Export days from the database.")
@click.option("--again", is_flag=True, help="Also export days again that were pulled before; needs --from and --to.")
@days_options
def pull(from_: datetime | None, to_: datetime | None, again: bool) -> None:
    """Export from the database that STAR_SOURCE_DSN names, without staging or building.

    Each day without an export is exported: all sources, from one snapshot, with the rows
    that changed on the day. `run` and Dagster's assets pull such days, too.

    Existing exports are not changed. With --again, exports that were pulled are replaced by
    the database's rows of now; a row that changed since is in the export of the day of its
    last change. Exports that were not pulled are never replaced.

    \b
    Examples:
      star-assets pull
      star-assets pull --from 2023-07-01 --to 2023-07-02 --again
    """
    from rich.console import Console

    from star_assets.exports.pull.database import last_over

    warehouse = open_warehouse()
    if warehouse.settings.source_dsn is None:
        raise click.UsageError(
            "There is no database to pull from: set STAR_SOURCE_DSN=postgresql://user@host/database."
        )
    if again and not (from_ and to_):
        raise click.UsageError("Name the days to pull again: --from and --to.")
    last = f"{to_:%Y-%m-%d}" if to_ else last_over(warehouse.settings)
    days = [day for day in chosen_days(warehouse, from_, to_) or warehouse.days() if day <= last]
    chosen = days if again else warehouse.to_pull(days)
    refused = pull_days(Console(stderr=True), warehouse, chosen, again)
    if not chosen:
        click.echo(f"Nothing to pull: {warehouse.storage.uri('oltp')} has an export of every day.", err=True)
    if refused:
        sys.exit(exit_code(refused.values()))


def pull_first(
    console: Console, warehouse: Warehouse, tables: Sequence[str], days: Sequence[str] | None
) -> dict[str, StarError]:
    """Pull the days without an export (None: of those that are out of date) of sources among the tables.

    Returns the error of each day that failed.
    """
    if warehouse.settings.source_dsn is None:
        return {}
    sources = [source for name, source in warehouse.star.sources.items() if name in tables]
    wanted = days or {day for source in sources for day in warehouse.out_of_date(source.name).days}
    return pull_days(console, warehouse, warehouse.to_pull(wanted, sources))


def pull_days(console: Console, warehouse: Warehouse, days: Sequence[str], again: bool = False) -> dict[str, StarError]:
    """Pull the days, showing progress and failures. Returns the error of each day that failed."""
    from star_assets.cli.progress import first_messages, shown

    if not days:
        return {}
    pulled = shown(console, LABEL, len(days), warehouse.pull(days, again))
    refused = {day.day: day.error for day in pulled if day.error}
    console.print(summary(pulled), highlight=False, soft_wrap=True)
    left = [f"{name} {day.day}: it was not pulled, and is left as it is." for day in pulled for name in day.left]
    for text in first_messages(left, "more such exports"):
        note(text)
    for text in first_messages([str(error) for error in refused.values()], "more days failed"):
        fail(text)
    return refused


def summary(pulled: Iterable[Pulled]) -> str:
    """One line: how many days were exported or failed, and the rows of those exported."""
    days = list(pulled)
    failed = sum(day.error is not None for day in days)
    rows = sum(sum(day.rows.values()) for day in days)
    counts = {"exported": len(days) - failed, "failed": failed}
    counted = ", ".join(f"{count} {what}" for what, count in counts.items() if count)
    return f"{LABEL} {counted:<30} {rows:>12,} rows"
