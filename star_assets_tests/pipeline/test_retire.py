"""Raw exports can go: the tables stay reproducible from what is staged, or a run says that they no longer are."""

from __future__ import annotations

import shutil
from dataclasses import replace
from datetime import date, timedelta

import pytest

from star_assets.model import Column, Star
from star_assets.pipeline.forget import forget
from star_assets.pipeline.retire import retire
from star_assets.star import dim_product, fact_sales, order_items, orders, products, retail
from star_assets_tests.pipeline.conftest import Lake

DAYS = ("2023-07-01", "2023-07-02")
TODAY = date(2023, 7, 3)


@pytest.fixture
def filled(lake: Lake) -> Lake:
    for number, day in enumerate(DAYS, start=1):
        lake.export("orders", day, f"{number},7,1,{day} 10:00:00,placed,{day} 10:00:00,I")
        lake.export("order_items", day, f"{number},1,5,2,10.00,")
        lake.export("products", day, "5,Shoe,Shoes,B,10.00,2023-07-01 00:00:00")
    lake.run(*DAYS)
    return lake


def test_a_retired_day_is_not_a_day_without_an_export(filled: Lake) -> None:
    """A run must not empty the tables because their raw files went."""
    before, live = filled.sales(), filled.live()
    done = retire(filled.warehouse, timedelta(days=1), TODAY)
    assert (done.days, done.kept) == (3, ())
    assert sorted(file.name for file in filled.folder("orders", DAYS[0]).iterdir()) == ["_SUCCESS", "_retired"]
    filled.again().run(*DAYS)
    assert filled.sales() == before
    assert filled.live() == live


def test_the_tables_are_rebuilt_from_what_is_staged(filled: Lake) -> None:
    """Without the star and without the states, from the staged versions alone."""
    before = filled.sales()
    retire(filled.warehouse, timedelta(days=0), TODAY)
    shutil.rmtree(filled.root / "olap")
    for folder in (filled.root / "staging").glob("*/_[siu]*"):
        shutil.rmtree(folder)
    filled.again().run(*DAYS)
    assert filled.sales() == before


def test_a_day_that_staging_cannot_stand_for_is_kept_with_the_reason(filled: Lake) -> None:
    """Deleting the only copy of anything is not retention."""
    filled.export("orders", DAYS[0], "1,7,1,2023-07-01 10:00:00,placed,2023-07-02 10:00:00,U")
    filled.export("products", "2023-06-30", "5,Shoe,Shoes,B,10.00,2023-07-01 00:00:00")
    done = retire(filled.warehouse, timedelta(days=1), TODAY)
    assert done.kept == (
        "orders 2023-07-01: its files have changed since they were staged",
        "products 2023-06-30: it is not staged",
    )
    assert (filled.folder("orders", DAYS[0]) / "orders.csv").exists()


def test_a_new_export_of_a_retired_day_replaces_it(filled: Lake) -> None:
    """A correction of last year's day is still a correction."""
    retire(filled.warehouse, timedelta(days=1), TODAY)
    (filled.folder("order_items", DAYS[0]) / "again.csv").write_text(
        "order_id,line_number,product_id,quantity,unit_price,discount\n1,1,5,3,10.00,\n"
    )
    filled.run(*DAYS)
    assert filled.sales()[0][-1] == "30.0000"


def test_a_changed_declaration_leaves_retired_days_as_they_are_and_says_so(filled: Lake) -> None:
    """It can no longer be reproduced, so nobody should believe that it was."""
    retire(filled.warehouse, timedelta(days=1), TODAY)
    wider = replace(products, columns={**products.columns, "weight": Column("int64", optional=True)})
    changed = Star(
        [orders, order_items, wider], [dim_product], [replace(fact_sales, references={"product_id": dim_product})]
    )
    (outcome,) = filled.again(changed).refresh("products", DAYS[0])
    assert outcome.status == "unchanged"
    assert "cannot be staged again, because its raw files were retired" in outcome.note


def test_a_killed_retirement_is_finished_by_the_next(filled: Lake) -> None:
    """Half of the files gone must not look like a smaller export."""
    filled.write(
        "orders", DAYS[0], {"a.csv": (filled.folder("orders", DAYS[0]) / "orders.csv").read_bytes(), "b.csv": b""}
    )
    filled.run(*DAYS)
    before = filled.sales()
    folder, kept = filled.folder("orders", DAYS[0]), filled.root / "kept"
    shutil.copytree(folder, kept)
    retire(filled.warehouse, timedelta(days=1), TODAY)
    shutil.copy2(kept / "b.csv", folder)  # as if the run had died before this one
    filled.again().run(*DAYS)
    assert filled.sales() == before
    retire(filled.warehouse, timedelta(days=1), TODAY)
    assert not (folder / "b.csv").exists()


def test_a_person_is_forgotten_in_retired_days_too(make_lake) -> None:
    """Retention must not make a person immortal."""
    lake = make_lake(retail)
    lake.export("customers", DAYS[0], "7,Ada Byron,ada@example.org,Miami,FL,vip,2023-01-01,2023-07-01")
    lake.export("orders", DAYS[0], f"1,7,1,{DAYS[0]} 10:00:00,placed,,I")
    lake.export("order_items", DAYS[0], "1,1,5,2,10.00,")
    lake.export("products", DAYS[0], "5,Shoe,Shoes,B,10.00,2023-07-01 00:00:00")
    lake.export("stores", DAYS[0], "1,A,Miami,FL,S,2020-01-01,2023-07-01")
    lake.run(DAYS[0])
    retire(lake.warehouse, timedelta(days=1), TODAY)
    found = forget(lake.warehouse, "dim_customer", "7")
    assert found["staging/customers"] == 1
    assert lake.rows("SELECT customer_id, revenue::VARCHAR FROM fact_sales") == [(-1, "20.0000")]
    assert lake.rows("SELECT count(*) FROM customers") == [(0,)]
