"""The retailer's OLTP tables, as exported every day to `oltp/<name>/date=<day>/`.

A column declared here is typed and checked; any other column that an export
has is carried along as text.
"""

from star_assets.model import Column, Marker, Source

orders = Source(
    "orders",
    key="order_id",
    event_time="ordered_at",
    version="updated_at",
    deleted="op = 'D'",
    whole=Marker("_SUCCESS"),
    description="Order headers. One row per order created or changed on the day.",
    columns={
        "order_id": Column("int64", "The order's number."),
        "customer_id": Column("int64", "Who bought; NULL for a guest."),
        "store_id": Column("int64", "Where it was sold."),
        "ordered_at": Column("timestamp", "When it was ordered (UTC)."),
        "status": Column("string", "placed, shipped, returned, cancelled, or nothing."),
        "updated_at": Column("timestamp", "When the order last changed (UTC)."),
        "op": Column("string", "D where the order was deleted.", optional=True),
    },
)

order_items = Source(
    "order_items",
    key=("order_id", "line_number"),
    part_of=orders,
    lines="complete",
    whole=Marker("_SUCCESS"),
    description="Order lines. Every exported order comes with all its lines.",
    columns={
        "order_id": Column("int64", "The order's number."),
        "line_number": Column("int64", "The line's number within its order."),
        "product_id": Column("int64", "What was sold."),
        "quantity": Column("int64", "How many; negative for a return."),
        "unit_price": Column("decimal(18,4)", "Price of one, in US dollars."),
        "discount": Column("decimal(18,4)", "Taken off the line, in US dollars."),
    },
)

pos_sales = Source(
    "pos_sales",
    key="event_id",
    event_time="sold_at",
    arrives="continuously",
    # One bad event must not hold back those of all other tills; rejects are kept, and reported.
    max_rejects=1,
    description="What tills rang up, minutes ago. One row per line; voids, returns and corrections are events too.",
    columns={
        "event_id": Column("string", "The event; one that is sent again keeps its id."),
        "event_type": Column("string", "sale, void, return or correction."),
        "order_id": Column("int64", "The receipt: the number that the order will have."),
        "line_number": Column("int64", "The line's number within its order."),
        "store_id": Column("int64", "Where it was sold."),
        "product_id": Column("int64", "What was sold."),
        "customer_id": Column("int64", "Who bought; NULL for a guest."),
        "sold_at": Column("timestamp", "When the till rang it up (UTC)."),
        "quantity": Column("int64", "How many; negative for a void or a return, the difference for a correction."),
        "unit_price": Column("decimal(18,4)", "Price of one, in US dollars."),
        "discount": Column("decimal(18,4)", "Taken off the line, in US dollars; negative for a void or a return."),
    },
)

customers = Source(
    "customers",
    key="customer_id",
    version="updated_at",
    whole=Marker("_SUCCESS"),
    description="Customers. One row per customer created or changed on the day.",
    columns={
        "customer_id": Column("int64", "The customer's number."),
        "customer_name": Column("string", "Full name.", personal=True),
        "email": Column("string", "E-mail address.", personal=True),
        "city": Column("string", "City of residence."),
        "state": Column("string", "State of residence, two letters."),
        "segment": Column("string", "consumer, business or member."),
        "created_at": Column("timestamp", "When the customer first registered (UTC)."),
        "updated_at": Column("timestamp", "When the record last changed (UTC)."),
    },
)

products = Source(
    "products",
    key="product_id",
    version="updated_at",
    exports="snapshots",
    whole=Marker("_SUCCESS"),
    description="The product catalogue. Every export holds all products.",
    columns={
        "product_id": Column("int64", "The product's number."),
        "product_name": Column("string", "Name on the shelf."),
        "category": Column("string", "Category."),
        "brand": Column("string", "Brand."),
        "list_price": Column("decimal(18,4)", "Price before discounts, in US dollars."),
        "updated_at": Column("timestamp", "When the product last changed (UTC)."),
    },
)

stores = Source(
    "stores",
    key="store_id",
    version="updated_at",
    exports="snapshots",
    whole=Marker("_SUCCESS"),
    description="The stores. Every export holds all stores, as a JSON array.",
    columns={
        "store_id": Column("int64", "The store's number."),
        "store_name": Column("string", "Name over the door."),
        "city": Column("string", "City."),
        "state": Column("string", "State, two letters."),
        "region": Column("string", "Sales region."),
        "opened_on": Column("date", "First day of business."),
        "manager_email": Column("string", "E-mail address of the store's manager, a role's.", optional=True),
        "updated_at": Column("timestamp", "When the record last changed (UTC)."),
    },
)
