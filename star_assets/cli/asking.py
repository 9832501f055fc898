"""Commands that read the lake and change nothing: `query`, `status`, `rejects`, `reconcile`, `ddl`."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from dataclasses import replace
from datetime import date, datetime
from typing import TYPE_CHECKING, TextIO

import click

from star_assets.cli.options import chosen_days, days_options, format_option, in_order, open_warehouse
from star_assets.cli.shell import EXIT_PERMANENT, fail, note, read_text

if TYPE_CHECKING:
    from star_assets.cli.terminal import Format

# A failure names so many days; of more, it gives the number.
NAMED = 10


@click.command(short_help="Answer SQL as Athena would.")
@click.argument("sql", required=False)
@click.option("-f", "--file", type=click.File(encoding="utf-8-sig"), help="Read SQL from a file; - is standard input.")
@format_option
def query(sql: str | None, file: TextIO | None, format_: Format) -> None:
    """Answer SQL as Athena would, from the live versions.

    On AWS, if STAR_ATHENA_WORKGROUP is set, Athena itself runs it.

    Several statements are separated by semicolons and run in order. With --format table,
    the answer of each is shown; with csv and json, that of the last one. In CSV an empty
    field is NULL and "" is an empty text; in JSON, decimals and times are texts,
    so that no digit is lost.

    \b
    Examples:
      star-assets query "SELECT count(*) FROM fact_sales WHERE date >= '2023-09-01'"
      star-assets query -f report.sql --format csv > report.csv
      echo "SHOW PARTITIONS fact_sales" | star-assets query -f -
    """
    from star_assets.athena.opening import open_athena
    from star_assets.athena.parse import split
    from star_assets.cli.terminal import show_answer, write_rows

    if sql is None and file:
        sql = read_text(file)
    elif sql is None or file:
        raise click.UsageError("Give the SQL, or a file of it with -f.")
    warehouse = open_warehouse()
    athena = open_athena(warehouse.storage, warehouse.catalog, warehouse.settings)
    for statement, result in zip(split(sql), athena.results(sql), strict=True):
        for notice in result.notices:
            note(notice)
        if format_ == "table":
            show_answer(" ".join(statement.text.split()), result)
    if format_ != "table":
        write_rows(result.table, format_)


@click.command(short_help="Show what is live.")
@format_option
def status(format_: Format) -> None:
    """Show what is live: for each table its partitions, rows, size and age.

    `parts` counts its partitions, `due` the days that are out of date and that `run`
    would refresh, and `versions` the live versions and those that a rollback can return to.
    `catalog` says whether queries read the live versions; if not, `repair` corrects it.

    \b
    Examples:
      star-assets status
      star-assets status --format json
    """
    from star_assets.cli.progress import merged_notes
    from star_assets.cli.terminal import show_status, write_rows
    from star_assets.keeping.status import table_status
    from star_assets.pipeline.out_of_date import stray_remarks
    from star_assets.pipeline.raw.updating import raw_remarks
    from star_assets.visible import visible

    warehouse = open_warehouse()
    with warehouse.listed_once():
        # Days without an export are found by comparing sources, so all are listed first.
        for name in warehouse.star.sources:
            warehouse.look("staging", name)
        out_of_date = {name: warehouse.out_of_date(name) for name in warehouse.star.tables}
    found = table_status(warehouse, out_of_date)
    if format_ == "table":
        show_status(found)
    else:
        write_rows(found, format_)
    remarks = [text for name, due in out_of_date.items() for text in warehouse.remarks(name, due)]
    evolution = [text for name in out_of_date for text in warehouse.evolution(name)]
    for text in merged_notes([*remarks, *evolution, *stray_remarks(warehouse)]):
        note(text)
    for text in raw_remarks(warehouse):
        click.echo(visible(text), err=True)
    if not any(found["partitions"].to_pylist()):
        note(f"{warehouse.storage.uri('')} holds nothing published. Is STAR_LAKE right? `star-assets run` builds it.")


@click.command(short_help="List the rows that are not valid.")
@click.argument("sources", nargs=-1, metavar="[SOURCE]...")
@days_options
@format_option
def rejects(sources: Sequence[str], from_: datetime | None, to_: datetime | None, format_: Format) -> None:
    """List the rejected rows of each SOURCE (default: of all), with file, line, reason and text.

    `staged` is yes if the day's other rows are live, and no if the day was refused
    because too many of its rows are rejected: then its earlier version, if there is one,
    is still live. A table shows the beginning of long texts; CSV and JSON have all of them.

    \b
    Examples:
      star-assets rejects
      star-assets rejects orders --from 2023-07-01 --to 2023-07-07 --format csv
    """
    from star_assets.cli.terminal import show_rejects, write_rows
    from star_assets.pipeline.rejects import rejected_rows

    warehouse = open_warehouse()
    chosen = in_order(warehouse, sources or list(warehouse.star.sources))
    if others := [name for name in chosen if name not in warehouse.star.sources]:
        known = ", ".join(warehouse.star.sources)
        raise click.UsageError(
            f"Rows are rejected where exports are staged: {others[0]} is no source. Sources: {known}."
        )
    first, last = str(from_.date() if from_ else date.min), str(to_.date() if to_ else date.max)
    found = rejected_rows(
        warehouse, [warehouse.star.sources[name] for name in chosen], lambda day: first <= day <= last
    )
    if format_ == "table" and found.num_rows:
        show_rejects(found)
    elif format_ != "table":
        write_rows(found, format_)
    if not found.num_rows:
        note(f"no row of {', '.join(chosen)} is rejected.")


@click.command(short_help="Account for every line, from raw to fact.")
@click.argument("fact", required=False)
@click.option("--measure", default="rows", show_default=True, help="What a table shows: rows, or a summed measure.")
@days_options
@format_option
def reconcile(fact: str | None, measure: str, from_: datetime | None, to_: datetime | None, format_: Format) -> None:
    """Account for every line, day by day, from the raw exports to FACT (default: the star's only one).

    Each exported line was rejected, is a row of the fact, or is none for a stated reason:
    a newer row superseded it, it was deleted, it has no header, or the fact's function
    leaves it out. A row may have another business date than the day of its export.
    `unexplained` is the difference between these steps and what queries return; if it is
    not zero, the exit code is 1. Without a range, the days are those from the first export
    to the last export or business date. The last rows are the sums over all days.

    \b
    Examples:
      star-assets reconcile --from 2023-07-01 --to 2023-07-07 --measure revenue
      star-assets reconcile --format csv > account.csv
    """
    from star_assets.cli.terminal import write_rows

    warehouse = open_warehouse()
    facts = list(warehouse.star.facts)
    if fact is None and len(facts) != 1:
        raise click.UsageError(f"Name the fact: {', '.join(facts)}.")
    name = fact or facts[0]
    if name not in facts:
        raise click.UsageError(f"{name} is no fact. Facts: {', '.join(facts)}.")
    account = warehouse.reconcile(name, chosen_days(warehouse, from_, to_) or warehouse.account_days(name))
    if measure not in account.measures:
        raise click.UsageError(f"{name} has no summed measure {measure!r}. Known: {', '.join(account.measures)}.")
    write_rows(account.by_day(measure) if format_ == "table" else account.rows(), format_, last_are_sums=True)
    if account.differing:
        fail(f"{len(account.differing)} days differ from their sources: {', '.join(account.differing[:NAMED])}.")
        sys.exit(EXIT_PERMANENT)


# The table properties that Athena needs to read the files.
SHARED = ("classification", "skip.header.line.count")


@click.command(short_help="Print the statements that create the tables on Athena.")
@click.argument("tables", nargs=-1, metavar="[TABLES]...")
@click.option("--partitions", is_flag=True, help="Also print the statements that register the live partitions.")
@click.option("--raw", is_flag=True, help="Print the tables of the raw exports instead.")
def ddl(tables: Sequence[str], partitions: bool, raw: bool) -> None:
    """Print the Athena statements that create TABLES (default: all of the star).

    Do not run MSCK REPAIR TABLE after them: a day's folder has several versions, and
    it would register all of them. With --partitions, ALTER TABLE statements register
    the versions that are live now.

    With --raw, print the tables over the raw exports of TABLES, if Athena can read these.

    \b
    Examples:
      star-assets ddl fact_sales
      star-assets ddl --partitions > star.sql
      star-assets ddl --raw orders
    """
    from star_assets.lake.ddl import add_partitions, create_database, create_table, has_other_types
    from star_assets.pipeline.raw.updating import raw_entries

    warehouse = open_warehouse()
    chosen = in_order(warehouse, tables)
    entries = [entry for entry in (raw_entries(warehouse) if raw else warehouse.entries()) if entry.name in chosen]
    called = warehouse.catalog.database_name
    databases = dict.fromkeys(called(entry.database) for entry in entries)
    statements = [create_database(database) for database in databases]
    catalog = warehouse.catalog.snapshot([(entry.database, entry.name) for entry in entries])
    for entry in entries:
        served, live = catalog.get((entry.database, entry.name), (entry, []))
        # A table that somebody creates by hand is theirs, so it lacks the properties that mark the star's own.
        parameters = {name: value for name, value in served.parameters.items() if name in SHARED}
        served = replace(served, database=called(served.database), parameters=parameters)
        statements.append(create_table(served))
        if partitions:
            odd = [partition.values[0] for partition in live if has_other_types(served, partition)]
            statements += add_partitions(served, [found for found in live if found.values[0] not in odd])
            if odd:
                note(
                    f"{entry.name}: left out {len(odd):,} partitions, from {odd[0]} on, whose files have column types "
                    "of an earlier declaration: Athena's DDL can add no partition with other types than the table's. "
                    "`star-assets run` builds again what it can."
                )
    for statement in statements:
        click.echo(f"{statement};\n")
    if not warehouse.storage.uri("").startswith("s3://"):
        note("Athena reads S3 only, and these locations are on this machine. Set STAR_LAKE to a lake on S3.")
