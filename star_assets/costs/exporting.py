"""Exports the bill and the usage of versions, as a database that the star of costs is pulled from.

A day's export has Cost Explorer's answer over the fortnight that ends with the day, and
the lake's versions of the day. It is pulled once, like any other export. Not here:
calls to Cost Explorer (explorer), which day is pulled when (exports.pull).
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

# The bills of so many last days may still change, and are exported again each day.
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
        """No lock: the answers to two processes for one day differ only in the time of asking."""
        yield

    def export(self, sources: Sequence[Source], day: Day, folder: Path) -> Mapping[str, int]:
        """Export the bill of the fortnight, the day's versions, and, if the day is yesterday, the month's outlook.

        Raises AwsRefused, AwsDenied, AwsBusy.
        """
        last, asked_at = date.fromisoformat(day.name), datetime.now(UTC)
        found = self.explorer.bill(max(self.first, last - timedelta(days=DAYS - 1)), last + timedelta(days=1))
        services = sorted({line.service for bill in found for line in bill.lines})
        # Only the newest day's export has the outlook of the current month.
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
        """Nothing to close."""


def open_cost_explorer(settings: Settings) -> CostExports:
    """The exports of the star of costs; versions are those of the lake that contains the folder `costs`."""
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
    """The row of `months`; none without an outlook."""
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
