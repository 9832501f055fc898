"""A stream of the template `lake`, a Firehose on this machine with a clock that tests set, and boto3's client of it."""

from __future__ import annotations

import gzip
import json
import os
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from star_assets.lake.local_storage import LocalStorage
from star_assets.lake.storage import Storage
from star_assets.tills.firehose import Faults, Firehose
from star_assets.tills.server import serving
from star_assets.tills.stream import Stream, lake_stream

STREAM = "shop-tills"


class Clock:
    """A clock that stands still until a test moves it."""

    def __init__(self) -> None:
        self.now = datetime(2023, 7, 1, 18, 30, tzinfo=UTC)

    def __call__(self) -> datetime:
        return self.now

    def pass_by(self, **time: float) -> None:
        self.now += timedelta(**time)


class Place:
    """A lake, and all that is needed to open a Firehose that delivers to it, again and again."""

    def __init__(self, folder: Path, storage: Storage | None = None, timezone: str = "America/New_York") -> None:
        self.storage = storage or LocalStorage(folder / "lake")
        self.journal = folder / "journal"
        self.stream: Stream = lake_stream(timezone)
        self.clock = Clock()
        self.opened: Firehose | None = None

    def firehose(self, **faults: Any) -> Firehose:
        """A new one; the one before is as good as killed."""
        if self.opened:
            self.opened.close()
        self.opened = Firehose(self.stream, self.storage, self.journal, clock=self.clock, faults=Faults(**faults))
        return self.opened

    def objects(self, folder: str = "oltp") -> dict[str, list[dict[str, Any]]]:
        """The events of each object, by path."""
        found = {}
        for stored in self.storage.walk(folder):
            lines = gzip.decompress(self.storage.read(stored.path)[0]).splitlines()
            found[stored.path] = [json.loads(line) for line in lines]
        return found

    def numbers(self) -> list[int]:
        """The events that `records` made, as delivered."""
        return sorted(event["n"] for events in self.objects().values() for event in events)


def records(count: int, first: int = 0) -> list[dict[str, bytes]]:
    return [{"Data": json.dumps({"n": n}).encode()} for n in range(first, first + count)]


@pytest.fixture
def place(tmp_path: Path) -> Place:
    return Place(tmp_path)


def environment() -> dict[str, str]:
    """Of a process that asks a Firehose on this machine."""
    keys = {"AWS_ACCESS_KEY_ID": "testing", "AWS_SECRET_ACCESS_KEY": "testing"}
    return {**os.environ, **keys, "PYTHONPATH": str(Path(__file__).parents[2])}


Serve = Callable[[Firehose], AbstractContextManager[Any]]


@pytest.fixture
def served(monkeypatch: pytest.MonkeyPatch) -> Serve:
    """Serves a Firehose, and gives boto3's client of it, which tries each call once."""
    import boto3
    from botocore.config import Config

    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "testing")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "testing")

    @contextmanager
    def serve(firehose: Firehose) -> Iterator[Any]:
        with serving(firehose) as address:
            config = Config(retries={"total_max_attempts": 1})
            yield boto3.client("firehose", endpoint_url=address, region_name="us-east-1", config=config)

    return serve
