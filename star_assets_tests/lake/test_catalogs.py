"""What every catalog promises. An adapter joins by one entry in CATALOGS."""

from __future__ import annotations

import importlib
import os
import pkgutil
import threading
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

import star_assets.lake
from star_assets.lake.catalog import MADE_BY, OURS, Catalog, CatalogColumn, PartitionEntry, TableEntry
from star_assets.lake.local_catalog import LocalCatalog
from star_assets.lake.places import open_catalog
from star_assets.model.errors import LakeRefused, NotOurs

CATALOGS: dict[str, Callable[[pytest.FixtureRequest, Path], Catalog]] = {
    "local": lambda request, root: LocalCatalog(root),
    "glue": lambda request, root: open_catalog(request.getfixturevalue("aws")()),
}

COLUMNS = (CatalogColumn("id", "bigint", "The key."), CatalogColumn("revenue", "decimal(18,4)"))
SALES = TableEntry(
    "olap", "sales", COLUMNS, (CatalogColumn("date", "string"),), "/lake/olap/sales", parameters={MADE_BY: OURS}
)


def day(value: str, version: str = "1") -> PartitionEntry:
    return PartitionEntry((value,), f"/lake/olap/sales/date={value}/v={version}", COLUMNS, {"version": version})


@pytest.fixture(params=CATALOGS)
def catalog(request: pytest.FixtureRequest, tmp_path: Path) -> Catalog:
    return CATALOGS[request.param](request, tmp_path)


def test_every_catalog_is_tested(request: pytest.FixtureRequest, tmp_path: Path) -> None:
    """Without it an adapter could promise what it does not keep."""
    for module in pkgutil.iter_modules(star_assets.lake.__path__):
        importlib.import_module(f"star_assets.lake.{module.name}")
    tested = {type(make(request, tmp_path)) for make in CATALOGS.values()}
    assert tested == set(Catalog.__subclasses__())


def test_a_lake_without_a_catalog_has_no_tables_and_gets_none_by_being_read(tmp_path: Path) -> None:
    """A query with a mistyped STAR_LAKE must not leave a folder behind."""
    catalog = LocalCatalog(tmp_path / "typo")
    assert (catalog.databases(), catalog.tables("olap"), catalog.table("olap", "sales")) == ([], [], None)
    assert (catalog.partitions("olap", "sales"), catalog.snapshot([("olap", "sales")])) == ([], {})
    assert not (tmp_path / "typo").exists()


def test_a_table_comes_back_as_it_was_put(catalog: Catalog) -> None:
    """Every part of an entry ends up in DDL or in a query."""
    view = TableEntry("olap", "v", (), format="view", view_sql="SELECT 1", view_database="olap", description="One.")
    for entry in (SALES, view):
        catalog.put_table(entry)
        assert catalog.table(entry.database, entry.name) == entry
    assert catalog.tables("olap") == [SALES, view]
    assert catalog.databases() == ["olap"]


def test_names_are_folded_to_lower_case(catalog: Catalog) -> None:
    """Glue does so; a table found here but not there would break on AWS."""
    catalog.create_database("OLAP")
    catalog.put_table(replace(SALES, database="Olap", name="SALES", columns=(CatalogColumn("Id", "bigint"),)))
    catalog.put_partitions("OLAP", "Sales", [day("2023-07-01")])
    found = catalog.table("olap", "sales")
    assert found is not None
    assert [column.name for column in found.columns] == ["id"]
    assert catalog.partitions("oLAP", "saLES") == [day("2023-07-01")]
    assert list(catalog.snapshot([("OLAP", "SALES")])) == [("OLAP", "SALES")]
    assert catalog.databases() == ["olap"]


def test_a_new_definition_keeps_the_partitions(catalog: Catalog) -> None:
    """A column more must not make a year of sales vanish."""
    catalog.put_table(SALES)
    catalog.put_partitions("olap", "sales", [day("2023-07-01")])
    wider = replace(SALES, columns=(*COLUMNS, CatalogColumn("color", "string")))
    catalog.put_table(wider)
    assert catalog.table("olap", "sales") == wider
    assert catalog.partitions("olap", "sales") == [day("2023-07-01")]


def test_a_table_of_another_maker_is_left_alone(catalog: Catalog) -> None:
    """Whoever made it would lose it without a word."""
    theirs = replace(SALES, name="theirs", parameters={})
    catalog.put_table(theirs)
    catalog.put_table(SALES)
    with pytest.raises(NotOurs, match=r"olap\.theirs"):
        catalog.put_table(replace(SALES, name="theirs"))
    with pytest.raises(NotOurs, match=r"olap\.sales"):
        catalog.put_table(replace(theirs, name="sales"))
    assert catalog.tables("olap") == [SALES, theirs]


def test_partitions_are_created_replaced_and_dropped_by_values(catalog: Catalog) -> None:
    """The swap of one partition must not touch another."""
    catalog.put_table(SALES)
    catalog.put_partitions("olap", "sales", [day("2023-07-02"), day("2023-07-01"), day("2023-07-03")])
    catalog.put_partitions("olap", "sales", [day("2023-07-01", "2")])
    catalog.drop_partitions("olap", "sales", [("2023-07-02",), ("1999-01-01",)])
    assert catalog.partitions("olap", "sales") == [day("2023-07-01", "2"), day("2023-07-03")]


def test_partitions_keep_their_own_columns(catalog: Catalog) -> None:
    """Athena reads a partition by the columns it was registered with."""
    catalog.put_table(SALES)
    narrow = replace(day("2023-07-01"), columns=COLUMNS[:1])
    catalog.put_partitions("olap", "sales", [narrow, day("2023-07-02")])
    assert catalog.partitions("olap", "sales") == [narrow, day("2023-07-02")]


def test_partitions_of_no_table_are_an_error(catalog: Catalog) -> None:
    """Registered nowhere, they would be lost in silence."""
    with pytest.raises(KeyError, match=r"olap\.sales"):
        catalog.put_partitions("olap", "sales", [day("2023-07-01")])
    catalog.drop_partitions("olap", "sales", [("2023-07-01",)])


def test_a_dropped_table_takes_its_partitions_along(catalog: Catalog) -> None:
    """A new table of that name must not inherit the old one's days."""
    catalog.put_table(SALES)
    catalog.put_partitions("olap", "sales", [day("2023-07-01")])
    catalog.drop_table("olap", "sales")
    catalog.drop_table("olap", "sales")
    catalog.put_table(SALES)
    assert catalog.partitions("olap", "sales") == []


def test_a_database_with_tables_is_not_dropped(catalog: Catalog) -> None:
    """DROP DATABASE without CASCADE refuses on Athena too."""
    catalog.put_table(SALES)
    with pytest.raises(ValueError, match="olap holds tables"):
        catalog.drop_database("olap")
    catalog.drop_table("olap", "sales")
    catalog.drop_database("olap")
    assert catalog.databases() == []


def test_a_snapshot_has_the_tables_that_there_are(catalog: Catalog) -> None:
    """A query asks for all it names and reports what is missing."""
    catalog.put_table(SALES)
    catalog.put_partitions("olap", "sales", [day("2023-07-01")])
    assert catalog.snapshot([("olap", "sales"), ("olap", "none")]) == {("olap", "sales"): (SALES, [day("2023-07-01")])}


def test_partitions_come_in_pages_and_by_values(catalog: Catalog) -> None:
    """Ten years of a table are compared page by page; what moved is looked up alone."""
    catalog.put_table(SALES)
    days = [f"{number:05}" for number in range(1200)]
    catalog.put_partitions("olap", "sales", [day(one) for one in days])
    pages = list(catalog.pages("olap", "sales"))
    assert sorted(entry.values[0] for page in pages for entry in page) == days
    wanted = [(one,) for one in (*days[:1100], "99999")]
    assert sorted(entry.values[0] for entry in catalog.some_partitions("olap", "sales", wanted)) == days[:1100]
    assert catalog.some_partitions("olap", "sales", [(days[7],)]) == [day(days[7])]
    assert list(catalog.pages("olap", "none")) in ([], [[]])
    assert catalog.some_partitions("olap", "none", wanted) == []


def test_a_batch_of_partitions_is_seen_whole_or_not_at_all(tmp_path: Path, fork: Callable) -> None:
    """A query over a quarter that is being rebuilt must not see half of it; nor half of a snapshot."""
    catalog = LocalCatalog(tmp_path)
    catalog.put_table(SALES)
    days = [f"2023-07-{number:02}" for number in range(1, 32)]
    catalog.put_partitions("olap", "sales", [day(value, "0") for value in days])

    def write() -> None:
        for version in range(1, 51):
            catalog.put_partitions("olap", "sales", [day(value, str(version)) for value in days])

    def read() -> None:
        seen = {"0"}
        while seen != {"50"}:
            _, partitions = catalog.snapshot([("olap", "sales")])["olap", "sales"]
            seen = {entry.parameters["version"] for entry in partitions}
            assert (len(partitions), len(seen)) == (31, 1)

    assert [wait() for wait in [fork(read), fork(read), fork(write)]] == [0, 0, 0]


def test_many_processes_may_begin_a_catalog_at_once(tmp_path: Path, fork: Callable) -> None:
    """The first runs of a new lake start together, and SQLite alone answers `database is locked`."""
    catalog = LocalCatalog(tmp_path)

    def begin(number: int) -> Callable[[], None]:
        return lambda: catalog.put_table(replace(SALES, name=f"t{number}"))

    assert [wait() for wait in [fork(begin(number)) for number in range(8)]] == [0] * 8
    assert len(catalog.tables("olap")) == 8
    assert list(catalog.file.parent.iterdir()) == [catalog.file]


def test_threads_share_one_catalog(catalog: Catalog) -> None:
    """Dagster's webserver asks from a pool of threads."""
    catalog.put_table(SALES)

    def put(number: int) -> None:
        catalog.put_partitions("olap", "sales", [day(f"2023-07-{number:02}")])

    threads = [threading.Thread(target=put, args=(number,)) for number in range(1, 17)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(catalog.partitions("olap", "sales")) == 16


def test_ten_years_of_partitions_are_read_in_a_moment(tmp_path: Path) -> None:
    """Every query reads them; 3,650 take some 20 ms, and a slip to one query per partition seconds."""
    catalog = LocalCatalog(tmp_path)
    catalog.put_table(SALES)
    catalog.put_partitions("olap", "sales", [day(f"{number:05}") for number in range(3650)])
    started = time.process_time()
    assert len(catalog.partitions("olap", "sales")) == 3650
    assert time.process_time() - started < 0.5


def test_a_catalog_without_rights_is_refused_by_name(tmp_path: Path, fork: Callable) -> None:
    """The user has to learn which file, not see a traceback of SQLite."""
    catalog = LocalCatalog(tmp_path)
    catalog.put_table(SALES)
    (tmp_path / "_catalog").chmod(0o555)
    catalog.file.chmod(0o444)

    def denied() -> None:
        if os.geteuid() == 0:
            os.setuid(65534)
        with pytest.raises(LakeRefused, match=r"catalog\.sqlite"):
            catalog.put_table(replace(SALES, description="new"))

    assert fork(denied)() == 0
    (tmp_path / "_catalog").chmod(0o755)
    assert catalog.table("olap", "sales") == SALES


def test_a_catalog_that_may_only_be_read_is_read(tmp_path: Path, fork: Callable) -> None:
    """An analyst's account has no more rights. Even the log of a writer that was killed counts."""
    catalog = LocalCatalog(tmp_path)
    catalog.put_table(SALES)

    def killed() -> None:
        with catalog._writing() as connection:
            catalog._put_table(connection, replace(SALES, name="more"))
            connection.execute("COMMIT")
            os._exit(0)

    assert fork(killed)() == 0
    assert catalog.file.with_name("catalog.sqlite-wal").stat().st_size
    catalog.file.with_name("catalog.sqlite-shm").unlink()
    for file in catalog.file.parent.iterdir():
        file.chmod(0o444)
    catalog.file.parent.chmod(0o555)
    opened = [*tmp_path.parents[:-2], tmp_path]
    before = {folder: folder.stat().st_mode for folder in opened}

    def read() -> None:
        if os.geteuid() == 0:
            os.setuid(65534)
        assert not os.access(catalog.file.parent, os.W_OK)
        assert [entry.name for entry in catalog.tables("olap")] == ["more", "sales"]

    try:
        for folder in opened:
            folder.chmod(0o755)
        assert fork(read)() == 0
    finally:
        for folder, mode in before.items():
            folder.chmod(mode)
        catalog.file.parent.chmod(0o755)
    assert not catalog.file.with_name("catalog.sqlite-shm").exists()


def test_a_moved_catalog_knows_where_its_lake_is(tmp_path: Path) -> None:
    """And what lies elsewhere stays there."""
    before, after = tmp_path / "before", tmp_path / "after"
    inside = replace(SALES, location=f"{before}/olap/sales")
    outside = replace(SALES, name="theirs", location="/elsewhere/before/sales")
    catalog = LocalCatalog(before)
    for entry in (inside, outside):
        catalog.put_table(entry)
    catalog.put_partitions("olap", "sales", [replace(day("2023-07-01"), location=f"{before}/olap/sales/v=1")])
    assert [entry.location for entry in catalog.tables("olap")] == [inside.location, outside.location]
    before.rename(after)
    moved = LocalCatalog(after)
    assert [entry.location for entry in moved.tables("olap")] == [f"{after}/olap/sales", outside.location]
    assert [entry.location for entry in moved.partitions("olap", "sales")] == [f"{after}/olap/sales/v=1"]


def test_a_catalog_below_a_file_is_refused(tmp_path: Path) -> None:
    """A mistyped STAR_LAKE, which not even root can write to."""
    (tmp_path / "file").write_bytes(b"")
    with pytest.raises(LakeRefused, match="Not a directory"):
        LocalCatalog(tmp_path / "file").put_table(SALES)


def test_a_broken_catalog_says_how_to_make_it_again(tmp_path: Path) -> None:
    """It is derived from the pointers, so nothing is lost but the user must know."""
    catalog = LocalCatalog(tmp_path)
    catalog.put_table(SALES)
    catalog.file.write_bytes(b"no database at all, but long enough to be looked at" * 100)
    with pytest.raises(LakeRefused, match="star-assets repair"):
        catalog.tables("olap")
