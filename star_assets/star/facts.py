"""The facts: what happened, at the grain it happened.

A fact is one function from the winning headers and their lines to one row per
event; its partitions, references and NULL keys are taken care of.
"""

from ibis.expr.types import Table

from star_assets.model import Measure, Ratio, business_date, fact, provisional
from star_assets.star.dimensions import dim_customer, dim_product, dim_store, dim_time
from star_assets.star.sources import orders


@fact(
    key="sale_id",
    date="sold_at",
    references={
        "product_id": dim_product,
        "customer_id": dim_customer,
        "store_id": dim_store,
        "sale_date": dim_time,
    },
    measures=[
        Measure("quantity", "sum", "How many; negative for a return.", label="Units"),
        Measure("unit_price", "avg", "Price of one, in US dollars.", minimum=0, format="money"),
        Measure(
            "discount",
            "sum",
            "Taken off the line, in US dollars; negative for a return.",
            label="Discount",
            format="money",
        ),
        Measure("revenue", "sum", "quantity × unit_price − discount, in US dollars.", label="Revenue", format="money"),
    ],
    ratios=[
        Ratio("average_price", "revenue", "quantity", "Revenue of one unit.", format="money"),
        Ratio("discount_rate", "discount", ("revenue", "discount"), "Share of the price taken off.", format="percent"),
    ],
    labels={"revenue": "Line Revenue", "discount": "Line Discount"},
    sort_by=["store_id", "product_id"],
    excluded="cancelled",
    columns={
        "sale_id": "The line's identity: order number and line number.",
        "customer_id": "Who bought; for a guest -1, the Unknown customer.",
        "sold_at": "When it was ordered (UTC).",
        "sale_date": "The business date: the day of sold_at in the business time zone.",
    },
)
def fact_sales(orders: Table, order_items: Table) -> Table:
    """One row per order line sold: cancelled orders are none, returns are negative."""
    lines = sold(orders).join(order_items, "order_id")
    discount = lines.discount.coalesce(0)
    return lines.select(
        sale_id=lines.order_id.cast("string") + "-" + lines.line_number.cast("string"),
        order_id=lines.order_id,
        line_number=lines.line_number,
        product_id=lines.product_id,
        customer_id=lines.customer_id,
        store_id=lines.store_id,
        quantity=lines.quantity,
        unit_price=lines.unit_price,
        discount=discount,
        revenue=(lines.quantity * lines.unit_price - discount).cast("decimal(18,4)"),
        sold_at=lines.ordered_at,
        sale_date=business_date(lines.ordered_at),
    )


@provisional(fact_sales, until=orders, receipt="order_id", closes_after="36h")
def sales_from_tills(pos_sales: Table) -> Table:
    """One row per line that a till rang up, until its order is exported; a void takes its line back."""
    discount = pos_sales.discount.coalesce(0)
    return pos_sales.select(
        sale_id=pos_sales.event_id,
        order_id=pos_sales.order_id,
        line_number=pos_sales.line_number,
        product_id=pos_sales.product_id,
        customer_id=pos_sales.customer_id,
        store_id=pos_sales.store_id,
        quantity=pos_sales.quantity,
        unit_price=pos_sales.unit_price,
        discount=discount,
        revenue=(pos_sales.quantity * pos_sales.unit_price - discount).cast("decimal(18,4)"),
        sold_at=pos_sales.sold_at,
        sale_date=business_date(pos_sales.sold_at),
    )


def sold(orders: Table) -> Table:
    """Orders that are sales: all but the cancelled. No status is a sale."""
    return orders.filter(~orders.status.identical_to("cancelled"))
