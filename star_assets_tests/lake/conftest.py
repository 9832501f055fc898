"""A small lake with one fact and one dimension, here and on AWS, its writer, its reader, and other processes."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from copy import copy
from dataclasses import replace
from functools import partial
from itertools import count
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from star_assets.lake.catalog import CatalogColumn, TableEntry
from star_assets.lake.drift import mend
from star_assets.lake.ledger import Day, Entry, Ledger, read_day, swap
from star_assets.lake.local_catalog import LocalCatalog
from star_assets.lake.places import open_catalog, open_storage
from star_assets.lake.publish import Commit, commit, serve, write_version
from star_assets.lake.storage import Storage
from star_assets.lake.versions import DataFile, Identity, Manifest, Partition, new_version_id, now
from star_assets.model.errors import LostRace
from star_assets.settings import Settings

DAY = Partition("olap", "fact_sales", "2023-07-01")
NEXT_DAY = Partition("olap", "fact_sales", "2023-07-02")
PRODUCTS = Partition("olap", "dim_product")

NUMBER = CatalogColumn("number", "bigint", "The version's number, in every row.")
FACT = TableEntry("olap", "fact_sales", (NUMBER,), (CatalogColumn("date", "string"),))
DIMENSION = TableEntry("olap", "dim_product", (NUMBER,))


class Lake:
    """Publishes versions whose every row carries the version's number, and reads them as users do."""

    fact, dimension = FACT, DIMENSION
    day, next_day, products = DAY, NEXT_DAY, PRODUCTS
    files, rows = 2, 10

    def __init__(self, settings: Settings, is_local: bool) -> None:
        self.storage, self.catalog = open_storage(settings), open_catalog(settings)
        self.is_local = is_local

    def table(self, partition: Partition) -> TableEntry:
        return FACT if partition.day else DIMENSION

    def written(self, number: int, columns: dict[str, str] | None = None) -> tuple[Manifest, list[Path]]:
        """A version's files in scratch, and its manifest."""
        folder = self.storage.scratch()
        names = [f"part-{index:05}.parquet" for index in range(self.files)]
        for name in names:
            pq.write_table(pa.table({"number": pa.array([number] * self.rows, pa.int64())}), folder / name)
        described = tuple(DataFile(name, self.rows, (folder / name).stat().st_size, "") for name in names)
        schema = tuple((columns or {"number": "bigint"}).items())
        identity = Identity(f"identity {number}")
        manifest = Manifest(new_version_id(), identity, now(), described, schema, {"number": number})
        return manifest, [folder / name for name in names]

    def write(self, partition: Partition, number: int, columns: dict[str, str] | None = None) -> Manifest:
        """A version in its folder, not committed."""
        manifest, files = self.written(number, columns)
        write_version(self.storage, partition, manifest, files)
        files[0].parent.rmdir()
        return manifest

    def commit(self, partition: Partition, manifest: Manifest, seen: Entry | None) -> None:
        """Make a written version live. Raises LostRace."""
        if not commit(self.storage, [Commit(partition, manifest, seen)])[partition]:
            raise LostRace(partition.ledger)

    def publish(self, partition: Partition, number: int, columns: dict[str, str] | None = None) -> Day:
        seen = self.day_of(partition).live
        self.commit(partition, self.write(partition, number, columns), seen)
        serve(self.storage, self.catalog, self.table(partition), [partition])
        return self.day_of(partition)

    def day_of(self, partition: Partition) -> Day:
        """What the ledger says of a partition."""
        return read_day(self.storage, partition)

    def location(self, partition: Partition) -> str | None:
        """Where the catalog says that the partition's files are."""
        if partition.day is None:
            found = self.catalog.table(partition.database, partition.table)
            return found.location if found else None
        entries = self.catalog.partitions(partition.database, partition.table)
        return next((entry.location for entry in entries if entry.values == (partition.day,)), None)

    def read(self, partition: Partition) -> int | None:
        """The number in the rows that a reader gets; None if it finds no partition. Fails on a torn one."""
        location = self.location(partition)
        if location is None:
            return None
        listed = [stored.path for stored in self.storage.walk(self.storage.path(location))]
        files = self.storage.local([path for path in listed if not path.rpartition("/")[2].startswith("_")])
        numbers = [number for file in files for number in pq.read_table(file, use_threads=False)["number"].to_pylist()]
        assert len(numbers) == self.files * self.rows, f"{location} holds {files}"
        assert len(set(numbers)) == 1, f"{location} mixes versions {set(numbers)}"
        return int(numbers[0])

    def live(self, partition: Partition) -> str | None:
        """The version that the ledger names."""
        entry = self.day_of(partition).live
        return entry.version if entry else None

    def served(self, partition: Partition) -> str | None:
        """The version that the catalog serves."""
        location = self.location(partition)
        return location.rpartition("/v=")[2] if location else None

    def on_disk(self, partition: Partition) -> list[str]:
        """The versions that have files."""
        folders = self.storage.folders(partition.folder)
        return [name.removeprefix("v=") for name in folders if name.startswith("v=")]

    def lose_day(self, partition: Partition) -> None:
        """Somebody takes the partition out of its ledger."""

        def without(ledger: Ledger) -> Ledger:
            left = {key: day for key, day in ledger.days.items() if key != partition.key}
            return replace(ledger, days=left, sequence=ledger.sequence + 1)

        swap(self.storage, partition.ledger, without)

    def lose_files(self, partition: Partition) -> None:
        """Somebody removes the live version's folder."""
        folder = self.storage.path(self.location(partition))
        self.storage.delete([stored.path for stored in self.storage.walk(folder)])

    def lose_catalog(self) -> None:
        """Somebody drops all that the catalog knows."""
        if isinstance(self.catalog, LocalCatalog):
            shutil.rmtree(self.catalog.file.parent)
        else:
            for database in self.catalog.databases():
                for table in self.catalog.tables(database):
                    self.catalog.drop_table(database, table.name)
                self.catalog.drop_database(database)

    def mend(self) -> list[tuple[str | None, str]]:
        return [(drift.partition, drift.what) for drift in mend(self.storage, self.catalog, [FACT, DIMENSION])]


def changed(storage: Storage, **methods: Callable[..., Any]) -> Any:
    """The same storage with other methods; each is given the storage as it was, then what it is called with."""
    other = copy(storage)
    for name, method in methods.items():
        setattr(other, name, partial(method, storage))
    return other


@pytest.fixture
def change() -> Callable[..., Any]:
    return changed


NewLake = Callable[[], Lake]


@pytest.fixture(params=["local", "aws"])
def new_lake(request: pytest.FixtureRequest, tmp_path: Path) -> NewLake:
    """Makes lakes that have nothing in common."""
    if request.param == "local":
        number = count()
        return lambda: Lake(Settings(lake=str(tmp_path / f"lake{next(number)}")), True)
    aws = request.getfixturevalue("aws")
    return lambda: Lake(aws(), False)


@pytest.fixture
def lake(new_lake: NewLake) -> Lake:
    return new_lake()
