"""A shop's database and lakes that are pulled from it."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date
from itertools import count
from pathlib import Path
from typing import Any

import pytest

from star_assets.model import Star
from star_assets.pipeline.warehouse import Warehouse
from star_assets.settings import Settings
from star_assets.star import retail
from star_assets_tests.shop import Shop, pulled_rows

FIRST = date(2023, 7, 1)


class PulledLake:
    """A lake in a folder that is pulled from a shop's database."""

    def __init__(self, root: Path, url: str, star: Star = retail, **settings: Any) -> None:
        known = {"start_date": FIRST, "threads": 2, **settings}
        self.root = root
        self.warehouse = Warehouse(star, Settings(lake=str(root), source_dsn=url, **known))

    def pull(self, *days: str, again: bool = False) -> dict[str, int]:
        """Pull days, which must not fail. The rows of each source, of all days."""
        total: dict[str, int] = {}
        for pulled in self.warehouse.pull(days, again):
            assert pulled.error is None, str(pulled.error)
            for source, rows in pulled.rows.items():
                total[source] = total.get(source, 0) + rows
        return total

    def error(self, *days: str) -> Any:
        """Pull days of which the last must fail. Its error."""
        return list(self.warehouse.pull(days))[-1].error

    def files(self, source: str, day: str) -> list[Path]:
        return sorted((self.root / "oltp" / source / f"date={day}").glob("pulled-*.csv.gz"))

    def rows(self, source: str, day: str) -> list[dict[str, str]]:
        return pulled_rows(self.files(source, day))

    def keys(self, source: str, day: str) -> set[int]:
        """The first column of each row, which is its number."""
        return {int(next(iter(row.values()))) for row in self.rows(source, day)}


MakeLake = Callable[..., PulledLake]


@pytest.fixture
def make_lake(shop: Shop, tmp_path: Path) -> MakeLake:
    """Makes lakes that have nothing in common, all pulled from the shop."""
    number = count()
    return lambda **given: PulledLake(tmp_path / f"lake{next(number)}", shop.url, **given)


@pytest.fixture
def lake(make_lake: MakeLake) -> PulledLake:
    return make_lake()
