"""The command line: `star-assets sample | run | query | status | rollback | vacuum | repair | ddl | demo`.

Exit codes: 0 done; 1 somebody has to act; 75 (EX_TEMPFAIL) trying again later
may help; 2 the command was called wrongly; 130 interrupted. Rows go to standard
output, everything else to standard error. Commands import what they need when
they run, so that `--help` is instant.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import date, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, TextIO

import click

from star_assets import __version__
from star_assets.shell import EXIT_PERMANENT, Commands, exit_code, fail, note, read_text

if TYPE_CHECKING:
    from star_assets.athena.embedded import EmbeddedAthena
    from star_assets.pipeline.warehouse import Warehouse
    from star_assets.terminal import Format

format_option = click.option(
    "--format",
    "format_",
    type=click.Choice(["table", "csv", "json"]),
    default="table",
    show_default=True,
    help="How rows are written.",
)


def days_options(command: Callable[..., None]) -> Callable[..., None]:
    """`--from` and `--to`: a range of days, both included."""
    options = (("to", "Last day; default: the last with an export."), ("from", "First day; default: STAR_START_DATE."))
    for name, text in options:
        day = click.DateTime(["%Y-%m-%d"])
        command = click.option(f"--{name}", f"{name}_", type=day, metavar="YYYY-MM-DD", help=text)(command)
    return command


@click.group(cls=Commands, context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100})
@click.version_option(__version__)
def main() -> None:
    """A star schema from OLTP exports, in a lake of Parquet, with SQL as Athena speaks it.

    \b
    First steps:
      star-assets sample            write a quarter of exports to look at
      star-assets run               build the star from them
      star-assets query "SELECT city, sum(revenue) FROM fact_sales
                         JOIN dim_store USING (store_id) GROUP BY city"

    \b
    Settings come from the environment:
      STAR_LAKE            the lake: a folder (./lake)
      STAR_MODEL           the star, as package.module:attribute (star_assets.star:retail)
      STAR_START_DATE      the first day with exports (2023-07-01)
      STAR_TIMEZONE        the time zone that decides the day of a sale (UTC)
      STAR_ENGINE          what computes (duckdb)
      STAR_COMPRESSION     of Parquet files: zstd or snappy (zstd)
      STAR_MEMORY_LIMIT    what DuckDB may use before it spills to disk (1GB)
      STAR_THREADS         threads of the engine (one per processor)
      STAR_RETENTION_DAYS  how long vacuum keeps superseded versions (7)

    \b
    Exit codes:
      0  done                              2  the command was called wrongly
      1  failed; somebody has to act      75  failed; trying again later may help
    """


@main.command(short_help="Write sample exports of a retailer.")
@click.option("--days", type=click.IntRange(1), default=92, show_default=True, help="How many days.")
@click.option(
    "--orders-per-day", type=click.IntRange(1), default=500, show_default=True, help="Orders on an average day."
)
def sample(days: int, orders_per_day: int) -> None:
    """Write sample exports of a retailer, from STAR_START_DATE on.

    They go to the lake's oltp/ folder. Exports that are there stay as they are,
    so asking for more days adds days.

    \b
    Example:
      star-assets sample --days 7
    """
    from rich.console import Console

    from star_assets.samples.retailer import write_exports

    warehouse = open_warehouse()
    lake, first = Path(warehouse.settings.lake), warehouse.settings.start_date
    with Console(stderr=True).status(f"Writing {days:,} days of exports …"):
        rows = write_exports(lake, first, days, orders_per_day=orders_per_day)
    click.echo(f"{rows:,} rows of {days:,} days, from {first} on, are in {lake / 'oltp'}.", err=True)


@main.command(short_help="Stage exports and build the star.")
@click.argument("tables", nargs=-1, metavar="[TABLES]...")
@days_options
def run(tables: Sequence[str], from_: datetime | None, to_: datetime | None) -> None:
    """Stage exports and build TABLES (default: all of the star), without Dagster.

    Each day is staged, audited and published by itself: a bad one leaves the
    others alone, and its live version stays. What is up to date is not built
    again, so the same command can always be repeated.

    \b
    Examples:
      star-assets run
      star-assets run orders order_items fact_sales --from 2023-07-01 --to 2023-07-07
    """
    from rich.console import Console

    from star_assets.progress import failures, notes, shown_progress

    warehouse = open_warehouse()
    chosen = in_order(warehouse, tables)
    days = chosen_days(warehouse, from_, to_)
    console, failed = Console(stderr=True), []
    for table in chosen:
        outcomes = shown_progress(console, table, len(days), warehouse.refresh(table, days))
        for text in notes(outcomes):
            note(text)
        for text in failures(outcomes):
            fail(text)
        failed += [outcome.error for outcome in outcomes if outcome.error]
    if failed:
        sys.exit(exit_code(failed))


@main.command(short_help="Answer SQL as Athena would.")
@click.argument("sql", required=False)
@click.option("-f", "--file", type=click.File(encoding="utf-8-sig"), help="Read SQL from a file; - is standard input.")
@format_option
def query(sql: str | None, file: TextIO | None, format_: Format) -> None:
    """Answer SQL as Athena would, from the live versions.

    Several statements are separated by semicolons and run in order. As a table,
    each one's answer is shown; in CSV and JSON, the last one's. In CSV an empty
    field is NULL and "" is an empty text; in JSON, decimals and times are texts,
    so that no digit is lost.

    \b
    Examples:
      star-assets query "SELECT count(*) FROM fact_sales WHERE date >= '2023-09-01'"
      star-assets query -f report.sql --format csv > report.csv
      echo "SHOW PARTITIONS fact_sales" | star-assets query -f -
    """
    from star_assets.athena.parse import split
    from star_assets.terminal import show_answer, write_rows

    if sql is None and file:
        sql = read_text(file)
    elif sql is None or file:
        raise click.UsageError("Give the SQL, or a file of it with -f.")
    athena = open_athena(open_warehouse())
    for statement, result in zip(split(sql), athena.results(sql), strict=True):
        for notice in result.notices:
            note(notice)
        if format_ == "table":
            show_answer(" ".join(statement.text.split()), result)
    if format_ != "table":
        write_rows(result.table, format_)


@main.command(short_help="Show what is live.")
@format_option
def status(format_: Format) -> None:
    """Show what is live: of each table its partitions, rows, size and age.

    `parts` are its partitions; `versions` the live ones and those that a rollback
    can return to; `catalog` says whether queries see what is live, which `repair` brings about.

    \b
    Examples:
      star-assets status
      star-assets status --format json
    """
    from star_assets.pipeline.status import table_status
    from star_assets.terminal import show_status, write_rows

    warehouse = open_warehouse()
    found = table_status(warehouse)
    if format_ == "table":
        show_status(found)
    else:
        write_rows(found, format_)
    if not any(found["partitions"].to_pylist()):
        note(f"{warehouse.storage.uri('')} holds nothing published. Is STAR_LAKE right? `star-assets run` builds it.")


@main.command(short_help="Make an earlier version live again.")
@click.argument("table")
@click.option("--day", metavar="YYYY-MM-DD", help="The partition; a dimension has none.")
@click.option("--version", help="The version to go back to; default: the one before the live one.")
def rollback(table: str, day: str | None, version: str | None) -> None:
    """Make an earlier version of TABLE live again.

    Nothing is computed: the version is still in the lake, until vacuum takes it.
    A rollback can be rolled back. The next `run` builds what its inputs say, so
    mend those first. An unknown version is answered with those that are kept.

    \b
    Examples:
      star-assets rollback fact_sales --day 2023-07-01
      star-assets rollback dim_product --version 20240102T030405000000-0a1b2c3d
    """
    from star_assets.model.tables import Dimension

    warehouse = open_warehouse()
    if isinstance(warehouse.star.table(table), Dimension) == (day is not None):
        raise click.UsageError(
            f"{table} has no partitions: leave out --day." if day else f"Say which day of {table}: --day."
        )
    pointer = warehouse.rollback(table, day, version)
    assert pointer.live is not None
    name = f"{table} --day {day}" if day else table
    click.echo(
        f"{table} {day or ''}".strip() + f": {pointer.live.version} is live, {pointer.live.rows:,} rows.", err=True
    )
    if pointer.history:
        click.echo(f"To undo: star-assets rollback {name} --version {pointer.history[0].version}", err=True)


@main.command(short_help="Delete versions superseded long ago.")
@click.option("--retention-days", type=click.FloatRange(0), help="Days to keep them; default: STAR_RETENTION_DAYS.")
def vacuum(retention_days: float | None) -> None:
    """Delete versions that were superseded longer ago than the retention.

    What is live stays, and so does every file that star-assets did not write. A
    rollback cannot return to what is deleted.

    \b
    Example:
      star-assets vacuum --retention-days 30
    """
    from rich.filesize import decimal as file_size

    from star_assets.lake.vacuum import vacuum as remove

    warehouse = open_warehouse()
    retention = warehouse.settings.retention_days if retention_days is None else retention_days
    tables = warehouse.versioned_tables()
    removed = remove(warehouse.storage, warehouse.catalog, tables, timedelta(days=retention))
    freed = f"{removed.files:,} files, {file_size(removed.bytes)}"
    click.echo(f"{removed.versions:,} versions removed: {freed}." if removed.files else "Nothing to remove.", err=True)


@main.command(short_help="Bring the catalog in step with what is live.")
def repair() -> None:
    """Bring the catalog back in step with what is live.

    Queries find tables through the catalog. A run that was killed between
    publishing and registering leaves it behind; so does a lost catalog. Both are
    mended from the lake alone.

    \b
    Example:
      star-assets repair
    """
    from star_assets.lake.publish import mend

    warehouse = open_warehouse()
    drifts = mend(warehouse.storage, warehouse.catalog, warehouse.entries())
    left = [drift for drift in drifts if drift.what in ("not ours", "lost")]
    for drift in drifts:
        click.echo(f"{drift.table} {drift.partition or ''}".strip() + f": {DRIFTS[drift.what]}", err=True)
    if not drifts:
        click.echo("Nothing to repair: the catalog serves what is live.", err=True)
    if left:
        sys.exit(EXIT_PERMANENT)


DRIFTS = {
    "registered": "registered; the catalog lacked it",
    "moved": "moved to the live version",
    "dropped": "dropped; nothing of it is live",
    "redefined": "redefined as the model declares it",
    "not ours": "left alone: somebody else's table has that name. Drop or rename it",
    "lost": "left alone: files of the live version are gone. Restore them, or `star-assets rollback`",
}


@main.command(short_help="Print the statements that create the tables on Athena.")
@click.argument("tables", nargs=-1, metavar="[TABLES]...")
@click.option("--partitions", is_flag=True, help="Also the statements that register the live partitions.")
def ddl(tables: Sequence[str], partitions: bool) -> None:
    """Print the Athena statements that create TABLES (default: all of the star).

    \b
    Examples:
      star-assets ddl fact_sales
      star-assets ddl --partitions > star.sql
    """
    from star_assets.athena.ddl import add_partitions, create_database, create_table

    warehouse = open_warehouse()
    chosen = in_order(warehouse, tables)
    entries = [entry for entry in warehouse.entries() if entry.name in chosen]
    statements = [create_database(database) for database in dict.fromkeys(entry.database for entry in entries)]
    catalog = warehouse.catalog.snapshot([(entry.database, entry.name) for entry in entries])
    for entry in entries:
        served, live = catalog.get((entry.database, entry.name), (entry, []))
        # Who makes a table by hand owns it: the marks by which a publish knows its own stay out.
        statements.append(create_table(replace(served, parameters={"classification": served.format})))
        if partitions:
            statements += add_partitions(served, live)
    for statement in statements:
        click.echo(f"{statement};\n")


@main.command(short_help="See it all: export, materialize, answer.")
def demo() -> None:
    """See it all: export a quarter, materialize it with Dagster, answer the reference question.

    It takes a minute, and writes to the lake of STAR_LAKE. Again, it is quick and
    changes nothing.

    \b
    Example:
      STAR_LAKE=/tmp/lake star-assets demo
    """
    from star_assets.orchestration.demo import run_demo

    sys.exit(run_demo())


def open_warehouse() -> Warehouse:
    """The warehouse that the environment's settings describe."""
    from star_assets.model.star import load_star
    from star_assets.pipeline.warehouse import Warehouse
    from star_assets.settings import load_settings

    settings = load_settings()
    return Warehouse(load_star(settings.model), settings)


def open_athena(warehouse: Warehouse) -> EmbeddedAthena:
    """The embedded Athena over the warehouse's catalog."""
    from star_assets.athena.embedded import EmbeddedAthena

    settings = warehouse.settings
    return EmbeddedAthena(
        warehouse.storage, warehouse.catalog, threads=settings.threads, memory_limit=settings.memory_limit
    )


def in_order(warehouse: Warehouse, tables: Sequence[str]) -> list[str]:
    """The tables asked for (none: all), upstream first. Raises UnknownTable."""
    wanted = {warehouse.star.table(name).name for name in tables}
    return [name for name in warehouse.star.tables if name in wanted or not tables]


def chosen_days(warehouse: Warehouse, first: datetime | None, last: datetime | None) -> list[str]:
    """The days from `first` to `last`; by default all that have exports."""
    known = warehouse.days()
    if not known and not last:
        raise click.UsageError(
            f"No days to run: {warehouse.storage.uri('oltp')} holds no exports from "
            f"{warehouse.settings.start_date} on. Is STAR_LAKE right? `star-assets sample` writes some."
        )
    begin = first.date() if first else warehouse.settings.start_date
    end = last.date() if last else date.fromisoformat(known[-1])
    if end < begin:
        raise click.UsageError(f"No days to run: the last, {end}, is before the first, {begin}.")
    return [(begin + timedelta(days=number)).isoformat() for number in range((end - begin).days + 1)]


if __name__ == "__main__":
    main()
