"""The vocabulary in which a star is declared: Source, Dimension, Fact, Column, Measure, Ratio, Dashboard, Star; errors.

Here: what an analyst needs to declare a star, and everything that follows from a
declaration without any data. Not here: data, engines, storage, Dagster.
"""

from star_assets.model.column import Column
from star_assets.model.csv import Csv
from star_assets.model.dashboard import BarChart, Dashboard, LineChart, Page
from star_assets.model.functions import business_date
from star_assets.model.schema import PARTITION_COLUMN, Field
from star_assets.model.source import FileCount, Marker, Settled, Source
from star_assets.model.star import Star, load_star
from star_assets.model.tables import (
    CALENDAR,
    Dimension,
    Fact,
    Measure,
    Provisional,
    Ratio,
    dimension,
    fact,
    provisional,
)
from star_assets.model.types import Type

__all__ = [
    "CALENDAR",
    "PARTITION_COLUMN",
    "BarChart",
    "Column",
    "Csv",
    "Dashboard",
    "Dimension",
    "Fact",
    "Field",
    "FileCount",
    "LineChart",
    "Marker",
    "Measure",
    "Page",
    "Provisional",
    "Ratio",
    "Settled",
    "Source",
    "Star",
    "Type",
    "business_date",
    "dimension",
    "fact",
    "load_star",
    "provisional",
]
