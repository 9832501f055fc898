"""The star's exports: a day's is one answer of Cost Explorer over the fortnight that ends with the day.

It is pulled as from a database, each day once, so that runs, schedules and sensors
treat it as any export. What the lake itself published on the day is read off its
manifests. Not here: asking (explorer), which day is pulled when (pull).
"""

from __future__ import annotations

import csv
import gzip
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

from star_assets.costs.explorer import BillDay, CostExplorer, Outlook
from star_assets.costs.used import published
from star_assets.exports.pull.database import Database, Day
from star_assets.lake.places import open_storage
from star_assets.lake.storage import Storage
from star_assets.model.source import Source
from star_assets.settings import COSTS, Settings

# Bills of the last days change: this many are asked for again each day.
DAYS = 14

Rows = list[dict[str, Any]]


class CostExports(Database):
    """Cost Explorer and the manifests of a lake, as a database to pull from."""

    def __init__(self, explorer: CostExplorer, lake: Storage, first: date) -> None:
        self.explorer = explorer
        self.lake = lake
        self.first = first

    @contextmanager
    def claimed(self, what: str) -> Iterator[None]:
        """Nothing: what two processes were answered for one day differs in nothing but the time of asking."""
        yield

    def export(self, sources: Sequence[Source], day: Day, folder: Path) -> Mapping[str, int]:
        """Ask for the bill of the fortnight and, of yesterday, what is expected of the month; look into the lake.

        Raises AwsRefused, AwsDenied, AwsBusy.
        """
        last, asked_at = date.fromisoformat(day.name), datetime.now(UTC)
        found = self.explorer.bill(max(self.first, last - timedelta(days=DAYS - 1)), last + timedelta(days=1))
        services = sorted({line.service for bill in found for line in bill.lines})
        # Of months that are over, nothing is expected.
        is_newest = last + timedelta(days=1) == asked_at.date()
        outlook = self.explorer.outlook(asked_at.date(), services) if is_newest else None
        rows = {
            **bill_rows(found, asked_at),
            "services": [{"service": service, "asked_at": _moment(asked_at)} for service in services],
            "months": month_rows(outlook, asked_at),
            "versions": list(published(self.lake, day.name)),
        }
        for source in sources:
            _write(folder / f"{source.name}.csv.gz", source, rows[source.name])
        return {source.name: len(rows[source.name]) for source in sources}

    def close(self) -> None:
        """Nothing is open."""


def open_cost_explorer(settings: Settings) -> CostExports:
    """What the star of costs is pulled from; the lake whose manifests are read is the one that holds its folder."""
    lake = settings.model_copy(update={"lake": settings.lake.removesuffix(f"/{COSTS}")})
    return CostExports(CostExplorer(settings.cost_tag), open_storage(lake), settings.start_date)


def bill_rows(found: Sequence[BillDay], asked_at: datetime) -> dict[str, Rows]:
    """The rows of `bill_days` and `bill_lines`."""
    days = [
        {
            "usage_day": bill.day,
            "used_at": f"{bill.day} 00:00:00",
            "month": f"{bill.day:%Y-%m}",
            "estimated": str(bill.estimated).lower(),
            "asked_at": _moment(asked_at),
        }
        for bill in found
    ]
    lines = [{"usage_day": bill.day, **_plain(vars(line))} for bill in found for line in bill.lines]
    return {"bill_days": days, "bill_lines": lines}


def month_rows(outlook: Outlook | None, asked_at: datetime) -> Rows:
    """The row of `months`; none where nothing was asked."""
    if outlook is None:
        return []
    return [{"month": f"{asked_at:%Y-%m}", **_plain(vars(outlook)), "asked_at": _moment(asked_at)}]


def _plain(values: Mapping[str, Any]) -> dict[str, Any]:
    """Decimals without exponents."""
    return {name: f"{value:f}" if isinstance(value, Decimal) else value for name, value in values.items()}


def _moment(moment: datetime) -> str:
    return f"{moment:%Y-%m-%d %H:%M:%S}"


def _write(file: Path, source: Source, rows: Rows) -> None:
    with gzip.open(file, "wt", encoding="utf-8", newline="") as target:
        writer = csv.DictWriter(target, list(source.columns))
        writer.writeheader()
        writer.writerows(rows)
