"""Options that several commands have, and opening the warehouse."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import date, datetime, timedelta
from math import isnan
from typing import TYPE_CHECKING, Any

import click

if TYPE_CHECKING:
    from star_assets.pipeline.warehouse import Warehouse

# A century, the most that STAR_RETENTION_DAYS allows too. Dates of some thousand years ago do not exist in Python.
MOST_DAYS = 36_525


class Days(click.FloatRange):
    """A number of days within bounds. Unlike click's range, it refuses `nan`."""

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> float:
        """The number."""
        found: float = super().convert(value, param, ctx)
        if isnan(found):
            self.fail(f"{value!r} is no number of days.", param, ctx)
        return found


format_option = click.option(
    "--format",
    "format_",
    type=click.Choice(["table", "csv", "json"]),
    default="table",
    show_default=True,
    help="The format of the rows.",
)


def days_options(command: Callable[..., None]) -> Callable[..., None]:
    """`--from` and `--to`: a range of days, both included."""
    first, last = "First day of a range; default: STAR_START_DATE.", "Last day of it; default: the last with an export."
    options = (("to", last), ("from", first))
    for name, text in options:
        day = click.DateTime(["%Y-%m-%d"])
        command = click.option(f"--{name}", f"{name}_", type=day, metavar="YYYY-MM-DD", help=text)(command)
    return command


def open_warehouse() -> Warehouse:
    """The warehouse that the environment's settings describe."""
    from star_assets.model.star import load_star
    from star_assets.pipeline.warehouse import Warehouse
    from star_assets.settings import load_settings

    settings = load_settings()
    return Warehouse(load_star(settings.model), settings)


def in_order(warehouse: Warehouse, tables: Sequence[str]) -> list[str]:
    """The named tables (all, if none is named), upstream first. Raises UnknownTable."""
    wanted = {warehouse.star.table(name).name for name in tables}
    return [name for name in warehouse.star.tables if name in wanted or not tables]


def chosen_days(warehouse: Warehouse, first: datetime | None, last: datetime | None) -> list[str] | None:
    """The days from `first` to `last`; None if neither is given. Raises UsageError if there is no day to run."""
    is_staged = any(map(warehouse.staged, warehouse.star.sources.values()))
    # If neither is given, and something is staged, there is something to look at: the raw zone is listed later.
    known = warehouse.days() if first or last or not is_staged else []
    if not warehouse.has_exports() or (not known and not last and (first or not is_staged)):
        raise click.UsageError(
            f"No days to run: {warehouse.storage.uri('oltp')} holds no exports from "
            f"{warehouse.settings.start_date} on. Is STAR_LAKE right? `star-assets sample` writes some."
        )
    if not first and not last:
        return None
    begin = first.date() if first else warehouse.settings.start_date
    end = last.date() if last else date.fromisoformat(known[-1])
    if end < begin:
        raise click.UsageError(f"No days to run: the last, {end}, is before the first, {begin}.")
    return [(begin + timedelta(days=number)).isoformat() for number in range((end - begin).days + 1)]
