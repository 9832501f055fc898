"""Generated projects of the three stars, and a small reader of their files that knows nothing of the stars."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from pathlib import Path

import pytest

from star_assets.model import Star, load_star
from star_assets.reports.powerbi.project import project_files
from star_assets.settings import Settings

REPOSITORY = Path(__file__).parents[3]

STARS = ["star_assets.star:retail", "examples.jaffle.jaffle:jaffle", "examples.tpch.tpch:tpch"]

# What the retail project's folders are called.
MODEL, REPORT = "Retail.SemanticModel/definition", "Retail.Report/definition"

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
