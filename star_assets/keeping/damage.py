"""Damage: a file, ledger or catalog entry that differs from what was published, with its remedy.

`repair` stages a damaged day again from its raw export, builds dates and dimensions
again from staged files, folds books again, and makes the catalog follow the ledgers.
A damage that nothing in the lake can repair is lost: the remedy says how many rows it
held and, if the manifest has their sums, how much money. Not here: finding damage
(verify), repairing it (rebuild, restore).
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Literal

import pyarrow as pa

from star_assets.exports.finding import RETIRED, read_export
from star_assets.lake.ledger import Entry, read_day
from star_assets.lake.storage import each
from star_assets.lake.versions import Manifest, Partition, ledger_of, read_manifest
from star_assets.model.days import ExportDay
from star_assets.model.errors import LedgerUnreadable
from star_assets.pipeline.context import Context

# A remedy names so many dates, and counts the others.
NAMED = 3

DAMAGE = pa.schema(
    [
        ("table", pa.string()),
        ("partition", pa.string()),
        ("version", pa.string()),
        ("file", pa.string()),
        ("expected", pa.string()),
        ("found", pa.string()),
        ("repair", pa.bool_()),
        ("remedy", pa.string()),
    ]
)

# The versions of staged days that cannot be staged again, by (source, day).
Lost = dict[tuple[str, str], str]


@dataclass(frozen=True)
class Damage:
    """A ledger, a version's file or a catalog entry that differs from what was published.

    Args:
        what: which of the three it is.
        partition: the damaged partition; for a ledger, any partition that it holds.
        file: the full path, or the name of the catalog entry.
        expected, found: texts for people.
        entry: for a version, its entry in the ledger.
        manifest: for a version, its manifest, if that can be read.
        remedy: a text for people that says how to repair it.
        is_repairable: whether `star-assets repair` repairs it.
    """

    what: Literal["ledger", "version", "catalog"]
    partition: Partition
    file: str
    expected: str
    found: str
    entry: Entry | None = None
    manifest: Manifest | None = None
    remedy: str = ""
    is_repairable: bool = True

    @property
    def table(self) -> str:
        """The table's name with its database; a book's name begins with its table's."""
        return f"{self.partition.database}.{self.partition.table}"

    @property
    def place(self) -> str:
        """The partition's name for people; for a ledger, the name of its month."""
        if self.what == "ledger" and self.partition.day:
            return f"date={ledger_of(self.partition.day)}-*"
        return self.partition.name

    @property
    def version(self) -> str:
        """The id of the damaged version; empty for a ledger and for the catalog."""
        return self.entry.version if self.entry else ""

    def __str__(self) -> str:
        version = f" {self.version}" if self.version else ""
        where = f"{self.table} {self.place}{version}: {self.file}"
        return f"{where}: expected {self.expected}, found {self.found}. {self.remedy}"


def damage_rows(damages: Iterable[Damage]) -> pa.Table:
    """One row per damage, in the schema `DAMAGE`. `repair` is true where `star-assets repair` repairs it."""
    rows = [
        {
            "table": damage.table,
            "partition": damage.place,
            "version": damage.version or None,
            "file": damage.file,
            "expected": damage.expected,
            "found": damage.found,
            "repair": damage.is_repairable,
            "remedy": damage.remedy,
        }
        for damage in damages
    ]
    return pa.Table.from_pylist(rows, DAMAGE)


def with_remedies(context: Context, damages: Iterable[Damage]) -> list[Damage]:
    """The damages, each with its remedy. Damages of sources must precede those of tables that are built from them."""
    lost: Lost = {}
    found = []
    for damage in damages:
        remedy, is_repairable = _remedy(context, damage, lost)
        if not is_repairable and damage.what == "version" and damage.partition.table in context.star.sources:
            lost[damage.partition.table, damage.partition.key] = damage.version
        found.append(replace(damage, remedy=remedy, is_repairable=is_repairable))
    return found


def _remedy(context: Context, damage: Damage, lost: Lost) -> tuple[str, bool]:
    """A damage's remedy, and whether `star-assets repair` applies it."""
    if damage.what == "catalog" and not damage.is_repairable:
        return damage.remedy, False
    if damage.what == "catalog":
        return "`star-assets repair` makes the catalog serve the live version.", True
    if damage.what == "ledger":
        return "`star-assets repair` makes the ledger again from the versions in the table's folder.", True
    name = damage.partition.table
    if name not in context.star.tables:
        return "`star-assets repair` computes it again.", True
    if read_day(context.storage, damage.partition).left:
        day = f" --day {damage.partition.day}" if damage.partition.day else ""
        return (
            f"Somebody went back to this version, so `repair` leaves it. `star-assets rollback {name}{day}` makes "
            "another version live; a run of the day by name builds one of the present inputs.",
            False,
        )
    if name in context.star.sources:
        return _of_staged(context, damage)
    missing = _lost_inputs(damage, lost)
    if missing:
        worth = _worth(damage.partition, damage.entry, damage.manifest)
        return f"Lost: {worth}. It needs {', '.join(missing)}, which is lost too.", False
    return "`star-assets repair` builds it again.", True


def _of_staged(context: Context, damage: Damage) -> tuple[str, bool]:
    source, entry = context.star.sources[damage.partition.table], damage.entry
    day = ExportDay(damage.partition.key)
    export = read_export(context.storage, source, day)
    if export.files or not (export.exists or (entry and entry.rows)):
        return "`star-assets repair` stages its raw export again.", True
    raw = context.storage.uri(export.folder)
    why, without = ("was retired", f" without its marker {RETIRED}") if export.retired else ("is gone", "")
    lost = f"Lost: {counted_rows(entry.rows if entry else 0)}. The raw export, {raw}, {why}."
    advice = f"Put back this file from a copy, or the export{without}, and `star-assets repair`."
    built = "; ".join(_built_of(context, source.name, day, damage.version))
    return " ".join([lost, advice, *([f"What was built of it stays: {built}."] if built else [])]), False


def _lost_inputs(damage: Damage, lost: Lost) -> list[str]:
    """The lost staged days that a damaged date was built from."""
    exports: Mapping[str, Mapping[str, str]] = damage.manifest.inputs.get("exports", {}) if damage.manifest else {}
    return [f"{source} {day}" for source, day in lost if day in exports.get(source, {})]


def _built_of(context: Context, source: str, day: str, version: str) -> Iterator[str]:
    """The live dates that were built from a staged version, each with its rows and sums."""
    for fact in context.star.facts.values():
        try:
            dates = context.look("olap", fact.name).live
        except LedgerUnreadable:
            continue
        live = {Partition("olap", fact.name, date): entry for date, entry in dates.items()}
        manifests = each(context.storage, lambda one: _manifest_of(context, *one), live.items())
        found = [
            _worth(partition, entry, manifest)
            for (partition, entry), manifest in zip(live.items(), manifests, strict=True)
            if manifest and manifest.inputs.get("exports", {}).get(source, {}).get(day) == version
        ]
        yield from found[:NAMED]
        if len(found) > NAMED:
            yield f"{len(found) - NAMED:,} more dates of {fact.name}"


def _manifest_of(context: Context, partition: Partition, entry: Entry) -> Manifest | None:
    try:
        return read_manifest(context.storage, partition, entry.version)
    except FileNotFoundError:
        return None


def _worth(partition: Partition, entry: Entry | None, manifest: Manifest | None) -> str:
    """A fact's version for people: its name, its rows, and the sums in its manifest."""
    sums: Mapping[str, str] = manifest.facts.get("sums", {}) if manifest else {}
    amounts: Sequence[str] = [
        counted_rows(entry.rows if entry else 0),
        *(f"{measure} {amount}" for measure, amount in sums.items()),
    ]
    return f"{partition.table} {partition.key} ({', '.join(amounts)})"


def counted_rows(rows: int) -> str:
    """A number of rows, for people."""
    return "1 row" if rows == 1 else f"{rows:,} rows"
