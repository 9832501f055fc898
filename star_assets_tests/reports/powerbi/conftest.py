"""Generated projects of the three stars, and seven weeks of the retailer."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from functools import cache
from pathlib import Path

import pytest

from star_assets.athena.embedded import EmbeddedAthena
from star_assets.model import Star, load_star
from star_assets.pipeline.warehouse import Warehouse
from star_assets.reports.powerbi.project import project_files
from star_assets.samples.retailer import write_exports
from star_assets.settings import Settings
from star_assets.star import retail

REPOSITORY = Path(__file__).parents[3]

STARS = ["star_assets.star:retail", "examples.jaffle.jaffle:jaffle", "examples.tpch.tpch:tpch"]

# What the retail project's folders are called.
MODEL, REPORT = "Retail.SemanticModel/definition", "Retail.Report/definition"

# Exports of seven weeks.
BEGIN, DAYS = date(2023, 7, 1), 49

Files = Mapping[str, str]


@cache
def generated(path: str) -> tuple[Star, Settings, Files]:
    """The star, its settings, and the project's files by path."""
    star, settings = load_star(path), Settings(model=path)
    return star, settings, project_files(star, settings)


@pytest.fixture(params=STARS)
def project(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> Files:
    """The files of each star's project."""
    monkeypatch.syspath_prepend(str(REPOSITORY))
    return generated(request.param)[2]


@pytest.fixture
def star_of_project(project: Files) -> Star:
    """The star that the project is of."""
    return next(star for star, _, files in map(generated, STARS) if files is project)


@pytest.fixture
def retail_project() -> Files:
    """The files of the retailer's project."""
    return generated(STARS[0])[2]


@pytest.fixture(scope="session")
def athena(tmp_path_factory: pytest.TempPathFactory) -> EmbeddedAthena:
    root = tmp_path_factory.mktemp("weeks") / "lake"
    write_exports(root, BEGIN, DAYS, orders_per_day=20)
    warehouse = Warehouse(retail, Settings(lake=str(root), start_date=BEGIN))
    for table in retail.tables:
        assert [one.error for one in warehouse.refresh(table, warehouse.days()) if one.error] == []
    return EmbeddedAthena(warehouse.storage, warehouse.catalog)
