"""Several processes on one lake, and processes that are killed: one whole answer at any time."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
from pathlib import Path
from random import Random

import pytest

from star_assets.lake.drift import mend
from star_assets.model.errors import Transient

DAYS = [f"2023-07-{number:02}" for number in range(1, 5)]
ORDERS = 40

# Refreshes every table of the shop; tells each outcome as it is known.
REFRESH = """
import importlib.util, sys
spec = importlib.util.spec_from_file_location("shop", sys.argv[1])
shop = importlib.util.module_from_spec(spec)
sys.modules["shop"] = shop
spec.loader.exec_module(shop)
lake = shop.open_lake(sys.argv[2])
print("ready", flush=True)
sys.stdin.readline()
for table in lake.star.tables:
    for outcome in lake.warehouse.refresh(table, sys.argv[3:]):
        print(table, outcome.day, outcome.status, type(outcome.error).__name__, flush=True)
"""


PLACES = [
    pytest.param("make_lake", id="local"),
    pytest.param("make_aws_lake", id="aws", marks=pytest.mark.long),
]


@pytest.fixture(params=PLACES)
def lake(request: pytest.FixtureRequest):
    """An empty lake of the small shop, in a folder and on AWS."""
    return request.getfixturevalue(request.param)()


def start(lake) -> subprocess.Popen[str]:
    """A process that is about to refresh everything; it waits for a line."""
    command = [sys.executable, "-c", REFRESH, str(Path(__file__).parent / "conftest.py"), str(lake.root), *DAYS]
    process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    assert process.stdout is not None
    assert process.stdout.readline() == "ready\n"
    return process


def go(process: subprocess.Popen[str]) -> None:
    assert process.stdin is not None
    process.stdin.write("\n")
    process.stdin.flush()


def export(lake, quantity: int) -> None:
    """Every day sells `quantity` of each of its orders' lines."""
    for day_number, day in enumerate(DAYS):
        numbers = range(day_number * ORDERS, (day_number + 1) * ORDERS)
        lake.export("orders", day, *(f"{n},,,{day} 10:00:00,placed,,I" for n in numbers))
        lake.export("order_items", day, *(f"{n},1,{n % 7},{quantity},1," for n in numbers))
        lake.export("products", day, *(f"{n},v{quantity},a,b,1,{day} 00:00:00" for n in range(5)))


def sold(lake) -> dict[str, int]:
    """What each day sold, by the catalog."""
    return dict(lake.rows("SELECT date, sum(quantity)::INT FROM fact_sales GROUP BY date"))


def served(lake) -> dict[str, str]:
    """The version that the catalog serves, by table and partition."""
    found = {}
    for entry in lake.warehouse.entries():
        table = lake.warehouse.catalog.table(entry.database, entry.name)
        if table and table.partition_columns:
            partitions = lake.warehouse.catalog.partitions(entry.database, entry.name)
            found.update({f"{entry.name} date={p.values[0]}": p.parameters["version"] for p in partitions})
        elif table:
            found[f"{entry.name} live"] = table.parameters["version"]
    return found


def live(lake) -> dict[str, str]:
    """The live version, by table and partition, as the pointers say; states and indexes left out."""
    return {name: version for name, version in lake.again().live().items() if "/" not in name}


def test_two_processes_refresh_the_same_partitions(lake) -> None:
    """A schedule and somebody's backfill meet: each partition has one live version, the same for all."""
    export(lake, 2)
    processes = [start(lake) for _ in range(2)]
    for process in processes:
        go(process)
    told = [process.communicate(timeout=180)[0].split("\n") for process in processes]
    assert [process.returncode for process in processes] == [0, 0]
    transient = {cls.__name__ for cls in Transient.__subclasses__()}
    for lines in told:
        failures = [line for line in lines if " failed " in line and line.split()[-1] not in transient]
        assert failures == []
    again = lake.again()
    assert {s for table in lake.star.tables for s in again.statuses(table, *DAYS)} == {"unchanged"}
    assert served(lake) == live(lake)
    assert len(live(lake)) == 4 * len(DAYS) + 2
    assert sold(lake) == dict.fromkeys(DAYS, 2 * ORDERS)


@pytest.fixture
def watched(lake):
    """A lake on which a reader looks at every day all the time; what it saw that was no whole day is told."""
    torn: list[object] = []
    done = threading.Event()
    whole = {ORDERS * quantity for quantity in range(1, 20)}

    def watch() -> None:
        reader = lake.again()
        while not done.is_set():
            try:
                torn.extend((day, found) for day, found in sold(reader).items() if found not in whole)
            except Exception as error:
                torn.append(error)

    export(lake, 1)
    lake.run(*DAYS)
    thread = threading.Thread(target=watch)
    thread.start()
    yield lake, torn
    done.set()
    thread.join()


def test_a_killed_refresh_shows_whole_days_and_the_next_one_ends_it(watched) -> None:
    """Nobody may be paged because a machine went away; nobody may see half a day."""
    lake, torn = watched
    rng = Random(7)
    killed = 0
    for quantity in range(2, 6):
        export(lake, quantity)
        process = start(lake)
        go(process)
        # After so many outcomes, wherever it is on its way to the next one.
        assert process.stdout is not None
        for _ in range(rng.randrange(4 * len(DAYS))):
            process.stdout.readline()
        os.kill(process.pid, signal.SIGKILL)
        killed += process.wait() == -signal.SIGKILL
        process.communicate()
        now = sold(lake)
        assert set(now) == set(DAYS)
        assert {found // ORDERS for found in now.values()} <= {quantity - 1, quantity}
        lake.again().run(*DAYS)
        assert sold(lake) == dict.fromkeys(DAYS, quantity * ORDERS)
        assert served(lake) == live(lake)
    assert killed > 0
    assert torn == []
    assert mend(lake.warehouse.storage, lake.warehouse.catalog, lake.warehouse.entries()) == []
