"""A star for TPC-H's tables: orders and their lines become one fact, all else dimensions.

Columns keep TPC-H's names, so that its queries read as they do in its
specification; what is flattened into a dimension is called as in the Star Schema
Benchmark (`c_nation`, `c_region`). `README.md` says how to run it.
"""

from __future__ import annotations

from datetime import date

from ibis.expr.types import Table

from star_assets.model import (
    BarChart,
    Column,
    Dashboard,
    LineChart,
    Measure,
    Page,
    Settled,
    Source,
    Star,
    business_date,
    dimension,
    fact,
)
from star_assets.star.dimensions import dim_time

# All exports are put in place at once (see prepare): there is nothing to wait for.
WHOLE = Settled(0)

MONEY = "decimal(15,2)"

orders = Source(
    "orders",
    key="o_orderkey",
    event_time="o_orderdate",
    whole=WHOLE,
    description="Orders.",
    columns={
        "o_orderkey": Column("int64", "The order's number."),
        "o_custkey": Column("int64", "Who ordered."),
        "o_orderstatus": Column("string", "F: all lines fulfilled; O: all open; P: some of both."),
        "o_totalprice": Column(MONEY, "What the order comes to, with discounts and tax."),
        "o_orderdate": Column("timestamp", "The day it was ordered; no time of day is known."),
        "o_orderpriority": Column("string", "1-URGENT to 5-LOW."),
        "o_clerk": Column("string", "Who took the order.", personal=True),
        "o_shippriority": Column("int32", "Shipping priority."),
        "o_comment": Column("string", "Any text."),
    },
)

lineitem = Source(
    "lineitem",
    key=("l_orderkey", "l_linenumber"),
    part_of=orders,
    header_key="l_orderkey",
    lines="complete",
    whole=WHOLE,
    description="Order lines, one to seven for each order.",
    columns={
        "l_orderkey": Column("int64", "The order's number."),
        "l_partkey": Column("int64", "What was ordered."),
        "l_suppkey": Column("int64", "Who supplies it."),
        "l_linenumber": Column("int32", "The line's number within its order."),
        "l_quantity": Column(MONEY, "How many."),
        "l_extendedprice": Column(MONEY, "Price of all, before discount and tax."),
        "l_discount": Column(MONEY, "Discount, as a share of the price."),
        "l_tax": Column(MONEY, "Tax, as a share of the discounted price."),
        "l_returnflag": Column("string", "R: returned; A: accepted; N: not yet received."),
        "l_linestatus": Column("string", "O: open; F: fulfilled."),
        "l_shipdate": Column("date", "The day it was shipped."),
        "l_commitdate": Column("date", "The day it was promised for."),
        "l_receiptdate": Column("date", "The day it was received."),
        "l_shipinstruct": Column("string", "How to deliver it."),
        "l_shipmode": Column("string", "AIR, FOB, MAIL, RAIL, REG AIR, SHIP or TRUCK."),
        "l_comment": Column("string", "Any text."),
    },
)

customer = Source(
    "customer",
    key="c_custkey",
    whole=WHOLE,
    every=None,
    description="Customers.",
    columns={
        "c_custkey": Column("int64", "The customer's number."),
        "c_name": Column("string", "Name.", personal=True),
        "c_address": Column("string", "Address.", personal=True),
        "c_nationkey": Column("int32", "Nation."),
        "c_phone": Column("string", "Telephone number; begins with the nation's.", personal=True),
        "c_acctbal": Column(MONEY, "Balance of the account."),
        "c_mktsegment": Column("string", "AUTOMOBILE, BUILDING, FURNITURE, HOUSEHOLD or MACHINERY."),
        "c_comment": Column("string", "Any text."),
    },
)

supplier = Source(
    "supplier",
    key="s_suppkey",
    whole=WHOLE,
    every=None,
    description="Suppliers.",
    columns={
        "s_suppkey": Column("int64", "The supplier's number."),
        "s_name": Column("string", "Name."),
        "s_address": Column("string", "Address."),
        "s_nationkey": Column("int32", "Nation."),
        "s_phone": Column("string", "Telephone number; begins with the nation's."),
        "s_acctbal": Column(MONEY, "Balance of the account."),
        "s_comment": Column("string", "Any text."),
    },
)

part = Source(
    "part",
    key="p_partkey",
    whole=WHOLE,
    every=None,
    description="Parts that are sold.",
    columns={
        "p_partkey": Column("int64", "The part's number."),
        "p_name": Column("string", "Name: five colours."),
        "p_mfgr": Column("string", "Manufacturer."),
        "p_brand": Column("string", "Brand of the manufacturer."),
        "p_type": Column("string", "Kind, finish and material, such as PROMO BRUSHED TIN."),
        "p_size": Column("int32", "Size, 1 to 50."),
        "p_container": Column("string", "What it is packed in."),
        "p_retailprice": Column(MONEY, "Price of one."),
        "p_comment": Column("string", "Any text."),
    },
)

nation = Source(
    "nation",
    key="n_nationkey",
    whole=WHOLE,
    every=None,
    description="The 25 nations.",
    columns={
        "n_nationkey": Column("int32", "The nation's number."),
        "n_name": Column("string", "Name."),
        "n_regionkey": Column("int32", "Region."),
        "n_comment": Column("string", "Any text."),
    },
)

region = Source(
    "region",
    key="r_regionkey",
    whole=WHOLE,
    every=None,
    description="The five regions of the world.",
    columns={
        "r_regionkey": Column("int32", "The region's number."),
        "r_name": Column("string", "Name."),
        "r_comment": Column("string", "Any text."),
    },
)


@dimension(
    key="c_custkey",
    inferred_from=[orders["o_custkey"]],
    columns={"c_nation": "Nation.", "c_region": "Region."},
    labels={"c_nation": "Customer Nation", "c_region": "Customer Region", "c_mktsegment": "Market Segment"},
    hierarchies={"Customer Places": ["c_region", "c_nation"]},
)
def dim_customer(customer: Table, nation: Table, region: Table) -> Table:
    """One row per customer, with nation and region."""
    placed = customer.left_join(places(nation, region), [("c_nationkey", "n_nationkey")])
    return placed.rename(c_nation="n_name", c_region="r_name").drop("c_nationkey", "n_nationkey")


@dimension(
    key="s_suppkey",
    inferred_from=[lineitem["l_suppkey"]],
    columns={"s_nation": "Nation.", "s_region": "Region."},
    labels={"s_name": "Supplier", "s_nation": "Supplier Nation", "s_region": "Supplier Region"},
    hierarchies={"Supplier Places": ["s_region", "s_nation", "s_name"]},
)
def dim_supplier(supplier: Table, nation: Table, region: Table) -> Table:
    """One row per supplier, with nation and region."""
    placed = supplier.left_join(places(nation, region), [("s_nationkey", "n_nationkey")])
    return placed.rename(s_nation="n_name", s_region="r_name").drop("s_nationkey", "n_nationkey")


@dimension(
    key="p_partkey",
    inferred_from=[lineitem["l_partkey"]],
    labels={"p_name": "Part", "p_brand": "Brand", "p_mfgr": "Manufacturer"},
    hierarchies={"Parts": ["p_mfgr", "p_brand", "p_name"]},
)
def dim_part(part: Table) -> Table:
    """One row per part."""
    return part


def places(nation: Table, region: Table) -> Table:
    """Nations by number, each with its region."""
    placed = nation.left_join(region, [("n_regionkey", "r_regionkey")])
    return placed.select("n_nationkey", "n_name", "r_name")


@fact(
    key="line_id",
    date="ordered_at",
    references={
        "o_custkey": dim_customer,
        "l_suppkey": dim_supplier,
        "l_partkey": dim_part,
        "o_orderdate": dim_time,
        "l_shipdate": dim_time,
        "l_commitdate": dim_time,
        "l_receiptdate": dim_time,
    },
    measures=[
        Measure("l_quantity", "sum", minimum=0, label="Units"),
        Measure("l_extendedprice", "sum", minimum=0, label="Price Before Discount", format="money"),
        Measure("l_discount", "avg", minimum=0, label="Average Discount", format="percent"),
        Measure("l_tax", "avg", minimum=0, label="Average Tax", format="percent"),
        Measure("revenue", "sum", "Price of all, less the discount.", minimum=0, format="money"),
    ],
    labels={
        "l_shipmode": "Ship Mode",
        "l_shipdate": "Shipped",
        "l_commitdate": "Promised",
        "l_receiptdate": "Received",
    },
    sort_by=["l_shipdate"],
    columns={
        "line_id": "The line's identity: order number and line number.",
        "o_orderdate": "The business date: the day it was ordered.",
        "ordered_at": "The beginning of that day (UTC).",
    },
)
def fact_lineitem(orders: Table, lineitem: Table) -> Table:
    """One row per order line."""
    lines = orders.join(lineitem, [("o_orderkey", "l_orderkey")])
    return lines.select(
        "l_orderkey",
        "l_linenumber",
        "o_custkey",
        "l_partkey",
        "l_suppkey",
        "l_quantity",
        "l_extendedprice",
        "l_discount",
        "l_tax",
        "l_returnflag",
        "l_linestatus",
        "l_shipdate",
        "l_commitdate",
        "l_receiptdate",
        "l_shipinstruct",
        "l_shipmode",
        "o_orderstatus",
        "o_orderpriority",
        "o_shippriority",
        line_id=lines.l_orderkey.cast("string") + "-" + lines.l_linenumber.cast("string"),
        revenue=(lines.l_extendedprice * (1 - lines.l_discount)).cast("decimal(18,4)"),
        o_orderdate=business_date(lines.o_orderdate),
        ordered_at=lines.o_orderdate,
    )


# TPC-H names no currency, so that its money is shown without one.
trade = Dashboard(
    "trade",
    "Trade",
    fact="fact_lineitem",
    filters=["dim_customer.c_region", "dim_supplier.s_region"],
    pages=[
        Page(
            "Revenue",
            tiles=["revenue", "l_quantity", "l_discount"],
            charts=[
                LineChart("revenue"),
                BarChart("revenue", by="dim_part.p_brand"),
                BarChart("revenue", by="dim_supplier.s_nation"),
                BarChart("l_quantity", by="fact_lineitem.l_shipmode"),
            ],
        ),
        Page(
            "Asia in 1994",
            charts=[BarChart("revenue", by="dim_supplier.s_nation")],
            where={"dim_customer.c_region": "ASIA", "dim_supplier.s_region": "ASIA"},
            between=(date(1994, 1, 1), date(1994, 12, 31)),
        ),
    ],
)

tpch = Star(
    sources=[orders, lineitem, customer, supplier, part, nation, region],
    dimensions=[dim_customer, dim_supplier, dim_part, dim_time],
    facts=[fact_lineitem],
    dashboards=[trade],
)
