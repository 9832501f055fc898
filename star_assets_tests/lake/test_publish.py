"""Publishing, serving, rolling back and mending, as a reader of the catalog sees it."""

from __future__ import annotations

import os
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from star_assets.lake.catalog import CatalogColumn, PartitionEntry
from star_assets.lake.publish import commit, mend, rollback, serve
from star_assets.lake.storage import Storage
from star_assets.lake.versions import Manifest, Partition, Pointer, Pointers, read_manifest, read_pointer
from star_assets.model.errors import LostRace, NotOurs, RollbackRefused, UnknownVersion, VersionLost
from star_assets.settings import Settings

# Writing


def test_a_written_version_is_invisible_until_committed(lake) -> None:
    """The audit needs files that no reader sees."""
    manifest = lake.write(lake.day, 1)
    assert read_manifest(lake.storage, lake.day, manifest.version) == manifest
    assert lake.read(lake.day) is None
    assert lake.mend() == [(None, "registered")]
    assert lake.read(lake.day) is None


def test_a_published_version_is_read_whole_and_described_in_the_catalog(lake) -> None:
    """Status and drift are told from the catalog's parameters, without manifests."""
    pointer = lake.publish(lake.day, 1)
    assert lake.read(lake.day) == 1
    (entry,) = lake.catalog.partitions("olap", "fact_sales")
    assert entry.parameters["version"] == pointer.live.version
    assert entry.parameters["identity"] == "identity 1"
    assert entry.parameters["rows"] == "20"
    stored = lake.storage.walk(lake.storage.path(entry.location))
    size = sum(file.size for file in stored if file.path.endswith(".parquet"))
    assert entry.parameters["size"] == str(size)


def test_a_dimension_is_one_table_whose_location_moves(lake) -> None:
    """It has no partitions, so the swap is the table's own."""
    lake.publish(lake.products, 1)
    lake.publish(lake.products, 2)
    found = lake.catalog.table("olap", "dim_product")
    assert found.parameters["version"] == lake.live(lake.products)
    assert found.columns == lake.dimension.columns
    assert lake.read(lake.products) == 2


def test_a_commit_on_an_old_pointer_loses_the_race(lake) -> None:
    """Two runs of one day: the slower must not undo the faster."""
    pointer, etag = read_pointer(lake.storage, lake.day)
    lake.publish(lake.day, 1)
    manifest = lake.write(lake.day, 2)
    with pytest.raises(LostRace):
        commit(lake.storage, lake.day, manifest, pointer, etag)
    assert lake.read(lake.day) == 1


def test_a_commit_whose_reply_was_lost_has_won(lake, change: Callable) -> None:
    """A network may swallow the answer to a swap that was done; its repetition finds the pointer moved."""

    def swap(storage: Storage, path: str, *given: Any) -> str:
        storage.swap(path, *given)
        raise LostRace(path)

    manifest = lake.write(lake.day, 1)
    pointer = commit(change(lake.storage, swap=swap), lake.day, manifest, Pointer(), None)
    assert pointer.live.version == manifest.version == lake.live(lake.day)


# Serving


def test_a_publisher_that_was_overtaken_does_not_put_the_old_version_back(lake, change: Callable) -> None:
    """It read its own version, slept, and writes the catalog after the next one was served."""
    lake.publish(lake.day, 0)
    numbers = iter([1, 2])

    def read(storage: Storage, path: str) -> tuple[bytes, str]:
        """Somebody else publishes right after a manifest was read, twice."""
        found = storage.read(path)
        if path.endswith("_manifest.json") and (number := next(numbers, None)):
            lake.publish(lake.day, number)
        return found

    assert serve(change(lake.storage, read=read), lake.catalog, lake.fact, [lake.day]) == [lake.day]
    assert lake.read(lake.day) == 2
    assert lake.served(lake.day) == lake.live(lake.day)


def test_serving_many_partitions_returns_those_with_a_live_version(lake) -> None:
    """A range run registers its days in one go."""
    lake.publish(lake.day, 1)
    lake.catalog.drop_table("olap", "fact_sales")
    assert serve(lake.storage, lake.catalog, lake.fact, [lake.day, lake.next_day]) == [lake.day]
    assert (lake.read(lake.day), lake.read(lake.next_day)) == (1, None)


def test_a_new_column_of_a_version_is_appended_to_the_table(lake) -> None:
    """An export's new column is queried without a code change, and older days read NULL for it."""
    lake.publish(lake.day, 1)
    lake.publish(lake.next_day, 2, {"number": "bigint", "Color": "string"})
    lake.publish(lake.day, 3)
    found = lake.catalog.table("olap", "fact_sales")
    assert found.columns == (*lake.fact.columns, CatalogColumn("color", "string"))
    first, second = lake.catalog.partitions("olap", "fact_sales")
    assert [column.name for column in first.columns] == ["number"]
    assert [column.name for column in second.columns] == ["number", "color"]


def test_a_table_of_another_maker_is_not_taken_over(lake) -> None:
    """The publish stops with the name; what they had stays."""
    theirs = replace(lake.fact, location="/elsewhere")
    lake.catalog.put_table(theirs)
    with pytest.raises(NotOurs, match=r"olap\.fact_sales"):
        lake.publish(lake.day, 1)
    assert lake.catalog.table("olap", "fact_sales") == theirs
    assert lake.mend() == [(None, "not ours")]


def test_a_live_version_removed_by_hand_is_named(lake) -> None:
    """Without it the publisher would wait forever for a pointer that does not move."""
    lake.publish(lake.day, 1)
    lake.lose_files(lake.day)
    with pytest.raises(VersionLost, match=r"fact_sales date=2023-07-01: expected .*_manifest\.json"):
        serve(lake.storage, lake.catalog, lake.fact, [lake.day])


# Rolling back


def back(lake, version: str | None = None, check: Callable[[Manifest], None] | None = None) -> Pointer:
    return rollback(lake.storage, lake.catalog, lake.fact, lake.day, version, check)


def test_rollback_returns_to_the_version_before_and_keeps_the_other(lake) -> None:
    """A bad day is undone by one command, and undone again by another."""
    first, second = (lake.publish(lake.day, number).live for number in (1, 2))
    pointer = back(lake)
    assert (pointer.live.version, pointer.live.identity) == (first.version, "identity 1")
    assert [entry.version for entry in pointer.history] == [second.version]
    assert lake.read(lake.day) == 1
    back(lake, second.version)
    assert lake.read(lake.day) == 2


def test_rolling_back_twice_goes_back_twice(lake) -> None:
    """The second time must not return to the bad version."""
    for number in (1, 2, 3):
        lake.publish(lake.day, number)
    back(lake)
    assert lake.read(lake.day) == 2
    back(lake)
    assert lake.read(lake.day) == 1
    with pytest.raises(UnknownVersion):
        back(lake)
    assert lake.read(lake.day) == 1


def test_rollback_after_a_repair_skips_the_version_rolled_back_from(lake) -> None:
    """v3 was bad, v2 came back, v4 replaced it: before v4 the readers saw v2."""
    for number in (1, 2, 3):
        lake.publish(lake.day, number)
    back(lake)
    lake.publish(lake.day, 4)
    back(lake)
    assert lake.read(lake.day) == 2


def test_rollback_to_the_live_version_only_serves_it(lake) -> None:
    """The same command again, after a crash, finishes what it began."""
    pointer = lake.publish(lake.day, 1)
    lake.catalog.drop_table("olap", "fact_sales")
    assert back(lake, pointer.live.version) == pointer
    assert lake.read(lake.day) == 1


@pytest.mark.parametrize("version", [None, "20230101T000000000000-00000000"])
def test_an_unknown_version_is_refused_with_the_known_ones(lake, version: str | None) -> None:
    """The user picks from the list in the message."""
    with pytest.raises(UnknownVersion, match="none"):
        back(lake, version)
    first = lake.publish(lake.day, 1).live.version
    lake.publish(lake.day, 2)
    with pytest.raises(UnknownVersion, match=first):
        back(lake, "20230101T000000000000-00000000")
    assert lake.read(lake.day) == 2


def test_a_check_may_refuse_the_rollback(lake) -> None:
    """A dimension must not lose members that live facts use."""
    lake.publish(lake.day, 1)
    lake.publish(lake.day, 2)

    def refuse(manifest: Manifest) -> None:
        assert manifest.identity == "identity 1"
        raise RollbackRefused("dim_product", manifest.version, "fact_sales", ["7"])

    with pytest.raises(RollbackRefused):
        back(lake, check=refuse)
    assert lake.read(lake.day) == 2


def test_a_rollback_that_was_overtaken_is_not_done(lake) -> None:
    """Whoever asked had seen another live version."""
    lake.publish(lake.day, 1)
    lake.publish(lake.day, 2)
    with pytest.raises(LostRace):
        back(lake, check=lambda manifest: lake.publish(lake.day, 3) and None)
    assert lake.read(lake.day) == 3


# Mending


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


def test_an_idle_mend_reads_no_pointer_it_knows(lake, change: Callable) -> None:
    """A sensor asks every minute; on S3 reading 3,650 pointers takes ten seconds, one listing a tenth of that."""
    for partition in (lake.day, lake.next_day, lake.products):
        lake.publish(partition, 1)
    reads: list[str] = []

    def read(storage: Storage, path: str) -> tuple[bytes, str]:
        reads.append(path)
        return storage.read(path)

    storage, known = change(lake.storage, read=read), dict[tuple[str, str], Pointers]()
    tables = [lake.fact, lake.dimension]
    mend(storage, lake.catalog, tables, known)
    reads.clear()
    assert mend(storage, lake.catalog, tables, known) == []
    assert reads == []
    lake.publish(lake.day, 2)
    mend(storage, lake.catalog, tables, known)
    assert reads == [lake.day.pointer]


# Together


def test_readers_see_whole_versions_while_others_publish(lake, fork: Callable) -> None:
    """Two publishers, three readers: never a torn day, a mixed one, or none."""
    last = 100 if lake.is_local else 20
    lake.publish(lake.day, 0)
    lake.publish(lake.products, 0)

    def publish(numbers: range) -> Callable[[], None]:
        def work() -> None:
            for number in numbers:
                for partition in (lake.day, lake.products):
                    done = False
                    while not done:
                        with suppress(LostRace):
                            lake.publish(partition, number)
                            done = True

        return work

    def read() -> None:
        while not list(lake.storage.walk("done")):
            assert lake.read(lake.day) is not None
            assert lake.read(lake.products) is not None

    readers = [fork(read) for _ in range(3)]
    writers = [fork(publish(range(start, last + 1, 2))) for start in (1, 2)]
    assert [wait() for wait in writers] == [0, 0]
    lake.storage.write("done/now", b"")
    assert [wait() for wait in readers] == [0, 0, 0]
    for partition in (lake.day, lake.products):
        assert lake.served(partition) == lake.live(partition)
        assert len(read_pointer(lake.storage, partition)[0].history) == last
