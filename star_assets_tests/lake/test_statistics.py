"""Column statistics: what optimizers are told, and that a catalog without them is asked once."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from decimal import Decimal
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from star_assets.lake.aws import Client, session, warn_denied
from star_assets.lake.catalog import CatalogColumn, ColumnStatistics, PartitionEntry, TableEntry
from star_assets.lake.glue_catalog import GlueCatalog
from star_assets.lake.places import open_catalog
from star_assets.pipeline.describe import describe
from star_assets.settings import Settings

COLUMNS = [
    ColumnStatistics("id", "bigint", 3, 0, 3, "1", "3"),
    ColumnStatistics("price", "decimal(18,4)", 2, 1, 2, "-9.8900", "280.9900"),
    ColumnStatistics("ratio", "double", 3, 0, 2, "0.5", "1.5"),
    ColumnStatistics("day", "date", 3, 0, 1, "2023-07-01", "2023-07-01"),
    ColumnStatistics("city", "string", 3, 0, 2, "Austin", "Miami", 6, 5.5),
    ColumnStatistics("open", "boolean", 2, 1, 2, "False", "True", trues=1),
    ColumnStatistics("at", "timestamp", 3, 0, 3, "2023-07-01 10:00:00", "2023-07-01 10:00:00"),
    ColumnStatistics("nothing", "bigint", 0, 3, 0),
]


DENIED = [
    "glue:UpdateColumnStatisticsForTable was denied: column statistics are not kept in Glue, so optimizers plan "
    "without them. The statement KeepStatistics of docs/aws/pipeline.json grants it."
]


@pytest.fixture
def catalog(aws: Callable[[], Settings]) -> GlueCatalog:
    found = open_catalog(aws())
    assert isinstance(found, GlueCatalog)
    columns = tuple(CatalogColumn(one.name, one.type) for one in COLUMNS)
    found.put_table(TableEntry("olap", "dim", columns))
    found.put_table(TableEntry("olap", "fact", columns, (CatalogColumn("date", "string"),)))
    found.put_partitions("olap", "fact", [PartitionEntry(("2023-07-01",), "s3://lake/1", columns)])
    return found


def kept(catalog: GlueCatalog, table: str, names: Sequence[str], **partition: Any) -> dict[str, Any]:
    kind = "partition" if partition else "table"
    call = getattr(catalog.client(), f"get_column_statistics_for_{kind}")
    given = {"DatabaseName": f"{catalog.prefix}olap", "TableName": table, "ColumnNames": list(names), **partition}
    return {
        one["ColumnName"]: next(v for k, v in one["StatisticsData"].items() if k != "Type")
        for one in call(**given)["ColumnStatisticsList"]
    }


def test_each_type_has_its_form_in_glue(catalog: GlueCatalog) -> None:
    """Timestamps have none; a column of NULLs has no limits."""
    catalog.put_statistics("olap", "dim", {(): COLUMNS})
    found = kept(catalog, "dim", [one.name for one in COLUMNS])
    assert found["id"] == {"MinimumValue": 1, "MaximumValue": 3, "NumberOfNulls": 0, "NumberOfDistinctValues": 3}
    assert found["price"]["NumberOfNulls"] == 1
    low, high = (found["price"][f"{which}imumValue"] for which in ("Min", "Max"))
    assert [
        Decimal(int.from_bytes(one["UnscaledValue"], "big", signed=True)).scaleb(-one["Scale"]) for one in (low, high)
    ] == [
        Decimal("-9.8900"),
        Decimal("280.9900"),
    ]
    assert (found["ratio"]["MinimumValue"], found["day"]["MinimumValue"].date().isoformat()) == (0.5, "2023-07-01")
    assert (found["city"]["MaximumLength"], found["city"]["AverageLength"]) == (6, 5.5)
    assert found["open"] == {"NumberOfTrues": 1, "NumberOfFalses": 1, "NumberOfNulls": 1}
    assert found["nothing"] == {"NumberOfNulls": 3, "NumberOfDistinctValues": 0}
    assert "at" not in found


def test_a_wide_table_takes_several_calls_and_a_partition_has_its_own(catalog: GlueCatalog) -> None:
    """Glue takes 25 columns a call."""
    wide = [ColumnStatistics(f"c{number}", "bigint", 1, 0, 1, "1", "1") for number in range(60)]
    catalog.put_statistics("olap", "fact", {("2023-07-01",): wide})
    assert len(kept(catalog, "fact", [one.name for one in wide], PartitionValues=["2023-07-01"])) == 60
    assert kept(catalog, "fact", ["c1"]) == {}


def test_a_partition_that_went_meanwhile_is_no_error(catalog: GlueCatalog) -> None:
    catalog.put_statistics("olap", "fact", {("1999-01-01",): COLUMNS, ("2023-07-01",): COLUMNS})
    assert catalog.takes_statistics
    assert kept(catalog, "fact", ["id"], PartitionValues=["2023-07-01"])


@pytest.mark.parametrize("fault", ["InternalError", "AccessDeniedException", "NotImplemented"])
def test_a_catalog_without_statistics_is_asked_once(
    catalog: GlueCatalog, fault: str, caplog: pytest.LogCaptureFixture
) -> None:
    """An endpoint that lacks the call answers like one that failed; trying again would cost 15 seconds a table.

    A right that is missing is told once, with the statement that grants it.
    """
    from botocore.config import Config

    asked: list[str] = []

    def counted() -> Any:
        client = session().client(
            "glue",
            config=Config(retries={"total_max_attempts": 1}),
            aws_access_key_id=f"ALWAYS.{fault}.UpdateColumnStatisticsForTable",
            aws_secret_access_key="testing",
        )
        client.meta.events.register("before-send", lambda **_: asked.append(fault) and None)
        return client

    catalog.statistics._first = catalog.statistics._client = Client("glue", counted)
    warn_denied.cache_clear()
    for _ in range(3):
        catalog.put_statistics("olap", "dim", {(): COLUMNS})
    assert (len(asked), catalog.takes_statistics) == (1, False)
    assert caplog.messages == (DENIED if fault == "AccessDeniedException" else [])


def test_a_version_is_described_thoroughly_only_where_asked(tmp_path: Path) -> None:
    """Looking at every value takes longer than all else that is told of a file."""
    columns = {
        "id": pa.array([1, 2, 2, None], pa.int64()),
        "city": pa.array(["Miami", "Oslo", "Oslo", None]),
        "open": pa.array([True, False, None, True]),
    }
    for number in (1, 2):
        pq.write_table(pa.table(columns), tmp_path / f"{number}.parquet")
    files = [tmp_path / "1.parquet", tmp_path / "2.parquet"]
    assert describe(files)[2]["id"] == {"nulls": 2, "min": "1", "max": "2"}
    assert describe(files, thoroughly=True)[2] == {
        "id": {"nulls": 2, "min": "1", "max": "2", "distinct": 2},
        "city": {"nulls": 2, "min": "Miami", "max": "Oslo", "distinct": 2, "longest": 5, "average": 26 / 6},
        "open": {"nulls": 2, "min": "False", "max": "True", "distinct": 2, "trues": 4},
    }
