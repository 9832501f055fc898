"""Vacuum removes what nobody needs, and nothing else, whatever runs beside it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from star_assets.lake.ledger import Ledger, swap
from star_assets.lake.publish import rollback, write_version
from star_assets.lake.storage import Storage
from star_assets.lake.vacuum import Vacuumed, vacuum
from star_assets.lake.versions import Partition
from star_assets.model.errors import LostRace, UnknownVersion

TABLES = [("olap", "fact_sales"), ("olap", "dim_product")]
WEEK, NOTHING = timedelta(days=7), timedelta(0)
LONG_AGO = "20200101T000000000000-00000000"


def clean(lake, retention: timedelta = NOTHING) -> Vacuumed:
    return vacuum(lake.storage, lake.catalog, TABLES, retention)


def write_orphan(lake, partition: Partition, version: str | None = None) -> str:
    """What a run that died before its commit leaves behind. Returns its id."""
    manifest, files = lake.written(9)
    manifest = replace(manifest, version=version or manifest.version)
    write_version(lake.storage, partition, manifest, files)
    return manifest.version


@pytest.mark.parametrize("name", ["day", "products"])
def test_superseded_versions_go_after_the_retention(lake, name: str) -> None:
    """A query may read on for so long, and a rollback reach so far."""
    partition: Partition = getattr(lake, name)
    old, middle, live = (lake.publish(partition, number).live.version for number in (1, 2, 3))
    assert clean(lake, WEEK) == Vacuumed(waiting=2), "what is superseded now is noted, and kept for as long"

    def aged(ledger: Ledger) -> Ledger:
        day = ledger.day(partition.key)
        first = replace(day.past[-1], unserved="2020-01-01T00:00:00.000000Z")
        found = replace(day, past=(day.past[0], first))
        return replace(ledger, days={**ledger.days, partition.key: found}, sequence=ledger.sequence + 1)

    swap(lake.storage, partition.ledger, aged)
    size = sum(stored.size for stored in lake.storage.walk(partition.version_folder(old)))
    assert clean(lake, WEEK) == Vacuumed(versions=1, files=3, bytes=size, waiting=1)
    assert lake.on_disk(partition) == [middle, live]
    assert [entry.version for entry in lake.day_of(partition).past] == [middle]
    assert lake.read(partition) == 3
    before = lake.storage.read(partition.ledger)
    assert clean(lake, WEEK) == Vacuumed(waiting=1)
    assert lake.storage.read(partition.ledger) == before, "where nothing changes, nothing is written"


def test_what_a_batch_left_behind_goes_sooner(lake) -> None:
    """Every five minutes a version: they would fill the lake. What was live for longer stays, to go back to."""
    long, _, live = (lake.publish(lake.day, number).live.version for number in (1, 2, 3))
    two_days_ago = datetime.now(UTC) - timedelta(days=2)

    def aged(ledger: Ledger) -> Ledger:
        day = ledger.day(lake.day.key)
        unserved = two_days_ago.strftime("%Y-%m-%dT%H:%M:%S.%fZ")
        second, first = (replace(entry, unserved=unserved) for entry in day.past)
        found = replace(day, past=(second, replace(first, at="2020-01-01T00:00:00.000000Z")))
        return replace(ledger, days={**ledger.days, lake.day.key: found}, sequence=ledger.sequence + 1)

    swap(lake.storage, lake.day.ledger, aged)
    assert clean(lake, WEEK) == Vacuumed(waiting=2), "where no batches come, both are kept for a week"
    fed = {("olap", "fact_sales"): timedelta(days=1)}
    assert vacuum(lake.storage, lake.catalog, TABLES, WEEK, fed).versions == 1
    assert lake.on_disk(lake.day) == [long, live]


def test_the_retention_begins_when_the_catalog_serves_another_version(lake) -> None:
    """A catalog that was late serves the old version on: a query may begin to read it long after the commit."""
    lake.publish(lake.day, 1)
    old = lake.live(lake.day)
    with_time = "2020-01-01T00:00:00.000000Z"
    lake.commit(lake.day, lake.write(lake.day, 2), lake.day_of(lake.day).live)

    def superseded_long_ago(ledger: Ledger) -> Ledger:
        day = ledger.day(lake.day.key)
        found = replace(day, past=(replace(day.past[0], superseded=with_time),))
        return replace(ledger, days={lake.day.key: found}, sequence=ledger.sequence + 1)

    swap(lake.storage, lake.day.ledger, superseded_long_ago)
    assert clean(lake, WEEK) == Vacuumed(waiting=1)
    assert lake.day_of(lake.day).past[0].unserved is None
    lake.mend()
    assert clean(lake, WEEK) == Vacuumed(waiting=1)
    assert lake.day_of(lake.day).past[0].unserved is not None
    assert old in lake.on_disk(lake.day)


def test_what_is_pinned_or_announced_stays(lake) -> None:
    """Somebody relies on it: a closed month, or a dimension that is about to be replaced."""
    first, second = (lake.publish(lake.products, number).live.version for number in (1, 2))
    announced = write_orphan(lake, lake.products, LONG_AGO)

    def relied_on(ledger: Ledger) -> Ledger:
        return replace(ledger.announcing(announced), pins={"close": {"live": first}})

    swap(lake.storage, lake.products.ledger, relied_on)
    assert clean(lake).versions == 0
    assert lake.on_disk(lake.products) == sorted([announced, first, second])


def test_what_went_cannot_be_rolled_back_to(lake) -> None:
    """The history must not promise what is no longer there."""
    old = lake.publish(lake.day, 1).live.version
    lake.publish(lake.day, 2)
    clean(lake)
    with pytest.raises(UnknownVersion):
        rollback(lake.storage, lake.catalog, lake.fact, lake.day, old)
    assert lake.read(lake.day) == 2


def test_versions_that_were_never_live_go_after_the_retention(lake) -> None:
    """Crashed runs and failed audits are kept for inspection, not for ever."""
    live = lake.publish(lake.day, 1).live.version
    write_orphan(lake, lake.day, LONG_AGO)
    young = write_orphan(lake, lake.day)
    assert clean(lake, WEEK).versions == 1
    assert lake.on_disk(lake.day) == [live, young]
    assert clean(lake).versions == 1
    assert lake.on_disk(lake.day) == [live]
    assert lake.read(lake.day) == 1


def test_orphans_of_a_partition_that_was_never_published_go_too(lake) -> None:
    """A first run that dies leaves no ledger."""
    write_orphan(lake, lake.day, LONG_AGO)
    assert clean(lake, WEEK).versions == 1
    assert lake.on_disk(lake.day) == []
    lake.publish(lake.day, 1)
    assert lake.read(lake.day) == 1


def test_what_others_put_beside_stays(lake) -> None:
    """Vacuum deletes for good; it must know its own."""
    lake.publish(lake.day, 1)
    write_orphan(lake, lake.day, LONG_AGO)
    foreign = [
        "olap/fact_sales/date=2023-07-01/v=mine/part-00000.parquet",
        "olap/fact_sales/date=2023-07-01/v=20209999T000000000000-00000000/part-00000.parquet",
        "olap/fact_sales/date=2023-07-01/backup/part-00000.parquet",
        f"olap/fact_sales/date=2023-07-01/v={LONG_AGO}/notes.txt",
        f"olap/fact_sales/_state/v={LONG_AGO}/state.parquet",
        f"olap/other/v={LONG_AGO}/part-00000.parquet",
    ]
    for path in foreign:
        lake.storage.write(path, b"theirs")
    assert clean(lake).versions == 1
    left = {stored.path for stored in lake.storage.walk("olap")}
    assert left >= set(foreign)
    assert f"olap/fact_sales/date=2023-07-01/v={LONG_AGO}/_manifest.json" not in left


@pytest.mark.parametrize("published_before", [True, False])
def test_a_run_whose_files_vacuum_took_cannot_commit_them(lake, published_before: bool) -> None:
    """Even with no retention: a ledger that names deleted files would take the day from its readers."""
    if published_before:
        lake.publish(lake.day, 1)
    seen = lake.day_of(lake.day).live
    manifest = lake.write(lake.day, 2)
    assert clean(lake).versions == 1
    with pytest.raises(LostRace):
        lake.commit(lake.day, manifest, seen)
    assert lake.read(lake.day) == (1 if published_before else None)
    lake.publish(lake.day, 2)
    assert lake.read(lake.day) == 2


def test_a_commit_that_is_faster_than_vacuum_keeps_its_files(lake, change: Callable) -> None:
    """The listing saw an orphan; when its turn comes it is live."""
    lake.publish(lake.day, 1)
    seen = lake.day_of(lake.day).live
    manifest = lake.write(lake.day, 2)

    def overtaken(storage: Storage, *given: Any) -> str:
        """The other run commits between vacuum's read and its swap."""
        lake.commit(lake.day, manifest, seen)
        return storage.swap(*given)

    assert vacuum(change(lake.storage, swap=overtaken), lake.catalog, TABLES, NOTHING) == Vacuumed()
    lake.mend()
    assert lake.read(lake.day) == 2


def test_what_the_catalog_still_serves_stays_until_it_is_mended(lake) -> None:
    """After a crash between commit and catalog the readers are on the version before."""
    old = lake.publish(lake.day, 1).live.version
    manifest = lake.write(lake.day, 2)
    lake.commit(lake.day, manifest, lake.day_of(lake.day).live)
    assert clean(lake) == Vacuumed(waiting=1)
    assert lake.read(lake.day) == 1
    lake.mend()
    assert clean(lake).versions == 1
    assert lake.on_disk(lake.day) == [manifest.version] != [old]


def test_a_version_whose_ledger_was_removed_by_hand_stays_while_it_is_served(lake) -> None:
    """Until mend takes the partition from the catalog, readers are on it."""
    lake.publish(lake.day, 1)
    lake.storage.delete([lake.day.ledger])
    assert clean(lake) == Vacuumed()
    assert lake.read(lake.day) == 1
    lake.mend()
    assert clean(lake).versions == 1


def test_tables_that_no_catalog_knows_are_vacuumed_too(lake) -> None:
    """Folded states are versions like any other."""
    partition = Partition("staging", "orders/_state")
    for number in (1, 2):
        lake.commit(partition, lake.write(partition, number), lake.day_of(partition).live)
    assert vacuum(lake.storage, lake.catalog, [("staging", "orders/_state")], NOTHING).versions == 1
    assert lake.on_disk(partition) == [lake.live(partition)]
