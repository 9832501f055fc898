"""One declaration: a dimension is one function, and everything else follows from it."""

from __future__ import annotations

from dataclasses import replace
from datetime import date
from decimal import Decimal

import pytest
from ibis.expr.types import Table

from star_assets.athena.embedded import EmbeddedAthena
from star_assets.lake.ddl import create_table
from star_assets.model import Column, Marker, Measure, Source, Star, business_date, dimension, fact
from star_assets.star import fact_sales, order_items, orders, products, retail

DAY = "2023-07-01"


@dimension(key="brand", columns={"products": "How many products it has."})
def dim_brand(products: Table) -> Table:
    """One row per brand."""
    branded = products.filter(products.brand.notnull())
    return branded.group_by("brand").agg(products=branded.count())


def test_a_dimension_is_one_function(make_lake) -> None:
    """Nobody should have to touch the pipeline to add a table."""
    star = Star(list(retail.sources.values()), [*retail.dimensions.values(), dim_brand], list(retail.facts.values()))
    lake = make_lake(star)
    rows = ["1,Tent,Outdoor,Acme,1,", "2,Lamp,Home,Acme,2,", "3,Mug,Kitchen,Bolt,3,", "4,Cup,Kitchen,,3,"]
    lake.export("products", DAY, *rows)
    lake.run(DAY)

    assert lake.rows("SELECT brand, products, member_kind FROM dim_brand ORDER BY brand") == [
        ("-1", None, "unknown"),
        ("Acme", 2, "described"),
        ("Bolt", 1, "described"),
    ]
    entry = lake.warehouse.catalog.table("olap", "dim_brand")
    assert entry is not None
    assert entry.description == "One row per brand."
    assert [(c.name, c.type, c.comment) for c in entry.columns][:2] == [
        ("brand", "string", products.declared["brand"].description),
        ("products", "bigint", "How many products it has."),
    ]
    ddl = create_table(entry)
    assert "CREATE EXTERNAL TABLE" in ddl
    assert "dim_brand" in ddl
    assert entry.location is not None
    assert entry.location in ddl
    assert set(lake.manifest("dim_brand", DAY).facts["checks"]) == {"key not null", "key unique", "unknown member"}
    athena = EmbeddedAthena(lake.warehouse.storage, lake.warehouse.catalog)
    found = athena.query("SELECT brand FROM dim_brand WHERE products = 2").table.to_pylist()
    assert found == [{"brand": "Acme"}]


VISITS = Source(
    "visits",
    key=("site", "visit"),
    event_time="begun_at",
    columns={"site": "string", "visit": "int32", "begun_at": "timestamp", "ended_at": "timestamp", "paid": "boolean"},
    whole=Marker(),
    max_rejects=0.0,
)
STEPS = Source(
    "steps",
    key=("place", "number", "step"),
    part_of=VISITS,
    header_key=("place", "number"),
    columns={
        "place": "string",
        "number": "int32",
        "step": "int32",
        "weight": "float64",
        "tariff": "string",
        "planned_on": "date",
    },
    whole=Marker(),
)
TARIFFS = Source("tariffs", key="tariff", columns={"tariff": "string", "cents": Column("decimal(9,2)")}, whole=Marker())


@dimension(key="site", inferred_from=[VISITS])
def dim_site(visits: Table) -> Table:
    """One row per site that was ever visited."""
    return visits.select("site").distinct()


@dimension(key="date_key")
def dim_day(calendar: Table) -> Table:
    """One row per day."""
    return calendar


@fact(
    key="step_id",
    date="begun_at",
    references={"site": dim_site, "begun_on": dim_day, "ended_on": dim_day, "planned_on": dim_day},
    measures=[Measure("weight"), Measure("amount")],
)
def fact_steps(visits: Table, steps: Table, tariffs: Table) -> Table:
    """One row per step of a visit."""
    rows = visits.join(steps, [visits.site == steps.place, visits.visit == steps.number]).left_join(tariffs, "tariff")
    return rows.select(
        step_id=rows.site + "/" + rows.visit.cast("string") + "/" + rows.step.cast("string"),
        site=rows.site,
        begun_on=business_date(rows.begun_at),
        ended_on=business_date(rows.ended_at),
        planned_on=rows.planned_on,
        begun_at=rows.begun_at,
        weight=rows.weight,
        amount=rows.cents,
        paid=rows.paid,
    )


@pytest.fixture
def visits(make_lake):
    """Composite keys of text, other names for them in the lines, a look-up, one dimension in two roles."""
    lake = make_lake(Star([VISITS, STEPS, TARIFFS], [dim_site, dim_day], [fact_steps]))
    lake.write(
        "visits",
        DAY,
        {"v.csv": "site,visit,begun_at,ended_at,paid\nA,1,2023-07-01 10:00,2024-01-01,t\nA,2,2023-07-01,,f\n"},
    )
    lines = ["A,1,1,1.5,x,2021-05-05", "A,1,2,2.5,y,", "B,1,1,9,x,", "A,2,1,,,"]
    lake.write("steps", DAY, {"s.csv": "\n".join(["place,number,step,weight,tariff,planned_on", *lines, ""])})
    lake.write("tariffs", DAY, {"t.csv": "tariff,cents\nx,10.50\n"})
    lake.run(DAY)
    return lake


def test_nothing_of_retail_is_built_in(visits) -> None:
    """The names, types and shapes are the model's."""
    assert visits.rows("SELECT step_id, weight, amount, ended_on, paid FROM fact_steps ORDER BY step_id") == [
        ("A/1/1", 1.5, Decimal("10.50"), date(2024, 1, 1), True),
        ("A/1/2", 2.5, None, date(2024, 1, 1), True),
        ("A/2/1", None, None, date(1900, 1, 1), False),
    ]
    assert visits.rows("SELECT site FROM dim_site ORDER BY site") == [("-1",), ("A",)]


def test_one_dimension_may_play_several_roles(visits) -> None:
    """Each role is checked, and has its years in the calendar; the Unknown day is one day for all."""
    checks = visits.manifest("fact_steps", DAY).facts["checks"]
    assert {"begun_on in dim_day", "ended_on in dim_day", "planned_on in dim_day"} <= checks.keys()
    joined = """SELECT count(*) FROM fact_steps JOIN dim_day b ON begun_on = b.date_key
                JOIN dim_day e ON ended_on = e.date_key JOIN dim_day p ON planned_on = p.date_key"""
    span = "SELECT min(date_key)::VARCHAR, max(date_key)::VARCHAR FROM dim_day WHERE member_kind = 'described'"
    assert visits.rows(span) == [("2021-01-01", "2024-12-31")]
    assert visits.rows(joined) == [(3,)]


def test_a_changed_look_up_rebuilds_the_fact(visits) -> None:
    """What a fact looks up is an input like its exports."""
    visits.write("tariffs", DAY, {"t.csv": "tariff,cents\nx,11.00\ny,1\n"})
    visits.run(DAY, tables=["tariffs"])
    assert visits.statuses("fact_steps", DAY) == ["published"]
    assert visits.rows("SELECT sum(amount) FROM fact_steps") == [(Decimal(12),)]


def test_the_same_function_may_feed_another_star(make_lake) -> None:
    """Declarations are values: the retailer's fact, without any dimension at all."""
    star = Star([orders, order_items], [], [replace(fact_sales, references={})])
    lake = make_lake(star)
    lake.export("orders", DAY, f"1,,,{DAY} 10:00:00,placed,,I")
    lake.export("order_items", DAY, "1,1,,1,1,")
    lake.run(DAY)
    assert lake.rows("SELECT product_id, customer_id FROM fact_sales") == [(None, None)]
