"""Commands that maintain the lake: `rollback`, `verify`, `repair`, `vacuum`, `retire`, `forget`."""

from __future__ import annotations

import sys
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

import click

from star_assets.cli.options import MOST_DAYS, Days, format_option, open_warehouse
from star_assets.cli.shell import EXIT_PERMANENT, fail, note
from star_assets.visible import visible

if TYPE_CHECKING:
    from star_assets.cli.terminal import Format

quick_option = click.option("--quick", is_flag=True, help="Compare names and sizes of files only.")


@click.command(short_help="Make an earlier version live again.")
@click.argument("table")
@click.option("--day", metavar="YYYY-MM-DD", help="The partition, of a stream with its hour; a dimension has none.")
@click.option("--version", help="The version to go back to; default: the one before the live version.")
def rollback(table: str, day: str | None, version: str | None) -> None:
    """Make an earlier version of TABLE live again.

    Nothing is computed: the version is still in the lake, until vacuum deletes it. A
    rollback can be rolled back. A run that refreshes the day builds it again from its
    inputs, so correct those first. If VERSION is unknown, the error lists those that are kept.

    \b
    Examples:
      star-assets rollback fact_sales --day 2023-07-01
      star-assets rollback pos_sales --day 2023-07-01T14
      star-assets rollback dim_product --version 20240102T030405000000-0a1b2c3d
    """
    from star_assets.model.tables import Dimension

    warehouse = open_warehouse()
    if isinstance(warehouse.star.table(table), Dimension) == (day is not None):
        raise click.UsageError(
            f"{table} has no partitions: leave out --day." if day else f"Name the day of {table}: --day."
        )
    found = warehouse.rollback(table, day, version)
    assert found.live is not None
    name = f"{table} --day {day}" if day else table
    click.echo(f"{table} {day or ''}".strip() + f": {found.live.version} is live, {found.live.rows:,} rows.", err=True)
    if found.past:
        click.echo(f"To undo: star-assets rollback {name} --version {found.past[0].version}", err=True)


@click.command(short_help="Check that everything is as it was written.")
@quick_option
@format_option
def verify(quick: bool, format_: Format) -> None:
    """Compare every live version with its manifest, and the ledgers and the catalog with the lake's files.

    For each damage it prints the place, what was expected, what was found, and the remedy;
    `repair` remedies most of them. Every file is read, to compare its checksum. With --quick
    no file is read, so a change that keeps a file's size is not noticed. Nothing is changed.
    The exit code is 0 only if nothing is damaged.

    \b
    Examples:
      star-assets verify
      star-assets verify --quick --format json
    """
    from rich.console import Console
    from rich.filesize import decimal as file_size

    from star_assets.cli.terminal import write_rows
    from star_assets.keeping.damage import damage_rows
    from star_assets.keeping.verify import verify as look

    warehouse = open_warehouse()
    with Console(stderr=True).status("Looking …" if quick else "Reading every file …"):
        found = look(warehouse, quick)
    if format_ != "table":
        write_rows(damage_rows(found.damages), format_)
    else:
        for damage in found.damages:
            click.echo(str(damage))
    looked_at = f"{found.versions:,} live versions, {found.files:,} files, {file_size(found.bytes)}"
    if found.damages:
        fail(f"{_counted(len(found.damages), 'damage')} in {looked_at}.")
        sys.exit(EXIT_PERMANENT)
    click.echo(f"Everything fits: {looked_at}.", err=True)
    if not found.versions:
        note(f"{warehouse.storage.uri('')} holds nothing published. Is STAR_LAKE right? `star-assets run` builds it.")


@click.command(short_help="Build damaged versions again; correct the catalog.")
@quick_option
def repair(quick: bool) -> None:
    """Build again what `verify` finds damaged, and make the catalog serve the live versions.

    An unreadable ledger is written again from the versions beside it. A damaged version is
    built again from its inputs; a source's day, from its raw export. What cannot be restored
    from the lake is left as it is, and named.

    Queries find tables through the catalog. If a run was killed between publishing and
    registering, or the catalog was lost, it is restored from the ledgers. Raw exports that
    arrived since are registered.

    \b
    Example:
      star-assets repair --quick
    """
    from rich.console import Console

    from star_assets.keeping.rebuild import rebuild

    warehouse = open_warehouse()
    with Console(stderr=True).status("Looking …" if quick else "Reading every file …"):
        mended = list(rebuild(warehouse, quick))
    for one in mended:
        where = f"{one.table} {one.place}".strip()
        if one.error:
            fail(f"{where}: {one.error}")
        else:
            click.echo(visible(f"{where}: {one.done}"), err=True)
    failed = {(one.table, one.place) for one in mended if one.error}
    drifts = [one for one in warehouse.mend(warehouse.star.tables) if (one.table, one.partition) not in failed]
    for drift in drifts:
        where = visible(f"{drift.table} {drift.partition or ''}".strip())
        click.echo(f"{where}: {DRIFTS[drift.what]}", err=True)
    if not drifts and not mended:
        click.echo("Nothing to repair: everything fits, and the catalog serves what is live.", err=True)
    if failed or any(drift.what in ("not ours", "lost") for drift in drifts):
        sys.exit(EXIT_PERMANENT)


DRIFTS = {
    "registered": "registered; it was missing in the catalog",
    "moved": "moved to the live version",
    "dropped": "dropped; it has no live version",
    "redefined": "redefined as the model declares it",
    "crawled": "its crawler has looked for exports that the catalog lacked",
    "not ours": "left alone: somebody else's table has that name. Drop or rename it",
    "lost": "left alone: the live version is damaged. `star-assets verify` names the remedy",
}


@click.command(short_help="Delete versions that were superseded long ago.")
@click.option("--retention-days", type=Days(0, MOST_DAYS), help="Days to keep them; default: STAR_RETENTION_DAYS.")
def vacuum(retention_days: float | None) -> None:
    """Delete superseded versions that the catalog has not served for longer than the retention.

    The retention of a version begins when vacuum first finds it superseded and no longer
    served. Live versions are kept, and so is every file that star-assets did not write. A
    rollback cannot return to a deleted version. The schedule `housekeeping` runs vacuum daily.

    \b
    Example:
      star-assets vacuum --retention-days 30
    """
    from rich.filesize import decimal as file_size

    warehouse = open_warehouse()
    removed = warehouse.vacuum(None if retention_days is None else timedelta(days=retention_days))
    freed = f"{removed.files:,} files, {file_size(removed.bytes)}"
    click.echo(f"{removed.versions:,} versions removed: {freed}." if removed.files else "Nothing to remove.", err=True)
    if removed.waiting:
        note(f"{removed.waiting:,} superseded versions stay until their retention is over.")


@click.command(short_help="Delete raw exports that are staged.")
@click.option(
    "--older-than",
    type=click.IntRange(1, MOST_DAYS),
    required=True,
    metavar="DAYS",
    help="Delete raw files of export days older than DAYS.",
)
@click.option("--dry-run", is_flag=True, help="List what would be deleted, and delete nothing.")
@click.option("--yes", is_flag=True, help="Do not ask for confirmation.")
def retire(older_than: int, dry_run: bool, yes: bool) -> None:
    """Delete the raw files of export days older than DAYS.

    A day's files are deleted only if its live staged version was made of exactly these
    files and has its checksums, so that every table can still be rebuilt from staging. A
    file that is replaced meanwhile is kept. Days that must be kept are named, with the
    reason. Retired days cannot be staged again: if their source's declaration changes, their
    staged versions stay as they are, and `run` names them.

    \b
    Examples:
      star-assets retire --older-than 400 --dry-run
      star-assets retire --older-than 400
    """
    from rich.filesize import decimal as file_size

    from star_assets.keeping.retire import delete_listed, retirable

    warehouse = open_warehouse()
    found = retirable(warehouse, timedelta(days=older_than), datetime.now(warehouse.settings.zone).date())
    for reason in found.kept:
        note(f"kept {reason}.")
    if not found.days:
        click.echo("Nothing to retire.", err=True)
        return
    if dry_run:
        for old in found.days:
            click.echo(f"{old.source.name} {old.day}: {_counted(len(old.files), 'file')}, {file_size(old.size)}")
        click.echo(f"Would retire {_counted(found.count, 'export day')}: {file_size(found.size)}.", err=True)
        return
    if not yes:
        what = f"raw files of {_counted(found.count, 'export day')} ({file_size(found.size)})"
        click.confirm(f"Delete the {what} from {warehouse.storage.uri('oltp')} for good?", abort=True, err=True)
    done = delete_listed(warehouse, found)
    for reason in done.kept:
        note(f"kept {reason}.")
    click.echo(f"{_counted(done.days, 'export day')} retired: {file_size(done.bytes)}.", err=True)


def _counted(number: int, noun: str) -> str:
    return f"{number:,} {noun}" if number == 1 else f"{number:,} {noun}s"


@click.command(short_help="Erase a person, or another member of a dimension.")
@click.argument("dimension")
@click.argument("key")
@click.option("--yes", is_flag=True, help="Do not ask for confirmation.")
def forget(dimension: str, key: str, yes: bool) -> None:
    """Erase the member KEY of DIMENSION from the whole lake.

    Its rows are removed from raw files; its sales are kept, under the Unknown member. Then the
    tables of these files are built again, their earlier versions are deleted, so that no
    rollback can restore the member, and every file is searched for traces of it. Erase the
    member in the database first, or the next export brings it back.

    \b
    Example:
      star-assets forget dim_customer 4711
    """
    from star_assets.keeping.forget import forget as erase

    warehouse = open_warehouse()
    warehouse.star.table(dimension)
    if not yes:
        click.confirm(f"Erase {dimension} {key} from {warehouse.storage.uri('')} for good?", abort=True, err=True)
    found = erase(warehouse, dimension, key)
    if not found:
        click.echo(f"Nothing in the lake names {dimension} {key}.", err=True)
        return
    for place, count in found.items():
        click.echo(f"{visible(place)}: {count:,} found, 0 left", err=True)
