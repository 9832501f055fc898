"""A day is exported once, whole or not at all, whoever is killed when; and what lies there is left alone."""

from __future__ import annotations

import gzip
import os
import signal
import subprocess
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from star_assets.exports.finding import marker_of_pulled, read_export, require_whole
from star_assets.model import FileCount, Settled, Star
from star_assets.model.errors import HalfExport
from star_assets.pipeline.warehouse import Warehouse
from star_assets.star import order_items, orders, retail, stores
from star_assets_tests.conftest import STAR_ASSETS
from star_assets_tests.faults.killing import changes_aws, changes_files, die_at
from star_assets_tests.shop import Shop

from .conftest import FIRST, MakeLake, PulledLake

DAY, NEXT = "2023-07-02", "2023-07-03"

ROWS = f"""
INSERT INTO shop.orders VALUES (1, 1, 1, '{DAY} 10:00+00', 'placed', '{DAY} 10:00+00', 'I'),
    (2, 1, 1, '{DAY} 11:00+00', 'placed', '{DAY} 11:00+00', 'I');
INSERT INTO shop.order_items VALUES (1, 1, 5, 1, 9.99, NULL), (2, 1, 5, 1, 9.99, NULL);
INSERT INTO shop.stores VALUES (1, 'Miami Brickell', 'Miami', 'FL', 'Southeast', '2015-03-02', '{DAY} 08:00+00');
"""
# One order is changed again, later.
CHANGE = f"UPDATE shop.orders SET status = 'shipped', updated_at = '{NEXT} 09:00+00' WHERE order_id = 1"

# Sources that know when they are whole in each of the ways there are.
SOURCES = [orders, replace(order_items, whole=FileCount(2)), replace(stores, whole=Settled(3600))]
mixed = Star(sources=SOURCES, dimensions=[], facts=[])


@pytest.fixture(autouse=True)
def rows(shop: Shop) -> None:
    shop.execute(ROWS)


def names(lake: PulledLake, source: str, day: str = DAY) -> list[str]:
    return sorted(file.name for file in (lake.root / "oltp" / source / f"date={day}").glob("*"))


def contents(lake: PulledLake) -> dict[str, bytes]:
    return {str(file.relative_to(lake.root)): file.read_bytes() for file in lake.root.glob("oltp/**/*.*")}


def test_each_source_gets_a_file_and_its_marker(make_lake: MakeLake) -> None:
    lake = make_lake(star=mixed)
    assert lake.pull(DAY) == {"orders": 2, "order_items": 2, "stores": 1}
    file = lake.files("orders", DAY)[0].name
    assert names(lake, "orders") == ["_SUCCESS", file]
    assert names(lake, "order_items") == names(lake, "stores") == ["_pulled", file]
    assert not list(lake.root.glob("_scratch/*"))


def test_what_was_pulled_is_whole_at_once_and_never_without_its_marker(make_lake: MakeLake) -> None:
    """A source's own rule, such as an hour without change, is for exports that somebody drops."""
    lake = make_lake(star=mixed)
    for source in mixed.sources:
        assert [o.status for o in lake.warehouse.refresh(source, [DAY])] == ["published"]
    for source in SOURCES[1:]:
        (lake.root / "oltp" / source.name / f"date={DAY}" / "_pulled").unlink()
        export = read_export(lake.warehouse.storage, source, DAY)
        with pytest.raises(HalfExport, match="expected a file _pulled"):
            require_whole(export, source, now=1e12)


def test_an_export_that_is_there_stays_as_it_is(shop: Shop, lake: PulledLake) -> None:
    """What was exported once is what was built from; it must not change under a later run."""
    lake.pull(DAY)
    before = contents(lake)
    shop.execute(CHANGE)
    assert lake.pull(DAY) == {}
    for source in retail.sources:
        assert [o.error for o in lake.warehouse.refresh(source, [DAY])] == [None]
    assert contents(lake).items() >= before.items()
    assert lake.files("orders", DAY) == [lake.root / name for name in before if name.startswith("oltp/orders/")]


def test_a_row_that_changed_again_is_in_the_later_day_alone(shop: Shop, lake: PulledLake) -> None:
    shop.execute(CHANGE)
    lake.pull(DAY, NEXT)
    assert lake.keys("orders", DAY) == lake.keys("order_items", DAY) == {2}
    assert lake.keys("orders", NEXT) == lake.keys("order_items", NEXT) == {1}


def test_a_day_is_pulled_again_when_that_is_said(shop: Shop, make_lake: MakeLake) -> None:
    lake = make_lake(star=mixed)
    lake.pull(DAY)
    before = contents(lake)
    shop.execute(CHANGE)
    assert lake.pull(DAY, again=True) == {"orders": 1, "order_items": 1, "stores": 1}
    assert lake.keys("orders", DAY) == {2}
    assert not before.keys() & contents(lake).keys()
    assert len(names(lake, "orders")) == 2
    assert [o.status for o in lake.warehouse.refresh("orders", [DAY])] == ["published"]


@pytest.mark.parametrize(
    "files",
    [
        {"stores.json": b"[]", "_SUCCESS": b""},
        {"stores.json": b"["},
        {"_SUCCESS": b""},
        {"_retired": b"[]"},
        # Somebody added a file to what was pulled.
        {"pulled-20230702T000000000000-00000000.csv.gz": gzip.compress(b""), "more.csv": b""},
    ],
    ids=["whole", "half", "empty", "retired", "mixed"],
)
def test_what_somebody_else_exported_is_never_touched(lake: PulledLake, files: dict[str, bytes]) -> None:
    """Not even when a day is pulled again: it may be the only copy."""
    folder = lake.root / "oltp" / "stores" / f"date={DAY}"
    folder.mkdir(parents=True)
    for name, content in files.items():
        (folder / name).write_bytes(content)
    assert set(lake.pull(DAY)) == {"orders", "order_items", "customers", "products"}
    (again,) = lake.warehouse.pull([DAY], again=True)
    assert (set(again.rows), again.left) == ({"orders", "order_items", "customers", "products"}, ("stores",))
    assert {file.name: file.read_bytes() for file in folder.iterdir()} == files


def test_a_source_that_is_new_is_pulled_for_days_that_are_there(make_lake: MakeLake, shop: Shop) -> None:
    """And the others keep the rows that have moved to a later day since."""
    lake = make_lake(star=Star(sources=[orders], dimensions=[], facts=[]))
    lake.pull(DAY)
    shop.execute(CHANGE)
    grown = PulledLake(lake.root, shop.url, star=mixed)
    assert set(grown.pull(DAY)) == {"order_items", "stores"}
    assert grown.keys("orders", DAY) == {1, 2}


def test_a_source_that_is_not_pulled_is_left_out(make_lake: MakeLake) -> None:
    """One whose events are streamed, say, has no table."""
    streamed = replace(stores, name="streamed", pulled=False)
    lake = make_lake(star=Star(sources=[orders, streamed], dimensions=[], facts=[]))
    assert lake.pull(DAY) == {"orders": 2}
    assert lake.warehouse.to_pull([DAY]) == []
    (outcome,) = lake.warehouse.refresh("streamed", [DAY])
    assert outcome.status == "failed", "a day that nobody exported is missing"


# Crashes


def check_whole(lake: Warehouse, possible: list[dict[str, str]]) -> None:
    """What is whole is all of one pull, whose files are all there, and is what that was to export."""
    exports = {source: read_export(lake.storage, source, DAY) for source in lake.star.sources.values()}
    whole = [export for source, export in exports.items() if marker_of_pulled(source).name in export.markers]
    for pull in {pull for export in whole for pull in export.pulls}:
        assert all(export.pulls == {pull} for export in exports.values())
        assert texts(lake) in possible
    for source, export in exports.items():
        if export.files and export not in whole:
            with pytest.raises(HalfExport):
                require_whole(export, source, now=1e12)


def texts(lake: Warehouse) -> dict[str, str]:
    """Each source's pulled file, which is the only one."""
    found = {}
    for name, source in lake.star.sources.items():
        (file,) = lake.storage.local([file.path for file in read_export(lake.storage, source, DAY).files])
        found[name] = gzip.decompress(Path(file).read_bytes()).decode()
    return found


@pytest.mark.parametrize(("place", "again"), [("local", False), ("local", True), ("aws", True)])
def test_a_crash_at_any_step_leaves_no_half_day(
    shop: Shop, make_lake: MakeLake, fork: Callable[..., Any], request: pytest.FixtureRequest, place: str, again: bool
) -> None:
    """Orders without their lines would be sales of nothing; two snapshots in one day, sales that never were."""
    aws = request.getfixturevalue("aws") if place == "aws" else None

    def pulled(again: bool, city: str = "Tampa") -> Warehouse:
        """A new lake; pulled before the stores moved, if it is to be pulled again."""
        dsn = {"start_date": FIRST, "source_dsn": shop.url}
        lake = Warehouse(mixed, aws(**dsn)) if aws else make_lake(star=mixed).warehouse
        if again:
            shop.execute("UPDATE shop.stores SET city = %s", city)
            assert [pulled.error for pulled in lake.pull([DAY])] == [None]
        return lake

    possible = [texts(pulled(True, city)) for city in (["Tampa", "Miami"] if again else ["Miami"])]
    status, step = -signal.SIGKILL, 0
    while status == -signal.SIGKILL:
        step, lake = step + 1, pulled(again)
        shop.execute("UPDATE shop.stores SET city = 'Miami'")

        def crash(step: int = step, lake: Warehouse = lake) -> None:
            die_at(step, changes_aws if aws else changes_files)
            assert [pulled.error for pulled in lake.pull([DAY], again)] == [None]

        status = fork(crash)()
        check_whole(lake, possible)
        assert [pulled.error for pulled in lake.pull([DAY])] == [None]
        assert texts(lake) in possible
        assert lake.to_pull([DAY]) == []
    assert status == 0
    assert texts(lake) == possible[-1]
    assert step > (8 if aws else 10), "the crashes did not reach the pull"


class Held:
    """A shop whose stores cannot be read while this holds them: a pull stops amid its copies."""

    def __init__(self, shop: Shop) -> None:
        self.shop = shop
        shop.execute("ALTER TABLE shop.stores RENAME TO all_stores")
        shop.execute(
            "CREATE VIEW shop.stores AS SELECT s.* FROM shop.all_stores s, pg_advisory_xact_lock_shared(1) held"
        )
        shop.execute("GRANT SELECT ON shop.stores TO star_export")
        self.session = shop.another()
        self.session.execute("SELECT pg_advisory_lock(1)")

    def wait_for(self, waiting: int) -> None:
        """Until so many sessions wait for a lock."""
        while self.shop.execute("SELECT count(*) FROM pg_locks WHERE NOT granted")[0][0] < waiting:
            time.sleep(0.01)

    def let_go(self) -> None:
        self.session.close()


@pytest.fixture
def held(shop: Shop) -> Held:
    return Held(shop)


def start(lake: PulledLake, shop: Shop) -> subprocess.Popen[str]:
    known = {name: value for name, value in os.environ.items() if not name.startswith("STAR_")}
    settings = {"STAR_LAKE": str(lake.root), "STAR_SOURCE_DSN": shop.url, "STAR_START_DATE": str(FIRST)}
    command = [STAR_ASSETS, "pull", "--from", DAY, "--to", DAY]
    return subprocess.Popen(command, env={**known, **settings}, text=True, stderr=subprocess.PIPE)


def test_a_process_that_is_killed_amid_a_copy_leaves_nothing(shop: Shop, lake: PulledLake, held: Held) -> None:
    process = start(lake, shop)
    held.wait_for(1)
    process.kill()
    process.wait()
    assert list(lake.root.glob("oltp/**/*")) == []
    held.let_go()
    assert lake.pull(DAY)["stores"] == 1


def test_two_who_pull_the_same_day_export_it_once(shop: Shop, lake: PulledLake, held: Held) -> None:
    """Two files of two moments in one day would be two truths of it."""
    processes = [start(lake, shop)]
    held.wait_for(1)
    processes.append(start(lake, shop))
    held.wait_for(2)
    held.let_go()
    told = [process.communicate()[1] for process in processes]
    assert [process.returncode for process in processes] == [0, 0], told
    exported = {name: len(lake.files(name, DAY)) for name, source in retail.sources.items() if source.is_pulled}
    assert list(exported.values()) == [1] * 5
