"""Finds exports that are new or changed since they were staged, and days that can be pulled.

The raw zone is compared with the staged exports. Months whose listing has not changed are
skipped, and a file is hashed only if its ETag differs from the staged one. Not here: starting
runs (sensors).
"""

from __future__ import annotations

import hashlib
import time
from collections import defaultdict
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import date, timedelta
from itertools import groupby
from typing import TYPE_CHECKING

from star_assets.exports.finding import RAW, Export, Fingerprint, days_between, fingerprint, read_exports, require_whole
from star_assets.exports.pull.pulling import lacking
from star_assets.exports.strays import Stray
from star_assets.lake.publish import live_manifest
from star_assets.lake.storage import Storage
from star_assets.lake.versions import Partition
from star_assets.model import Source
from star_assets.model.days import ExportDay
from star_assets.model.errors import BrokenFile, HalfExport
from star_assets.orchestration.dependencies import downstream
from star_assets.orchestration.raw_zone import RawZone

if TYPE_CHECKING:
    from star_assets.pipeline.warehouse import Warehouse

# For each source and month, a digest of its listing.
Digests = dict[str, dict[str, str]]

# The length of the part of a day folder's name that names the month.
_MONTH = len("date=2023-07")


@dataclass(frozen=True)
class Request:
    """A run to request: consecutive days, the tables to build for each, and a key that is equal for equal content."""

    days: tuple[str, ...]
    tables: tuple[str, ...]
    key: str


@dataclass
class Arrivals:
    """What one comparison of the raw zone found. `digests` goes into the next one."""

    exports: int = 0
    newest: str = ""
    requests: list[Request] = field(default_factory=list)
    waiting: list[str] = field(default_factory=list)
    unfinished: bool = False
    strays: tuple[Stray, ...] = ()
    digests: Digests = field(default_factory=dict)


def find_arrivals(
    warehouse: Warehouse,
    known: Mapping[str, Mapping[str, str]],
    busy: Mapping[str, Collection[str]],
    now: float,
    deadline: float,
    streams: bool = False,
) -> Arrivals:
    """Compare the raw zone with what is staged: the exports and the days to pull, or the `streams` alone.

    Args:
        known: the `digests` of the last call; months with the same digest are skipped.
        busy: for each source, the days that a run is working on. They are left to a
            later call, because that run may be about to stage them.
        now: Unix seconds, to decide whether an export has settled.
        deadline: `time.monotonic()` at which to leave the rest to the next call.
    """
    zone = RawZone.listed(warehouse, now)
    found = Arrivals(sum(map(len, zone.days.values())), max(map(max, filter(None, zone.days.values())), default=""))
    found.strays = zone.strays
    changed: dict[str, dict[str, str]] = defaultdict(dict)
    for source in (source for source in warehouse.star.sources.values() if source.is_stream is streams):
        digests = _listing(warehouse.storage, source)
        before = known.get(source.name, {})
        found.digests[source.name] = {month: digest for month, digest in digests.items() if before.get(month) == digest}
        for month in sorted(digests.keys() - found.digests[source.name].keys()):
            days = [day for day in zone.days[source.name] if f"date={day}".startswith(month)]
            idle = [day for day in days if day not in busy[source.name]]
            if _compare_days(warehouse, zone, source, idle, deadline, found, changed) and idle == days:
                found.digests[source.name][month] = digests[month]
        for day in _to_pull(warehouse, zone, source):
            if day not in busy[source.name]:
                # The key contains the last day that can be pulled, so a pull that failed is requested again tomorrow.
                changed[day][source.name] = _digest([source.name, day, zone.pulled_until])
    found.requests = list(_requests(zone, changed))
    return found


def _listing(storage: Storage, source: Source) -> dict[str, str]:
    """A digest of the names and ETags below the source's day folders, by month."""
    months: dict[str, list[str]] = defaultdict(list)
    folder = f"{RAW}/{source.name}/"
    for stored in storage.survey(folder.rstrip("/")):
        month = stored.path.removeprefix(folder)[:_MONTH]
        months[month].append(f"{stored.path}\0{stored.etag}{stored.problem}")
    return {month: _digest(lines) for month, lines in months.items()}


def _compare_days(
    warehouse: Warehouse,
    zone: RawZone,
    source: Source,
    days: Sequence[ExportDay],
    deadline: float,
    found: Arrivals,
    changed: dict[str, dict[str, str]],
) -> bool:
    """Add the changed ones among a month's days to `changed`. Whether all were compared and none waits for files."""
    done = True
    for day in days:
        if day < warehouse.settings.start_date.isoformat():
            continue
        if time.monotonic() > deadline:
            found.unfinished = True
            return False
        try:
            listed = read_exports(warehouse.storage, source, day).exports.values()
            keys = [key for export in listed if (key := _change(warehouse, source, export, zone.now))]
        except HalfExport:
            found.waiting.append(f"{source.name} {day}")
            done = False
            continue
        if keys:
            changed[day][source.name] = _digest(keys)
    return done


def _to_pull(warehouse: Warehouse, zone: RawZone, source: Source) -> list[str]:
    """The days that the source lacks and that can be pulled; not those whose export was staged and then withdrawn."""
    possible = days_between(warehouse.settings.start_date.isoformat(), zone.pulled_until)
    lacked = lacking(warehouse.storage, source, possible) if possible else []
    staged = warehouse.staged(source) if lacked else {}
    return [day for day in lacked if day not in staged or day in zone.days[source.name]]


def _change(warehouse: Warehouse, source: Source, export: Export, now: float) -> str | None:
    """A key of an export if it is not what is staged, else None. Raises HalfExport."""
    with suppress(BrokenFile):
        # A broken export is requested too: its run fails and says why.
        require_whole(export, source, now)
    if export.retired:
        return None
    live = live_manifest(warehouse.storage, Partition("staging", source.name, export.day))
    if live and not export.broken:
        known = {file["path"]: Fingerprint(**file) for file in live.inputs["files"]}
        present = fingerprint(warehouse.storage, export, known)
        if _contents(present) == _contents(known.values()):
            return None
    # The key contains the version to be replaced, so an export that changes back gets a new key.
    files = [f"{path}\0{etag}" for path, etag in export.listed]
    return _digest([source.name, export.day, live.version if live else "", *files])


def _contents(files: Iterable[Fingerprint]) -> list[tuple[str, str]]:
    return sorted((file.path, file.sha256) for file in files)


def _requests(zone: RawZone, changed: Mapping[str, Mapping[str, str]]) -> Iterator[Request]:
    """One request for each range of consecutive days that need the same tables."""
    tables = {day: _tables(zone, day, sources) for day, sources in changed.items()}
    days = sorted(day for day in changed if tables[day])

    def run(position_and_day: tuple[int, str]) -> tuple[date, tuple[str, ...]]:
        position, day = position_and_day
        return date.fromisoformat(day) - timedelta(days=position), tables[day]

    for (_, needed), group in groupby(enumerate(days), run):
        together = tuple(day for _, day in group)
        key = _digest([key for day in together for key in changed[day].values()] + list(needed))
        yield Request(together, needed, key)


def _tables(zone: RawZone, day: str, sources: Iterable[str]) -> tuple[str, ...]:
    """The tables downstream of the changed sources that can be built from the day's exports."""
    affected = set(downstream(zone.star, sources))
    return tuple(table for table in zone.ready(day) if table in affected)


def _digest(lines: Iterable[str]) -> str:
    return hashlib.sha256("\n".join(lines).encode()).hexdigest()[:16]
