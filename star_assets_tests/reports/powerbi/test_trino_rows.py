"""The report's visuals, read from the files and asked of Trino, of which Athena is made: the rows, and what it reads.

Not here: the reader of the files (visual_reader), and the same on the embedded Athena,
with the mutants that prove the comparison (test_rows).
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from star_assets.athena.embedded import EmbeddedAthena
from star_assets.pipeline.warehouse import Warehouse
from star_assets.samples.retailer import write_exports
from star_assets.settings import Settings
from star_assets.star import retail

from ...athena.trino import Answer, Trino
from ...conftest import new_aws_lake, to_aws
from .conftest import BEGIN, DAYS, STARS, Files, generated
from .test_rows import REFERENCE, RELATIONSHIPS, TODAY, asked, same
from .visual_reader import Context, Reader, Rows

pytestmark = [pytest.mark.xdist_group("trino"), pytest.mark.long]

# A month's slicer: the choice of a year and a month in the calendar.
JULY = Context(((("Time", "Year"), "= 2023"), (("Time", "Month"), "= 7")))


class PublishedReport:
    """Seven weeks on AWS, and the report that Trino is asked for."""

    def __init__(self, settings: Settings, exports: Path, trino: Trino) -> None:
        write_exports(exports, BEGIN, DAYS, orders_per_day=20)
        self.warehouse = Warehouse(retail, settings)
        for file in sorted(path for path in exports.rglob("*") if path.is_file()):
            self.warehouse.storage.write(str(file.relative_to(exports)), file.read_bytes())
        for table in retail.tables:
            assert [one.error for one in self.warehouse.refresh(table, self.warehouse.days()) if one.error] == []
        self.athena = EmbeddedAthena(self.warehouse.storage, self.warehouse.catalog)
        self.trino, self.database = trino, f"{settings.glue_prefix}olap"
        self.answers: list[Answer] = []

    def by_trino(self, sql: str) -> Rows:
        # Trino lists partitions once it knows which days the calendar's filter leaves: these files are read sooner.
        self.answers.append(self.trino.query(sql, self.database, dynamic_filtering_wait_timeout="20s"))
        return [*map(tuple, in_python(self.answers[-1]))]

    def value(self, sql: str) -> Any:
        ((found,),) = asked(self.athena, sql)
        return found

    def reader(self, files: Files, join: str) -> Reader:
        return Reader(files, self.by_trino, TODAY, join)


def in_python(answer: Answer) -> Iterator[list[Any]]:
    """The rows with decimals and dates as such, which Trino's protocol writes as texts."""
    for row in answer.rows:
        yield [
            value if value is None else _CONVERTED.get(type_.partition("(")[0], lambda given: given)(value)
            for value, type_ in zip(row, answer.types, strict=True)
        ]


_CONVERTED: dict[str, Any] = {"decimal": Decimal, "date": date.fromisoformat}


@pytest.fixture(scope="module")
def report(aws_address: str, trino: Trino, tmp_path_factory: pytest.TempPathFactory) -> Iterator[PublishedReport]:
    folder = tmp_path_factory.mktemp("report")
    with pytest.MonkeyPatch.context() as patch:
        to_aws(patch, aws_address, folder / "cache")
        yield PublishedReport(new_aws_lake(start_date=BEGIN), folder / "exports", trino)


@pytest.mark.parametrize("join", ["JOIN", "LEFT JOIN"])
@pytest.mark.parametrize("visual", REFERENCE, ids="/".join)
def test_a_visual_shows_what_sql_says(report: PublishedReport, visual: tuple[str, str], join: str) -> None:
    """What the embedded Athena lets pass and Athena refuses would be an error on a page."""
    assert same(report.reader(generated(STARS[0])[2], join).rows(*visual), asked(report.athena, REFERENCE[visual]))


@pytest.mark.parametrize("join", ["JOIN", "LEFT JOIN"])
def test_a_month_s_slicer_reads_the_partitions_of_that_month(report: PublishedReport, join: str) -> None:
    """Athena bills what it reads: a year's sales must not be opened for a month's.

    A relationship by the date itself, which the partition column is not, opens a file of every other day as well.
    """
    files = dict(generated(STARS[0])[2])
    ((revenue,),) = report.reader(files, join).measured(["Revenue"], JULY)
    files[RELATIONSHIPS] = files[RELATIONSHIPS].replace("Sales.'Partition Date'", "Sales.'Sale Date'")
    files[RELATIONSHIPS] = files[RELATIONSHIPS].replace("Time.'Partition Date'", "Time.Date")
    assert report.reader(files, join).measured(["Revenue"], JULY) == [(revenue,)]
    by_partition, by_date = report.answers[-2:]
    sold = "FROM fact_sales WHERE date LIKE '2023-07-%'"
    assert revenue == report.value(f"SELECT sum(revenue) {sold}")
    read = report.value(f"SELECT count(*) {sold}") + report.value("SELECT count(*) FROM dim_time")
    assert by_partition.rows_read == read
    assert by_date.splits - by_partition.splits == DAYS - 31
