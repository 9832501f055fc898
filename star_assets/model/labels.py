"""The labels of tables, columns and measures in reports, and the formats of numbers.

A label follows from the declared name (`product_name` is "Product Name") unless a
`label` or `labels` says otherwise. Labels and formats are no part of a version's
identity: changing one builds no table again.
"""

from __future__ import annotations

from star_assets.model.schema import StarSchema
from star_assets.model.tables import Dimension, Fact, Format, History, Measure, Ratio

# Words of a name that are written in capitals in a label.
INITIALS = {"id", "iso", "sku", "url"}

_AGGREGATES = {"sum": "Total", "avg": "Average", "min": "Lowest", "max": "Highest"}


def friendly(name: str) -> str:
    """A declared name as people write it: `product_name` → "Product Name", `store_id` → "Store ID"."""
    return " ".join(word.upper() if word in INITIALS else word.capitalize() for word in name.split("_") if word)


def table_label(table: Dimension | Fact) -> str:
    """The label of a table: `dim_product` → "Product", its history → "Product As Sold", `fact_sales` → "Sales"."""
    if isinstance(table, History):
        return f"{table_label(table.of)} As Sold"
    return table.label or friendly(table.name.removeprefix("dim_").removeprefix("fact_"))


def column_label(table: Dimension | Fact, column: str) -> str:
    """The label of a column of a table."""
    return table.labels.get(column) or friendly(column)


def measure_label(fact: Fact, measure: Measure | Ratio) -> str:
    """The label of a measure or ratio: the summed `revenue` → "Total Revenue", the ratio `tax_rate` → "Tax Rate"."""
    if measure.label:
        return measure.label
    if isinstance(measure, Ratio):
        return friendly(measure.name)
    return f"{_AGGREGATES[measure.aggregate]} {column_label(fact, measure.column)}"


def measure_format(star: StarSchema, fact: Fact, measure: Measure | Ratio) -> Format:
    """The format of a measure or ratio: the declared one, or else the one that suits its column's type."""
    if measure.format:
        return measure.format
    types = {field.name: field.type.name for field in star.fields(fact)}
    whole = measure.aggregate != "avg" and types[measure.column] in ("int32", "int64")
    return "integer" if whole else "decimal"
