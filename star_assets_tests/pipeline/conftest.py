"""Shared by the tests of the pipeline: a lake, tiny exports written as text, and what readers see of them."""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from datetime import date, timedelta
from itertools import count
from pathlib import Path
from typing import Any

import duckdb
import pytest

from star_assets.lake.ledger import Ledgers
from star_assets.lake.local_storage import LocalStorage
from star_assets.lake.vacuum import vacuum
from star_assets.lake.versions import LIVE, Manifest
from star_assets.model import Star
from star_assets.pipeline.outcome import Outcome
from star_assets.pipeline.rejects import rejected_rows
from star_assets.pipeline.warehouse import Warehouse
from star_assets.settings import Settings
from star_assets.star import dim_product, fact_sales, order_items, orders, products

ORDERS = "order_id,customer_id,store_id,ordered_at,status,updated_at,op"
ITEMS = "order_id,line_number,product_id,quantity,unit_price,discount"
PRODUCTS = "product_id,product_name,category,brand,list_price,updated_at"
CUSTOMERS = "customer_id,customer_name,email,city,state,segment,created_at,updated_at"
STORES = "store_id,store_name,city,state,region,opened_on,updated_at"

HEADERS = {"orders": ORDERS, "order_items": ITEMS, "products": PRODUCTS, "customers": CUSTOMERS, "stores": STORES}

# The retailer, cut down to what most rules need: a header, its lines, one dimension.
shop = Star(
    sources=[orders, order_items, products],
    dimensions=[dim_product],
    facts=[replace(fact_sales, references={"product_id": dim_product})],
)

# Two files written within one tick of the kernel's clock would look unchanged.
_tick = count(1_700_000_000)

Content = str | bytes


def is_fact_file(path: str) -> bool:
    return path.startswith("olap/fact_sales/date=")


def reads(monkeypatch: pytest.MonkeyPatch, is_counted: Callable[[str], bool]) -> list[str]:
    """The files, of those that are counted, that local lakes are asked for from now on."""
    read: list[str] = []
    local = LocalStorage.local

    def counted(storage: LocalStorage, paths: Sequence[str]) -> list[str]:
        read.extend(filter(is_counted, paths))
        return local(storage, paths)

    monkeypatch.setattr(LocalStorage, "local", counted)
    return read


class Lake:
    """A lake in a folder, filled by hand-written exports and read as the catalog serves it."""

    def __init__(self, root: Path, star: Star = shop, **settings: Any) -> None:
        self.root, self.star = root, star
        self.settings = Settings(lake=str(root), start_date=date(2023, 7, 1), threads=2, **settings)
        self.warehouse = Warehouse(star, self.settings)

    def again(self, star: Star | None = None, **settings: Any) -> Lake:
        """The same lake as another process sees it, with another star or other settings if given."""
        return Lake(self.root, star or self.star, **settings)

    # Exports

    def folder(self, source: str, day: str) -> Path:
        return self.root / "oltp" / source / f"date={day}"

    def write(self, source: str, day: str, files: Mapping[str, Content]) -> None:
        """Make these files the day's whole export."""
        folder = self.folder(source, day)
        shutil.rmtree(folder, ignore_errors=True)
        folder.mkdir(parents=True)
        for name, content in {**files, "_SUCCESS": b""}.items():
            file = folder / name
            file.parent.mkdir(exist_ok=True)
            file.write_bytes(content.encode() if isinstance(content, str) else content)
            moment = next(_tick)
            os.utime(file, (moment, moment))

    def export(self, source: str, day: str, *rows: str) -> None:
        """Make these rows, under the source's usual header, the day's whole export."""
        self.write(source, day, {f"{source}.csv": "\n".join([HEADERS[source], *rows]) + "\n"})

    def withdraw(self, source: str, day: str) -> None:
        """Take the day's export away, folder and all."""
        shutil.rmtree(self.folder(source, day))

    def is_exported(self, source: str, day: str) -> bool:
        return self.folder(source, day).is_dir()

    def raw(self, source: str) -> dict[str, list[str]]:
        """The columns of each export day that the source's raw table holds."""
        partitions = self.warehouse.catalog.partitions("oltp", source)
        return {one.values[0]: [column.name for column in one.columns] for one in partitions}

    def raw_columns(self, source: str) -> list[str]:
        """The columns of the source's raw table; none without one."""
        found = self.warehouse.catalog.table("oltp", source)
        return [column.name for column in found.columns] if found else []

    # Steps

    def refresh(self, table: str, *days: str) -> list[Outcome]:
        return list(self.warehouse.refresh(table, days))

    def run(self, *days: str, tables: Sequence[str] = ()) -> None:
        """Bring every table up to date for the days; nothing may fail.

        Of a day on which nothing happened there is an export without rows.
        """
        for name, source in self.star.sources.items():
            if tables and name not in tables:
                continue
            staged = self.warehouse.staged(source)
            for day in days:
                # One that was withdrawn is emptied.
                has_rows = day in staged and staged[day].rows
                if not has_rows and not self.is_exported(name, day):
                    self.write(name, day, {})
        self.run_as_is(*days, tables=tables)

    def run_as_is(self, *days: str, tables: Sequence[str] = ()) -> None:
        """The same of the exports that there are."""
        # Last, what facts used of earlier dimensions can leave them.
        for table in tables or [*self.star.tables, *self.star.dimensions]:
            failed = [str(outcome.error) for outcome in self.refresh(table, *days) if outcome.error]
            assert failed == []

    def tidy(self, *days: str) -> None:
        """Remove all past versions; then dimensions lose the members that only these used."""
        facts = [("olap", name) for name in self.star.facts]
        vacuum(self.warehouse.storage, self.warehouse.catalog, facts, timedelta(0))
        self.run(*days, tables=list(self.star.dimensions))

    def statuses(self, table: str, *days: str) -> list[str]:
        return [outcome.status for outcome in self.refresh(table, *days)]

    # What is there

    def rows(self, sql: str) -> list[tuple[Any, ...]]:
        """The rows of a query over the tables as the catalog serves them, in every database."""
        with duckdb.connect() as connection:
            connection.execute("SET TimeZone = 'UTC'; SET python_enable_replacements = false")
            for entry in self.warehouse.entries():
                found = self.warehouse.catalog.table(entry.database, entry.name)
                if found is None:
                    continue
                served = [(None, found.location)]
                if found.partition_columns:
                    partitions = self.warehouse.catalog.partitions(entry.database, entry.name)
                    served = [(partition.values[0], partition.location) for partition in partitions]
                parts = [
                    "SELECT *" + (f", '{day}' AS date" if day else "") + f" FROM read_parquet({self.files(location)}, "
                    "hive_partitioning=false)"
                    for day, location in served
                ]
                if parts:
                    connection.execute(f"CREATE VIEW {entry.name} AS {' UNION ALL BY NAME '.join(parts)}")
            return connection.execute(sql).fetchall()

    def files(self, location: str | None) -> list[str]:
        """The visible files of a folder, where they can be read."""
        assert location is not None
        return [str(file) for file in sorted(Path(location).iterdir()) if not file.name.startswith(("_", "."))]

    def sales(self) -> list[tuple[Any, ...]]:
        """(date, sale_id, product_id, quantity, revenue as text) of every sale."""
        return self.rows(
            "SELECT date, sale_id, product_id, quantity, revenue::VARCHAR FROM fact_sales ORDER BY date, sale_id"
        )

    def manifest(self, table: str, day: str) -> Manifest:
        found = self.warehouse.live_manifest(table, day)
        assert found is not None
        return found

    def live(self) -> dict[str, str]:
        """The live version of everything that has versions, states and indexes among them."""
        found = {}
        for database, table in self.warehouse.versioned_tables():
            for key, entry in Ledgers(self.warehouse.storage, database, table).look().live.items():
                found[f"{table} {key if key == LIVE else f'date={key}'}"] = entry.version
        return found

    def rejects(self, source: str, day: str) -> list[tuple[Any, ...]]:
        """(file, line, reason, raw) of the rejects of the live version; of a stream's day, of all hours."""
        found = rejected_rows(self.warehouse, [self.star.sources[source]], day.__eq__).to_pylist()
        return [(row["file"], row["line"], row["reason"], row["raw"]) for row in found if row["staged"]]


class AwsLake(Lake):
    """The same on S3 and Glue; `STAR_GLUE_PREFIX` says which databases are its own."""

    def __init__(self, url: str, star: Star = shop, **settings: Any) -> None:
        super().__init__(url, star, **settings)  # type: ignore[arg-type]

    def again(self, star: Star | None = None, **settings: Any) -> AwsLake:
        return AwsLake(str(self.root), star or self.star, **settings)

    def write(self, source: str, day: str, files: Mapping[str, Content]) -> None:
        folder, storage = f"oltp/{source}/date={day}", self.warehouse.storage
        storage.delete([stored.path for stored in storage.walk(folder)])
        for name, content in {**files, "_SUCCESS": b""}.items():
            storage.write(f"{folder}/{name}", content.encode() if isinstance(content, str) else content)

    def withdraw(self, source: str, day: str) -> None:
        storage = self.warehouse.storage
        storage.delete([stored.path for stored in storage.walk(f"oltp/{source}/date={day}")])

    def is_exported(self, source: str, day: str) -> bool:
        return any(self.warehouse.storage.walk(f"oltp/{source}/date={day}"))

    def files(self, location: str | None) -> list[str]:
        storage = self.warehouse.storage
        listed = [stored.path for stored in storage.walk(storage.path(location or "") or "")]
        return storage.local([path for path in listed if not path.rpartition("/")[2].startswith("_")])


def open_lake(place: str) -> Lake:
    """The lake of the small shop in a folder, or at a URL."""
    return AwsLake(place) if "://" in place else Lake(Path(place))


MakeLake = Callable[..., Lake]


@pytest.fixture
def make_lake(tmp_path: Path) -> MakeLake:
    """Makes lakes of their own: `make_lake(star, STAR settings…)`."""
    numbers = count(1)
    return lambda star=shop, **settings: Lake(tmp_path / f"lake{next(numbers)}", star, **settings)


@pytest.fixture
def make_aws_lake(aws: Callable[[], Settings], monkeypatch: pytest.MonkeyPatch) -> MakeLake:
    """Makes a lake on AWS, by default of the small shop, which the environment leads other processes to."""

    def make(star: Star = shop) -> Lake:
        settings = aws()
        monkeypatch.setenv("STAR_GLUE_PREFIX", settings.glue_prefix)
        return AwsLake(settings.lake, star)

    return make


@pytest.fixture
def lake(make_lake: MakeLake) -> Lake:
    """An empty lake of the small shop."""
    return make_lake()


@pytest.fixture(scope="module")
def module_lake(tmp_path_factory: pytest.TempPathFactory) -> MakeLake:
    """Makes lakes that all tests of a module share."""
    return lambda star=shop, **settings: Lake(tmp_path_factory.mktemp("lake"), star, **settings)
