"""The command line: `star-assets sample | run | query | status | rollback | vacuum | repair | ddl | demo`.

Exit codes: 0 done; 1 somebody has to act; 75 (EX_TEMPFAIL) trying again later
may help; 2 the command was called wrongly. Commands import what they need when
they run, so that `--help` is instant.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterable, Sequence
from datetime import date, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from star_assets import __version__
from star_assets.model.errors import StarError, Transient

if TYPE_CHECKING:
    from star_assets.athena.embedded import EmbeddedAthena
    from star_assets.pipeline.outcome import Outcome
    from star_assets.pipeline.warehouse import Warehouse

EXIT_PERMANENT, EXIT_TRANSIENT = 1, 75


class Cli(click.Group):
    """A group whose commands tell a StarError as one message, without a traceback."""

    def invoke(self, ctx: click.Context) -> Any:
        """Run the command."""
        try:
            return super().invoke(ctx)
        except StarError as error:
            click.secho("Error: ", fg="red", bold=True, nl=False, err=True)
            click.echo(str(error), err=True)
            ctx.exit(EXIT_TRANSIENT if isinstance(error, Transient) else EXIT_PERMANENT)


format_option = click.option(
    "--format",
    "format_",
    type=click.Choice(["table", "csv", "json"]),
    default="table",
    show_default=True,
    help="How rows are written to standard output.",
)


def days_options(command: Callable[..., None]) -> Callable[..., None]:
    """`--from` and `--to`: a range of days, both included."""
    for name, text in (("to", "Last day, YYYY-MM-DD."), ("from", "First day, YYYY-MM-DD.")):
        command = click.option(f"--{name}", f"{name}_", type=click.DateTime(["%Y-%m-%d"]), help=text)(command)
    return command


@click.group(cls=Cli)
@click.version_option(__version__)
def main() -> None:
    """A star schema from OLTP exports, in a lake of Parquet.

    Settings come from the environment: STAR_LAKE (a folder, default ./lake),
    STAR_MODEL, STAR_START_DATE, STAR_TIMEZONE, STAR_COMPRESSION,
    STAR_MEMORY_LIMIT, STAR_THREADS, STAR_RETENTION_DAYS.
    """


@main.command()
@click.option("--days", type=click.IntRange(1), default=92, show_default=True, help="How many days.")
@click.option("--orders-per-day", type=click.IntRange(1), default=500, show_default=True, help="About how many orders.")
def sample(days: int, orders_per_day: int) -> None:
    """Write sample exports of a retailer, from STAR_START_DATE on."""
    from star_assets.samples.retailer import write_exports

    warehouse = open_warehouse()
    lake = Path(warehouse.settings.lake)
    rows = write_exports(lake, warehouse.settings.start_date, days, orders_per_day=orders_per_day)
    click.echo(f"{rows:,} rows exported over {days} days in {lake / 'oltp'}.")


@main.command()
@click.argument("tables", nargs=-1)
@days_options
def run(tables: Sequence[str], from_: datetime | None, to_: datetime | None) -> None:
    """Stage exports and build TABLES (default: all), without Dagster.

    Days default to every day from STAR_START_DATE to the last export. What is up
    to date is left alone.
    """
    from rich.console import Console

    warehouse = open_warehouse()
    days = chosen_days(warehouse, from_, to_)
    if not days:
        raise click.UsageError(
            f"No days to run: {warehouse.storage.uri('oltp')} holds no exports from "
            f"{warehouse.settings.start_date} on. Is STAR_LAKE right? `star-assets sample` writes some."
        )
    console, failures = Console(stderr=True), []
    for table in tables or warehouse.star.tables:
        failures += [o for o in shown_progress(console, table, days, warehouse.refresh(table, days)) if o.error]
    for failure in failures:
        click.secho(str(failure.error), fg="red", err=True)
    if failures:
        permanent = any(not isinstance(failure.error, Transient) for failure in failures)
        sys.exit(EXIT_PERMANENT if permanent else EXIT_TRANSIENT)


@main.command()
@click.argument("sql", required=False)
@click.option("-f", "--file", type=click.File(), help="Read the SQL from a file; - is standard input.")
@format_option
def query(sql: str | None, file: Any, format_: Any) -> None:
    """Answer SQL as Athena would, from the live versions.

    Several statements are separated by `;`; the last one's rows are shown.
    """
    from star_assets.terminal import write_rows

    if (sql is None) == (file is None):
        raise click.UsageError("Give either SQL or --file.")
    result = open_athena(open_warehouse()).query(sql if sql is not None else file.read())
    for notice in result.notices:
        click.secho(f"Note: {notice}", fg="yellow", err=True)
    if result.table.num_columns:
        write_rows(result.table, format_)
    if format_ == "table" and result.statement == "query":
        rows = result.table.num_rows
        click.echo(
            f"{rows:,} {'row' if rows == 1 else 'rows'}, {result.seconds:.2f} s, "
            f"{result.bytes_scanned / 1e6:,.1f} MB in the files read",
            err=True,
        )


@main.command()
@format_option
def status(format_: Any) -> None:
    """Show what is live: for each table its partitions, rows, size, age, and whether the catalog agrees."""
    from star_assets.pipeline.status import table_status
    from star_assets.terminal import write_rows

    write_rows(table_status(open_warehouse()), format_)


@main.command()
@click.argument("table")
@click.option("--day", help="The partition, YYYY-MM-DD; a dimension has none.")
@click.option("--version", help="The version to go back to; default: the one before the live one.")
def rollback(table: str, day: str | None, version: str | None) -> None:
    """Make an earlier version of TABLE live again."""
    pointer = open_warehouse().rollback(table, day, version)
    assert pointer.live is not None
    click.echo(f"{table} {day or ''}: {pointer.live.version} is live.".replace(" :", ":"))


@main.command()
@click.option("--retention-days", type=click.FloatRange(0), help="Days to keep; default STAR_RETENTION_DAYS.")
def vacuum(retention_days: float | None) -> None:
    """Delete versions that were superseded longer ago than the retention."""
    from star_assets.lake.vacuum import vacuum as remove

    warehouse = open_warehouse()
    retention = warehouse.settings.retention_days if retention_days is None else retention_days
    removed = remove(warehouse.storage, warehouse.versioned_tables(), timedelta(days=retention))
    click.echo(f"{removed.versions:,} versions removed: {removed.files:,} files, {removed.bytes / 1e6:,.1f} MB.")


@main.command()
def repair() -> None:
    """Bring the catalog back in step with the pointers."""
    from star_assets.lake.publish import mend

    warehouse = open_warehouse()
    found = mend(warehouse.storage, warehouse.catalog, warehouse.entries())
    for drift in found:
        click.echo(f"{drift.table} {drift.partition or ''}: {drift.what}".replace(" :", ":"))
    click.echo(f"{len(found):,} repaired." if found else "Nothing to repair: the catalog serves what is live.")


@main.command()
@click.argument("tables", nargs=-1)
@click.option("--partitions", is_flag=True, help="Also the statements that register the live partitions.")
def ddl(tables: Sequence[str], partitions: bool) -> None:
    """Print the Athena statements that create TABLES (default: all)."""
    from star_assets.athena.ddl import add_partitions, create_database, create_table

    warehouse = open_warehouse()
    chosen = [warehouse.star.table(name).name for name in tables or warehouse.star.tables]
    entries = [entry for entry in warehouse.entries() if entry.name in chosen]
    for database in dict.fromkeys(entry.database for entry in entries):
        click.echo(create_database(database) + ";\n")
    for entry in entries:
        served = warehouse.catalog.table(entry.database, entry.name) or entry
        click.echo(create_table(served) + ";\n")
        if partitions and served.partition_columns:
            for statement in add_partitions(served, warehouse.catalog.partitions(entry.database, entry.name)):
                click.echo(statement + ";\n")


@main.command()
def demo() -> None:
    """Export a quarter, materialize it all with Dagster, and answer the reference question."""
    from star_assets.orchestration.demo import run_demo

    sys.exit(run_demo())


def open_warehouse() -> Warehouse:
    """The warehouse that the environment's settings describe."""
    from star_assets.model.star import load_star
    from star_assets.pipeline.warehouse import Warehouse
    from star_assets.settings import load_settings

    settings = load_settings()
    sys.path.insert(0, str(Path.cwd()))
    return Warehouse(load_star(settings.model), settings)


def open_athena(warehouse: Warehouse) -> EmbeddedAthena:
    """The embedded Athena over the warehouse's catalog."""
    from star_assets.athena.embedded import EmbeddedAthena

    settings = warehouse.settings
    return EmbeddedAthena(
        warehouse.storage, warehouse.catalog, threads=settings.threads, memory_limit=settings.memory_limit
    )


def chosen_days(warehouse: Warehouse, first: datetime | None, last: datetime | None) -> list[str]:
    """The days from `first` to `last`; by default all that have exports."""
    known = warehouse.days()
    begin = first.date() if first else warehouse.settings.start_date
    end = last.date() if last else (date.fromisoformat(known[-1]) if known else begin - timedelta(days=1))
    return [(begin + timedelta(days=number)).isoformat() for number in range((end - begin).days + 1)]


def shown_progress(console: Any, table: str, days: Sequence[str], outcomes: Iterable[Outcome]) -> list[Outcome]:
    """Show one table's outcomes as they come, then a line that sums them up."""
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

    columns = (TextColumn(f"{table:<16}"), BarColumn(), MofNCompleteColumn(), TextColumn("days"), TimeElapsedColumn())
    found = []
    with Progress(*columns, console=console, transient=True) as progress:
        task = progress.add_task(table, total=len(days))
        for outcome in outcomes:
            found.append(outcome)
            progress.advance(task)
    console.print(summary(table, found), highlight=False)
    return found


def summary(table: str, outcomes: Sequence[Outcome]) -> str:
    """One line: what became of a table's days."""
    counts = {status: sum(o.status == status for o in outcomes) for status in ("published", "unchanged", "failed")}
    manifests = {o.manifest.version: o.manifest for o in outcomes if o.manifest}
    rows = sum(manifest.rows for manifest in manifests.values())
    parts = [f"{count} {status}" for status, count in counts.items() if count]
    return f"{table:<16} {', '.join(parts):<34} {rows:>12,} rows"
