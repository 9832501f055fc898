"""The `Context` of all steps of the pipeline: star, settings, storage, catalog, engines and books.

Each is opened at its first use. Also here: reading what is staged and served. Not
here: the steps (stage, dimensions, facts), the calls of users (warehouse).
"""

from __future__ import annotations

import tempfile
import threading
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from functools import cached_property
from typing import TYPE_CHECKING, cast

from star_assets.engines.engine import StagedInput, Workplace
from star_assets.engines.opening import AUTO, GLUE, open_engine, require_known
from star_assets.exports.finding import Export, RawListing, export_days, list_exports
from star_assets.lake.ledger import Entry, Ledgers, Snapshot
from star_assets.lake.listing import Listing
from star_assets.lake.places import open_catalog, open_storage
from star_assets.lake.versions import Manifest, Partition, read_manifest
from star_assets.model.days import ExportDay
from star_assets.model.source import Source, SourceColumn
from star_assets.model.star import Star
from star_assets.model.tables import Fact
from star_assets.pipeline.folded_book import FoldedBook
from star_assets.pipeline.identity import Build, code_identity
from star_assets.settings import Settings

if TYPE_CHECKING:
    from star_assets.books.books import Books
    from star_assets.engines.duckdb.session import Database
    from star_assets.engines.engine import Engine
    from star_assets.exports.formats.format import Layout
    from star_assets.lake.catalog import Catalog
    from star_assets.lake.storage import Storage


@dataclass(frozen=True)
class RawDay:
    """An export day as it lies there: a digest of its files, and how Athena would read them."""

    export: str
    layout: Layout


# Where versions have one file, as days, states and dimensions do.
FIRST_FILE = "part-00000.parquet"

# What computes all that is too small to choose an engine for, where one is chosen for the rest.
ENGINE = {AUTO: "duckdb", GLUE: "duckdb"}


class _Seen(threading.local):
    """What a thread saw of each table's ledgers, while it lists them but once."""

    snapshots: dict[tuple[str, str], Snapshot] | None = None


class Context:
    """A star in a lake. Storage, catalog and engine are opened when first used."""

    def __init__(self, star: Star, settings: Settings) -> None:
        require_known(star, settings)
        self.star = star
        self.settings = settings
        self._code: dict[str, str] = {}
        self._engines: dict[str, Engine] = {}
        self._opening = threading.Lock()
        self._ledgers: dict[tuple[str, str], Ledgers] = {}
        self._seen = _Seen()
        self._manifests: dict[str, Manifest] = {}
        # The books of this process: for each one's partition, what was found or folded last.
        self.folded: dict[Partition, FoldedBook] = {}
        # The key indexes of this process: of which snapshot, whether they are kept in the lake, their books.
        self.indexed: dict[SourceColumn, tuple[Snapshot, bool, list[FoldedBook]]] = {}
        self._has_exports = False
        # For each source, its raw exports as they were listed last.
        self.raw_exports: dict[str, Mapping[ExportDay, Export]] = {}
        # For each source, the export days whose files were looked into.
        self.raw_days: dict[str, dict[str, RawDay]] = {}

    @cached_property
    def storage(self) -> Storage:
        """Where the lake's bytes are."""
        return open_storage(self.settings)

    @cached_property
    def catalog(self) -> Catalog:
        """What Athena sees of the lake."""
        return open_catalog(self.settings)

    @cached_property
    def temporary(self) -> tempfile.TemporaryDirectory[str]:
        """Where this process keeps what it may not write, or was not asked to write, into the lake."""
        return tempfile.TemporaryDirectory(prefix="star_assets-")

    @property
    def engine(self) -> Engine:
        """What computes, where nothing else is chosen."""
        return self.engine_named(ENGINE.get(self.settings.engine, self.settings.engine))

    def engine_named(self, name: str) -> Engine:
        """One of the engines; it is opened once."""
        with self._opening:
            if name not in self._engines:
                files, thoroughly = self.storage.worker_files(), self.catalog.takes_statistics
                workplace = Workplace(self.star, self.settings, self.database, files, thoroughly)
                self._engines[name] = open_engine(name, workplace)
            return self._engines[name]

    @cached_property
    def database(self) -> Database:
        """DuckDB in this process, which engines and books share."""
        from star_assets.engines.duckdb.session import Database

        return Database(self.settings)

    @cached_property
    def books(self) -> Books:
        """What is remembered and checked."""
        from star_assets.books.books import Books

        return Books(self.star, self.database)

    def code_identity(self, table: str) -> str:
        """A digest of the code that decides a table's rows."""
        if table not in self._code:
            self._code[table] = code_identity(self.star, self.star.table(table), self.settings)
        return self._code[table]

    def build(self, table: str) -> Build:
        """What decides the table's identities in this process, besides its inputs."""
        found = self.star.table(table)
        upstream = () if isinstance(found, Source) else self.star.upstream_sources(found)
        return Build.present({name: self.code_identity(name) for name in (table, *(one.name for one in upstream))})

    def ledgers(self, database: str, table: str) -> Ledgers:
        """The ledgers of a table. Who asks again reads only those that changed."""
        key = database, table
        if key not in self._ledgers:
            self._ledgers[key] = Ledgers(self.storage, database, table)
        return self._ledgers[key]

    def look(self, database: str, table: str) -> Snapshot:
        """What the ledgers of a table say now, or said when they were `listed_once`."""
        key, seen = (database, table), self._seen.snapshots
        if seen is None:
            return self.ledgers(database, table).look()
        if key not in seen:
            seen[key] = self.ledgers(database, table).look()
        return seen[key]

    @contextmanager
    def listed_once(self) -> Iterator[None]:
        """Within it, this thread lists a table's ledgers at the first look alone, until it refreshes something.

        For who asks of many tables, one after the other, what is out of date: they
        have their sources and dimensions in common.
        """
        self._seen.snapshots = {}
        try:
            yield
        finally:
            self._seen.snapshots = None

    @contextmanager
    def listed_anew(self) -> Iterator[None]:
        """Within it, each look lists the ledgers; after it, what was seen before counts no more."""
        before, self._seen.snapshots = self._seen.snapshots, None
        try:
            yield
        finally:
            self._seen.snapshots = None if before is None else {}

    def staged(self, source: Source) -> dict[ExportDay, Entry]:
        """The live version of every staged export day of a source, as of now."""
        return cast(dict[ExportDay, Entry], self.look("staging", source.name).live)

    def list_exports(self, source: Source) -> RawListing:
        """What lies in a source's folder of the raw zone, as of now."""
        found = list_exports(self.storage, source, self.settings.last_day)
        self.raw_exports[source.name] = found.exports
        self._has_exports = self._has_exports or bool(found.exports)
        return found

    def export_days(self, source: Source) -> list[ExportDay]:
        """The days that have a folder in the raw zone, as of now, in order."""
        found = export_days(self.storage, source, self.settings.last_day)
        self._has_exports = self._has_exports or bool(found)
        return found

    def has_exports(self) -> bool:
        """Whether anything was ever exported to the lake, or can be pulled. Once it was, nothing is asked for it."""
        sources = self.star.sources.values()
        self._has_exports = (
            self._has_exports
            or self.settings.source_dsn is not None
            or any(map(self.staged, sources))
            or any(map(self.export_days, sources))
        )
        return self._has_exports

    def served_files(self, fact: Fact, days: Sequence[str] | None = None) -> dict[str, list[str]]:
        """The files that the catalog serves for each day; by default for all."""
        wanted = None if days is None else set(days)
        listing, paths = Listing(self.storage), dict[str, tuple[str, ...]]()
        for entry in self.catalog.partitions("olap", fact.name):
            inside = self.storage.path(entry.location) is not None
            if inside and (wanted is None or entry.values[0] in wanted):
                paths[entry.values[0]] = listing.files(entry.location, entry.parameters).paths
        names = iter(self.storage.local([path for several in paths.values() for path in several]))
        return {day: [next(names) for _ in several] for day, several in paths.items()}

    def staged_manifest(self, source: str, day: str, version: str) -> Manifest | None:
        """What a staged version of a day is, but for statistics and facts; None where it is gone. Read once."""
        if version not in self._manifests:
            try:
                manifest = read_manifest(self.storage, Partition("staging", source, day), version)
            except FileNotFoundError:
                return None
            # Of thousands of them, what nobody asks for here would take most of the memory.
            self._manifests[version] = replace(manifest, statistics={}, facts={})
        return self._manifests[version]

    def staged_inputs(self, source: Source, exports: Mapping[ExportDay, str]) -> tuple[StagedInput, ...]:
        """The staged files of some export days, each of the version that is given."""
        files = self.first_files({Partition("staging", source.name, day): version for day, version in exports.items()})
        return tuple(StagedInput(day, (file,)) for day, file in zip(exports, files, strict=True))

    def book_file(self, book: FoldedBook) -> str:
        """Where the file of a book can be read."""
        return book.temporary or self.first_files({book.partition: book.manifest.version})[0]

    def first_files(self, versions: Mapping[Partition, str]) -> list[str]:
        """The one file of each of these versions, where it can be read."""
        folders = [partition.version_folder(version) for partition, version in versions.items()]
        return self.storage.local([f"{folder}/{FIRST_FILE}" for folder in folders])
