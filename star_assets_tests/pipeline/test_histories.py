"""What members were when: intervals, the surrogate keys that facts carry, and which dates a change concerns."""

from __future__ import annotations

import hashlib
from dataclasses import replace
from datetime import datetime, timedelta

import pytest
from ibis.expr.types import Table

from star_assets.lake.vacuum import vacuum
from star_assets.model import Column, Source, Star, dimension
from star_assets.model.errors import BadDeclaration, RollbackRefused
from star_assets.star import fact_sales, order_items, orders, products

from .conftest import HEADERS, Lake, MakeLake, is_fact_file, reads

D1, D2, D3, D4, D5 = DAYS = [f"2023-07-0{number}" for number in range(1, 6)]
ALWAYS, FOREVER = datetime(1900, 1, 1), datetime(9999, 12, 31)


def product(category: str = "Outdoor", price: str = "10", version: str | None = None, name: str = "Tent") -> str:
    """Product 100; `version` is the day of July from whose noon on it is so."""
    return f"100,{name},{category},Acme,{price}," + (f"2023-07-{version} 12:00:00" if version else "")


def sell(lake: Lake, day: str, product_id: int = 100, time: str = "10:00:00") -> None:
    """One order, numbered like its day, exported on it."""
    number = int(day[-2:])
    lake.export("orders", day, f"{number},1,1,{day} {time},placed,{day} 23:00:00,I")
    lake.export("order_items", day, f"{number},1,{product_id},1,10,")


def intervals(lake: Lake, key: int = 100) -> list[tuple]:
    return lake.rows(
        "SELECT category, list_price::INT, valid_from, valid_to, is_current, member_kind FROM dim_product_history "
        f"WHERE product_id = {key} ORDER BY valid_from"
    )


def sold_as(lake: Lake) -> dict[str, str]:
    """The category that each date's product was sold in."""
    return dict(lake.rows("SELECT f.date, category FROM fact_sales f JOIN dim_product_history USING (product_sk)"))


def test_sales_keep_the_category_they_were_made_in(lake: Lake) -> None:
    """Sales by category as it was then is one join; the dimension itself says what it is today."""
    for day in DAYS[:3]:
        sell(lake, day)
    lake.export("products", D1, product("Outdoor", version="01"))
    lake.export("products", D2, product("Garden", version="02"))
    lake.run(*DAYS)
    noon = datetime(2023, 7, 2, 12)
    assert intervals(lake) == [
        ("Outdoor", 10, ALWAYS, noon, False, "described"),
        ("Garden", 10, noon, FOREVER, True, "described"),
    ]
    assert sold_as(lake) == {D1: "Outdoor", D2: "Outdoor", D3: "Garden"}
    assert lake.rows("SELECT category FROM dim_product WHERE product_id = 100") == [("Garden",)]


def test_the_surrogate_key_can_be_computed_by_anybody(lake: Lake) -> None:
    """63 bits of the SHA-256 of key and moment: stable wherever and whenever it is built again."""
    lake.export("products", D1, product(version="01"))
    sell(lake, D1, 77)
    lake.run(D1)
    moment = int(datetime(2023, 7, 1, 12).timestamp() - datetime(1970, 1, 1).timestamp()) * 1000
    expected = {
        key: int(hashlib.sha256(text.encode()).hexdigest()[:16], 16) >> 1
        for key, text in {100: f"100@{moment}", 77: "77@"}.items()
    }
    found = dict(lake.rows("SELECT product_id, product_sk FROM dim_product_history"))
    assert found == {**expected, -1: -1}


def test_what_is_not_tracked_makes_no_interval(lake: Lake) -> None:
    """And is today's in all of them."""
    lake.export("products", D1, product("Outdoor", version="01", name="Tent"))
    lake.export("products", D2, product("Garden", version="02", name="Tent"))
    lake.export("products", D3, product("Garden", version="03", name="Big tent"))
    lake.run(*DAYS[:3], tables=["orders", "order_items", "products", "dim_product", "dim_product_history"])
    found = lake.rows(
        "SELECT category, product_name FROM dim_product_history WHERE product_id = 100 ORDER BY valid_from"
    )
    assert found == [("Outdoor", "Big tent"), ("Garden", "Big tent")]


def test_without_a_version_a_change_begins_with_its_export_s_business_day(make_lake: MakeLake) -> None:
    lake = make_lake(timezone="America/New_York")
    for day, category in zip(DAYS, ["Outdoor", "Outdoor", "Garden", "Garden", "Outdoor"], strict=True):
        lake.export("products", day, product(category))
        sell(lake, day, time="03:59:59")
    lake.run(*DAYS)
    assert [(category, since) for category, _, since, *_ in intervals(lake)] == [
        ("Outdoor", ALWAYS),
        ("Garden", datetime(2023, 7, 3, 4)),
        ("Outdoor", datetime(2023, 7, 5, 4)),
    ]


def test_a_late_export_concerns_the_dates_of_its_interval_where_the_member_was_sold(lake: Lake) -> None:
    """Of all others nothing is built again, however large the history."""
    for day in DAYS:
        sell(lake, day, 200 if day == D3 else 100)
    lake.export("products", D1, product("Outdoor", version="01"))
    lake.export("products", D5, product("Garden", version="05"))
    lake.run(*DAYS)
    before = lake.live()
    lake.export("products", D4, product("Camping", version="02"))
    lake.run(D4, tables=["products", "dim_product", "dim_product_history"])
    found = lake.again().warehouse.out_of_date("fact_sales")
    assert list(found.days) == list(found.for_histories) == [D4, D5]
    (told,) = lake.warehouse.remarks("fact_sales", found)
    assert told == f"fact_sales: 2 dates are concerned by nothing but a changed history: {D4}, {D5}."
    lake.run(*DAYS)
    after = lake.live()
    assert {name[-10:] for name in after if name.startswith("fact_sales date") and after[name] != before[name]} == {
        D4,
        D5,
    }
    assert sold_as(lake) == {D1: "Outdoor", D2: "Outdoor", D3: "Unknown", D4: "Camping", D5: "Camping"}
    assert not lake.again().warehouse.out_of_date("fact_sales").days


def test_an_inner_join_finds_every_sale_before_facts_are_built_again(lake: Lake) -> None:
    """A date that fails its audit would lose its revenue for good, had its products' intervals gone."""
    joined = """SELECT count(*) FROM fact_sales JOIN dim_product_history USING (product_sk)
                JOIN dim_product ON fact_sales.product_id = dim_product.product_id"""
    sell(lake, D2)
    sell(lake, D3, 200)
    lake.export("products", D1, product("Outdoor", version="03"))
    lake.run(*DAYS)
    lake.export("products", D1, product("Garden", version="01"))
    lake.export("order_items", D3)
    dimensions = ["dim_product", "dim_product_history"]
    lake.run(*DAYS, tables=["orders", "order_items", "products", *dimensions])
    kinds = "SELECT member_kind FROM {} WHERE product_id > 0 ORDER BY 1"
    assert lake.rows(kinds.format("dim_product")) == [("described",), ("superseded",)]
    assert lake.rows(kinds.format("dim_product_history")) == [("described",), ("superseded",), ("superseded",)]
    assert lake.rows(joined) == [(2,)]
    assert [lake.statuses(table, D5) for table in dimensions] == [["unchanged"], ["unchanged"]]
    lake.run(*DAYS, tables=["fact_sales"])
    assert lake.rows(joined) == [(1,)]
    assert list(lake.warehouse.out_of_date("dim_product_history").days) == [], "a rollback may need them"
    vacuum(lake.warehouse.storage, lake.warehouse.catalog, [("olap", "fact_sales")], timedelta(0))
    assert list(lake.warehouse.out_of_date("dim_product_history").days) == [D5]
    lake.run(*DAYS, tables=dimensions)
    assert lake.rows(kinds.format("dim_product_history")) == [("described",)]
    assert sold_as(lake) == {D2: "Garden"}


def test_a_version_beyond_today_waits_for_its_day(lake: Lake) -> None:
    """A clock that said 2099 must not give today's sales the category of then."""
    sell(lake, D2)
    lake.export("products", D1, product("Outdoor", version="01"))
    lake.export("products", D2, "100,Tent,Garden,Acme,10,2099-01-01 00:00:00")
    lake.run(*DAYS)
    assert sold_as(lake) == {D2: "Outdoor"}
    lake.export("products", D2, product("Garden", version="02"))
    lake.run(*DAYS)
    assert [category for category, *_ in intervals(lake)] == ["Outdoor", "Garden"]


def test_an_inferred_member_gets_its_history_when_it_is_described(lake: Lake) -> None:
    sell(lake, D1)
    lake.export("products", D1)
    lake.run(*DAYS)
    assert intervals(lake) == [("Unknown", None, ALWAYS, FOREVER, True, "inferred")]
    lake.export("products", D2, product("Outdoor", version="02"))
    lake.run(*DAYS)
    assert sold_as(lake) == {D1: "Outdoor"}
    assert lake.rows("SELECT product_sk FROM dim_product_history WHERE product_id = -1") == [(-1,)]


def test_a_sale_without_a_product_is_the_unknown_member_s_then_as_now(lake: Lake) -> None:
    lake.export("orders", D1, f"1,1,1,{D1} 10:00:00,placed,,I")
    lake.export("order_items", D1, "1,1,,1,10,")
    lake.export("products", D1, product())
    lake.run(D1)
    assert lake.rows("SELECT product_id, product_sk FROM fact_sales") == [(-1, -1)]
    assert sold_as(lake) == {D1: "Unknown"}


def test_a_history_cannot_go_back_to_before_what_facts_carry(lake: Lake) -> None:
    sell(lake, D3)
    lake.export("products", D1, product("Outdoor", version="01"))
    lake.run(*DAYS)
    lake.export("products", D2, product("Garden", version="02"))
    lake.run(*DAYS)
    with pytest.raises(RollbackRefused, match=r"dim_product_history cannot go back.*fact_sales uses members"):
        lake.warehouse.rollback("dim_product_history", None, None)


def test_a_member_that_a_later_snapshot_lacks_stays_and_is_marked(lake: Lake) -> None:
    """A product that is no longer listed was sold all the same. A day without an export says nothing of it."""
    lake.export("products", D1, product(), "200,Lamp,Indoor,Acme,5,")
    lake.export("products", D2, product())
    lake.run(D1, D2, D3, tables=["orders", "order_items", "products", "dim_product", "dim_product_history"])
    kinds = "SELECT product_id, member_kind FROM {} WHERE product_id > 0 ORDER BY 1"
    for table in ("dim_product", "dim_product_history"):
        assert lake.rows(kinds.format(table)) == [(100, "described"), (200, "vanished")]
    lake.export("products", D3, product(), "200,Lamp,Indoor,Acme,5,")
    lake.run(D3, tables=["products", "dim_product"])
    assert lake.rows(kinds.format("dim_product")) == [(100, "described"), (200, "described")]


def test_the_same_snapshot_again_changes_nothing(lake: Lake) -> None:
    """Nor is a dimension built again because a day went by."""
    lake.export("products", D1, product())
    lake.run(D1, tables=["orders", "order_items", "products", "dim_product", "dim_product_history"])
    lake.export("products", D2, product())
    lake.run(D2, tables=["orders", "order_items", "products"])
    assert lake.statuses("dim_product", D2) == lake.statuses("dim_product_history", D2) == ["unchanged"]


# A source of changes alone, with tombstones.
changing = replace(
    products,
    exports="changes",
    deleted="op = 'D'",
    columns={**products.columns, "op": Column("string", optional=True)},
)


@dimension(key="product_id", inferred_from=[order_items], history=["category"])
def dim_product(products: Table) -> Table:
    """Products that are on sale."""
    return products.filter(products.category != "hidden").select("product_id", category=products.category.upper())


def test_a_deleted_member_has_an_end_and_may_begin_again(make_lake: MakeLake) -> None:
    """Between the two it is as undescribed as in the dimension then. A row that the function leaves out is like one."""
    lake = make_lake(
        Star(
            [orders, order_items, changing],
            [dim_product],
            [replace(fact_sales, references={"product_id": dim_product})],
        )
    )
    header = HEADERS["products"] + ",op"
    rows = {D1: product("a", version="01"), D2: product("a", version="02"), D4: product("b", version="04")}
    lake.write("products", D1, {"p.csv": f"{header}\n{rows[D1]},I\n"})
    lake.write("products", D2, {"p.csv": f"{header}\n{rows[D2]},D\n"})
    sell(lake, D3)
    lake.run(*DAYS[:3])

    def kinds() -> list[tuple]:
        return lake.rows(
            "SELECT category, extract(day FROM valid_to), member_kind FROM dim_product_history "
            "WHERE product_id = 100 ORDER BY valid_from"
        )

    assert kinds() == [("A", 2, "described"), ("Unknown", 31, "inferred")]
    assert sold_as(lake) == {D3: "Unknown"}
    lake.write("products", D4, {"p.csv": f"{header}\n{rows[D4]},I\n"})
    lake.write("products", D5, {"p.csv": f"{header}\n{product('hidden', version='05')},U\n"})
    lake.run(*DAYS)
    assert kinds() == [
        ("A", 2, "described"),
        ("Unknown", 4, "inferred"),
        ("B", 5, "described"),
        ("Unknown", 31, "inferred"),
    ]
    lake.export("order_items", D3)
    lake.run(*DAYS)
    assert kinds() == [("A", 2, "described"), ("Unknown", 4, "inferred"), ("B", 5, "described")]


def star_with(transform, **options) -> Star:
    options = {"key": "product_id", "history": ["category"], **options}
    return Star([orders, order_items, products], [dimension(**options)(transform)], [])


def refused(name: str):
    def summed(products: Table) -> Table:
        return products.group_by("product_id").agg(category=products.category.max())

    def computed(products: Table) -> Table:
        return products.mutate(product_id=products.product_id + 1)

    def shadowing(products: Table) -> Table:
        return products.mutate(valid_to=products.updated_at)

    def untracked(products: Table) -> Table:
        return products.drop("category")

    def by_line(order_items: Table) -> Table:
        return order_items.select("product_id", category=order_items.unit_price.cast("string"))

    return locals()[name]


@pytest.mark.parametrize(
    ("transform", "problem"),
    [
        ("summed", "has a history, but aggregate does not work row by row"),
        ("computed", "has a history, but its key 'product_id' is computed"),
        ("shadowing", "has a column 'valid_to', which its history adds"),
        ("untracked", "history names 'category', which is no attribute of it"),
        ("by_line", "has a history, but order_items has the key order_id, line_number"),
    ],
)
def test_what_cannot_have_a_history_is_refused(transform: str, problem: str) -> None:
    """Where a version row cannot be told from the next, a history would be made up."""
    with pytest.raises(BadDeclaration, match=problem):
        star_with(refused(transform))


def test_sources_say_what_their_exports_hold() -> None:
    with pytest.raises(BadDeclaration, match="exports is 'all'"):
        Source("s", key="id", columns={"id": "int64"}, exports="all")  # type: ignore[arg-type]


def test_the_second_look_reads_no_fact_file(lake: Lake, monkeypatch: pytest.MonkeyPatch) -> None:
    """A history changes every day; a look that read all dates of its month each time would cost a month for ever."""
    for day in DAYS:
        sell(lake, day, 200 if day == D3 else 100)
    lake.export("products", D1, product("Outdoor", version="01"))
    lake.run(*DAYS)
    # It concerns no date's rows: nobody sold the product after that moment.
    lake.export("products", D5, product("Garden", version="20"))
    lake.run(D5, tables=["products", "dim_product", "dim_product_history"])
    read = reads(monkeypatch, is_fact_file)
    lake.again().warehouse.catch_up("fact_sales")
    assert len(read) == len(DAYS), "the first look reads each date's rows once"
    read.clear()
    assert not lake.again().warehouse.out_of_date("fact_sales").days
    assert read == []
