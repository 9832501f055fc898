"""A small lake with real exports, and a warehouse whose outcomes a test decides."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path

import dagster as dg
import pyarrow as pa
import pytest

from star_assets.lake.catalog import PartitionEntry, TableEntry
from star_assets.lake.entries import table_entry
from star_assets.lake.ledger import Entry
from star_assets.lake.local_storage import LocalStorage
from star_assets.lake.versions import DataFile, Identity, Manifest, Partition
from star_assets.model import Source, Star
from star_assets.model.errors import StarError
from star_assets.model.types import Type
from star_assets.orchestration.build import build_definitions
from star_assets.orchestration.describe import database
from star_assets.orchestration.keys import asset_key
from star_assets.orchestration.run import QUIET, partition_tags
from star_assets.pipeline.account import Account
from star_assets.pipeline.out_of_date import OutOfDate
from star_assets.pipeline.outcome import CheckResult, Outcome
from star_assets.pipeline.warehouse import Warehouse
from star_assets.samples.retailer import write_exports
from star_assets.settings import Settings
from star_assets.star import retail

DAYS = ["2023-07-01", "2023-07-02", "2023-07-03"]


@dataclass
class DecidedWarehouse:
    """Publishes three rows for each day, but for the (table, day) that `errors` or `broken` names."""

    star: Star
    settings: Settings
    errors: dict[tuple[str, str], StarError] = field(default_factory=dict)
    published: dict[str, list[str]] = field(default_factory=dict)
    reconciles: bool = True
    joins: bool = True
    reconciled: list[str] = field(default_factory=list)

    def live_manifest(self, table: str, day: str) -> Manifest:
        return Manifest("v1", Identity("i1"), "", (DataFile("f", 3, 120, "0"),), (), {}, {}, {"rejected": 1})

    def refresh(self, table: str, days: Sequence[str], undo_rollbacks: bool = True) -> Iterator[Outcome]:
        for day in days:
            partition = Partition(database(self.star.table(table)), table, day)
            rule = CheckResult("key unique", (table, day) not in self.errors, "expected 0 of 3, found …")
            if error := self.errors.get((table, day)):
                yield Outcome(table, day, partition, "failed", error=error, checks=(rule,))
            else:
                self.published.setdefault(table, []).append(day)
                manifest, location = self.live_manifest(table, day), f"/lake/{table}"
                yield Outcome(table, day, partition, "published", manifest, location, checks=(rule,))

    def sample(self, table: str, day: str) -> pa.Table:
        return pa.table({"name": ["a|b", None], "day": [day, "x" * 99]})

    def newest_rows(self, table: str, days: int) -> dict[str, int]:
        return dict.fromkeys(sorted(self.published[table])[-days:], 3)

    def reconcile(self, fact: str, days: Sequence[str]) -> Account:
        self.reconciled = list(days)
        steps = {"staged": {"rows": 3}, "fact": {"rows": 3}, "unexplained": {"rows": 0 if self.reconciles else 1}}
        return Account(fact, {"rows": Type("int64")}, dict.fromkeys(days, steps))

    def joined(self, fact: str, days: Sequence[str]) -> dict[str, dict[str, object]]:
        return {"": {"rows": 3}, "product_id": {"rows": 3 if self.joins else 2}}

    def staged(self, source: Source) -> dict[str, Entry]:
        return {}

    def provisional_receipts(self, fact: str, before: datetime) -> list[dict[str, object]]:
        return []

    def out_of_date(self, table: str) -> OutOfDate:
        return OutOfDate()

    def remarks(self, table: str, found: OutOfDate) -> list[str]:
        return []

    @property
    def catalog(self) -> DecidedWarehouse:
        return self

    @property
    def storage(self) -> LocalStorage:
        return LocalStorage(Path(self.settings.lake))

    def page(self, *_: str) -> None:
        """No page of the web shows it."""

    def table(self, database: str, table: str) -> TableEntry:
        return table_entry(self.star, self.star.table(table), self.storage)

    def partitions(self, database: str, table: str) -> list[PartitionEntry]:
        return [PartitionEntry((day,), "/lake", parameters={"rows": "3"}) for day in self.published.get(table, [])]


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    return Settings(lake=str(tmp_path / "lake"), threads=2)


@pytest.fixture
def decided(settings: Settings) -> DecidedWarehouse:
    return DecidedWarehouse(retail, settings)


@pytest.fixture
def instance() -> Iterator[dg.DagsterInstance]:
    with dg.DagsterInstance.ephemeral() as ephemeral:
        yield ephemeral


def exported(settings: Settings) -> Warehouse:
    """A warehouse over three days of real exports, nothing staged."""
    write_exports(Path(settings.lake), settings.start_date, len(DAYS), orders_per_day=5)
    return Warehouse(retail, settings)


@pytest.fixture
def lake(settings: Settings) -> Warehouse:
    return exported(settings)


def materialize(
    warehouse: DecidedWarehouse | Warehouse, instance: dg.DagsterInstance, days: Sequence[str], *tables: str
) -> dg.ExecuteInProcessResult:
    """Run the tables (default: all; no report) for days, as Dagster does."""
    definitions = build_definitions(warehouse.star, warehouse.settings, warehouse)
    job = definitions.resolve_implicit_global_asset_job_def()
    return job.execute_in_process(
        instance=instance,
        tags=partition_tags(days),
        run_config=QUIET,
        raise_on_error=False,
        asset_selection=[asset_key(warehouse.settings, table) for table in tables or warehouse.star.tables],
    )
