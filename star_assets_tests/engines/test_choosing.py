"""An engine for each table and range of days, by how much there is to read."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from pathlib import Path

import pytest
from rich.filesize import decimal as file_size

from star_assets.pipeline.choosing import Choice, choose
from star_assets.pipeline.warehouse import Warehouse
from star_assets.samples.retailer import write_exports
from star_assets.settings import Settings
from star_assets.star import retail

from ..spark import needs_spark

FIRST, SECOND = "2023-07-01", "2023-07-02"


def chosen(warehouse: Warehouse, table: str, days: list[str]) -> Mapping[str, object]:
    """Refresh, and what the last day says of its engine."""
    outcomes = list(warehouse.refresh(table, days))
    assert [outcome.error for outcome in outcomes] == [None] * len(days)
    manifest = outcomes[-1].manifest
    assert manifest is not None
    return {name: manifest.facts[name] for name in ("engine", "engine_chosen_for")}


@pytest.fixture
def lake(tmp_path: Path) -> Path:
    write_exports(tmp_path, date(2023, 7, 1), 2, orders_per_day=5)
    return tmp_path


def open_lake(lake: Path, above: int) -> Warehouse:
    return Warehouse(retail, Settings(lake=str(lake), engine="auto", auto_above=above, threads=2))


def test_the_limit_itself_is_duckdbs() -> None:
    settings = Settings(engine="auto", auto_above="1GB")
    assert choose(settings, 10**9) == Choice("duckdb", "1.0 GB of input, within STAR_AUTO_ABOVE (1.0 GB)")
    assert choose(settings, 10**9 + 1).engine == "spark"


def test_small_days_are_duckdbs_and_say_so(lake: Path) -> None:
    """For raw files their bytes count; for a dimension those of its states, for a fact those of what is staged."""
    warehouse = open_lake(lake, 10**9)
    raw = sum(file.stat().st_size for file in (lake / "oltp/orders" / f"date={FIRST}").glob("orders*"))
    found = chosen(warehouse, "orders", [FIRST])
    assert found == {
        "engine": "duckdb",
        "engine_chosen_for": f"{file_size(raw)} of input, within STAR_AUTO_ABOVE (1.0 GB)",
    }
    for table in ("order_items", "products", "stores", "customers", "dim_product"):
        assert chosen(warehouse, table, [FIRST])["engine"] == "duckdb"


class TestAboveTheLimit:
    """What is larger goes to Spark."""

    pytestmark = needs_spark

    @pytest.mark.long
    def test_each_range_of_a_table_chooses_for_itself(self, lake: Path) -> None:
        """Two days together are too much for a limit that one day alone keeps."""
        size = sum(file.stat().st_size for file in (lake / "oltp/stores").rglob("stores*"))
        warehouse = open_lake(lake, size - 1)
        found = chosen(warehouse, "stores", [FIRST, SECOND])
        assert found == {
            "engine": "spark",
            "engine_chosen_for": f"{file_size(size)} of input, above STAR_AUTO_ABOVE ({file_size(size - 1)})",
        }
        again = Warehouse(retail, warehouse.settings.model_copy(update={"compression": "snappy"}))
        assert chosen(again, "stores", [FIRST])["engine"] == "duckdb"


def test_what_is_up_to_date_is_not_built_again_by_another_engine(lake: Path) -> None:
    """Their rows are the same, so the engine is no part of a version's identity."""
    first = chosen(open_lake(lake, 10**9), "stores", [FIRST])
    assert chosen(open_lake(lake, 1), "stores", [FIRST]) == first
