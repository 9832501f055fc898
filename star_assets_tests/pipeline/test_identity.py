"""What is built again: exactly what changed inputs, code or settings concern, and nothing else."""

from __future__ import annotations

import shutil
from dataclasses import replace
from datetime import timedelta

import pytest
from ibis.expr.types import Table

from star_assets.lake.vacuum import vacuum
from star_assets.lake.versions import Partition, read_manifest
from star_assets.model import Column, Star, business_date, dimension
from star_assets.star import dim_product, fact_sales, order_items, orders, products

D1, D2, D3 = DAYS = ["2023-07-01", "2023-07-02", "2023-07-03"]


@pytest.fixture
def filled(lake):
    """Three days: order 2 of day 2 is exported again on day 3."""
    for number, day in enumerate(DAYS, 1):
        lake.export("orders", day, f"{number},10,5,{day} 10:00:00,placed,{day} 10:00:00,I")
        lake.export("order_items", day, f"{number},1,100,1,10,")
    lake.export(
        "orders", D3, f"2,10,5,{D2} 10:00:00,shipped,{D3} 10:00:00,U", f"3,10,5,{D3} 10:00:00,placed,{D3} 10:00:00,I"
    )
    lake.export("order_items", D3, "2,1,100,2,10,", "3,1,100,1,10,")
    lake.export("products", D1, "100,Tent,Outdoor,Acme,19.99,2023-07-01 00:00:00")
    lake.run(*DAYS)
    return lake


def published(lake, *, run=DAYS) -> dict[str, list[str]]:
    """For each table, the days that a run over all days publishes anew."""
    found = {}
    for table in lake.star.tables:
        outcomes = lake.refresh(table, *run)
        assert [str(outcome.error) for outcome in outcomes if outcome.error] == []
        found[table] = [outcome.day for outcome in outcomes if outcome.status == "published"]
    return {table: days for table, days in found.items() if days}


def test_unchanged_exports_publish_nothing(filled) -> None:
    """A schedule that runs every hour must not fill the disk, nor void anybody's cache."""
    before = filled.live()
    assert published(filled.again()) == {}
    assert filled.live() == before


def test_files_touched_but_not_changed_publish_nothing(filled) -> None:
    """An upload that is repeated has another time and the same content."""
    before = filled.live()
    for file in filled.folder("orders", D1).iterdir():
        content = file.read_bytes()
        file.unlink()
        file.write_bytes(content)
    assert published(filled.again()) == {}
    assert filled.live() == before


def test_a_changed_export_rebuilds_the_dates_it_concerns(filled) -> None:
    """Export day 3 holds keys of dates 2 and 3: date 1 is none of its business."""
    filled.export("order_items", D3, "2,1,100,5,10,", "3,1,100,1,10,")
    found = published(filled)
    assert found["order_items"] == [D3]
    assert found["fact_sales"] == [D2, D3]
    assert [sale[3] for sale in filled.sales()] == [1, 5, 1]


def test_a_changed_product_leaves_facts_alone(filled) -> None:
    filled.export("products", D2, "100,Big tent,Outdoor,Acme,19.99,2023-07-02 00:00:00")
    assert published(filled) == {"products": [D2], "dim_product": DAYS, "dim_product_history": DAYS}
    assert filled.rows("SELECT product_name FROM dim_product WHERE product_id = 100") == [("Big tent",)]


def star_with(**changed) -> Star:
    """The shop with some of its parts replaced; what refers to them follows."""
    source = changed.get("products", products)
    items = changed.get("order_items", order_items)
    dim = replace(changed.get("dim_product", dim_product), inferred_from=(items["product_id"],))
    fact = replace(changed.get("fact_sales", fact_sales), references={"product_id": dim})
    return Star([orders, items, source], [dim], [fact])


def test_the_same_code_written_again_publishes_nothing(filled) -> None:
    """A process that starts anew, or a star that is declared in another file, is no change."""
    assert published(filled.again(star_with())) == {}


def test_a_changed_fact_function_rebuilds_the_fact(filled) -> None:
    def doubled(orders: Table, order_items: Table) -> Table:
        rows = fact_sales.transform(orders, order_items)
        return rows.mutate(quantity=rows.quantity * 2)

    changed = filled.again(star_with(fact_sales=replace(fact_sales, transform=doubled)))
    assert published(changed) == {"fact_sales": DAYS}
    assert [sale[3] for sale in changed.sales()] == [2, 4, 2]


def test_a_changed_dimension_function_rebuilds_the_dimension(filled) -> None:
    def shouting(products: Table) -> Table:
        return products.drop("updated_at").mutate(product_name=products.product_name.upper())

    changed = filled.again(star_with(dim_product=replace(dim_product, transform=shouting)))
    assert published(changed) == {"dim_product": DAYS, "dim_product_history": DAYS}
    assert changed.rows("SELECT product_name FROM dim_product WHERE product_id = 100") == [("TENT",)]


def test_a_changed_declaration_stages_the_source_again(filled) -> None:
    """A price that is read in another scale is another price."""
    columns = {**products.columns, "list_price": Column("decimal(18,2)")}
    changed = filled.again(star_with(products=replace(products, columns=columns)))
    assert published(changed) == {"products": DAYS, "dim_product": DAYS, "dim_product_history": DAYS}
    assert changed.rows("SELECT list_price::VARCHAR FROM dim_product WHERE product_id = 100") == [("19.99",)]


def test_descriptions_and_thresholds_are_no_code(filled) -> None:
    described = replace(products, description="Other words.", owner="team:other", max_rejects=0.5)
    assert published(filled.again(star_with(products=described))) == {}


def test_another_time_zone_rebuilds_what_has_business_dates(filled) -> None:
    """Facts have one, and so have members without a version; what only carries timestamps has none."""
    moved = filled.again(timezone="America/New_York")
    assert published(moved) == {"dim_product_history": DAYS, "fact_sales": DAYS}


def test_a_dimension_with_business_dates_follows_the_time_zone(filled) -> None:
    @dimension(key="product_id", inferred_from=[order_items])
    def dim_product(products: Table) -> Table:
        return products.mutate(changed_on=business_date(products.updated_at))

    lake = filled.again(star_with(dim_product=dim_product))
    lake.run(*DAYS)
    moved = lake.again(timezone="America/New_York")
    assert published(moved) == {"dim_product": DAYS, "fact_sales": DAYS}
    ((changed_on,),) = moved.rows("SELECT changed_on::VARCHAR FROM dim_product WHERE product_id = 100")
    assert changed_on == "2023-06-30"


@pytest.mark.parametrize("table", ["orders", "dim_product", "fact_sales"])
def test_a_version_whose_files_are_gone_is_built_again(filled, table: str) -> None:
    """Who removed them by hand must not need to know how to get them back."""
    (folder,) = filled.root.rglob(f"v={filled.manifest(table, D2).version}")
    before = filled.rows(f"FROM {table} ORDER BY ALL")
    shutil.rmtree(folder)
    again = filled.again()
    assert D2 in published(again)[table]
    assert again.rows(f"FROM {table} ORDER BY ALL") == before


def tables_live(lake) -> dict[str, str]:
    """The live version of each table's partitions; states and indexes are nobody's tables."""
    return {partition: version for partition, version in lake.live().items() if "/_" not in partition}


def test_vacuum_makes_nothing_out_of_date(filled) -> None:
    """Housekeeping that had every dimension built again would be no housekeeping."""
    filled.export("order_items", D3, "2,1,100,5,10,", "3,1,100,1,10,")
    filled.run(*DAYS)
    before, warehouse = tables_live(filled), filled.warehouse
    removed = vacuum(warehouse.storage, warehouse.catalog, warehouse.versioned_tables(), timedelta(0))
    assert removed.versions > 0
    assert published(filled.again()) == {}
    assert tables_live(filled) == before


def test_after_vacuum_one_more_day_folds_one_export(filled) -> None:
    """Books are keyed by versions: a ledger that vacuum rewrote names the same ones."""
    filled.export("products", D2, "100,Tent,Outdoor,Acme,29.99,2023-07-02 00:00:00")
    filled.run(*DAYS)
    warehouse = filled.warehouse
    vacuum(warehouse.storage, warehouse.catalog, warehouse.versioned_tables(), timedelta(0))
    day = "2023-07-04"
    for source in ("orders", "order_items", "products"):
        filled.export(source, day)
    again = filled.again()
    again.run(day)
    storage, live = again.warehouse.storage, again.live()
    for table, month in [
        ("products/_state", None),
        ("products/_versions", None),
        ("order_items/_used_product_id", None),
        ("orders/_index_ordered_at", "2023-07"),
    ]:
        partition = Partition("staging", table, month)
        manifest = read_manifest(storage, partition, live[f"{table} {partition.name}"])
        assert manifest.facts["folded"] == 1, table


def test_another_revision_of_the_engines_builds_everything_again(filled, monkeypatch: pytest.MonkeyPatch) -> None:
    """A mend of what engines compute must reach what they computed before."""
    monkeypatch.setattr("star_assets.pipeline.identity.REVISION", 2)
    found = published(filled.again())
    assert found == dict.fromkeys(filled.star.tables, DAYS)
