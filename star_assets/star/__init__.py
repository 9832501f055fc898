"""THE STAR: what an analyst reads and edits.

Here: the retailer's sources, dimensions, facts and dashboards, and the Star that
lists them. It imports only `model`, so that it can be read without knowing the rest.
"""

from star_assets.model import Star
from star_assets.star.dashboard import store_managers
from star_assets.star.dimensions import dim_customer, dim_product, dim_store, dim_time
from star_assets.star.facts import fact_sales, sales_from_tills
from star_assets.star.sources import customers, order_items, orders, pos_sales, products, stores

retail = Star(
    sources=[orders, order_items, pos_sales, customers, products, stores],
    dimensions=[dim_product, dim_store, dim_customer, dim_time],
    facts=[fact_sales],
    provisional=[sales_from_tills],
    dashboards=[store_managers],
    currency="USD",
)
