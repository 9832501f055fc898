"""Which exports lie in the raw zone, and whether they are whole."""

from __future__ import annotations

import hashlib
import os
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from star_assets.exports.columns import required_columns
from star_assets.exports.finding import (
    Export,
    days_and_strays,
    export_days,
    fingerprint,
    list_exports,
    read_export,
    require_whole,
    strays_beside_sources,
)
from star_assets.exports.formats.opening import inspect_file
from star_assets.lake.local_storage import LocalStorage
from star_assets.model import FileCount, Marker, Settled, Source
from star_assets.model.errors import BrokenFile, ColumnMissing, HalfExport

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


def test_what_is_no_export_is_named_with_what_was_expected(lake: LocalStorage) -> None:
    """A day under another name is a day of sales that nobody sees."""
    for day in (DAY, "2023-02-30", "2032-07-04"):
        put(lake, "a.csv", day=day)
    names = [
        "2023-07-04",
        "date=2023-7-5",
        "date=20230706",
        "Date=2023-07-07",
        "dt=2023-07-08",
        "july 9th",
        "_tmp",
        ".x",
    ]
    for name in names:
        put(lake, "a.csv").rename(lake.root / "oltp/orders" / f"{name}.moving")
        (lake.root / "oltp/orders" / name).mkdir()
        (lake.root / "oltp/orders" / f"{name}.moving").rename(lake.root / "oltp/orders" / name / "a.csv")
    for name in ("loose.csv", "orders-2023-07-10.csv"):
        (lake.root / "oltp/orders" / name).write_text("id\n")
    put(lake, "a.csv")
    found = list_exports(lake, MARKED, "2026-01-01")
    assert list(found.exports) == [DAY]
    assert {stray.path.removeprefix("oltp/orders/"): stray.expected for stray in found.strays} == {
        "2023-07-04/": "date=2023-07-04/",
        "Date=2023-07-07/": "date=2023-07-07/",
        "date=2023-02-30/": "date=YYYY-MM-DD, a day of the calendar",
        "date=2023-7-5/": "date=2023-07-05/",
        "date=20230706/": "date=2023-07-06/",
        "date=2032-07-04/": "a day up to 2026-01-01 (see STAR_DAYS_AHEAD, STAR_END_DATE)",
        "dt=2023-07-08/": "date=2023-07-08/",
        "july 9th/": "a folder date=YYYY-MM-DD",
        "loose.csv": "a folder date=YYYY-MM-DD around it",
        "orders-2023-07-10.csv": "a folder date=YYYY-MM-DD around it",
    }
    assert days_and_strays(lake, MARKED, "2026-01-01") == (list(found.exports), list(found.strays))


def test_what_lies_beside_the_sources_folders_is_named(lake: LocalStorage) -> None:
    put(lake, "a.csv")
    for name in ("order", "Order_Items", "archive", "_tmp"):
        (lake.root / "oltp" / name).mkdir()
    (lake.root / "oltp/orders.csv").write_text("id\n")
    found = strays_beside_sources(lake, ["orders", "order_items"])
    assert [(stray.path, stray.found, stray.expected) for stray in found] == [
        ("oltp/Order_Items/", "a folder", "order_items/"),
        ("oltp/archive/", "a folder", "a source's folder (orders, order_items)"),
        ("oltp/order/", "a folder", "orders/"),
        ("oltp/orders.csv", "a file", "orders/"),
    ]


def test_a_source_is_listed_once(lake: LocalStorage, monkeypatch: pytest.MonkeyPatch) -> None:
    """Each listing of ten years of exports in a bucket is a request for every thousand files."""
    put(lake, "a.csv")
    asked: list[str] = []
    for call in ("survey", "names"):
        listing = getattr(LocalStorage, call)
        monkeypatch.setattr(LocalStorage, call, lambda s, p, listing=listing: [asked.append(p), listing(s, p)][1])
    list_exports(lake, MARKED)
    assert asked == ["oltp/orders"]


def test_an_empty_folder_is_a_day_whichever_way_it_is_listed(lake: LocalStorage) -> None:
    put(lake, "a.csv").unlink()
    assert list_exports(lake, MARKED).exports == {DAY: export(lake)}


@pytest.mark.parametrize(
    "spoil, problem",
    [
        (lambda folder: os.mkfifo(folder / "pipe.csv"), "pipe.csv: expected a file, found a named pipe"),
        (lambda folder: (folder / "b.csv").symlink_to("/etc/hostname"), "found a link that leads out of the lake"),
        (lambda folder: (folder / "b.csv").symlink_to("nothing"), "found a link to nothing"),
        (lambda folder: (folder / "loop").symlink_to(folder), "expected a folder, found a link to a folder"),
        (lambda folder: swap(folder, lambda: folder.symlink_to("nothing")), "a folder, found a link to nothing"),
        (lambda folder: swap(folder, lambda: folder.write_text("id\n")), "expected a folder, found a file"),
        (lambda folder: swap(folder, lambda: os.mkfifo(folder)), "expected a folder, found a named pipe"),
    ],
    ids=["pipe", "link out", "dangling", "loop", "a day that leads nowhere", "a day that is a file", "a day as a pipe"],
)
def test_what_cannot_be_read_is_a_day_that_fails(lake: LocalStorage, spoil: Callable, problem: str) -> None:
    """Neither a day without rows, nor the end of every other day."""
    put(lake, "a.csv")
    put(lake, "_SUCCESS", b"")
    put(lake, "a.csv", day="2023-07-02")
    spoil(lake.root / f"oltp/orders/date={DAY}")
    found = list_exports(lake, MARKED).exports
    assert [bool(one.broken) for one in found.values()] == [True, False]
    assert export(lake).broken and export(lake).files == found[DAY].files
    assert export_days(lake, MARKED) == [DAY, "2023-07-02"]
    with pytest.raises(BrokenFile, match=problem):
        require_whole(found[DAY], MARKED, NOW)


def swap(folder: Path, make: Callable[[], object]) -> None:
    """Something else in a folder's place."""
    shutil.rmtree(folder)
    make()


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
