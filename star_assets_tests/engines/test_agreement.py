"""What transforms may use where other engines than DuckDB compute."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import ibis
import pytest
from ibis.expr.types import Table

from star_assets.model import Source, Star, dimension
from star_assets.model.errors import BadDeclaration
from star_assets.model.portable import INSTEAD, agreed, require_portable, signatures
from star_assets.orchestration.build import build_definitions
from star_assets.pipeline.warehouse import Warehouse
from star_assets.settings import Settings
from star_assets.star import retail

from ..spark import needs_spark
from . import agreement
from .hard_cases import hard


@pytest.fixture(scope="module")
def both() -> Iterator[agreement.Both]:
    found = agreement.Both()
    yield found
    found.close()


@pytest.mark.long
@pytest.mark.usefixtures("both")
class TestAgreed:
    """The list, held against both engines."""

    pytestmark = needs_spark

    def test_all_that_is_listed_agrees(self, both: agreement.Both) -> None:
        """Each expression that needs nothing but what is listed gives the same, to the last digit."""
        tables = [table for _, table in agreement.subjects(both.table) if agreed().issuperset(signatures(table))]
        differing = [signatures(table) for table in agreement.together(tables) if not both.agree(table)]
        assert differing == []


def test_nothing_is_listed_that_was_not_tried() -> None:
    """The list is written by the tests, not by hand."""
    tried = {one for _, table in agreement.subjects(agreement.table()) for one in signatures(table)}
    assert agreed() <= tried


@pytest.mark.parametrize("star", [retail, hard], ids=["retail", "hard cases"])
def test_the_stars_here_are_portable(star: Star) -> None:
    require_portable(star)


products = Source("products", key="code", columns={"code": "string", "price": "decimal(18,4)", "sold": "timestamp"})

REFUSED = {
    "a float division": (lambda t: t.price / 3, r"Divide\(decimal, int\) \(instead: .*declared scale"),
    "a hash": (lambda t: t.code.hash(), r"Hash\(string\) \(instead: hexdigest\('sha256'\)\)"),
    "upper case": (lambda t: t.code.upper(), r"Uppercase\(string\) \(instead: .*cases\(\)"),
    "a rounded cast": (lambda t: t.price.cast("int64"), r"Cast\(decimal, to int\) \(instead: .*round"),
    "an average": (lambda t: t.price.mean().over(ibis.window(group_by=t.code)), r"Mean\(decimal\) \(instead: sum"),
    "what was never tried": (lambda t: t.code.as_date("%Y"), r"StringToDate\(string\)\. Change"),
}


@pytest.mark.parametrize("name", REFUSED)
def test_what_is_not_known_to_agree_is_refused_by_name(name: str) -> None:
    """A wrong number on one engine is worse than an error on both."""
    compute: Any
    compute, message = REFUSED[name]

    @dimension(key="code")
    def dim_product(products: Table) -> Table:
        return products.mutate(found=compute(products))

    with pytest.raises(BadDeclaration, match=f"dim_product: .*{message}"):
        require_portable(Star([products], [dim_product], []))


def test_an_asof_join_is_told_of_range_joins() -> None:
    @dimension(key="code")
    def dim_product(products: Table, prices: Table) -> Table:
        since = prices.select("code", since="sold", cost="price")
        return products.asof_join(since, products.sold >= since.since, "code")

    prices = Source("prices", key="code", columns={"code": "string", "price": "decimal(18,4)", "sold": "timestamp"})
    with pytest.raises(BadDeclaration, match=r"JoinLink\(asof\) \(instead: a range join"):
        require_portable(Star([products, prices], [dim_product], []))


def test_alternatives_are_named_for_what_is_refused_alone() -> None:
    """An alternative to what is allowed would mislead."""
    assert [(one, begin) for one in agreed() for begin in INSTEAD if one.startswith(f"{begin}(") or one == begin] == []


@pytest.mark.parametrize("open_star", [Warehouse, build_definitions], ids=["commands", "Dagster"])
def test_it_is_refused_when_the_star_is_loaded_but_for_duckdb_alone(open_star: Any) -> None:
    """Who has one engine loses nothing; who has two is told before anything is computed."""

    @dimension(key="code")
    def dim_product(products: Table) -> Table:
        return products.mutate(loud=products.code.upper())

    star = Star([products], [dim_product], [])
    open_star(star, Settings(engine="duckdb"))
    for engine in ("spark", "glue", "auto"):
        with pytest.raises(BadDeclaration, match="Uppercase"):
            open_star(star, Settings(engine=engine))
