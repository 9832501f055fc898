"""A small published lake of the retail star, and the real command line in a process of its own."""

from __future__ import annotations

import os
import shutil
import subprocess
import sysconfig
from datetime import date
from pathlib import Path
from typing import Any

import pytest

from star_assets.athena.embedded import EmbeddedAthena
from star_assets.lake.publish import mend
from star_assets.pipeline.warehouse import Warehouse
from star_assets.samples.retailer import write_exports
from star_assets.settings import Settings
from star_assets.star import retail

FIRST, DAYS = date(2023, 7, 1), 2

STAR_ASSETS = Path(sysconfig.get_path("scripts")) / "star-assets"


class SmallLake:
    """Two days of the retailer, published, and what a user may ask of it."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self.warehouse = Warehouse(retail, Settings(lake=str(root), start_date=FIRST))

    @property
    def environment(self) -> dict[str, str]:
        others = {name: value for name, value in os.environ.items() if not name.startswith("STAR_")}
        return {**others, "STAR_LAKE": str(self.root)}

    def export(self, source: str, day: str) -> Path:
        return self.root / "oltp" / source / f"date={day}"

    def rows(self, sql: str) -> list[dict[str, Any]]:
        athena = EmbeddedAthena(self.warehouse.storage, self.warehouse.catalog)
        found: list[dict[str, Any]] = athena.query(sql).table.to_pylist()
        return found

    def start(self, *arguments: str, **options: Any) -> subprocess.Popen[str]:
        """`star-assets …` as a process; it reads and writes text through pipes."""
        pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "stderr": subprocess.PIPE}
        return subprocess.Popen([STAR_ASSETS, *arguments], env=self.environment, text=True, **{**pipes, **options})


@pytest.fixture(scope="session")
def published_once(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The lake that tests get copies of."""
    lake = SmallLake(tmp_path_factory.mktemp("published") / "lake")
    write_exports(lake.root, FIRST, DAYS, orders_per_day=20)
    for table in retail.tables:
        errors = [outcome.error for outcome in lake.warehouse.refresh(table, lake.warehouse.days()) if outcome.error]
        assert errors == []
    return lake.root


@pytest.fixture
def small_lake(published_once: Path, tmp_path: Path) -> SmallLake:
    """A copy of its own; the catalog is mended, because it holds full paths."""
    lake = SmallLake(tmp_path / "lake")
    shutil.copytree(published_once, lake.root)
    mend(lake.warehouse.storage, lake.warehouse.catalog, lake.warehouse.entries())
    return lake
