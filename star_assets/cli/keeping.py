"""Commands that keep the lake in order: `rollback`, `verify`, `repair`, `vacuum`, `retire`, `forget`."""

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

quick_option = click.option("--quick", is_flag=True, help="Read no file: compare names and sizes alone.")


@click.command(short_help="Make an earlier version live again.")
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
    found = warehouse.rollback(table, day, version)
    assert found.live is not None
    name = f"{table} --day {day}" if day else table
    click.echo(f"{table} {day or ''}".strip() + f": {found.live.version} is live, {found.live.rows:,} rows.", err=True)
    if found.past:
        click.echo(f"To undo: star-assets rollback {name} --version {found.past[0].version}", err=True)


@click.command(short_help="Tell whether everything is as it was written.")
@quick_option
@format_option
def verify(quick: bool, format_: Format) -> None:
    """Compare every live version with its manifest, every ledger and the catalog with what lies there.

    Each damage is told with its place, what was expected, what was found, and what mends
    it; most of them, `repair` does. Every file is read, to compare its checksum; with
    --quick none is, and a file that changed within its size is not noticed. Nothing is
    changed. The exit code is 0 only where everything fits.

    \b
    Examples:
      star-assets verify
      star-assets verify --quick --format json
    """
    from rich.console import Console
    from rich.filesize import decimal as file_size

    from star_assets.cli.terminal import write_rows
    from star_assets.pipeline.damage import damage_rows
    from star_assets.pipeline.verify import verify as look

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


@click.command(short_help="Build what is damaged again; bring the catalog in step.")
@quick_option
def repair(quick: bool) -> None:
    """Build again what `verify` finds damaged, and bring the catalog in step with what is live.

    A ledger that cannot be read is made again from the versions beside it. A damaged
    version is built again from what is there: of a source's day, from its raw export.
    What nothing in the lake can mend stays as it is, and is named.

    Queries find tables through the catalog. A run that was killed between
    publishing and registering leaves it behind; so does a lost catalog. Both are
    mended from the lake alone. Raw exports that were dropped since are registered.

    \b
    Example:
      star-assets repair --quick
    """
    from rich.console import Console

    from star_assets.pipeline.rebuild import rebuild

    warehouse = open_warehouse()
    with Console(stderr=True).status("Looking …" if quick else "Reading every file …"):
        mended = list(rebuild(warehouse, quick))
    for one in mended:
        where = f"{one.table} {one.place}".strip()
        if one.error:
            fail(f"{where}: {one.error}")
        else:
            click.echo(visible(f"{where}: {one.done}"), err=True)
    told = {(one.table, one.place) for one in mended if one.error}
    drifts = [one for one in warehouse.mend(warehouse.star.tables) if (one.table, one.partition) not in told]
    for drift in drifts:
        where = visible(f"{drift.table} {drift.partition or ''}".strip())
        click.echo(f"{where}: {DRIFTS[drift.what]}", err=True)
    if not drifts and not mended:
        click.echo("Nothing to repair: everything fits, and the catalog serves what is live.", err=True)
    if told or any(drift.what in ("not ours", "lost") for drift in drifts):
        sys.exit(EXIT_PERMANENT)


DRIFTS = {
    "registered": "registered; the catalog lacked it",
    "moved": "moved to what is live",
    "dropped": "dropped; nothing of it is live",
    "redefined": "redefined as the model declares it",
    "crawled": "its crawler has looked for exports that the catalog lacked",
    "not ours": "left alone: somebody else's table has that name. Drop or rename it",
    "lost": "left alone: the live version is damaged. `star-assets verify` says what mends it",
}


@click.command(short_help="Delete versions superseded long ago.")
@click.option("--retention-days", type=Days(0, MOST_DAYS), help="Days to keep them; default: STAR_RETENTION_DAYS.")
def vacuum(retention_days: float | None) -> None:
    """Delete versions that queries have not been served for longer than the retention.

    The retention of a version begins when vacuum first finds it superseded and no longer
    served. What is live stays, and so does every file that star-assets did not write. A
    rollback cannot return to what is deleted. The schedule `housekeeping` does this daily.

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


@click.command(short_help="Delete raw exports that staging stands for.")
@click.option(
    "--older-than",
    type=click.IntRange(1, MOST_DAYS),
    required=True,
    metavar="DAYS",
    help="Delete raw files of export days older than DAYS.",
)
@click.option("--dry-run", is_flag=True, help="List what would be deleted, and delete nothing.")
@click.option("--yes", is_flag=True, help="Do not ask.")
def retire(older_than: int, dry_run: bool, yes: bool) -> None:
    """Delete the raw files of export days older than DAYS.

    A day's files are deleted only if its live staged version was made of exactly these
    files, and is there with its checksums, so that every table can still be rebuilt, from
    staging. A file that is replaced meanwhile stays. Days that must stay are named, with the
    reason. Retired days cannot be staged anew: after a change of their source's declaration
    they stay as they are, and `run` names them.

    \b
    Examples:
      star-assets retire --older-than 400 --dry-run
      star-assets retire --older-than 400
    """
    from rich.filesize import decimal as file_size

    from star_assets.pipeline.retire import delete_listed, retirable

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
        click.echo(f"Would retire {_counted(len(found.days), 'export day')}: {file_size(found.size)}.", err=True)
        return
    if not yes:
        what = f"raw files of {_counted(len(found.days), 'export day')} ({file_size(found.size)})"
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
@click.option("--yes", is_flag=True, help="Do not ask.")
def forget(dimension: str, key: str, yes: bool) -> None:
    """Erase the member KEY of DIMENSION from the whole lake.

    Raw files are rewritten without it; its sales stay, under the Unknown member. What is
    built of those files is built again, earlier versions of these tables are deleted, so
    that no rollback can bring it back, and then every file is searched for what is left.
    Erase it from the database first, or the next export brings it again.

    \b
    Example:
      star-assets forget dim_customer 4711
    """
    from star_assets.pipeline.forget import forget as erase

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
