"""A lake in a place that another package brings: found by the scheme of its URL, with nothing changed here."""

from __future__ import annotations

import hashlib
import posixpath
import tempfile
import threading
import time
from collections.abc import Iterable, Iterator, Sequence
from datetime import date, timedelta
from itertools import count
from pathlib import Path

import pytest

from star_assets.athena.embedded import EmbeddedAthena
from star_assets.lake.catalog import Catalog
from star_assets.lake.local_catalog import LocalCatalog
from star_assets.lake.places import open_storage
from star_assets.lake.storage import Storage, Stored
from star_assets.model.errors import BadSetting, LostRace
from star_assets.pipeline.warehouse import Warehouse
from star_assets.samples.lake import export_samples
from star_assets.settings import Settings, load_settings
from star_assets.star import retail

from . import test_storages as contract

FIRST, DAYS = date(2023, 7, 1), 2

# What a package's metadata says of the places that it brings.
ENTRY_POINTS = """
[star_assets.storages]
memory = star_assets_tests.lake.test_another_storage:open_memory
[star_assets.catalogs]
memory = star_assets_tests.lake.test_another_storage:open_catalog_of_memory
"""

Object = tuple[bytes, str, float]


class MemoryStorage(Storage):
    """Objects in a dictionary, by path; local copies in a folder, by ETag."""

    at_once = 4

    def __init__(self, name: str) -> None:
        self.name = name
        self.objects: dict[str, Object] = {}
        self.copies = Path(tempfile.mkdtemp(prefix="memory-"))
        self._lock = threading.Lock()
        self._etags = count()

    def walk(self, prefix: str) -> Iterator[Stored]:
        begin = f"{prefix}/" if prefix else ""
        below = {path: found for path, found in list(self.objects.items()) if path.startswith(begin)}
        for path, (content, etag, changed) in sorted(below.items()):
            if not any(part.startswith(".") for part in path.removeprefix(begin).split("/")):
                yield Stored(path, len(content), etag, changed)

    def names(self, prefix: str) -> list[str]:
        below = [stored.path.removeprefix(f"{prefix}/").partition("/") for stored in self.walk(prefix)]
        return sorted({name + slash for name, slash, _ in below})

    def read(self, path: str) -> tuple[bytes, str]:
        if path not in self.objects:
            raise FileNotFoundError(path)
        return self.objects[path][:2]

    def cached(self, path: str, etag: str = "") -> bytes:
        content, found = self.read(path)
        if etag not in ("", found):
            raise LostRace(path)
        return content

    def write(self, path: str, content: bytes) -> None:
        with self._lock:
            self._put(path, content)

    def swap(self, path: str, content: bytes, expect: str | None) -> str:
        with self._lock:
            if expect != self.objects.get(path, (b"", None))[1]:
                raise LostRace(path)
            return self._put(path, content)

    def _put(self, path: str, content: bytes) -> str:
        etag = f"e{next(self._etags)}"
        self.objects[path] = (content, etag, time.time())
        return etag

    def scratch(self) -> Path:
        return Path(tempfile.mkdtemp(dir=self.copies))

    def sweep(self, older_than: timedelta) -> None:
        pass

    def adopt(self, file: Path, path: str) -> None:
        self.write(path, file.read_bytes())
        file.unlink()

    def local(self, paths: Sequence[str]) -> list[str]:
        return [str(self._copy(path)) for path in paths]

    def _copy(self, path: str) -> Path:
        content, etag = self.read(path)
        copy = self.copies / etag / path
        copy.parent.mkdir(parents=True, exist_ok=True)
        copy.write_bytes(content)
        return copy

    def delete(self, paths: Iterable[str]) -> None:
        for path in paths:
            self.objects.pop(path, None)

    def delete_if(self, path: str, etag: str) -> bool:
        with self._lock:
            if path in self.objects and self.objects[path][1] != etag:
                return False
            self.objects.pop(path, None)
            return True

    def sha256(self, path: str) -> str:
        return hashlib.sha256(self.read(path)[0]).hexdigest()

    def uri(self, path: str) -> str:
        return f"memory://{self.name}/{path}".rstrip("/")

    def path(self, uri: str) -> str | None:
        root, found = self.uri(""), posixpath.normpath(uri.removeprefix("memory://"))
        inside = f"memory://{found}"
        if inside == root:
            return ""
        return inside.removeprefix(f"{root}/") if inside.startswith(f"{root}/") else None


# The lakes of this process, by name.
LAKES: dict[str, MemoryStorage] = {}


def open_memory(settings: Settings) -> Storage:
    """The storage at `STAR_LAKE=memory://name`."""
    name = settings.lake.partition("://")[2]
    return LAKES.setdefault(name, MemoryStorage(name))


def open_catalog_of_memory(settings: Settings) -> Catalog:
    """A file beside the copies: only the storage is new here."""
    storage = open_memory(settings)
    assert isinstance(storage, MemoryStorage)
    return LocalCatalog(storage.copies)


@pytest.fixture
def installed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A package that brings the place."""
    metadata = tmp_path / "memory_lake-1.0.dist-info"
    metadata.mkdir()
    (metadata / "METADATA").write_text("Metadata-Version: 2.1\nName: memory-lake\nVersion: 1.0\n")
    (metadata / "entry_points.txt").write_text(ENTRY_POINTS)
    monkeypatch.syspath_prepend(str(tmp_path))


@pytest.mark.usefixtures("installed")
def test_a_lake_in_memory_is_filled_and_queried() -> None:
    """Whoever has another object store writes one class."""
    settings = Settings(lake="memory://shop", start_date=FIRST, threads=2)
    warehouse = Warehouse(retail, settings)
    export_samples(warehouse.storage, FIRST, DAYS, orders_per_day=20)
    for table in retail.tables:
        assert [o.error for o in warehouse.refresh(table, warehouse.days()) if o.error] == []
    assert all(not warehouse.out_of_date(table).days for table in retail.tables)
    athena = EmbeddedAthena(warehouse.storage, warehouse.catalog)
    (found,) = athena.query("SELECT count(*) AS lines FROM fact_sales").table.to_pylist()
    assert found["lines"] == warehouse.joined("fact_sales", warehouse.days())[""]["rows"] > 0


CONTRACT = [
    contract.test_what_was_written_is_read_and_listed_with_the_same_etag,
    contract.test_what_is_not_there_is_not_found,
    contract.test_walk_lists_by_path_and_leaves_out_hidden_names,
    contract.test_swap_creates_only_what_is_not_there,
    contract.test_swap_replaces_only_what_the_caller_has_seen,
    contract.test_no_etag_comes_twice,
    contract.test_a_local_name_ends_with_the_path,
    contract.test_adopt_takes_a_file_of_scratch_as_it_is,
    contract.test_two_scratch_folders_are_two,
    contract.test_delete_removes_just_what_it_is_given,
    contract.test_delete_if_removes_what_is_as_it_was_listed,
    contract.test_delete_if_leaves_what_was_replaced_since,
    contract.test_sha256_is_of_what_is_stored,
    contract.test_path_is_the_inverse_of_uri,
]


@pytest.mark.parametrize("promise", CONTRACT, ids=lambda test: test.__name__)
def test_it_keeps_what_storages_promise(promise: object, tmp_path: Path) -> None:
    """All but what needs several processes, which memory has not in common."""
    assert callable(promise)
    promise(MemoryStorage(tmp_path.name))


def test_a_scheme_that_no_package_has_is_refused_by_name(monkeypatch: pytest.MonkeyPatch) -> None:
    """A folder of that name would be made otherwise."""
    monkeypatch.setenv("STAR_LAKE", "gs://bucket/lake")
    with pytest.raises(BadSetting, match=r"STAR_LAKE='gs://bucket/lake': expected a folder, or s3://bucket/prefix"):
        load_settings()


@pytest.mark.usefixtures("installed")
def test_what_is_installed_is_among_what_is_expected(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("STAR_LAKE", "gs://bucket/lake")
    with pytest.raises(BadSetting, match="or memory://"):
        load_settings()


@pytest.mark.usefixtures("installed")
def test_it_is_opened_by_its_scheme() -> None:
    assert isinstance(open_storage(Settings(lake="memory://other")), MemoryStorage)
