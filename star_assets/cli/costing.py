"""The command `costs`: what the lake costs this month, and what is expected of it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from decimal import Decimal
from typing import TYPE_CHECKING

import click

from star_assets.cli.options import format_option
from star_assets.cli.shell import note

if TYPE_CHECKING:
    from star_assets.cli.terminal import Format
    from star_assets.costs.report import Report
    from star_assets.pipeline.warehouse import Warehouse

# Days, services and tables that the charts show; --format csv and json have all.
DAYS, BARS = 14, 10


@click.command(short_help="Show what the lake costs on AWS.")
@click.option(
    "--update", is_flag=True, help="Ask Cost Explorer for the days that lack, a cent for each page, and build."
)
@format_option
def costs(update: bool, format_: Format) -> None:
    """Show what the lake costs on AWS: this month, its forecast and budget, by day, service and table.

    It reads the star of costs, which lies in the folder `costs` of the lake and is asked for
    from STAR_COSTS_START_DATE on, by Dagster's schedule or with --update; without that, nobody
    is asked and nothing is paid. What is behind a table is an estimate, by what its versions used.

    \b
    Examples:
      star-assets costs --update
      star-assets costs --format json
    """
    import pyarrow as pa

    from star_assets.cli.building import build
    from star_assets.cli.terminal import write_rows

    warehouse = _open()
    if update:
        build(warehouse)
    found = _read(warehouse)
    if format_ == "table":
        _show(found)
    else:
        of, names, amounts = zip(*_rows(found), strict=True)
        write_rows(pa.table({"of": of, "name": names, "usd": pa.array(amounts, pa.decimal128(38, 12))}), format_)


def _open() -> Warehouse:
    """The warehouse of the star of costs. Raises BadSetting where there is none."""
    from star_assets.costs.star import costs as star
    from star_assets.model.errors import BadSetting
    from star_assets.pipeline.warehouse import Warehouse
    from star_assets.settings import load_settings

    settings = load_settings()
    if not settings.on_aws:
        raise BadSetting("STAR_LAKE", settings.lake, "s3://bucket/prefix: what is not on AWS is on no bill of AWS's")
    if not settings.asks_for_costs:
        raise BadSetting("STAR_COSTS_START_DATE", "", "the first day whose costs are to be asked for, YYYY-MM-DD")
    return Warehouse(star, settings.for_costs())


def _read(warehouse: Warehouse) -> Report:
    from star_assets.athena.embedded import EmbeddedAthena
    from star_assets.costs.report import read

    if not all(
        warehouse.look("olap", name).live for name in ("fact_cost", "fact_run_cost", "dim_service", "dim_month")
    ):
        where = warehouse.storage.uri("")
        raise click.UsageError(f"{where} has no costs yet: `star-assets costs --update` asks Cost Explorer for them.")
    return read(EmbeddedAthena(warehouse.storage, warehouse.catalog), datetime.now(UTC).date())


def _rows(found: Report) -> Iterator[tuple[str, str, Decimal | None]]:
    """What the report says, each amount in a row."""
    month = {"so far": found.so_far, "forecast": found.forecast, "budget": found.budget, "untagged": found.untagged}
    groups: dict[str, Mapping[str, Decimal | None]] = {
        "month": month,
        "service": found.services,
        "table": found.tables,
        "day": found.days,
    }
    for of, amounts in groups.items():
        yield from ((of, name, amount) for name, amount in amounts.items())


def _show(found: Report) -> None:
    """The report, for people: a line on the month, and a chart of days, services and tables."""
    from rich.console import Console

    from star_assets.cli.terminal import bar_chart
    from star_assets.costs.report import checks, usd

    console = Console(highlight=False)
    expected = f", {usd(found.expected)} expected" if found.forecast is not None else ""
    against = f", of a budget of {usd(found.budget)}" if found.budget is not None else ""
    console.print(f"{found.month}: {usd(found.so_far)} so far{expected}{against}")
    charts: tuple[tuple[str, Mapping[str, Decimal]], ...] = (
        ("By day, in US dollars", dict(list(found.days.items())[-DAYS:])),
        ("By service", dict(list(found.services.items())[:BARS])),
        ("By table, as estimated from what its versions used", dict(list(found.tables.items())[:BARS])),
    )
    for title, amounts in charts:
        console.print(f"\n{title}", style="bold")
        console.print(bar_chart(list(amounts), list(amounts.values()), min(console.width, 100), places(amounts)))
    for check in checks(found, datetime.now(UTC).replace(tzinfo=None)):
        if not check.passed:
            note(f"{check.name}: {check.description}.")


def places(amounts: Mapping[str, Decimal]) -> int:
    """How many decimals show something of amounts: two where one is a dollar or more, else four."""
    return 2 if max(amounts.values(), default=Decimal(0)) >= 1 else 4
