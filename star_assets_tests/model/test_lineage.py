"""Column lineage, read off the expression."""

from __future__ import annotations

from collections.abc import Callable

import ibis
import pytest
from ibis import _
from ibis.expr.types import Table

from star_assets.model.lineage import column_lineage

sales = ibis.table({"k": "int64", "x": "int64", "g": "string"}, name="sales")
stores = ibis.table({"k": "int64", "y": "int64", "x": "int64"}, name="stores")


CASES: dict[str, tuple[Callable[[], Table], dict[str, str]]] = {
    "select": (lambda: sales.select("k"), {"k": "sales.k"}),
    "rename": (lambda: sales.select(z=sales.x), {"z": "sales.x"}),
    "drop": (lambda: sales.drop("x", "g"), {"k": "sales.k"}),
    "computed": (lambda: sales.select(z=sales.x * 2 + sales.k), {"z": "sales.x sales.k"}),
    "literal": (lambda: sales.select(one=ibis.literal(1)), {"one": ""}),
    "join": (
        lambda: sales.join(stores, "k").select("k", "g", "y"),
        {"k": "sales.k", "g": "sales.g", "y": "stores.y"},
    ),
    "join with a column of the same name": (
        lambda: sales.left_join(stores, "k").select("x", "x_right"),
        {"x": "sales.x", "x_right": "stores.x"},
    ),
    "self-join": (
        lambda: sales.join(sales.view(), "k").select("x", "x_right"),
        {"x": "sales.x", "x_right": "sales.x"},
    ),
    "join then aggregate": (
        lambda: sales.join(stores, "k").mutate(t=_.x + _.y).group_by("g").agg(s=_.t.sum()),
        {"g": "sales.g", "s": "sales.x stores.y"},
    ),
    "aggregate": (lambda: sales.group_by("g").agg(s=_.x.max()), {"g": "sales.g", "s": "sales.x"}),
    "count": (lambda: sales.group_by("g").agg(n=_.count()), {"g": "sales.g", "n": ""}),
    "union": (lambda: sales.select("k").union(stores.select("k")), {"k": "sales.k stores.k"}),
    "case": (lambda: sales.select(c=ibis.cases((sales.k > 1, sales.x), else_=0)), {"c": "sales.k sales.x"}),
    "filter": (lambda: sales.filter(sales.g == "a").select("x"), {"x": "sales.x"}),
    "distinct, ordered, limited": (lambda: sales.select("x").distinct().order_by("x").limit(3), {"x": "sales.x"}),
    "window": (
        lambda: sales.select(r=ibis.row_number().over(group_by="g", order_by="x")),
        {"r": "sales.g sales.x"},
    ),
    "fill": (lambda: sales.select("x").fill_null({"x": 0}), {"x": "sales.x"}),
    "scalar subquery": (lambda: sales.select(m=stores.y.max().as_scalar()), {"m": "stores.y"}),
    "in a subquery": (lambda: sales.select(e=sales.x.isin(stores.y)), {"e": "sales.x stores.y"}),
}


@pytest.mark.parametrize("case", CASES)
def test_a_column_comes_from_what_its_value_is_computed_from(case: str) -> None:
    """What the lineage view shows and what a driving column is found by."""
    table, expected = CASES[case]
    found = {name: {".".join(origin) for origin in origins} for name, origins in column_lineage(table()).items()}
    assert found == {name: set(origins.split()) for name, origins in expected.items()}
