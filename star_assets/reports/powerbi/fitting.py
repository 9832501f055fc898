"""Comparing the semantic model with the catalog's tables, and the lineage of its columns."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from star_assets.lake.catalog import Catalog, TableEntry
from star_assets.model import PARTITION_COLUMN, Dimension, Fact, Ratio, Star
from star_assets.model.labels import table_label
from star_assets.model.types import Type
from star_assets.reports.powerbi.columns import ModelColumn, model_columns
from star_assets.reports.powerbi.measures import measure_names


def misfits(star: Star, catalog: Catalog) -> list[str]:
    """A sentence for each column of the model that the catalog's table lacks, or has with another type."""
    found: list[str] = []
    for table in _tables(star):
        served = catalog.table("olap", table.name)
        if served is None:
            found.append(f"{table.name}: the catalog serves no such table.")
        else:
            found += _misfits(served, model_columns(star, table).values())
    return found


def _tables(star: Star) -> list[Dimension | Fact]:
    return [*star.dimensions.values(), *star.facts.values()]


def _misfits(served: TableEntry, columns: Iterable[ModelColumn]) -> Iterator[str]:
    types = {column.name: column.type for column in (*served.columns, *served.partition_columns)}
    for column in columns:
        type_ = Type.of_athena(types[column.name]) if column.name in types else None
        if column.name not in types:
            yield f"{served.name}.{column.name} is gone: expected {column.type}, for {column.label!r}."
        elif type_ is None or type_.power_bi != column.type:
            yield f"{served.name}.{column.name} is {types[column.name]}: expected {column.type}, for {column.label!r}."


def model_lineage(star: Star) -> dict[str, list[tuple[str, str]]]:
    """The lake's columns (table, column) from which each column and declared measure of the model is computed.

    The keys are the names of columns and measures in DAX: `Sales[Revenue]`.
    """
    found: dict[str, list[tuple[str, str]]] = {}
    for table in _tables(star):
        label = table_label(table)
        for column in model_columns(star, table).values():
            if column.name != PARTITION_COLUMN:
                found[f"{label}[{column.label}]"] = [(table.name, column.name)]
        for measure in table.shown if isinstance(table, Fact) else ():
            columns = (
                dict.fromkeys([*measure.numerator, *measure.denominator])
                if isinstance(measure, Ratio)
                else [measure.column]
            )
            name = measure_names(star)[table.name, measure.name]
            found[f"{label}[{name}]"] = [(table.name, column) for column in columns]
    return found
