"""What every step works with: the star, its settings, its lake and its engine.

Here: what is staged, as the steps need to know it. Not here: the steps
themselves, and who asks for them (warehouse).
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property, partial

from star_assets.athena.scans import Listing
from star_assets.engines.engine import Engine, StagedInput
from star_assets.engines.opening import open_engine, require_known
from star_assets.engines.spark_files import SharedFiles, SparkFiles
from star_assets.lake.bucket_files import BucketFiles
from star_assets.lake.catalog import Catalog
from star_assets.lake.places import open_catalog, open_storage
from star_assets.lake.s3_storage import S3Storage
from star_assets.lake.storage import Storage, each
from star_assets.lake.versions import (
    Manifest,
    Partition,
    PointerEntry,
    Pointers,
    listed_pointers,
    read_manifest,
    read_pointer,
)
from star_assets.model.source import Source
from star_assets.model.star import Star
from star_assets.model.tables import Fact
from star_assets.pipeline.identity import code_identity
from star_assets.settings import Settings
from star_assets.staging.layout import Layout


@dataclass(frozen=True)
class RawDay:
    """An export day as it lies there: a digest of its files, and how Athena would read them."""

    export: str
    layout: Layout


# What computes all that is too small to choose an engine for, where one is chosen for the rest.
ENGINE = {"auto": "duckdb", "glue": "duckdb"}


class Context:
    """A star in a lake. Storage, catalog and engine are opened when first used."""

    def __init__(self, star: Star, settings: Settings) -> None:
        require_known(star, settings)
        self.star = star
        self.settings = settings
        self._code: dict[str, str] = {}
        self._engines: dict[str, Engine] = {}
        self.known_pointers: dict[tuple[str, str], Pointers] = {}
        self._manifests: dict[str, Manifest] = {}
        # For each live version of a date, with the histories' versions: whether its surrogate keys are theirs.
        self.held: dict[tuple[str, ...], bool] = {}
        # For each source, the export days whose files were looked into.
        self.raw_days: dict[str, dict[str, RawDay]] = {}
        # For each driving column, what the key index said of every date, and which versions of its months.
        self.exports_by_date: dict[str, tuple[tuple[str, ...], Mapping[str, list[str]]]] = {}

    @cached_property
    def storage(self) -> Storage:
        """Where the lake's bytes are."""
        return open_storage(self.settings)

    @cached_property
    def catalog(self) -> Catalog:
        """What Athena sees of the lake."""
        return open_catalog(self.settings)

    @property
    def engine(self) -> Engine:
        """What computes, where nothing else is chosen."""
        return self.engine_named(ENGINE.get(self.settings.engine, self.settings.engine))

    def engine_named(self, name: str) -> Engine:
        """One of the engines; it is opened once."""
        if name not in self._engines:
            self._engines[name] = open_engine(name, self.star, self.settings, self._spark_files())
        return self._engines[name]

    def _spark_files(self) -> SparkFiles:
        """How Spark's workers see this machine's files."""
        return BucketFiles(self.storage) if isinstance(self.storage, S3Storage) else SharedFiles()

    def code_identity(self, table: str) -> str:
        """A digest of the code that decides a table's rows."""
        if table not in self._code:
            self._code[table] = code_identity(self.star, self.star.table(table), self.settings)
        return self._code[table]

    def pointers(self, database: str, table: str) -> Pointers:
        """All pointers of a table. Who asks again reads only those that changed."""
        return self.known_pointers.setdefault((database, table), Pointers(self.storage, database, table))

    def staged_exports(self, source: Source) -> dict[str, str]:
        """Every staged export day of a source, with its pointer's ETag: one listing, nothing is read."""
        listed = listed_pointers(self.storage, "staging", source.name)
        return {day: stored.etag for day, stored in listed.items() if day}

    def live_versions(self, source: Source, days: Iterable[str] | None = None) -> dict[str, tuple[PointerEntry, str]]:
        """The live staged version of each of the days (None: of all) that has one, with its pointer's ETag."""
        if days is None:
            tagged = self.pointers("staging", source.name).tagged()
            return {day: (pointer.live, etag) for day, (pointer, etag) in tagged.items() if day and pointer.live}
        partitions = [Partition("staging", source.name, day) for day in days]
        found = zip(partitions, each(self.storage, partial(read_pointer, self.storage), partitions), strict=True)
        return {p.day: (pointer.live, etag) for p, (pointer, etag) in found if p.day and pointer.live and etag}

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

    def staged_inputs(self, source: Source, exports: Mapping[str, PointerEntry]) -> tuple[StagedInput, ...]:
        """The staged files of some versions of export days."""
        folders = {
            day: Partition("staging", source.name, day).version_folder(entry.version) for day, entry in exports.items()
        }
        files = self.storage.local([f"{folder}/part-00000.parquet" for folder in folders.values()])
        return tuple(StagedInput(day, (file,)) for day, file in zip(folders, files, strict=True))
