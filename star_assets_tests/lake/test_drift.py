"""Keeping the catalog in step: what moved is served, what drifted is mended, and looking costs a listing."""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from star_assets.lake.catalog import PartitionEntry
from star_assets.lake.drift import Drift, Follower, mend
from star_assets.lake.publish import serve
from star_assets.lake.storage import Storage
from star_assets.lake.vacuum import vacuum
from star_assets.lake.versions import Partition
from star_assets.settings import Settings


def test_mend_rebuilds_a_lost_catalog_from_the_ledgers(lake) -> None:
    """The catalog is derived: losing it loses nothing."""
    lake.publish(lake.day, 1)
    lake.publish(lake.next_day, 2, {"number": "bigint", "color": "string"})
    lake.publish(lake.products, 3)
    before = lake.catalog.snapshot([("olap", "fact_sales"), ("olap", "dim_product")])
    lake.lose_catalog()
    assert lake.mend() == [
        (None, "registered"),
        ("date=2023-07-01", "registered"),
        ("date=2023-07-02", "registered"),
        ("live", "registered"),
    ]
    assert lake.catalog.snapshot([("olap", "fact_sales"), ("olap", "dim_product")]) == before
    assert lake.mend() == []


@pytest.mark.parametrize("name", ["day", "products"])
def test_mend_rolls_forward_what_a_crash_left_behind(lake, name: str) -> None:
    """The ledger has another live version, the catalog has not."""
    partition: Partition = getattr(lake, name)
    lake.publish(partition, 1)
    before = lake.catalog.table(partition.database, partition.table), lake.catalog.partitions("olap", partition.table)
    lake.publish(partition, 2)
    lake.catalog.put_table(before[0])
    lake.catalog.put_partitions("olap", partition.table, before[1])
    assert lake.read(partition) == 1
    assert (partition.name, "moved") in lake.mend()
    assert lake.read(partition) == 2
    assert lake.mend() == []


@pytest.mark.parametrize("new_lake", ["local"], indirect=True)
@pytest.mark.parametrize("name", ["day", "products"])
def test_what_is_served_late_looks_as_young_as_it_is_for_readers(
    lake, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    """Athena must not give a result again that was read before a repair, though after the commit."""
    partition: Partition = getattr(lake, name)
    hour_ago = time.time() - 3600
    ledger = lake.storage.root / partition.ledger
    monkeypatch.setattr("star_assets.lake.ledger.now", lambda: "2023-07-01T00:00:00.000000Z")
    lake.commit(partition, lake.write(partition, 1), None)
    os.utime(ledger, (hour_ago, hour_ago))
    committed = lake.day_of(partition)
    lake.mend()
    assert (ledger.stat().st_mtime > hour_ago + 1000, lake.day_of(partition)) == (True, committed)
    os.utime(ledger, (hour_ago, hour_ago))
    serve(lake.storage, lake.catalog, lake.table(partition), [partition])
    assert ledger.stat().st_mtime < hour_ago + 1000, "what is served already is as old as it was"


@pytest.mark.parametrize("new_lake", ["local"], indirect=True)
def test_a_lake_that_was_moved_is_in_step(lake, tmp_path: Path) -> None:
    """The catalog of a folder holds no full paths."""
    lake.publish(lake.day, 1)
    lake.storage.root.rename(tmp_path / "elsewhere")
    moved = type(lake)(Settings(lake=str(tmp_path / "elsewhere")), True)
    assert moved.mend() == []
    assert moved.location(lake.day).startswith(str(tmp_path / "elsewhere"))
    assert moved.read(lake.day) == 1


@pytest.mark.parametrize("name", ["day", "products"])
def test_mend_drops_what_is_in_no_ledger_any_more(lake, name: str) -> None:
    """A withdrawn day must not be answered from."""
    partition: Partition = getattr(lake, name)
    lake.publish(partition, 1)
    lake.lose_day(partition)
    assert (partition.name, "dropped") in lake.mend()
    assert lake.location(partition) is None
    assert [drift for drift in lake.mend() if drift[0]] == []


def test_mend_leaves_partitions_that_others_registered(lake) -> None:
    """Externally landed files, added by ALTER TABLE ADD PARTITION."""
    lake.publish(lake.day, 1)
    landed = PartitionEntry(("2023-06-30",), "/landed", lake.fact.columns)
    lake.catalog.put_partitions("olap", "fact_sales", [landed])
    assert lake.mend() == []
    assert landed in lake.catalog.partitions("olap", "fact_sales")


def test_mend_reports_a_lost_version_and_mends_the_others(lake) -> None:
    """One folder removed by hand must not keep a year from being served."""
    lake.publish(lake.day, 1)
    lake.publish(lake.next_day, 2)
    lake.lose_files(lake.day)
    lake.catalog.drop_table("olap", "fact_sales")
    assert lake.mend() == [(None, "registered"), ("date=2023-07-01", "lost"), ("date=2023-07-02", "registered")]
    assert lake.read(lake.next_day) == 2


def test_mend_takes_over_a_changed_declaration(lake) -> None:
    """A new description in the model reaches the catalog without a new version."""
    lake.publish(lake.day, 1)
    described = replace(lake.fact, description="What was sold.")
    assert [drift.what for drift in mend(lake.storage, lake.catalog, [described])] == ["redefined"]
    assert lake.catalog.table("olap", "fact_sales").description == "What was sold."
    assert lake.read(lake.day) == 1


# From look to look


def follow(lake, storage: Storage | None = None, catalog: Any = None) -> list[Follower]:
    tables = [lake.fact, lake.dimension]
    return [Follower(storage or lake.storage, catalog or lake.catalog, table) for table in tables]


def taken(looks: list[Iterator[list[Drift]]]) -> list[tuple[str | None, str]]:
    """What the looks did, to their end."""
    return [(drift.partition, drift.what) for look in looks for step in look for drift in step]


@pytest.fixture
def counted(lake, change: Callable) -> tuple[Any, list[str]]:
    """The lake's storage and what was read of it."""
    reads: list[str] = []

    def read(storage: Storage, path: str) -> tuple[bytes, str]:
        reads.append(path)
        return storage.read(path)

    def cached(storage: Storage, path: str, etag: str = "") -> bytes:
        reads.append(path)
        return storage.cached(path, etag)

    return change(lake.storage, read=read, cached=cached), reads


def test_a_restart_reads_each_ledger_once(lake, counted) -> None:
    """A month is one object: ten years are 120, and a listing tells which of them changed."""
    for partition in (lake.day, lake.next_day, lake.products):
        lake.publish(partition, 1)
    storage, reads = counted
    followers = follow(lake, storage)
    assert taken([one.look_through() for one in followers]) == []
    assert taken([one.look() for one in followers]) == []
    assert sorted(reads) == [lake.products.ledger, lake.day.ledger]
    reads.clear()
    lake.publish(lake.day, 2)
    assert taken([one.look() for one in followers]) == []
    assert set(reads) == {lake.day.ledger, lake.day.manifest(lake.live(lake.day))}


def test_an_idle_look_asks_the_catalog_nothing(lake) -> None:
    """Every minute, on every table: one listing of its ledgers is all."""
    lake.publish(lake.day, 1)
    lake.publish(lake.products, 1)
    followers = follow(lake)
    taken([one.look_through() for one in followers])
    for one in followers:
        one.catalog = None  # type: ignore[assignment]
    assert taken([one.look() for one in followers]) == []


@pytest.mark.parametrize("name", ["day", "products"])
def test_what_another_process_committed_is_served_at_the_next_look(lake, name: str) -> None:
    """A job elsewhere writes a version and changes the ledger; it need not know the catalog."""
    partition: Partition = getattr(lake, name)
    lake.publish(partition, 1)
    followers = follow(lake)
    taken([one.look_through() for one in followers])
    lake.commit(partition, lake.write(partition, 2), lake.day_of(partition).live)
    assert lake.read(partition) == 1
    assert taken([one.look() for one in followers]) == [(partition.name, "moved")]
    assert lake.read(partition) == 2
    assert taken([one.look() for one in followers]) == []


def test_a_day_that_went_takes_its_partition_along(lake) -> None:
    """Withdrawn between two looks."""
    lake.publish(lake.day, 1)
    lake.publish(lake.next_day, 1)
    follower = follow(lake)[0]
    taken([follower.look_through()])
    lake.lose_day(lake.day)
    assert taken([follower.look()]) == [("date=2023-07-01", "dropped")]
    assert taken([follower.look()]) == []


def test_what_vacuum_rewrites_is_no_drift(lake, counted) -> None:
    """The ledger names the same live version: one read tells, and no manifest is needed."""
    for number in (1, 2):
        lake.publish(lake.day, number)
    storage, reads = counted
    follower = follow(lake, storage)[0]
    taken([follower.look_through()])
    vacuum(lake.storage, lake.catalog, [("olap", "fact_sales")], timedelta(0))
    reads.clear()
    assert taken([follower.look()]) == []
    assert reads == [lake.day.ledger]


def test_an_entry_that_somebody_pointed_elsewhere_is_moved_back(lake) -> None:
    """Its parameters still say what it should serve; its location does not."""
    lake.publish(lake.day, 1)
    (entry,) = lake.catalog.partitions("olap", "fact_sales")
    lake.catalog.put_partitions("olap", "fact_sales", [replace(entry, location=lake.storage.uri("elsewhere"))])
    assert lake.mend() == [("date=2023-07-01", "moved")]
    assert lake.read(lake.day) == 1


def test_a_look_that_is_cut_short_leaves_the_rest_to_the_next(lake, monkeypatch: pytest.MonkeyPatch) -> None:
    """A sensor's tick has to end; nothing may be mended twice or never."""
    monkeypatch.setattr("star_assets.lake.drift.AT_A_TIME", 1)
    days = [Partition("olap", "fact_sales", f"2023-07-{number:02}") for number in range(1, 5)]
    for day in days:
        lake.commit(day, lake.write(day, 1), None)
    follower = follow(lake)[0]
    looking = follower.look_through()
    done = [next(looking) for _ in range(3)]
    assert [drift.partition for step in done for drift in step] == [None, "date=2023-07-01", "date=2023-07-02"]
    assert [p for p, _ in taken([follower.look()])] == ["date=2023-07-02", "date=2023-07-03", "date=2023-07-04"][1:]
    assert [lake.read(day) for day in days] == [1] * 4
    assert lake.mend() == []
