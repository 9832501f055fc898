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
from star_assets.lake.publish import commit, serve
from star_assets.lake.storage import Storage
from star_assets.lake.vacuum import vacuum
from star_assets.lake.versions import Partition, Pointer, read_pointer
from star_assets.settings import Settings


def test_mend_rebuilds_a_lost_catalog_from_the_pointers(lake) -> None:
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
    """The pointer has moved, the catalog has not."""
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
def test_what_is_served_late_looks_as_young_as_it_is_for_readers(lake, name: str) -> None:
    """Athena must not give a result again that was read before a repair, though after the commit."""
    partition: Partition = getattr(lake, name)
    hour_ago = time.time() - 3600
    pointer, content = lake.storage.root / partition.pointer, lake.write(partition, 1)
    early = replace(content, created_at="2023-07-01T00:00:00.000000Z")
    lake.storage.write(partition.manifest(early.version), early.to_json())
    commit(lake.storage, partition, early, Pointer(), None)
    os.utime(pointer, (hour_ago, hour_ago))
    committed = pointer.read_bytes()
    lake.mend()
    assert (pointer.stat().st_mtime > hour_ago + 1000, pointer.read_bytes()) == (True, committed)
    os.utime(pointer, (hour_ago, hour_ago))
    serve(lake.storage, lake.catalog, lake.table(partition), [partition])
    assert pointer.stat().st_mtime < hour_ago + 1000, "what is served already is as old as it was"


@pytest.mark.parametrize("new_lake", ["local"], indirect=True)
def test_mend_follows_a_lake_that_was_moved(lake, tmp_path: Path) -> None:
    """The catalog holds full paths."""
    lake.publish(lake.day, 1)
    lake.storage.root.rename(tmp_path / "elsewhere")
    moved = type(lake)(Settings(lake=str(tmp_path / "elsewhere")), True)
    assert moved.mend() == [(None, "redefined"), ("date=2023-07-01", "moved")]
    assert moved.location(lake.day).startswith(str(tmp_path / "elsewhere"))
    assert moved.read(lake.day) == 1


@pytest.mark.parametrize("name", ["day", "products"])
def test_mend_drops_what_has_no_pointer_any_more(lake, name: str) -> None:
    """A withdrawn day must not be answered from."""
    partition: Partition = getattr(lake, name)
    lake.publish(partition, 1)
    lake.storage.delete([partition.pointer])
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

    return change(lake.storage, read=read), reads


def test_a_restart_reads_no_pointer_that_the_catalog_knows(lake, counted) -> None:
    """On S3 reading 3,650 pointers takes ten seconds, one listing a tenth of that."""
    for partition in (lake.day, lake.next_day, lake.products):
        lake.publish(partition, 1)
    storage, reads = counted
    followers = follow(lake, storage)
    assert taken([one.look_through() for one in followers]) == []
    assert taken([one.look() for one in followers]) == []
    assert reads == []
    lake.publish(lake.day, 2)
    assert taken([one.look() for one in followers]) == []
    assert set(reads) == {lake.day.pointer, lake.day.manifest(lake.live(lake.day))}


def test_an_idle_look_asks_the_catalog_nothing(lake) -> None:
    """Every minute, on every table: one listing of its pointers is all."""
    lake.publish(lake.day, 1)
    lake.publish(lake.products, 1)
    followers = follow(lake)
    taken([one.look_through() for one in followers])
    for one in followers:
        one.catalog = None  # type: ignore[assignment]
    assert taken([one.look() for one in followers]) == []


@pytest.mark.parametrize("name", ["day", "products"])
def test_what_another_process_committed_is_served_at_the_next_look(lake, name: str) -> None:
    """A job elsewhere writes a version and moves the pointer; it need not know the catalog."""
    partition: Partition = getattr(lake, name)
    lake.publish(partition, 1)
    followers = follow(lake)
    taken([one.look_through() for one in followers])
    commit(lake.storage, partition, lake.write(partition, 2), *read_pointer(lake.storage, partition))
    assert lake.read(partition) == 1
    assert taken([one.look() for one in followers]) == [(partition.name, "moved")]
    assert lake.read(partition) == 2
    assert taken([one.look() for one in followers]) == []


def test_a_pointer_that_went_takes_its_partition_along(lake) -> None:
    """Withdrawn between two looks."""
    lake.publish(lake.day, 1)
    lake.publish(lake.next_day, 1)
    follower = follow(lake)[0]
    taken([follower.look_through()])
    lake.storage.delete([lake.day.pointer])
    assert taken([follower.look()]) == [("date=2023-07-01", "dropped")]
    assert taken([follower.look()]) == []


def test_what_vacuum_rewrites_is_no_drift_and_is_read_once(lake, counted) -> None:
    """It names the same version; the catalog has to learn the pointer's new state, or each restart reads it."""
    for number in (1, 2):
        lake.publish(lake.day, number)
    vacuum(lake.storage, lake.catalog, [("olap", "fact_sales")], timedelta(0))
    storage, reads = counted
    assert taken([follow(lake, storage)[0].look_through()]) == []
    assert reads.count(lake.day.pointer) == 2
    reads.clear()
    assert taken([follow(lake, storage)[0].look_through()]) == []
    assert reads == []


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
        commit(lake.storage, day, lake.write(day, 1), *read_pointer(lake.storage, day))
    follower = follow(lake)[0]
    looking = follower.look_through()
    done = [next(looking) for _ in range(3)]
    assert [drift.partition for step in done for drift in step] == [None, "date=2023-07-01", "date=2023-07-02"]
    assert [p for p, _ in taken([follower.look()])] == ["date=2023-07-02", "date=2023-07-03", "date=2023-07-04"][1:]
    assert [lake.read(day) for day in days] == [1] * 4
    assert lake.mend() == []
