"""Which exports lie in the raw zone, and whether they are whole."""

from __future__ import annotations

import hashlib
import os
from pathlib import Path

import pytest

from star_assets.lake.local_storage import LocalStorage
from star_assets.model import FileCount, Marker, Settled, Source
from star_assets.model.errors import BrokenFile, ColumnMissing, HalfExport
from star_assets.staging.columns import required_columns
from star_assets.staging.exports import Export, export_days, fingerprint, read_export, require_whole
from star_assets.staging.formats.opening import inspect_file

DAY = "2023-07-01"
NOW = 1_000_000.0


def source(whole: Marker | FileCount | Settled) -> Source:
    return Source("orders", key="id", columns={"id": "int64"}, whole=whole)


MARKED = source(Marker())


@pytest.fixture
def lake(tmp_path: Path) -> LocalStorage:
    return LocalStorage(tmp_path)


def put(lake: LocalStorage, name: str, content: bytes = b"id\n1\n", age: float = 0, day: str = DAY) -> Path:
    """Write a raw file that changed `age` seconds before NOW."""
    path = lake.root / "oltp" / "orders" / f"date={day}" / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(content)
    os.utime(path, (NOW - age, NOW - age))
    return path


def export(lake: LocalStorage, of: Source = MARKED) -> Export:
    return read_export(lake, of, DAY)


def test_days_are_the_folders_of_valid_days(lake: LocalStorage) -> None:
    """A stray folder must not become a partition."""
    for day in ("2023-07-02", DAY, "2023-02-30", "20230703", "2023-07-03.bak"):
        put(lake, "a.csv", day=day)
    (lake.root / "oltp" / "orders" / "notes").mkdir()
    assert export_days(lake, MARKED) == [DAY, "2023-07-02"]


def test_a_source_that_never_exported_has_no_days(lake: LocalStorage) -> None:
    assert export_days(lake, MARKED) == []


def test_hidden_names_are_no_data(lake: LocalStorage) -> None:
    """A writer's temporary files must never be read as rows."""
    for name in ("b.csv", "a.csv.gz", "_SUCCESS", ".a.csv.crc", "_temporary/0/c.csv", "more/d.jsonl", "more/.e.csv"):
        put(lake, name)
    found = export(lake)
    folder = f"oltp/orders/date={DAY}"
    assert [file.path for file in found.files] == [f"{folder}/a.csv.gz", f"{folder}/b.csv", f"{folder}/more/d.jsonl"]
    assert (found.markers, found.exists, found.files[0].size, found.files[0].modified) == ({"_SUCCESS"}, True, 5, NOW)


def test_a_marker_of_any_name_is_no_data(lake: LocalStorage) -> None:
    """A source may call its marker export.done."""
    done = source(Marker("export.done"))
    put(lake, "a.csv")
    put(lake, "export.done", b"")
    found = export(lake, done)
    require_whole(found, done, NOW)
    assert ([Path(file.path).name for file in found.files], found.markers) == (["a.csv"], {"export.done"})


@pytest.mark.parametrize("whole", [Marker(), FileCount(2), Settled(60)])
def test_a_day_without_a_folder_is_empty_and_whole(lake: LocalStorage, whole: Marker | FileCount | Settled) -> None:
    """Shops that are closed export nothing."""
    found = export(lake, source(whole))
    require_whole(found, source(whole), NOW)
    assert (found.files, found.exists) == ((), False)


def test_an_export_without_its_marker_is_half(lake: LocalStorage) -> None:
    put(lake, "a.csv")
    with pytest.raises(
        HalfExport, match=r"orders 2023-07-01: .* expected a file _SUCCESS, found 1 data file without it"
    ):
        require_whole(export(lake), MARKED, NOW)
    put(lake, "_SUCCESS", b"")
    require_whole(export(lake), MARKED, NOW)


def test_an_empty_folder_without_its_marker_is_half(lake: LocalStorage) -> None:
    """The exporter makes the folder first; the files are still to come."""
    put(lake, "a.csv").unlink()
    found = export(lake)
    assert found.exists
    with pytest.raises(HalfExport):
        require_whole(found, MARKED, NOW)


def test_too_few_files_are_half(lake: LocalStorage) -> None:
    two = source(FileCount(2))
    put(lake, "a.csv")
    with pytest.raises(HalfExport, match="expected 2 data files, found 1 data file"):
        require_whole(export(lake, two), two, NOW)
    put(lake, "b.csv")
    require_whole(export(lake, two), two, NOW)


def test_a_file_that_just_changed_is_half(lake: LocalStorage) -> None:
    """The newest of the files decides."""
    settled = source(Settled(60))
    put(lake, "a.csv", age=3600)
    put(lake, "b.csv", age=59)
    with pytest.raises(HalfExport, match=r"no change for 60 s, found oltp/.*/b\.csv changed 59 s ago"):
        require_whole(export(lake, settled), settled, NOW)
    require_whole(export(lake, settled), settled, NOW + 1)


def test_an_empty_folder_is_settled(lake: LocalStorage) -> None:
    put(lake, "a.csv").unlink()
    require_whole(export(lake, source(Settled(60))), source(Settled(60)), NOW)


def test_only_what_changed_is_hashed(lake: LocalStorage) -> None:
    """A sensor that reads a year of exports every minute would never end."""
    put(lake, "a.csv", b"id\n1\n", age=100)
    put(lake, "b.csv", b"id\n2\n", age=100)
    first = {found.path: found for found in fingerprint(lake, export(lake), {})}
    assert [found.sha256 for found in first.values()] == [hashlib.sha256(b"id\n%d\n" % n).hexdigest() for n in (1, 2)]
    put(lake, "a.csv", b"id\n9\n", age=100)  # same size and time: trusted unread
    put(lake, "b.csv", b"id\n3\n", age=50)
    a, b = fingerprint(lake, export(lake), first)
    assert a == next(iter(first.values()))
    assert b.sha256 == hashlib.sha256(b"id\n3\n").hexdigest()


def test_a_file_that_vanishes_is_told(lake: LocalStorage) -> None:
    """Between listing and reading, an export may be withdrawn."""
    path = put(lake, "a.csv")
    found = export(lake)
    path.unlink()
    with pytest.raises(BrokenFile, match="it is gone"):
        fingerprint(lake, found, {})
    with pytest.raises(BrokenFile, match="it is gone"):
        inspect_file(path, "a.csv", MARKED)


def test_a_missing_required_column_is_told(lake: LocalStorage) -> None:
    """Names the file, the column, and what may have come instead."""
    path = put(lake, "a.csv", b"ID ,name\n1,x\n")
    assert required_columns(MARKED) == ("id",)
    source = Source("orders", key="id", columns={"id": "int64", "label": "string", "size": "int32"})
    with pytest.raises(ColumnMissing) as told:
        inspect_file(path, "a.csv", source)
    assert str(told.value) == (
        "a.csv: expected columns 'label', 'size', found id, name. Of these, name is not declared: a new name? The live "
        "version stays. Export again, or declare the new name, or mark the columns optional in the Source."
    )
    assert inspect_file(path, "a.csv", MARKED).header == ("id", "name")


def test_the_checksum_is_of_the_file_itself(lake: LocalStorage) -> None:
    """Inspection and fingerprint name the same bytes, whatever they unpack to."""
    path = put(lake, "a.csv", b"id\r\n" + b"1\r\n" * 100_000)
    (found,) = fingerprint(lake, export(lake), {})
    assert inspect_file(path, "a.csv", MARKED).sha256 == found.sha256
