"""Threads that share a warehouse: each gets its own answers, and they do not wait for each other."""

from __future__ import annotations

import random
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest

from star_assets.pipeline.warehouse import Warehouse
from star_assets.samples.retailer import write_exports
from star_assets.settings import Settings
from star_assets.star import retail

from ..conftest import FIRST

THREADS, CALLS, DAYS, ORDERS = 8, 500, 4, 60

Call = Callable[[], Any]


@pytest.fixture(scope="module")
def warehouse(tmp_path_factory: pytest.TempPathFactory) -> Warehouse:
    """Four days, published."""
    root = tmp_path_factory.mktemp("threads") / "lake"
    write_exports(root, FIRST, DAYS, orders_per_day=ORDERS)
    made = Warehouse(retail, Settings(lake=str(root), start_date=FIRST, threads=1))
    for table in retail.tables:
        assert [outcome.error for outcome in made.refresh(table, made.days()) if outcome.error] == []
    return made


def reads(warehouse: Warehouse) -> list[Call]:
    """Calls that give the same however often, and whatever is published anew meanwhile."""
    days = warehouse.days()
    tables = [
        lambda: warehouse.reconcile("fact_sales", days[:1]).days,
        *(lambda day=day: warehouse.joined("fact_sales", [day]) for day in days),
        *(lambda name=name: warehouse.out_of_date(name).waiting for name in retail.tables),
        *(lambda day=day: warehouse.sample("orders", day).num_rows for day in days),
    ]
    return list(tables)


def test_mixed_reads_and_writes_of_eight_threads_are_as_those_of_one(warehouse: Warehouse) -> None:
    """Dagster runs the steps of a job in threads, and so may any program that asks a warehouse."""
    asked, days = reads(warehouse), warehouse.days()
    expected = [call() for call in asked]
    raw = Path(warehouse.settings.lake) / "oltp"
    writing = {name: threading.Lock() for name in retail.tables}

    def write(rng: random.Random) -> None:
        """Stage a day again whose files were touched, or build a date or a dimension again."""
        table = rng.choice(list(retail.tables))
        with writing[table]:
            if table in retail.sources:
                for file in (raw / table / f"date={rng.choice(days)}").glob("*"):
                    file.touch()
            outcomes = list(warehouse.refresh(table, days))
        assert [str(outcome.error) for outcome in outcomes if outcome.error] == []

    def one(number: int) -> None:
        rng = random.Random(number)
        if rng.random() < 0.1:
            write(rng)
            return
        place = rng.randrange(len(asked))
        assert asked[place]() == expected[place], place

    with ThreadPoolExecutor(THREADS) as pool:
        assert list(pool.map(one, range(CALLS))) == [None] * CALLS


def test_a_reader_does_not_wait_for_a_call_that_takes_long(warehouse: Warehouse) -> None:
    """No lock is held while DuckDB computes."""
    expected = warehouse.joined("fact_sales", warehouse.days())
    with warehouse.database.session() as long, ThreadPoolExecutor(1) as pool:
        rows = long.connection.execute("FROM range(100_000_000) AS endless(n) WHERE n % 3 = 0")
        assert rows.fetchone() == (0,)
        assert pool.submit(warehouse.joined, "fact_sales", warehouse.days()).result(timeout=30) == expected
        assert rows.fetchone() == (3,)
