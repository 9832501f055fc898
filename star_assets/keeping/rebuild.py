"""`rebuild` repairs damage: it restores ledgers, and builds damaged versions and books again.

It deletes the manifest of a damaged version, so that the version counts as lost and a
refresh of its day publishes a new one by the usual swap. It takes a damaged book out of its
ledger, so that the book is folded again. Not here: finding damage (verify), making
ledgers again (restore), repairing the catalog (lake.drift).
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from functools import partial
from typing import TYPE_CHECKING

from star_assets.keeping.damage import Damage
from star_assets.keeping.restore import restore
from star_assets.keeping.verify import verify
from star_assets.lake.ledger import Ledger, swap
from star_assets.lake.storage import each
from star_assets.lake.versions import Partition
from star_assets.model.days import day_of
from star_assets.model.errors import StarError
from star_assets.model.source import Source
from star_assets.model.tables import Dimension
from star_assets.pipeline.dimensions import newest_day

if TYPE_CHECKING:
    from star_assets.pipeline.warehouse import Warehouse


@dataclass(frozen=True)
class Mended:
    """The result of repairing a damage: what was done, or the error that prevented it."""

    table: str
    place: str
    done: str = ""
    error: str = ""


def rebuild(warehouse: Warehouse, quick: bool = False) -> Iterator[Mended]:
    """Make unreadable ledgers again, and build damaged versions again. Yields the result for each.

    A damage that is not repairable stays, and its result is an error with its remedy.
    With `quick`, damage is looked for without reading data files.
    """
    damages = verify(warehouse, quick).damages
    ledgers = [damage for damage in damages if damage.what == "ledger"]
    if ledgers:
        for damage, days in restore(warehouse, ledgers):
            done = f"its ledger was made again, with {days:,} live versions"
            yield Mended(damage.table, damage.place, done)
        damages = verify(warehouse, quick).damages
    for damage in damages:
        if not damage.is_repairable:
            error = f"{damage.file}: expected {damage.expected}, found {damage.found}. {damage.remedy}"
            yield Mended(damage.table, damage.place, error=error)
    yield from _build(warehouse, [one for one in damages if one.what == "version" and one.is_repairable])
    if damages:
        yield from _catch_up(warehouse)


def _build(warehouse: Warehouse, damages: Iterable[Damage]) -> Iterator[Mended]:
    """Build damaged versions again, upstream tables first."""
    versions = {damage.partition: damage.version for damage in damages}
    tables = {one: version for one, version in versions.items() if one.table in warehouse.star.tables}
    books = {one: version for one, version in versions.items() if one not in tables}
    _forget(warehouse, books)
    for book in books:
        yield Mended(f"{book.database}.{book.table}", book.name, "computed again")
    warehouse.storage.delete(partition.manifest(version) for partition, version in tables.items())
    for name, table in warehouse.star.tables.items():
        damaged = {partition.key: partition for partition in tables if partition.table == name}
        if damaged:
            days = [newest_day(warehouse, table)] if isinstance(table, Dimension) else sorted(set(map(day_of, damaged)))
            yield from _refreshed(warehouse, name, days)
    # A rollback to a damaged version must be impossible.
    _forget(warehouse, tables, only_past=True)


def _refreshed(warehouse: Warehouse, name: str, days: list[str]) -> Iterator[Mended]:
    try:
        for outcome in warehouse.refresh(name, days):
            table, place = f"{outcome.partition.database}.{name}", outcome.partition.name
            if outcome.error:
                yield Mended(table, place, error=str(outcome.error))
            else:
                verb = "staged" if isinstance(warehouse.star.tables[name], Source) else "built"
                yield Mended(table, place, f"{verb} again")
    except StarError as error:
        yield Mended(name, ", ".join(days), error=str(error))


def _forget(warehouse: Warehouse, versions: Mapping[Partition, str], only_past: bool = False) -> None:
    """Take these versions out of their ledgers; with `only_past`, live versions stay."""
    by_ledger: dict[str, dict[str, str]] = {}
    for partition, version in versions.items():
        by_ledger.setdefault(partition.ledger, {})[partition.key] = version

    def change(gone: Mapping[str, str], ledger: Ledger) -> Ledger | None:
        days = dict(ledger.days)
        for key, version in gone.items():
            day = ledger.day(key)
            live = day.live if only_past or (day.live and day.live.version != version) else None
            days[key] = replace(day, live=live, past=tuple(one for one in day.past if one.version != version))
        return replace(ledger, days=days, sequence=ledger.sequence + 1) if days != ledger.days else None

    each(
        warehouse.storage,
        lambda path: swap(warehouse.storage, path, partial(change, by_ledger[path])),
        list(by_ledger),
    )


def _catch_up(warehouse: Warehouse) -> Iterator[Mended]:
    """Write the books that were folded again into the lake."""
    for name in warehouse.star.tables:
        try:
            warehouse.catch_up(name)
        except StarError as error:
            yield Mended(f"the books of {name}", "", error=str(error))
