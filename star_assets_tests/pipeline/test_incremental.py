"""What Glue's bookmarks promise: a run reads what is new or changed, and nothing else. Counted in files."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import date
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq
import pytest

from star_assets.lake.storage import Storage
from star_assets.pipeline.warehouse import Warehouse
from star_assets.samples.retailer import write_exports
from star_assets.settings import Settings
from star_assets.star import retail

DAYS = ["2023-07-01", "2023-07-02", "2023-07-03"]
FILE = "oltp/customers/date={}/customers.csv"


class Counted:
    """A warehouse that counts the raw files which a run reads."""

    def __init__(self, settings: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
        self.warehouse = Warehouse(retail, settings)
        self.read: list[str] = []
        storage: Storage = self.warehouse.storage
        local = storage.local

        def counting(paths: Sequence[str]) -> list[str]:
            self.read += [path for path in paths if path.startswith("oltp/")]
            return local(paths)

        monkeypatch.setattr(storage, "local", counting)

    def run(self) -> tuple[set[str], list[str]]:
        """The raw files that a run over all days reads, and what becomes of each day."""
        self.read.clear()
        outcomes = list(self.warehouse.refresh("customers", DAYS))
        assert [outcome.error for outcome in outcomes] == [None] * len(DAYS)
        return set(self.read), [outcome.status for outcome in sorted(outcomes, key=lambda outcome: outcome.day)]

    def names(self, day: str) -> list[str]:
        manifest = self.warehouse.live_manifest("customers", day)
        assert manifest is not None
        folder = self.warehouse.partition(retail.table("customers"), day).version_folder(manifest.version)
        (file,) = self.warehouse.storage.local([f"{folder}/{manifest.files[0].name}"])
        found: list[str] = pq.read_table(file)["customer_name"].to_pylist()
        return found


@pytest.fixture(params=["a folder", "a bucket"])
def counted(request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Counted:
    write_exports(tmp_path, date(2023, 7, 1), 3, orders_per_day=5)
    if request.param == "a folder":
        return Counted(Settings(lake=str(tmp_path), threads=2), monkeypatch)
    aws: Callable[..., Settings] = request.getfixturevalue("aws")
    made = Counted(aws(threads=2), monkeypatch)
    for file in (tmp_path / "oltp/customers").rglob("*"):
        if file.is_file():
            made.warehouse.storage.write(file.relative_to(tmp_path).as_posix(), file.read_bytes())
    return made


def test_a_run_reads_only_what_is_new_or_changed(counted: Counted) -> None:
    """Never read before: each file once. Unchanged: none. Changed: that file, and its rows replace the day's."""
    every = {FILE.format(day) for day in DAYS}
    assert counted.run() == (every, ["published"] * 3)
    assert counted.run() == (set(), ["unchanged"] * 3)
    before, changed = counted.names(DAYS[1]), FILE.format(DAYS[1])
    storage: Any = counted.warehouse.storage
    content = storage.read(changed)[0]
    storage.write(changed, content.replace(before[0].encode(), b"Another Name"))
    assert counted.run() == ({changed}, ["unchanged", "published", "unchanged"])
    assert counted.names(DAYS[1]) == ["Another Name", *before[1:]]
    assert counted.run() == (set(), ["unchanged"] * 3)


def test_an_old_file_put_into_an_old_day_is_read(counted: Counted) -> None:
    """A bookmark goes by the time of the newest file that it saw, and would pass it over."""
    counted.run()
    storage: Any = counted.warehouse.storage
    late, first = FILE.format(DAYS[0]).replace("customers.csv", "late.csv"), storage.read(FILE.format(DAYS[0]))[0]
    header, row, *_ = first.decode().splitlines()
    storage.write(late, "\n".join([header, row.replace(row.split(",")[0], "999", 1)]).encode())
    if hasattr(storage, "root"):
        import os

        os.utime(Path(storage.root) / late, (0, 0))
    read, statuses = counted.run()
    assert late in read
    assert statuses == ["published", "unchanged", "unchanged"]
