"""kill -9 before every single file operation of publish, rollback, vacuum and mend.

The operation runs in a process of its own, which kills itself before its n-th
call to the file system, for n from 1 until it comes to its end.
"""

from __future__ import annotations

import os
import signal
import sys
from collections.abc import Callable
from datetime import timedelta
from itertools import count

import pytest

from star_assets.lake.publish import commit, rollback, serve, write_version
from star_assets.lake.vacuum import vacuum
from star_assets.lake.versions import Partition, read_manifest, read_pointer

# What Python reports of itself before each such call (its audit events).
FILE_OPERATIONS = {
    "open",
    "os.link",
    "os.mkdir",
    "os.remove",
    "os.rename",
    "os.rmdir",
    "os.scandir",
    "os.utime",
    "fcntl.flock",
    "sqlite3.connect",
    "sqlite3.connect/handle",
}


def die_at(number: int) -> None:
    """Kill this process before its file operation of that number."""
    done = count(1)
    sys.addaudithook(
        lambda event, _: (
            os.kill(os.getpid(), signal.SIGKILL) if event in FILE_OPERATIONS and next(done) == number else None
        )
    )


class Scenario:
    """One operation on one partition, repeated on the same lake with ever higher numbers."""

    def __init__(self, lake, partition: Partition) -> None:
        self.lake, self.partition, self.number = lake, partition, 0

    def prepare(self) -> None:
        """Bring the lake into the state before the operation; sets `operation` and `allowed`."""
        raise NotImplementedError

    operation: Callable[[], object]
    allowed: set[int | None]


class Publish(Scenario):
    """The next version. The very first one is published onto nothing."""

    def prepare(self) -> None:
        lake, partition = self.lake, self.partition
        self.allowed = {lake.read(partition)}
        self.number += 1
        manifest, files = lake.written(self.number)
        self.allowed.add(self.number)

        def publish() -> None:
            pointer, etag = read_pointer(lake.storage, partition)
            write_version(lake.storage, partition, manifest, files)
            commit(lake.storage, partition, manifest, pointer, etag)
            serve(lake.storage, lake.catalog, lake.table(partition), [partition])

        self.operation = publish


class Rollback(Scenario):
    def prepare(self) -> None:
        lake, partition = self.lake, self.partition
        for _ in range(2):
            self.number += 1
            lake.publish(partition, self.number)
        self.allowed = {self.number, self.number - 1}
        self.operation = lambda: rollback(lake.storage, lake.catalog, lake.table(partition), partition)


class Vacuum(Scenario):
    def prepare(self) -> None:
        lake, partition = self.lake, self.partition
        lake.write(partition, self.number + 1)
        for _ in range(2):
            self.number += 1
            lake.publish(partition, self.number)
        self.allowed = {self.number}
        self.operation = lambda: clean(lake, partition)


class Mend(Scenario):
    """The pointer is ahead of the catalog."""

    def prepare(self) -> None:
        lake, partition = self.lake, self.partition
        if lake.live(partition) is None:
            lake.publish(partition, self.number)
        self.allowed = {lake.read(partition)}
        self.number += 1
        manifest = lake.write(partition, self.number)
        commit(lake.storage, partition, manifest, *read_pointer(lake.storage, partition))
        self.allowed.add(self.number)
        self.operation = lake.mend


def clean(lake, partition: Partition) -> None:
    vacuum(lake.storage, lake.catalog, [(partition.database, partition.table)], timedelta(0))


def check_whole(lake, partition: Partition, allowed: set[int | None]) -> None:
    """What holds after any crash, before and after mending."""
    assert lake.read(partition) in allowed
    lake.mend()
    assert lake.mend() == []
    live = lake.live(partition)
    assert lake.served(partition) == live
    assert lake.read(partition) in allowed
    if live:
        assert read_manifest(lake.storage, partition, live).inputs["number"] == lake.read(partition)


def check_clean(lake, partition: Partition) -> None:
    """With no retention, vacuum leaves the live version's files and the pointer."""
    clean(lake, partition)
    live = lake.live(partition)
    files = ["_manifest.json", "part-00000.parquet", "part-00001.parquet"] if live else []
    kept = {f"{partition.version_folder(str(live))}/{file}" for file in files}
    found = {stored.path for stored in lake.storage.walk(f"{partition.database}/{partition.table}")}
    assert found - {partition.pointer} == kept


@pytest.mark.parametrize("name", ["day", "products"])
@pytest.mark.parametrize("scenario", [Publish, Rollback, Vacuum, Mend])
def test_a_crash_at_any_step_shows_one_whole_version(lake, fork: Callable, scenario: type[Scenario], name: str) -> None:
    """A reader must get the old version or the new one, and the next run must find a lake that it can use."""
    partition: Partition = getattr(lake, name)
    case = scenario(lake, partition)
    for step in count(1):
        case.prepare()

        def crash(step: int = step) -> None:
            die_at(step)
            case.operation()

        status = fork(crash)()
        check_whole(lake, partition, case.allowed)
        check_clean(lake, partition)
        case.number += 1
        lake.publish(partition, case.number)
        assert lake.read(partition) == case.number
        if status == 0:
            break
        assert status == -signal.SIGKILL
    assert step > 10, "the crashes did not reach the operation"
