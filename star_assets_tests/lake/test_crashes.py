"""kill -9 before every single change to files, or on AWS, that publish, rollback, vacuum and mend make.

The operation runs in a process of its own, which kills itself before its n-th
change, for n from 1 until it comes to its end. Before it looks at something it
need not die: that leaves what dying before its next change does.
"""

from __future__ import annotations

import signal
from collections.abc import Callable
from contextlib import suppress
from datetime import timedelta
from typing import Any

import pytest

from star_assets.lake.publish import rollback, serve, write_version
from star_assets.lake.vacuum import vacuum
from star_assets.lake.versions import Partition, read_manifest
from star_assets_tests.faults.killing import changes_aws, changes_files, die_at

# A scenario brings a partition into the state before its operation, and returns the
# operation and the numbers that a reader may see from then on.
Scenario = Callable[[Any, Partition], tuple[Callable[[], object], set[int | None]]]


def first_publish(lake: Any, partition: Partition) -> tuple[Callable[[], object], set[int | None]]:
    manifest, files = lake.written(1)

    def publish() -> None:
        seen = lake.day_of(partition).live
        write_version(lake.storage, partition, manifest, files)
        lake.commit(partition, manifest, seen)
        serve(lake.storage, lake.catalog, lake.table(partition), [partition])

    return publish, {None, 1}


def next_publish(lake: Any, partition: Partition) -> tuple[Callable[[], object], set[int | None]]:
    lake.publish(partition, 0)
    return first_publish(lake, partition)[0], {0, 1}


def going_back(lake: Any, partition: Partition) -> tuple[Callable[[], object], set[int | None]]:
    lake.publish(partition, 0)
    lake.publish(partition, 1)
    return lambda: rollback(lake.storage, lake.catalog, lake.table(partition), partition), {0, 1}


def cleaning(lake: Any, partition: Partition) -> tuple[Callable[[], object], set[int | None]]:
    lake.publish(partition, 0)
    lake.write(partition, 9)
    lake.publish(partition, 1)
    return lambda: clean(lake, partition), {1}


def mending(lake: Any, partition: Partition) -> tuple[Callable[[], object], set[int | None]]:
    """The ledger is ahead of the catalog."""
    lake.publish(partition, 0)
    lake.commit(partition, lake.write(partition, 1), lake.day_of(partition).live)
    return lake.mend, {0, 1}


def clean(lake: Any, partition: Partition) -> None:
    vacuum(lake.storage, lake.catalog, [(partition.database, partition.table)], timedelta(0))


def check_whole(lake: Any, partition: Partition, allowed: set[int | None]) -> None:
    """What holds after any crash, before and after mending."""
    assert lake.read(partition) in allowed
    for version in lake.on_disk(partition):
        with suppress(FileNotFoundError):
            described = read_manifest(lake.storage, partition, version).files
            found = {stored.path for stored in lake.storage.walk(partition.version_folder(version))}
            assert found >= {f"{partition.version_folder(version)}/{file.name}" for file in described}
    lake.mend()
    assert lake.mend() == []
    live = lake.live(partition)
    assert lake.served(partition) == live
    assert lake.read(partition) in allowed
    if live:
        assert read_manifest(lake.storage, partition, live).inputs["number"] == lake.read(partition)


def check_clean(lake: Any, partition: Partition) -> None:
    """With no retention, vacuum leaves the live version's files and the ledger."""
    clean(lake, partition)
    live = lake.live(partition)
    files = ["_manifest.json", "part-00000.parquet", "part-00001.parquet"] if live else []
    kept = {f"{partition.version_folder(str(live))}/{file}" for file in files}
    found = {stored.path for stored in lake.storage.walk(f"{partition.database}/{partition.table}")}
    assert found - {partition.ledger} == kept


SCENARIOS = [first_publish, next_publish, going_back, cleaning, mending]

# On AWS a case takes up to ten times as long, so of each scenario one is enough for a start: those of `make test`.
SOON_ON_AWS = {(next_publish, "day"), (going_back, "products"), (cleaning, "products"), (mending, "day")}

CASES = [
    pytest.param(
        place,
        scenario,
        name,
        id=f"{place}-{scenario.__name__}-{name}",
        marks=[pytest.mark.long] if place == "aws" and (scenario, name) not in SOON_ON_AWS else [],
    )
    for place in ("local", "aws")
    for scenario in SCENARIOS
    for name in ("day", "products")
]


@pytest.mark.parametrize(("new_lake", "scenario", "name"), CASES, indirect=["new_lake"])
def test_a_crash_at_any_step_shows_one_whole_version(
    new_lake: Callable, fork: Callable, scenario: Scenario, name: str
) -> None:
    """A reader must get the old version or the new one, and the next run must find a lake that it can use."""
    status, step = -signal.SIGKILL, 0
    while status == -signal.SIGKILL:
        step += 1
        lake = new_lake()
        partition: Partition = getattr(lake, name)
        operation, allowed = scenario(lake, partition)

        def crash(step: int = step, operation: Callable = operation, is_local: bool = lake.is_local) -> None:
            die_at(step, changes_files if is_local else changes_aws)
            operation()

        status = fork(crash)()
        check_whole(lake, partition, allowed)
        check_clean(lake, partition)
        lake.publish(partition, 2)
        assert lake.read(partition) == 2
    assert status == 0
    assert step > (5 if lake.is_local else 2), "the crashes did not reach the operation"
