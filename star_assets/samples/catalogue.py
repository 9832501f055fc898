"""The sample's products: their list prices, and the rows of the exported catalogue.

Brands are invented. Not here: orders (orders).
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date, datetime, time
from functools import cache
from random import Random
from typing import NamedTuple

from star_assets.samples.formats import dollars, utc

# A list price is valid for so many days; products change on different days.
PRICE_DAYS = 60

# Two products are sold before the catalogue has them: the first is added so many days
# after the first export, the second never.
LATE_PRODUCT, LATE_BY_DAYS = 59, 5
NEVER_DESCRIBED = 60


class Product(NamedTuple):
    """A product: name, brand, first list price in cents, and how many are sold relative to others."""

    name: str
    brand: str
    cents: int
    popularity: int


class CatalogueRow(NamedTuple):
    """A product as the catalogue exports it."""

    product_id: int
    product_name: str
    category: str
    brand: str
    list_price: float
    updated_at: str


ASSORTMENT: dict[str, tuple[Product, ...]] = {
    "Outdoor": (
        Product("Rolling Cooler 45 qt", "Tidewell", 8999, 20),
        Product("Beach Umbrella 7 ft", "Tidewell", 4499, 32),
        Product("Folding Camp Chair", "Pinehollow", 3499, 30),
        Product("Inflatable Paddle Board", "Tidewell", 27999, 4),
        Product("Hammock with Stand", "Pinehollow", 12999, 6),
        Product("Insulated Bottle 32 oz", "Pinehollow", 2799, 36),
        Product("Solar Path Lights, Set of 8", "Lumenfold", 3299, 14),
        Product("Picnic Blanket", "Pinehollow", 2499, 16),
    ),
    "Kitchen": (
        Product("Espresso Machine", "Brightkettle", 24999, 6),
        Product("Cast Iron Skillet 12 in", "Emberline", 3999, 22),
        Product("Stand Blender", "Brightkettle", 7999, 11),
        Product("Pour-Over Coffee Set", "Brightkettle", 3899, 15),
        Product("Chef's Knife 8 in", "Emberline", 5499, 11),
        Product("Bamboo Cutting Board", "Emberline", 2299, 17),
        Product("Glass Storage Set, 10 Pieces", "Clearlark", 2999, 18),
        Product("Air Fryer 5 qt", "Brightkettle", 9999, 10),
    ),
    "Home": (
        Product("Cotton Sheet Set, Queen", "Wrenfield", 6999, 11),
        Product("Down Alternative Comforter", "Wrenfield", 8499, 7),
        Product("Memory Foam Pillow", "Wrenfield", 3999, 17),
        Product("Linen Curtains, Pair", "Wrenfield", 5299, 8),
        Product("Ceramic Table Lamp", "Lumenfold", 4599, 9),
        Product("Woven Storage Basket", "Oakmarrow", 2199, 15),
        Product("Bath Towels, Set of 6", "Wrenfield", 4299, 16),
        Product("Scented Soy Candle", "Oakmarrow", 1699, 28),
    ),
    "Electronics": (
        Product("Wireless Earbuds", "Quillwave", 7999, 17),
        Product("Portable Speaker", "Quillwave", 5999, 16),
        Product("Noise-Cancelling Headphones", "Quillwave", 18999, 6),
        Product("USB-C Charger 65 W", "Voltharbor", 3499, 22),
        Product("Power Bank 20,000 mAh", "Voltharbor", 4299, 17),
        Product("Smart Plug, 2-Pack", "Voltharbor", 1999, 20),
        Product('4K Monitor 27"', "Quillwave", 28999, 3),
        Product("Mechanical Keyboard", "Voltharbor", 8999, 6),
    ),
    "Grocery": (
        Product("Whole Bean Coffee 2 lb", "Harrowmill", 2199, 44),
        Product("Extra Virgin Olive Oil 1 L", "Harrowmill", 1799, 34),
        Product("Sparkling Water, 12-Pack", "Clearlark", 799, 60),
        Product("Dark Chocolate Bar", "Harrowmill", 449, 48),
        Product("Trail Mix 26 oz", "Harrowmill", 1299, 28),
        Product("Wildflower Honey 16 oz", "Harrowmill", 1149, 20),
        Product("Green Tea, 100 Bags", "Harrowmill", 999, 24),
    ),
    "Personal Care": (
        Product("Mineral Sunscreen SPF 50", "Saltmeadow", 1899, 54),
        Product("Electric Toothbrush", "Clearlark", 5999, 10),
        Product("Shampoo & Conditioner Set", "Saltmeadow", 2299, 22),
        Product("Aloe After-Sun Gel", "Saltmeadow", 1199, 30),
        Product("Hand Soap Refill 1 L", "Saltmeadow", 899, 30),
        Product("Beard Trimmer", "Clearlark", 4499, 7),
        Product("Lip Balm, 4-Pack", "Saltmeadow", 849, 26),
    ),
    "Toys & Games": (
        Product("Wooden Train Set", "Tumblefox", 5499, 8),
        Product("Building Bricks, 500 Pieces", "Tumblefox", 3999, 15),
        Product("Family Board Game", "Tumblefox", 2999, 14),
        Product("Jigsaw Puzzle, 1,000 Pieces", "Tumblefox", 1899, 15),
        Product("Pool Float Flamingo", "Tidewell", 2299, 22),
        Product("Kite with 200 ft Line", "Tumblefox", 1799, 10),
        Product("Plush Bear 18 in", "Tumblefox", 2499, 11),
    ),
    "Office": (
        Product("Ergonomic Desk Chair", "Oakmarrow", 21999, 4),
        Product("Standing Desk Converter", "Oakmarrow", 17999, 3),
        Product("Dotted Notebook, 3-Pack", "Inkmoor", 1599, 22),
        Product("Gel Pens, 12-Pack", "Inkmoor", 1099, 24),
        Product("Desk Lamp with Dimmer", "Lumenfold", 3799, 9),
        Product("Paper Shredder", "Inkmoor", 6499, 4),
        Product("Laptop Backpack", "Voltharbor", 5999, 11),
    ),
}

# By product_id, which counts from 1 in the order above.
PRODUCTS: dict[int, tuple[str, Product]] = dict(
    enumerate(((category, product) for category, products in ASSORTMENT.items() for product in products), 1)
)


@cache
def list_price(product_id: int, day: date) -> int:
    """A product's list price on a day, in cents: a few steps above or below its first price."""
    cents = PRODUCTS[product_id][1].cents
    step = 50 if cents > 2000 else 10
    return cents + step * Random(f"price {product_id} {_price_number(product_id, day)}").randint(-3, 3)


def catalogue(day: date, first: date) -> Iterator[CatalogueRow]:
    """The whole catalogue, as exported on a day by a retailer whose first export was `first`."""
    for product_id, (category, product) in PRODUCTS.items():
        if product_id == NEVER_DESCRIBED or (product_id == LATE_PRODUCT and (day - first).days < LATE_BY_DAYS):
            continue
        since = date.fromordinal(_price_number(product_id, day) * PRICE_DAYS - product_id)
        yield CatalogueRow(
            product_id,
            product.name,
            category,
            product.brand,
            # Two decimals are exact as the shortest text of a float, which is what JSON writes.
            float(dollars(list_price(product_id, day))),
            utc(datetime.combine(since, time(2, 15))),
        )


def _price_number(product_id: int, day: date) -> int:
    """The number of the list price that a product has on a day."""
    return (day.toordinal() + product_id) // PRICE_DAYS
