"""Publishing, serving, rolling back and mending, as a reader of the catalog sees it."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from dataclasses import replace
from typing import Any

import pytest

from star_assets.lake.catalog import CatalogColumn
from star_assets.lake.ledger import Day, Ledgers, read_day
from star_assets.lake.publish import Commit, commit, rollback, serve
from star_assets.lake.storage import Storage
from star_assets.lake.versions import Manifest, read_manifest
from star_assets.model.errors import LedgerUnreadable, LostRace, NotOurs, RollbackRefused, UnknownVersion, VersionLost

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
    published = lake.publish(lake.day, 1)
    assert lake.read(lake.day) == 1
    (entry,) = lake.catalog.partitions("olap", "fact_sales")
    assert entry.parameters["version"] == published.live.version
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


def test_a_commit_on_an_old_version_loses_the_race(lake) -> None:
    """Two runs of one day: the slower must not undo the faster."""
    seen = lake.day_of(lake.day).live
    lake.publish(lake.day, 1)
    manifest = lake.write(lake.day, 2)
    with pytest.raises(LostRace):
        lake.commit(lake.day, manifest, seen)
    assert lake.read(lake.day) == 1


def test_a_commit_whose_reply_was_lost_has_won(lake, change: Callable) -> None:
    """A network may swallow the answer to a swap that was done; its repetition finds the ledger changed."""

    def swap(storage: Storage, path: str, *given: Any) -> str:
        storage.swap(path, *given)
        raise LostRace(path)

    manifest = lake.write(lake.day, 1)
    won = commit(change(lake.storage, swap=swap), [Commit(lake.day, manifest, None)])
    assert won == {lake.day: True}
    assert lake.live(lake.day) == manifest.version


# Serving


def test_a_publisher_that_was_overtaken_does_not_put_the_old_version_back(lake, change: Callable) -> None:
    """It read its own version, slept, and writes the catalog after the next one was served."""
    lake.publish(lake.day, 0)
    numbers = iter([1, 2])

    def cached(storage: Storage, path: str, etag: str = "") -> bytes:
        """Somebody else publishes right after a manifest was read, twice."""
        found = storage.cached(path, etag)
        if path.endswith("_manifest.json") and (number := next(numbers, None)):
            lake.publish(lake.day, number)
        return found

    assert serve(change(lake.storage, cached=cached), lake.catalog, lake.fact, [lake.day]) == [lake.day]
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
    """Without it the publisher would wait forever for a ledger that does not change."""
    lake.publish(lake.day, 1)
    lake.lose_files(lake.day)
    with pytest.raises(VersionLost, match=r"fact_sales date=2023-07-01: expected .*_manifest\.json"):
        serve(lake.storage, lake.catalog, lake.fact, [lake.day])


@pytest.mark.parametrize("content", [b"", b'{"format": 1, "seq', b"\x00\xff", b"[]", b'{"format": 1}'])
def test_a_ledger_that_cannot_be_read_is_named(lake, content: bytes) -> None:
    """Nobody may take it for one that says that nothing was published."""
    lake.publish(lake.day, 1)
    lake.storage.write(lake.day.ledger, content)
    for ask in (lambda: read_day(lake.storage, lake.day), Ledgers(lake.storage, "olap", "fact_sales").look):
        with pytest.raises(LedgerUnreadable, match=rf"{lake.day.ledger}: expected a ledger.*star-assets repair"):
            ask()


@pytest.mark.parametrize("content", [b"", b"{}", b"\x00"])
def test_a_version_whose_manifest_cannot_be_read_is_lost(lake, content: bytes) -> None:
    """As one whose manifest is gone, so that a run builds it again."""
    lake.publish(lake.day, 1)
    lake.storage.write(lake.day.manifest(lake.live(lake.day)), content)
    with pytest.raises(VersionLost, match=r"it is gone or damaged.*star-assets repair"):
        serve(lake.storage, lake.catalog, lake.fact, [lake.day])


# Rolling back


def back(lake, version: str | None = None, check: Callable[[Manifest], None] | None = None) -> Day:
    return rollback(lake.storage, lake.catalog, lake.fact, lake.day, version, check)


def test_rollback_returns_to_the_version_before_and_keeps_the_other(lake) -> None:
    """A bad day is undone by one command, and undone again by another."""
    first, second = (lake.publish(lake.day, number).live for number in (1, 2))
    found = back(lake)
    assert (found.live.version, found.live.identity) == (first.version, first.identity)
    assert [entry.version for entry in found.past] == [second.version]
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
    published = lake.publish(lake.day, 1)
    lake.catalog.drop_table("olap", "fact_sales")
    assert back(lake, published.live.version) == published
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
        assert manifest.identity.made_of == "identity 1"
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


# Together


@pytest.mark.parametrize("new_lake", ["local", pytest.param("aws", marks=pytest.mark.long)], indirect=True)
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
        assert len(lake.day_of(partition).past) == last
