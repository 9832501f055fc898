"""Going back to an earlier version: what it shows, and where it is refused."""

from __future__ import annotations

import pytest

from star_assets.model.errors import AuditFailed, RollbackRefused, UnknownPartition, UnknownVersion

D1, D2 = "2023-07-01", "2023-07-02"


def sell(lake, product: int, quantity: int = 1) -> None:
    """Day 1 sold so many of one product."""
    lake.export("orders", D1, f"1,10,5,{D1} 10:00:00,placed,{D1} 10:00:00,I")
    lake.export("order_items", D1, f"1,1,{product},{quantity},10,")
    lake.run(D1)


def agrees(lake) -> bool:
    """Whether the catalog serves what the pointers say, for every table."""
    served = {}
    for entry in lake.warehouse.entries():
        found = lake.warehouse.catalog.table(entry.database, entry.name)
        if found and found.partition_columns:
            for partition in lake.warehouse.catalog.partitions(entry.database, entry.name):
                served[f"{entry.name} date={partition.values[0]}"] = partition.parameters["version"]
        elif found:
            served[f"{entry.name} live"] = found.parameters["version"]
    return {name: version for name, version in lake.live().items() if "/" not in name} == served


def test_a_fact_day_goes_back_and_comes_forward(lake) -> None:
    """Yesterday's figures are one command away; the next run says again what the exports say."""
    sell(lake, 100, quantity=1)
    first = lake.manifest("fact_sales", D1).version
    sell(lake, 100, quantity=2)
    assert lake.warehouse.rollback("fact_sales", D1, None).live.version == first
    assert [sale[3] for sale in lake.sales()] == [1]
    assert agrees(lake)
    lake.run(D1)
    assert [sale[3] for sale in lake.sales()] == [2]
    assert agrees(lake)


def test_a_source_day_goes_back(lake) -> None:
    sell(lake, 100, quantity=1)
    sell(lake, 100, quantity=2)
    lake.warehouse.rollback("order_items", D1, None)
    assert lake.rows("SELECT quantity FROM order_items") == [(1,)]
    assert agrees(lake)
    lake.run(D1, tables=["dim_product", "fact_sales"])
    assert [sale[3] for sale in lake.sales()] == [1]


def test_a_dimension_goes_back_as_a_whole(lake) -> None:
    lake.export("products", D1, "100,Tent,a,b,1,2023-07-01 00:00:00")
    lake.run(D1)
    lake.export("products", D1, "100,Big tent,a,b,1,2023-07-01 00:00:00")
    lake.run(D1)
    lake.warehouse.rollback("dim_product", None, None)
    assert lake.rows("SELECT product_name FROM dim_product WHERE product_id = 100") == [("Tent",)]
    assert agrees(lake)


def test_a_dimension_keeps_the_members_that_live_facts_use(lake) -> None:
    """An inner join would lose their revenue."""
    sell(lake, 100)
    hundred = lake.manifest("dim_product", D1).version
    sell(lake, 7)
    before = lake.live()
    with pytest.raises(RollbackRefused, match=r"fact_sales uses members that it lacks \(7\)"):
        lake.warehouse.rollback("dim_product", None, hundred)
    assert lake.live() == before
    assert agrees(lake)


def test_a_fact_day_needs_the_members_that_it_used(lake) -> None:
    """The other way round: fact first, then dimension, then the fact back again."""
    sell(lake, 7)
    seven = lake.manifest("fact_sales", D1).version
    sell(lake, 100)
    before = lake.live()
    with pytest.raises(AuditFailed, match="product_id: expected members of dim_product, found 7"):
        lake.warehouse.rollback("fact_sales", D1, seven)
    assert lake.live() == before
    assert agrees(lake)


def test_what_cannot_be_gone_back_to_is_said(lake) -> None:
    sell(lake, 100)
    with pytest.raises(UnknownVersion):
        lake.warehouse.rollback("fact_sales", D1, "20000101T000000000000-00000000")
    with pytest.raises(UnknownVersion):
        lake.warehouse.rollback("fact_sales", D1, None)
    for day in (D2, None):
        with pytest.raises(UnknownPartition):
            lake.warehouse.rollback("fact_sales", day, None)
