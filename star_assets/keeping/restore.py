"""`restore` makes a lost or unreadable ledger again from the catalog and the versions in the table's folder.

A day's live version is the one that the catalog serves. For a source's day that the
catalog does not serve, it is the newest version that passed its audit, because the raw
export may have been deleted; other days get none and are built again. Past versions and
rollbacks are lost. A book's ledger starts empty. The new ledger carries its dimensions'
fences and a higher floor, so that a process that read the old ledger loses its
swap. Not here: finding such ledgers (verify), building days (rebuild).
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping

from star_assets.keeping.damage import Damage
from star_assets.keeping.verify import folders_of, manifest_in_lake
from star_assets.lake.ledger import Day, Entry, Ledger, read_ledger
from star_assets.lake.publish import SINCE, VERSION, Served
from star_assets.lake.versions import LIVE, Manifest, Partition, ledger_of, ledgers_folder, new_version_id, table_folder
from star_assets.model.errors import LedgerUnreadable
from star_assets.model.tables import Dimension
from star_assets.pipeline.context import Context


def restore(context: Context, damages: Iterable[Damage]) -> Iterator[tuple[Damage, int]]:
    """Make the ledgers of these damages again. Yields each damage with the number of days that have a live version.

    Raises LostRace if another process wrote the ledger meanwhile.
    """
    # Dimensions first: a fact's ledger is fenced by the sequences of its dimensions' ledgers.
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
    """The ledger of a partition, made from the catalog's entries and the listed versions."""
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
    """The catalog's entries for the days of one ledger. A book has none."""
    if of.table not in context.star.tables:
        return {}
    if of.day is None:
        entry = context.catalog.table(of.database, of.table)
        return {None: entry} if entry and VERSION in entry.parameters else {}
    found = context.catalog.partitions(of.database, of.table)
    return {
        one.export: one for one in found if VERSION in one.parameters and ledger_of(one.export) == ledger_of(of.day)
    }


def _live(
    context: Context, partition: Partition, versions: Iterable[str], served: Served | None, sequence: int
) -> Entry | None:
    """The entry of the version that becomes live; None if the day has to be built again."""
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
    """The greatest sequence of a dimension's ledger in any fact's fence; 0 for other tables."""
    if not isinstance(context.star.tables.get(of.table), Dimension):
        return 0
    found = [0]
    for fact in context.star.facts.values():
        listed = folders_of(context.storage.walk(ledgers_folder("olap", fact.name)), "olap")
        found += [ledger.fence.get(of.table, 0) for ledger in _readable(context, fact.name, listed[fact.name].ledgers)]
    return max(found)


def _fences(context: Context, of: Partition) -> Mapping[str, int]:
    """A fact's fence: a commit must have read each of its dimensions at this sequence or a later one."""
    fact = context.star.facts.get(of.table)
    targets = {target.name for target in fact.references.values()} if fact else set()
    return {name: ledger.sequence for name in targets for ledger in _readable(context, name, [LIVE])}


def _readable(context: Context, table: str, names: Iterable[str]) -> Iterator[Ledger]:
    for name in names:
        try:
            yield read_ledger(context.storage, f"{ledgers_folder('olap', table)}/{name}.json")[0]
        except LedgerUnreadable:
            continue
