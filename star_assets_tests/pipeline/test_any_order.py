"""The tables equal one full recompute over all live exports, whatever arrived when.

Random retailers in random orders, groups and corrections, held against an oracle
that knows nothing but rows.
"""

from __future__ import annotations

import pytest
from hypothesis import given, settings

from .comparing import differences
from .oracle import Oracle
from .retailers import DAYS, FEW, SEEDS, History, apply, history, shop

LAKES = 3


@pytest.mark.parametrize("lines", ["complete", "changed"])
@settings(FEW, max_examples=1)
@given(seed=SEEDS)
def test_any_order_of_arrival_gives_one_full_recompute(make_lake, lines: str, seed: int) -> None:
    """Every fact row with its product's category then, every member, every interval, to the cent."""
    hold_against_the_oracle(make_lake, lines, seed)


@pytest.mark.long
@pytest.mark.parametrize("lines", ["complete", "changed"])
@settings(FEW, max_examples=LAKES)
@given(seed=SEEDS)
def test_more_orders_of_arrival_give_one_full_recompute(make_lake, lines: str, seed: int) -> None:
    hold_against_the_oracle(make_lake, lines, seed)


def hold_against_the_oracle(make_lake, lines: str, seed: int) -> None:
    arrived = history(lines, seed)
    lake, oracle = make_lake(shop(lines)), Oracle(arrived.live(), lines)
    apply(lake, arrived)
    assert differences(lake, oracle) == []
    assert lake.warehouse.reconcile("fact_sales", DAYS).differing == []


@pytest.mark.parametrize("lines", [pytest.param("complete", marks=pytest.mark.long), "changed"])
@pytest.mark.parametrize("names", [["backwards"], pytest.param(["day by day", "lines first"], marks=pytest.mark.long)])
@settings(FEW, max_examples=1)
@given(seed=SEEDS)
def test_the_same_exports_give_the_same_rows_in_every_column(
    make_lake, names: list[str], lines: str, seed: int
) -> None:
    """As all at once, whether day by day, backwards, or lines first."""
    arrived = history(lines, seed)
    sources = list(arrived.contents)
    by_day = [[(source, day, 0) for source in sources] for day in DAYS]
    orders_of_arrival = {
        "at once": [[arrival for group in by_day for arrival in group]],
        "day by day": by_day,
        "backwards": by_day[::-1],
        "lines first": [[(source, day, 0) for day in DAYS] for source in sources[::-1]],
    }
    found = {}
    for name in ("at once", *names):
        groups = orders_of_arrival[name]
        lake = make_lake(shop(lines))
        apply(lake, History(arrived.contents, groups, [[] for _ in groups]))
        tables = ("orders", "order_items", "fact_sales", "dim_product", "dim_product_history")
        found[name] = {table: sorted(map(str, lake.rows(f"FROM {table}"))) for table in tables}
    assert found["at once"]["fact_sales"]
    assert all(tables == found["at once"] for tables in found.values())
