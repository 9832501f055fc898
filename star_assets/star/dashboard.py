"""The dashboards: what people look at, in Power BI and on a page that opens anywhere.

A dashboard names measures and columns; both reports follow from it. Write another
one, and list it in `star/__init__.py`.
"""

from datetime import date

from star_assets.model import BarChart, Dashboard, LineChart, Page

store_managers = Dashboard(
    "store_managers",
    "Store Sales",
    fact="fact_sales",
    filters=["dim_store.city", "dim_store.store_name"],
    pages=[
        Page(
            "Sales",
            tiles=["revenue", "quantity", "average_price", "discount_rate"],
            charts=[
                LineChart("revenue"),
                BarChart("revenue", by="dim_product.product_name"),
                BarChart("revenue", by="dim_product.category"),
                BarChart("revenue", by="dim_store.store_name", top=20),
            ],
        ),
        Page(
            "Miami, third quarter of 2023",
            charts=[BarChart("revenue", by="dim_product.product_name", title="Top-selling products in Miami")],
            where={"dim_store.city": "Miami"},
            between=(date(2023, 7, 1), date(2023, 9, 30)),
        ),
    ],
)
