"""Glue has no transactions: what is between a look and a change, and what comes of it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from itertools import count

import pytest

from star_assets.lake.catalog import MADE_BY, OURS, CatalogColumn, PartitionEntry, TableEntry
from star_assets.lake.glue_catalog import GlueCatalog
from star_assets.model.errors import AwsBusy, NotOurs
from star_assets.settings import Settings

COLUMNS = (CatalogColumn("id", "bigint"),)
SALES = TableEntry("olap", "sales", COLUMNS, (CatalogColumn("date", "string"),), "s3://b/f", parameters={MADE_BY: OURS})
DAY = PartitionEntry(("2023-07-01",), "s3://b/f/v=1", COLUMNS)

Others = Callable[[GlueCatalog], None]


@pytest.fixture
def meanwhile(aws: Callable[[], Settings]) -> Callable[..., GlueCatalog]:
    """A catalog; right before its first calls of an operation, others do something."""
    prefix = aws().glue_prefix

    def make(operation: str, others: Others, times: int = 1) -> GlueCatalog:
        catalog, calls = GlueCatalog(prefix), count()

        def before(**_: object) -> None:
            if next(calls) < times:
                others(GlueCatalog(prefix))

        catalog.client().meta.events.register(f"before-call.glue.{operation}", before)
        return catalog

    return make


def redescribed(catalog: GlueCatalog) -> None:
    numbers = [table.description for table in catalog.tables("olap")]
    catalog.put_table(replace(SALES, description=f"{numbers}"[-200:]))


def test_a_table_that_was_changed_since_it_was_read_is_read_again(meanwhile: Callable[..., GlueCatalog]) -> None:
    """Two runs publish at once; the later one wins, whole."""
    catalog = meanwhile("UpdateTable", redescribed)
    catalog.put_table(SALES)
    catalog.put_table(replace(SALES, description="ours"))
    found = catalog.table("olap", "sales")
    assert found is not None
    assert found.description == "ours"


def test_a_table_that_others_make_first_is_taken_over_if_it_is_ours(meanwhile: Callable[..., GlueCatalog]) -> None:
    catalog = meanwhile("CreateTable", lambda other: other.put_table(replace(SALES, description="theirs")))
    catalog.create_database("olap")
    catalog.put_table(SALES)
    assert catalog.table("olap", "sales") == SALES


def test_a_table_that_others_make_first_and_is_not_ours_is_left_alone(meanwhile: Callable[..., GlueCatalog]) -> None:
    """Between our look and our change somebody made a table by hand."""
    theirs = replace(SALES, parameters={})

    def swap(other: GlueCatalog) -> None:
        other.drop_table("olap", "sales")
        other.put_table(replace(theirs, description="first"))
        other.put_table(theirs)

    catalog = meanwhile("UpdateTable", swap)
    catalog.put_table(SALES)
    with pytest.raises(NotOurs):
        catalog.put_table(replace(SALES, description="new"))
    assert catalog.table("olap", "sales") == theirs


def test_a_table_that_others_change_all_the_time_is_busy(meanwhile: Callable[..., GlueCatalog]) -> None:
    catalog = meanwhile("UpdateTable", redescribed, times=100)
    catalog.put_table(SALES)
    with pytest.raises(AwsBusy, match="others changed the table each time"):
        catalog.put_table(replace(SALES, description="ours"))


def test_a_partition_that_others_register_first_is_moved(meanwhile: Callable[..., GlueCatalog]) -> None:
    """The sensor mends what a run is about to serve."""
    older = replace(DAY, location="s3://b/f/v=0")
    catalog = meanwhile("BatchCreatePartition", lambda other: other.put_partitions("olap", "sales", [older]))
    catalog.put_table(SALES)
    catalog.put_partitions("olap", "sales", [DAY])
    assert catalog.partitions("olap", "sales") == [DAY]


def test_a_partition_that_others_drop_meanwhile_is_made_again(meanwhile: Callable[..., GlueCatalog]) -> None:
    catalog = meanwhile("BatchUpdatePartition", lambda other: other.drop_partitions("olap", "sales", [DAY.values]))
    catalog.put_table(SALES)
    catalog.put_partitions("olap", "sales", [replace(DAY, location="s3://b/f/v=0")])
    catalog.put_partitions("olap", "sales", [DAY])
    assert catalog.partitions("olap", "sales") == [DAY]
