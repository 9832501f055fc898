"""`forget` erases one member of a dimension, usually a person, from the lake; the member's sales stay, unnamed.

It rewrites raw files without the member's records. Where a record of another source
refers to the member, the reference becomes NULL, so its sales belong to the Unknown
member. Then it stages and builds the tables concerned again, deletes all of their
superseded versions, and searches the lake for remaining traces. Not here:
rewriting one raw file (exports.erasing), the search (traces).
"""

from __future__ import annotations

import math
import re
import shutil
from collections.abc import Mapping, Sequence
from datetime import timedelta
from functools import cached_property
from pathlib import Path

import pyarrow.parquet as pq

from star_assets.exports.erasing import Erasure
from star_assets.exports.finding import days_and_strays, export_days, read_exports
from star_assets.exports.formats.opening import erase, inspect_file
from star_assets.exports.strays import NO_LAST_DAY
from star_assets.keeping.traces import Traces, search, texts_of_key, without_member
from star_assets.lake.ledger import read_day
from star_assets.lake.publish import Commit, commit, write_version
from star_assets.lake.vacuum import vacuum
from star_assets.lake.versions import (
    Identity,
    Manifest,
    Partition,
    new_version_id,
    now,
    read_manifest,
    table_folder,
)
from star_assets.model.errors import CannotForget, NotForgotten
from star_assets.model.source import Source
from star_assets.model.tables import Dimension, Fact
from star_assets.model.types import UNKNOWN
from star_assets.pipeline.describe import describe
from star_assets.pipeline.dimensions import newest_day
from star_assets.pipeline.identity import digest
from star_assets.pipeline.publishing import publish
from star_assets.pipeline.stage import REJECTS_FILE, StageStep
from star_assets.pipeline.warehouse import Warehouse


def forget(warehouse: Warehouse, dimension: str, key: str) -> Mapping[str, int]:
    """Erase a member from raw files, staging, rejects, tables and old versions.

    Returns the number of records that named the member, by place in the lake. Idempotent: what
    a killed call left, the next one erases.

    Raises:
        CannotForget: `dimension` is no dimension, `key` is no key of it, a column that refers to the
            member cannot be NULL, or the raw zone has a file that is not understood.
        NotForgotten: traces are left.
        StarError: staging or building failed.
    """
    found = warehouse.star.table(dimension)
    if not isinstance(found, Dimension):
        raise CannotForget(dimension, "expected a dimension: sources and facts have no members")
    member = _Member(warehouse, found, key)
    for source in member.sources:
        for stray in days_and_strays(warehouse.storage, source, NO_LAST_DAY)[1]:
            raise CannotForget(dimension, f"{stray}; what it holds is not searched. Put it there, or delete it")
    traces = member.traces()
    before = search(warehouse.storage, member.sources, member.folders, traces)
    for source in member.sources:
        for day in export_days(warehouse.storage, source):
            for export in read_exports(warehouse.storage, source, day).exports.values():
                if export.retired:
                    _rewrite_staged(warehouse, source, export.day, member, traces)
                for file in export.files:
                    _rewrite(warehouse, source, file.path, member.erasure(source, traces))
    _rebuild(warehouse, member.tables)
    names = {table.name for table in member.tables}
    versioned = [(base, name) for base, name in warehouse.versioned_tables() if name.partition("/")[0] in names]
    vacuum(warehouse.storage, warehouse.catalog, versioned, timedelta(0))
    # A member stays in a dimension for as long as any version of a fact names it.
    _rebuild(warehouse, [table for table in member.tables if isinstance(table, Dimension)])
    vacuum(warehouse.storage, warehouse.catalog, versioned, timedelta(0))
    after = search(warehouse.storage, member.sources, member.folders, traces)
    if after:
        raise NotForgotten(dimension, after)
    return before


class _Member:
    """One member of a dimension, with the tables and columns that may name it according to the model."""

    def __init__(self, warehouse: Warehouse, dimension: Dimension, key: str) -> None:
        self.warehouse = warehouse
        self.dimension = dimension
        star = warehouse.star
        type_ = next(field.type for field in star.fields(dimension) if field.name == dimension.key)
        self.key = key.strip()
        self._number = None
        if type_.name in ("int32", "int64"):
            if not re.fullmatch(r"[+-]?\d+", self.key):
                raise CannotForget(dimension.name, f"its key {dimension.key} is a whole number, found {key!r}")
            self._number = int(self.key)
        if self.names(str(UNKNOWN[str(type_)])):
            raise CannotForget(dimension.name, f"{key!r} is the key of the Unknown member")
        for source, columns in self.referring.items():
            for column in set(columns) & set(source.required_values):
                raise CannotForget(source.name, f"{column} names members and tells rows apart, so it cannot be emptied")

    def names(self, text: str | None) -> bool:
        """Whether a raw field's text is the member's key, however it is written."""
        if text is None:
            return False
        if self._number is None:
            return text == self.key
        return re.fullmatch(_digits(self._number), text.strip()) is not None

    @cached_property
    def describing(self) -> dict[Source, str]:
        """The sources whose rows describe the member, each with the column of the member's key."""
        star, key = self.warehouse.star, self.dimension.key
        origins = dict(origin for origin in star.lineage(self.dimension)[key] if origin[0] in star.sources)
        found = {}
        for source in star.upstream_sources(self.dimension):
            column = origins.get(source.name, key)
            if source.name in self.dimension.upstream and column in source.columns:
                found[source] = column
        return found

    @cached_property
    def referring(self) -> dict[Source, list[str]]:
        """The sources whose rows refer to members, each with the columns of the members' keys."""
        star = self.warehouse.star
        columns = {(column.source.name, column.column) for column in self.warehouse.star.inferred_from(self.dimension)}
        for fact in self._facts():
            for column in self._roles(fact):
                columns |= {origin for origin in star.lineage(fact)[column] if origin[0] in star.sources}
        found: dict[Source, list[str]] = {}
        for name, column in sorted(columns):
            source = star.sources[name]
            if self.describing.get(source) != column:
                found.setdefault(source, []).append(column)
        return found

    @property
    def sources(self) -> list[Source]:
        """Every source that may hold the member, in the order data flows."""
        concerned = {*self.describing, *self.referring}
        return [source for source in self.warehouse.star.sources.values() if source in concerned]

    @property
    def tables(self) -> list[Source | Dimension | Fact]:
        """Every table that may hold the member: the sources, and what is built from them."""
        star, names = self.warehouse.star, {source.name for source in self.sources}
        built: list[Dimension | Fact] = [*star.dimensions.values(), *star.facts.values()]
        return [*self.sources, *(t for t in built if names & {source.name for source in star.upstream_sources(t)})]

    @property
    def folders(self) -> list[str]:
        """The folders of those tables, as `olap/dim_customer`."""
        partitions = [self.warehouse.partition(table, None) for table in self.tables]
        return [table_folder(partition.database, partition.table) for partition in partitions]

    def traces(self) -> Traces:
        """How to recognize the member in raw files, rejects and tables."""
        columns = {table.name: {self.dimension.key} for table in self.tables}
        for source, column in self.describing.items():
            columns[source.name].add(column)
        for source, several in self.referring.items():
            columns[source.name].update(several)
        for fact in self._facts():
            columns[fact.name].update(self._roles(fact))
        texts = self._texts()
        # A record that cannot be parsed is the member's if it contains the key, or one of these texts, as a word.
        whole = re.escape(self.key) if self._number is None else _digits(self._number)
        words = [rf"(?<![\w.]){whole}(?![\w.])", *(rf"(?<!\w){re.escape(text)}(?!\w)" for text in sorted(texts))]
        key = self.key if self._number is None else self._number
        described_in = {
            table.name
            for table in self.tables
            if table in self.describing or (isinstance(table, Dimension) and self._describes(table))
        }
        return Traces(columns, key, self.names, texts, described_in, re.compile("|".join(words)))

    def _describes(self, table: Dimension) -> bool:
        return not {source.name for source in self.describing}.isdisjoint(table.upstream)

    def _facts(self) -> list[Fact]:
        return [fact for fact in self.warehouse.star.facts.values() if self.dimension in fact.references.values()]

    def _roles(self, fact: Fact) -> list[str]:
        return [column for column, target in fact.references.items() if target is self.dimension]

    def _texts(self) -> frozenset[str]:
        """The texts of the member's staged rows that no other member has in that column."""
        found: set[str] = set()
        for source, column in self.describing.items():
            staged = self.warehouse.staged(source)
            inputs = self.warehouse.staged_inputs(source, {day: entry.version for day, entry in staged.items()})
            files = [file for staged in inputs for file in staged.files]
            names = [name for name, declared in source.declared.items() if declared.type == "string" and name != column]
            key = self.key if self._number is None else self._number
            found |= texts_of_key(files, column, key, names)
        return frozenset(found)

    def erasure(self, source: Source, traces: Traces) -> Erasure:
        """The records to delete and the fields to empty in a source's raw files."""
        own = self.describing.get(source)
        return Erasure(
            removes=lambda fields: own is not None and self.names(fields.get(own)),
            empties=self.referring.get(source, []),
            names=self.names,
            mentions=traces.mentions,
        )


def _digits(number: int) -> str:
    """A regular expression for a whole number, with leading zeros and with zeros as decimals."""
    return ("-" if number < 0 else r"\+?") + rf"0*{abs(number)}(?:\.0*)?"


def _rewrite(warehouse: Warehouse, source: Source, path: str, erasure: Erasure) -> None:
    """Rewrite a raw file without the member. A file that does not name the member stays untouched."""
    storage = warehouse.storage
    (local,) = storage.local([path])
    folder = storage.scratch()
    try:
        out, profile = folder / Path(path).name, inspect_file(Path(local), path, source)
        if erase(Path(local), path, source, profile, erasure, out):
            storage.adopt(out, path)
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def _rewrite_staged(warehouse: Warehouse, source: Source, day: str, member: _Member, traces: Traces) -> None:
    """Publish a retired day's staged version again, without the member, since its raw files are gone."""
    storage, partition = warehouse.storage, Partition("staging", source.name, day)
    seen = read_day(storage, partition).live
    if seen is None:
        return
    manifest, folder = read_manifest(storage, partition, seen.version), storage.scratch()
    live = partition.version_folder(manifest.version)
    version = new_version_id()
    try:
        names = [file.name for file in manifest.files]
        names += [REJECTS_FILE] if manifest.facts["rejected"] else []
        changed = False
        for name, local in zip(names, storage.local([f"{live}/{name}" for name in names]), strict=True):
            before = pq.read_table(local)
            rows = without_member(before, member.describing.get(source), member.referring.get(source, []), traces)
            changed = changed or not rows.equals(before)
            pq.write_table(rows, folder / name, compression=warehouse.settings.compression)
        if not changed:
            return
        if REJECTS_FILE in names:
            storage.adopt(folder / REJECTS_FILE, f"{partition.version_folder(version)}/{REJECTS_FILE}")
        written = [folder / file.name for file in manifest.files]
        files, schema, statistics = describe(written)
        # Another identity, so that dependent tables are built again. The inputs keep the identity of the raw files.
        identity = Identity(digest(of=manifest.identity.made_of, without=version))
        inputs = {"identity": manifest.identity.made_of, **manifest.inputs}
        facts = {**manifest.facts, "first_rejects": []}
        fresh = Manifest(version, identity, now(), files, schema, inputs, statistics, facts)
        write_version(storage, partition, fresh, written)
        commit(storage, [Commit(partition, fresh, seen)])
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def _rebuild(warehouse: Warehouse, tables: Sequence[Source | Dimension | Fact]) -> None:
    """Stage and build these tables again where their inputs have changed."""
    for table in tables:
        days = _published_days(warehouse, table)
        if isinstance(table, Source):
            # The files were just rewritten by this process; do not wait for them to become quiet.
            step = StageStep(warehouse, table, now=math.inf)
            outcomes = publish(warehouse.storage, warehouse.catalog, step, days)
        else:
            outcomes = warehouse.refresh(table.name, days)
        for outcome in outcomes:
            if outcome.error:
                raise outcome.error


def _published_days(warehouse: Warehouse, table: Source | Dimension | Fact) -> Sequence[str]:
    """A table's live days; for a dimension, one day, whose run includes all exports."""
    if isinstance(table, Dimension):
        return [newest_day(warehouse, table)]
    partition = warehouse.partition(table, None)
    return list(warehouse.look(partition.database, partition.table).live)
