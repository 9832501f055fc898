"""Making a ledger again that is lost or cannot be read, from the versions that lie beside it.

The live version of a day is the one that the catalog serves. A source's day that the
catalog does not serve gets its newest version that passed its audit, because its raw
export may be gone; every other day is built again. Past versions, and what somebody
rolled back from, are not known any more. Books begin anew. The new ledger is fenced
and its floor raised, so that whoever read the old one loses the race. Not here:
finding such ledgers (verify), building days (rebuild).
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping

from star_assets.lake.ledger import Day, Entry, Ledger, read_ledger
from star_assets.lake.publish import SINCE, VERSION, Served
from star_assets.lake.versions import LIVE, Manifest, Partition, ledger_of, ledgers_folder, new_version_id, table_folder
from star_assets.model.errors import LedgerUnreadable
from star_assets.model.tables import Dimension
from star_assets.pipeline.context import Context
from star_assets.pipeline.damage import Damage
from star_assets.pipeline.verify import folders_of, manifest_in_lake


def restore(context: Context, damages: Iterable[Damage]) -> Iterator[tuple[Damage, int]]:
    """Make the ledgers of these damages again. Yields each with the number of days that have a live version.

    Raises LostRace where somebody else wrote one meanwhile.
    """
    # Dimensions first: the ledgers of facts are fenced against audits that read an earlier one.
    wanted = {damage.partition.ledger: damage for damage in damages}
    for damage in sorted(wanted.values(), key=lambda one: (one.partition.day is not None, one.partition)):
        path = damage.partition.ledger
        try:
            etag: str | None = context.storage.read(path)[1]
        except FileNotFoundError:
            etag = None
        ledger = _restored(context, damage.partition)
        context.storage.swap(path, ledger.to_json(), etag)
        yield damage, len(ledger.days)


def _restored(context: Context, of: Partition) -> Ledger:
    """The ledger that holds a partition, as the catalog and the versions of its days tell it."""
    listed = folders_of(context.storage.walk(table_folder(of.database, of.table)), of.database)
    versions: dict[str | None, list[str]] = {}
    for day, version in listed[of.table].files:
        if ledger_of(day) == ledger_of(of.day):
            versions.setdefault(day, []).append(version)
    served = _served(context, of)
    sequence = max([_fenced(context, of), *(int(entry.parameters.get(SINCE, 0)) for entry in served.values())]) + 1
    days = {}
    for day, there in sorted(versions.items(), key=str):
        partition = Partition(of.database, of.table, day)
        if live := _live(context, partition, there, served.get(day), sequence):
            days[partition.key] = Day(live)
    newest = max((version for there in versions.values() for version in there), default="")
    return Ledger(days, sequence, _fences(context, of), floor=new_version_id(newest))


def _served(context: Context, of: Partition) -> dict[str | None, Served]:
    """What the catalog serves of the days that one ledger holds; nothing of a book."""
    if of.table not in context.star.tables:
        return {}
    if of.day is None:
        entry = context.catalog.table(of.database, of.table)
        return {None: entry} if entry and VERSION in entry.parameters else {}
    found = context.catalog.partitions(of.database, of.table)
    return {
        one.values[0]: one
        for one in found
        if VERSION in one.parameters and ledger_of(one.values[0]) == ledger_of(of.day)
    }


def _live(
    context: Context, partition: Partition, versions: Iterable[str], served: Served | None, sequence: int
) -> Entry | None:
    """The entry of the version that should be live; None where none can be told."""
    known = sorted(versions, reverse=True)
    if served:
        known = [version for version in known if version == served.parameters[VERSION]]
    elif partition.table not in context.star.sources:
        return None
    for version in known:
        manifest = manifest_in_lake(context.storage, partition, version)
        if isinstance(manifest, Manifest) and (served or all(manifest.facts.get("checks", {}).values())):
            since = int(served.parameters.get(SINCE, sequence)) if served else sequence
            return Entry(
                version, manifest.identity, since, since, manifest.created_at, rows=manifest.rows, size=manifest.size
            )
    return None


def _fenced(context: Context, of: Partition) -> int:
    """The greatest sequence of a dimension's ledger that facts are fenced with; 0 of any other table."""
    if not isinstance(context.star.tables.get(of.table), Dimension):
        return 0
    found = [0]
    for fact in context.star.facts.values():
        listed = folders_of(context.storage.walk(ledgers_folder("olap", fact.name)), "olap")
        found += [ledger.fence.get(of.table, 0) for ledger in _readable(context, fact.name, listed[fact.name].ledgers)]
    return max(found)


def _fences(context: Context, of: Partition) -> Mapping[str, int]:
    """Of a fact: whoever commits must have read each dimension as it is now, or later."""
    fact = context.star.facts.get(of.table)
    targets = {target.name for target in fact.references.values()} if fact else set()
    return {name: ledger.sequence for name in targets for ledger in _readable(context, name, [LIVE])}


def _readable(context: Context, table: str, names: Iterable[str]) -> Iterator[Ledger]:
    for name in names:
        try:
            yield read_ledger(context.storage, f"{ledgers_folder('olap', table)}/{name}.json")[0]
        except LedgerUnreadable:
            continue
