"""What a publish puts into S3 and Glue is read by Trino, of which Athena is made, as by the embedded Athena."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import date
from pathlib import Path

import pytest

from star_assets.athena.embedded import EmbeddedAthena
from star_assets.pipeline.warehouse import Warehouse
from star_assets.samples.retailer import write_exports
from star_assets.settings import Settings
from star_assets.star import retail
from star_assets_tests.athena.answers import as_trino, in_any_order
from star_assets_tests.athena.trino import Answer, Trino

# Trino is 270 MB and takes half a minute to start. test_corpus holds the embedded Athena to what it answered before.
pytestmark = [pytest.mark.xdist_group("trino"), pytest.mark.long]

FIRST, DAYS = date(2023, 7, 1), 2
OF_EACH_DAY = "SELECT date, count(*), sum(quantity), sum(revenue), min(sale_id) FROM fact_sales GROUP BY date"

# Seconds between two looks of a reader; without a pause it would leave the writer no time.
PAUSE = 0.2


class RetailLake:
    """The sample retailer on AWS, and its two readers."""

    def __init__(self, settings: Settings, trino: Trino, folder: Path) -> None:
        self.warehouse = Warehouse(retail, settings)
        self.athena = EmbeddedAthena(self.warehouse.storage, self.warehouse.catalog, threads=1)
        self.trino, self.prefix, self.folder = trino, settings.glue_prefix, folder

    def export(self, seed: int) -> None:
        """Both days' exports; another seed is another history."""
        folder = self.folder / str(seed)
        write_exports(folder, FIRST, DAYS, orders_per_day=20, seed=seed)
        for file in sorted(folder.rglob("*.*")) + sorted(folder.rglob("_SUCCESS")):
            self.warehouse.storage.write(str(file.relative_to(folder)), file.read_bytes())

    def run(self) -> None:
        for table in retail.tables:
            assert [o.error for o in self.warehouse.refresh(table, self.warehouse.days()) if o.error] == []

    def by_athena(self, sql: str) -> Answer:
        return as_trino(self.athena.query(sql))

    def by_trino(self, sql: str) -> Answer:
        return self.trino.query(sql, f"{self.prefix}olap")

    def assert_alike(self, name: str) -> None:
        """A table has the same columns, types and rows for both."""
        mine = self.by_athena(f"SELECT * FROM {name}")
        database, _, table = name.rpartition(".")
        theirs = self.by_trino(f"SELECT * FROM {self.prefix + database + '.' if database else ''}{table}")
        assert (mine.names, mine.types) == (theirs.names, theirs.types)
        assert in_any_order(mine.rows) == in_any_order(theirs.rows)
        assert mine.rows or name == "staging.pos_sales", "the sample has no tills"


@pytest.fixture
def lake(aws: Callable[[], Settings], trino: Trino, tmp_path: Path) -> RetailLake:
    """Two days, published."""
    lake = RetailLake(aws(), trino, tmp_path / "exports")
    lake.export(seed=7)
    lake.run()
    return lake


def test_every_published_table_is_read_alike(lake: RetailLake) -> None:
    """Glue's entries are right only if somebody else's reader finds every value by them."""
    for entry in lake.warehouse.entries():
        lake.assert_alike(f"{entry.database}.{entry.name}")


@contextmanager
def watched(lake: RetailLake) -> Iterator[list[list[object]]]:
    """What Trino says of each day, again and again, until the block ends."""
    seen: list[list[object]] = []
    done = threading.Event()

    def watch() -> None:
        while not done.wait(PAUSE):
            try:
                seen.extend(lake.by_trino(OF_EACH_DAY).rows)
            except Exception as error:
                seen.append([error])

    thread = threading.Thread(target=watch)
    thread.start()
    yield seen
    done.set()
    thread.join()


def test_while_days_are_republished_a_reader_gets_each_of_them_old_or_new(lake: RetailLake) -> None:
    """Half a day looks like a bad day in the shops."""
    whole = lake.by_athena(OF_EACH_DAY).rows
    with watched(lake) as seen:
        lake.export(seed=8)
        lake.run()
        whole += lake.by_athena(OF_EACH_DAY).rows
        assert in_any_order(lake.by_trino(OF_EACH_DAY).rows) == in_any_order(whole[DAYS:])
    assert [row for row in seen if row not in whole] == []
    assert len({repr(row) for row in whole}) == 2 * DAYS
    for table in ("fact_sales", "dim_customer", "staging.orders"):
        lake.assert_alike(table)


def test_a_column_that_comes_later_is_read_alike(lake: RetailLake) -> None:
    """Partitions of before and after lie in one table."""
    storage, file = lake.warehouse.storage, "oltp/orders/date=2023-07-02/orders.csv"
    header, *lines = storage.read(file)[0].decode().splitlines()
    storage.write(file, "\n".join([f"channel,{header}", *(f"web,{line}" for line in lines)]).encode())
    lake.run()
    lake.assert_alike("staging.orders")
    by_day = "SELECT date, channel, count(*) FROM staging.orders GROUP BY 1, 2 ORDER BY 1"
    assert [row[:2] for row in lake.by_athena(by_day).rows] == [["2023-07-01", None], ["2023-07-02", "web"]]


def test_one_date_is_one_partition_for_trino(lake: RetailLake) -> None:
    """Athena bills what it reads."""
    (rows,) = lake.by_athena("SELECT count(*) FROM fact_sales WHERE date = '2023-07-01'").rows[0]
    read = lake.by_trino("SELECT sum(revenue) FROM fact_sales WHERE date = '2023-07-01'").rows_read
    assert 0 < rows == read < lake.by_trino("SELECT sum(revenue) FROM fact_sales").rows_read


def test_a_view_is_read_alike(lake: RetailLake) -> None:
    """Whoever defines one here expects it in Athena's console."""
    lake.athena.query("""
        CREATE VIEW cities AS SELECT s.city AS City, count(*) AS n, sum(f.revenue) AS revenue, max(f.sold_at) AS last,
            avg(CAST(f.quantity AS double)) AS mean, DATE '2023-07-01' AS since, 1 AS one, ARRAY['a'] AS tags
        FROM fact_sales f JOIN olap.dim_store s ON f.store_id = s.store_id GROUP BY s.city;
        CREATE VIEW staging.late AS SELECT c.*, o.orders FROM cities c CROSS JOIN (
            SELECT count(*) AS orders FROM staging.orders WHERE staging.orders.date = '2023-07-02') o
        """)
    lake.assert_alike("cities")
    lake.assert_alike("staging.late")


def test_a_view_of_trino_s_is_read_alike(lake: RetailLake) -> None:
    """Views made in Athena's console are analysts' daily work."""
    sql = f"SELECT city, count(*) AS stores FROM {lake.prefix}olap.dim_store GROUP BY city"
    lake.by_trino(f"CREATE VIEW {lake.prefix}staging.theirs AS {sql}")
    assert in_any_order(lake.by_athena("SELECT * FROM staging.theirs").rows) == in_any_order(lake.by_trino(sql).rows)


def test_a_table_made_by_ddl_is_read_alike(lake: RetailLake) -> None:
    """CREATE EXTERNAL TABLE and MSCK REPAIR TABLE end in Glue too."""
    lake.athena.query("""
        CREATE EXTERNAL TABLE mine (sale_id string, revenue decimal(18,4), sold_at timestamp)
        PARTITIONED BY (`date` string) STORED AS PARQUET LOCATION 'olap/fact_sales';
        MSCK REPAIR TABLE mine
        """)
    lake.assert_alike("mine")
