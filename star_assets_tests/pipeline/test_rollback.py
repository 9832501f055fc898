"""Going back to an earlier version: what it shows, and where it is refused."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from star_assets.lake.vacuum import vacuum
from star_assets.model.errors import RollbackRefused, UnknownPartition, UnknownVersion
from star_assets.pipeline.facts import FactStep

from .conftest import is_fact_file, reads

D1, D2 = "2023-07-01", "2023-07-02"


def sell(lake, product: int, quantity: int = 1) -> None:
    """Day 1 sold so many of one product."""
    lake.export("orders", D1, f"1,10,5,{D1} 10:00:00,placed,{D1} 10:00:00,I")
    lake.export("order_items", D1, f"1,1,{product},{quantity},10,")
    lake.run(D1)


def agrees(lake) -> bool:
    """Whether the catalog serves what the ledgers say, for every table."""
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


def test_a_fact_day_finds_the_members_that_it_used(lake) -> None:
    """The other way round: fact first, then dimension, then the fact back again. Past dates' members are kept too."""
    sell(lake, 7)
    seven = lake.manifest("fact_sales", D1).version
    sell(lake, 100)
    assert lake.rows("SELECT member_kind FROM dim_product WHERE product_id = 7") == [("superseded",)]
    lake.warehouse.rollback("fact_sales", D1, seven)
    assert lake.rows("SELECT count(*) FROM fact_sales JOIN dim_product USING (product_id)") == [(1,)]
    assert agrees(lake)


def test_a_run_does_not_undo_a_rollback_unless_it_names_the_day(lake) -> None:
    """Neither a schedule nor a sensor may bring back what a person took away; a person may."""
    sell(lake, 100, quantity=1)
    sell(lake, 100, quantity=2)
    lake.warehouse.rollback("fact_sales", D1, None)
    (outcome,) = lake.warehouse.refresh("fact_sales", [D1], undo_rollbacks=False)
    assert (outcome.status, [sale[3] for sale in lake.sales()]) == ("unchanged", [1])
    assert "was rolled back from" in outcome.note
    found = lake.warehouse.out_of_date("fact_sales")
    assert found.rolled_back == {D1}
    vacuum(lake.warehouse.storage, lake.warehouse.catalog, lake.warehouse.versioned_tables(), timedelta(0))
    assert lake.again().warehouse.out_of_date("fact_sales").rolled_back == {D1}, "vacuum forgets versions, not this"
    lake.run(D1)
    assert [sale[3] for sale in lake.sales()] == [2]


def test_a_run_under_way_does_not_undo_a_rollback(lake, monkeypatch: pytest.MonkeyPatch) -> None:
    """It planned before, and commits after: what it built is what was rolled back from."""
    sell(lake, 100, quantity=1)
    sell(lake, 100, quantity=2)
    lake.export("order_items", D1, "1,1,100,3,10,")
    lake.run(D1, tables=["order_items"])
    built = FactStep.build
    fourth = lake.again()

    def build(step: FactStep, *given: Any) -> Any:
        """Somebody builds the same, and rolls it back, while this run builds."""
        monkeypatch.setattr(FactStep, "build", built)
        fourth.run(D1, tables=["fact_sales"])
        fourth.warehouse.rollback("fact_sales", D1, None)
        return built(step, *given)

    monkeypatch.setattr(FactStep, "build", build)
    assert lake.statuses("fact_sales", D1) == ["unchanged"]
    assert [sale[3] for sale in lake.sales()] == [2]


def test_what_cannot_be_gone_back_to_is_said(lake) -> None:
    sell(lake, 100)
    with pytest.raises(UnknownVersion):
        lake.warehouse.rollback("fact_sales", D1, "20000101T000000000000-00000000")
    with pytest.raises(UnknownVersion):
        lake.warehouse.rollback("fact_sales", D1, None)
    for day in (D2, None):
        with pytest.raises(UnknownPartition):
            lake.warehouse.rollback("fact_sales", day, None)


def test_a_dimension_that_drops_a_member_while_a_fact_commits_loses_no_row(
    lake, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The fact was audited against the member; it is dropped between the audit and the commit."""
    sell(lake, 100)
    lake.export("order_items", D1, "1,1,7,1,10,")
    lake.run(D1, tables=["order_items", "dim_product", "dim_product_history"])
    assert lake.rows("SELECT count(*) FROM dim_product WHERE product_id = 7") == [(1,)]
    other, commits = lake.again(), FactStep.commit

    def commit(step: FactStep, *given: Any) -> Any:
        monkeypatch.setattr(FactStep, "commit", commits)
        other.export("order_items", D1, "1,1,8,1,10,")
        other.run(D1, tables=["order_items", "dim_product", "dim_product_history"])
        assert other.rows("SELECT count(*) FROM dim_product WHERE product_id = 7") == [(0,)]
        return commits(step, *given)

    monkeypatch.setattr(FactStep, "commit", commit)
    assert lake.statuses("fact_sales", D1) == ["published"]
    joined = "SELECT f.product_id FROM fact_sales f JOIN dim_product USING (product_id)"
    assert lake.rows(joined) == lake.rows("SELECT product_id FROM fact_sales") == [(8,)]


def test_what_facts_use_is_read_once_and_answered_without_them(lake, monkeypatch: pytest.MonkeyPatch) -> None:
    """A dimension that drops members asks a book; years of facts are not fetched for it each time."""
    sell(lake, 100)
    sell(lake, 7)
    lake.warehouse.catch_up("dim_product")
    read = reads(monkeypatch, is_fact_file)
    lake.export("products", D1, "100,Tent,a,b,1,2023-07-01 00:00:00")
    lake.run(D1, tables=["products", "dim_product"])
    assert read == []
