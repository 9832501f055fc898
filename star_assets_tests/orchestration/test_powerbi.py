"""The asset `powerbi`: lineage reaches the model, the project lies in the lake, and its check names what is gone."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import dagster as dg
import pytest

from star_assets.lake.catalog import CatalogColumn, TableEntry
from star_assets.lake.entries import table_entry
from star_assets.orchestration.build import build_definitions
from star_assets.pipeline.warehouse import Warehouse
from star_assets.reports.powerbi.project import project_files
from star_assets.settings import Settings
from star_assets.star import retail

from .conftest import DAYS, DecidedWarehouse, materialize


@pytest.fixture
def spec() -> dg.AssetSpec:
    definitions = build_definitions(retail, Settings())
    return definitions.resolve_assets_def("powerbi").specs_by_key[dg.AssetKey("powerbi")]


def evaluation(result: dg.ExecuteInProcessResult) -> tuple[bool, str]:
    (found,) = [one for one in result.get_asset_check_evaluations() if one.check_name == "fits_live_tables"]
    return found.passed, found.description or ""


def test_the_model_stands_behind_all_facts_and_dimensions(spec: dg.AssetSpec) -> None:
    assert {dep.asset_key.to_user_string() for dep in spec.deps} == {*retail.dimensions, *retail.facts}
    assert (spec.group_name, spec.partitions_def) == ("bi", None)


def test_lineage_reaches_columns_and_measures_of_the_model(spec: dg.AssetSpec) -> None:
    lineage = spec.metadata["dagster/column_lineage"].deps_by_column
    deps = {
        name: {(dep.asset_key.to_user_string(), dep.column_name) for dep in lineage[name]}
        for name in ("Product[Category]", "Sales[Revenue]", "Sales[Discount Rate]")
    }
    assert deps == {
        "Product[Category]": {("dim_product", "category")},
        "Sales[Revenue]": {("fact_sales", "revenue")},
        "Sales[Discount Rate]": {("fact_sales", "discount"), ("fact_sales", "revenue")},
    }


def test_it_is_materialized_with_the_tables_and_fits_them(lake: Warehouse, instance: dg.DagsterInstance) -> None:
    """One run of all assets, for a day: the project is in the lake as it is written by the command."""
    stale = Path(lake.settings.lake) / "reports/powerbi/Retail.Report/definition/pages/star-gone-1/page.json"
    stale.parent.mkdir(parents=True)
    stale.write_text("{}")
    result = materialize(lake, instance, DAYS[:1])
    assert result.success
    folder = Path(lake.settings.lake) / "reports/powerbi"
    written = {str(path.relative_to(folder)): path.read_text() for path in folder.rglob("*") if path.is_file()}
    assert written == project_files(retail, lake.settings)
    assert evaluation(result) == (True, "every column of the model is served with its type")


class OtherTables(DecidedWarehouse):
    """Serves products without a brand and with another price, and no stores."""

    def table(self, database: str, table: str) -> TableEntry | None:  # type: ignore[override]
        entry = table_entry(self.star, self.star.table(table), self.storage)
        columns = {column.name: column for column in entry.columns}
        if table == "dim_product":
            del columns["brand"]
            columns["list_price"] = CatalogColumn("list_price", "string")
        return replace(entry, columns=tuple(columns.values())) if table != "dim_store" else None


def test_what_is_gone_from_the_live_tables_is_named(settings: Settings, instance: dg.DagsterInstance) -> None:
    result = materialize(OtherTables(retail, settings), instance, DAYS[:1], "powerbi")
    passed, told = evaluation(result)
    assert not passed
    assert told == (
        "dim_product.brand is gone: expected string, for 'Brand'. "
        "dim_product.list_price is string: expected decimal, for 'List Price'. "
        "dim_store: the catalog serves no such table."
    )


def test_the_same_day_again_is_the_same_project(decided: DecidedWarehouse, instance: dg.DagsterInstance) -> None:
    def files() -> dict[str, Any]:
        return {path: path.read_bytes() for path in Path(decided.settings.lake).rglob("*") if path.is_file()}

    assert materialize(decided, instance, DAYS[:1], "powerbi").success
    before = files()
    assert materialize(decided, instance, DAYS[:1], "powerbi").success
    assert files() == before != {}
