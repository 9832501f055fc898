"""A star for the Jaffle shop: what a project of one's own declares.

Text keys, money in cents, timestamps without zone, one row per item and no
quantity, keys named differently from table to table. `README.md` says how to run it.
"""

from __future__ import annotations

from decimal import Decimal

import ibis
from ibis.expr.types import DecimalColumn, IntegerColumn, Table

from star_assets.model import (
    BarChart,
    Column,
    Dashboard,
    LineChart,
    Measure,
    Page,
    Ratio,
    Settled,
    Source,
    Star,
    business_date,
    dimension,
    fact,
)
from star_assets.star.dimensions import dim_time

# One dump, put in place whole: there is nothing to wait for, and a day without
# files is a day without exports.
WHOLE = Settled(0)

orders = Source(
    "orders",
    key="id",
    event_time="ordered_at",
    whole=WHOLE,
    every=None,
    description="Orders. Some have no items.",
    columns={
        "id": Column("string", "The order's UUID."),
        "customer": Column("string", "Who ordered: the customer's UUID."),
        "ordered_at": Column("timestamp", "When it was ordered."),
        "store_id": Column("string", "Where it was ordered: the store's UUID."),
        "subtotal": Column("int64", "Price of all items, in cents."),
        "tax_paid": Column("int64", "Tax, in cents."),
        "order_total": Column("int64", "Subtotal and tax, in cents."),
    },
)

items = Source(
    "items",
    key="id",
    part_of=orders,
    header_key="order_id",
    lines="complete",
    whole=WHOLE,
    every=None,
    description="What was ordered, one row per unit.",
    columns={
        "id": Column("string", "The item's UUID."),
        "order_id": Column("string", "The order's UUID."),
        "sku": Column("string", "The product."),
    },
)

customers = Source(
    "customers",
    key="id",
    whole=WHOLE,
    every=None,
    description="Customers.",
    columns={"id": Column("string", "The customer's UUID."), "name": Column("string", "Full name.", personal=True)},
)

products = Source(
    "products",
    key="sku",
    whole=WHOLE,
    every=None,
    description="The menu.",
    columns={
        "sku": Column("string", "The product's code."),
        "name": Column("string", "Name on the menu."),
        "type": Column("string", "jaffle or beverage."),
        "price": Column("int64", "Price in cents."),
        "description": Column("string", "What is in it."),
    },
)

stores = Source(
    "stores",
    key="id",
    whole=WHOLE,
    every=None,
    description="Stores, some of them not yet open.",
    columns={
        "id": Column("string", "The store's UUID."),
        "name": Column("string", "City."),
        "opened_at": Column("timestamp", "When it opened."),
        "tax_rate": Column("decimal(5,4)", "Tax on a sale, as a share of its price."),
    },
)


@dimension(key="customer_id", inferred_from=[orders["customer"]])
def dim_customer(customers: Table) -> Table:
    """One row per customer."""
    return customers.rename(customer_id="id", customer_name="name")


@dimension(
    key="sku",
    inferred_from=[items],
    columns={"price": "Price in US dollars."},
    labels={"product_name": "Product"},
    hierarchies={"Menu": ["product_type", "product_name"]},
)
def dim_product(products: Table) -> Table:
    """One row per product on the menu."""
    return products.mutate(price=dollars(products.price)).rename(product_name="name", product_type="type")


@dimension(key="store_id", inferred_from=[orders], labels={"store_name": "Store"})
def dim_store(stores: Table) -> Table:
    """One row per store."""
    return stores.rename(store_id="id", store_name="name")


@fact(
    key="item_id",
    date="sold_at",
    references={"sku": dim_product, "customer": dim_customer, "store_id": dim_store, "sale_date": dim_time},
    measures=[Measure("revenue", "sum", "Price of the item, in US dollars.", minimum=0, format="money")],
    sort_by=["store_id", "sku"],
    columns={"sale_date": "The business date: the day of sold_at in the business time zone."},
)
def fact_items(orders: Table, items: Table, products: Table) -> Table:
    """One row per item sold, at the price on the menu."""
    sold = orders.rename(order_id="id").join(items.rename(item_id="id"), "order_id")
    # A left join: an item that is not on the menu is still an item sold.
    priced = sold.left_join(products.select("sku", "price"), "sku")
    return priced.select(
        "item_id",
        "order_id",
        "sku",
        "customer",
        "store_id",
        revenue=dollars(priced.price.coalesce(0)),
        sold_at=priced.ordered_at,
        sale_date=business_date(priced.ordered_at),
    )


@fact(
    key="order_id",
    date="sold_at",
    references={"customer": dim_customer, "store_id": dim_store, "sale_date": dim_time},
    measures=[
        Measure("subtotal", "sum", "Price of all items, in US dollars.", minimum=0, label="Sales", format="money"),
        Measure("tax", "sum", "Tax, in US dollars.", minimum=0, label="Taxes", format="money"),
        Measure("total", "sum", "Subtotal and tax, in US dollars.", minimum=0, label="Sales and Taxes", format="money"),
    ],
    ratios=[Ratio("tax_rate", "tax", "subtotal", "Tax as a share of the price.", format="percent")],
    sort_by=["store_id"],
    columns={"sale_date": "The business date: the day of sold_at in the business time zone."},
)
def fact_orders(orders: Table) -> Table:
    """One row per order, also of those without items."""
    return orders.select(
        order_id=orders.id,
        customer=orders.customer,
        store_id=orders.store_id,
        subtotal=dollars(orders.subtotal),
        tax=dollars(orders.tax_paid),
        total=dollars(orders.order_total),
        sold_at=orders.ordered_at,
        sale_date=business_date(orders.ordered_at),
    )


def dollars(cents: IntegerColumn) -> DecimalColumn:
    """Cents as US dollars, exactly: multiplied, since engines differ on dividing decimals."""
    return (cents * ibis.literal(Decimal("0.01"), type="decimal(3,2)")).cast("decimal(18,2)")


menu = Dashboard(
    "menu",
    "Menu",
    fact="fact_items",
    filters=["dim_store.store_name", "dim_product.product_type"],
    pages=[
        Page(
            "Items",
            tiles=["revenue"],
            charts=[
                LineChart("revenue"),
                BarChart("revenue", by="dim_product.product_name"),
                BarChart("revenue", by="dim_store.store_name"),
            ],
        )
    ],
)

till = Dashboard(
    "till",
    "Till",
    fact="fact_orders",
    filters=["dim_store.store_name"],
    pages=[
        Page(
            "Orders",
            tiles=["subtotal", "tax", "total", "tax_rate"],
            charts=[LineChart("total"), BarChart("total", by="dim_store.store_name")],
        )
    ],
)

jaffle = Star(
    sources=[orders, items, customers, products, stores],
    dimensions=[dim_product, dim_store, dim_customer, dim_time],
    facts=[fact_items, fact_orders],
    dashboards=[menu, till],
    currency="USD",
)
