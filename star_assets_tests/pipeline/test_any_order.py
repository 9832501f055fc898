"""The tables equal one full recompute over all live exports, whatever arrived when.

Random retailers in random orders, groups and corrections, held against an oracle
that knows nothing but rows.
"""

from __future__ import annotations

from datetime import datetime, timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from .conftest import Lake
from .oracle import Oracle
from .retailers import DAYS, FEW, History, apply, histories, shop

LAKES = 6


def sales(lake: Lake) -> list[tuple]:
    return lake.rows(
        "SELECT f.date, sale_id, f.product_id, quantity, revenue::VARCHAR, h.category FROM fact_sales f "
        "JOIN dim_product_history h USING (product_sk) ORDER BY f.date, sale_id"
    )


def intervals_differ(lake: Lake, oracle: Oracle) -> list[tuple]:
    """The (product, moment, category) by which the history is not what the oracle says, at each of its edges."""
    found = lake.rows("SELECT product_id, valid_from, valid_to, category FROM dim_product_history WHERE product_id > 0")
    edges = {(key, edge + shift) for key, since, until, _ in found for edge in (since, until) for shift in SHIFTS}
    probes = sorted((key, moment) for key, moment in edges if BEGIN <= moment < END)
    said = {
        (key, moment): category
        for key, since, until, category in found
        for probe, moment in probes
        if probe == key and since <= moment < until
    }
    expected = zip(probes, oracle.categories(probes), strict=True) if probes else []
    # A deleted product that nothing uses has no interval any more.
    return [(probe, category) for probe, category in expected if said.get(probe, "Unknown") != category]


BEGIN, END = datetime(1900, 1, 1), datetime(9999, 12, 30)
SHIFTS = (timedelta(0), timedelta(seconds=1), timedelta(seconds=-1))


@pytest.mark.parametrize("lines", ["complete", "changed"])
@settings(FEW, max_examples=LAKES)
@given(data=st.data())
def test_any_order_of_arrival_gives_one_full_recompute(make_lake, lines: str, data: st.DataObject) -> None:
    """Every fact row with its product's category then, every member, every interval, to the cent."""
    history = data.draw(histories(lines))
    lake, oracle = make_lake(shop(lines)), Oracle(history.live(), lines)
    apply(lake, history)
    assert set(sales(lake)) ^ set(oracle.sales()) == set()
    assert sales(lake) == oracle.sales()
    members = "SELECT product_id, product_name, category, brand, country, member_kind FROM dim_product ORDER BY 1"
    assert lake.rows(members) == oracle.members()
    assert intervals_differ(lake, oracle) == []
    today = "SELECT product_id, product_name, category, brand, country, member_kind FROM dim_product_history"
    assert lake.rows(f"{today} WHERE is_current ORDER BY 1") == oracle.members()
    assert lake.warehouse.reconcile("fact_sales", DAYS).differing == []


@pytest.mark.parametrize("lines", ["complete", "changed"])
@settings(FEW, max_examples=1)
@given(data=st.data())
def test_the_same_exports_give_the_same_rows_in_every_column(make_lake, lines: str, data: st.DataObject) -> None:
    """All at once, day by day, backwards, lines first."""
    history = data.draw(histories(lines))
    sources = list(history.contents)
    by_day = [[(source, day, 0) for source in sources] for day in DAYS]
    orders_of_arrival = {
        "at once": [[arrival for group in by_day for arrival in group]],
        "day by day": by_day,
        "backwards": by_day[::-1],
        "lines first": [[(source, day, 0) for day in DAYS] for source in sources[::-1]],
    }
    found = {}
    for name, groups in orders_of_arrival.items():
        lake = make_lake(shop(lines))
        apply(lake, History(history.contents, groups, [[] for _ in groups]))
        tables = ("orders", "order_items", "fact_sales", "dim_product", "dim_product_history")
        found[name] = {table: sorted(map(str, lake.rows(f"FROM {table}"))) for table in tables}
    assert found["at once"]["fact_sales"]
    assert all(tables == found["at once"] for tables in found.values())
