"""Raw exports can go: the tables stay reproducible from what is staged, or a run says that they no longer are."""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import signal
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import pytest

from star_assets.keeping.forget import forget
from star_assets.keeping.retire import delete_listed, retirable, retire
from star_assets.lake.drift import mend
from star_assets.lake.storage import Stored
from star_assets.model import Column, Star
from star_assets.settings import Settings
from star_assets.star import dim_product, fact_sales, order_items, orders, products, retail
from star_assets_tests.conftest import new_aws_lake, to_aws
from star_assets_tests.pipeline.conftest import ITEMS, AwsLake, Lake

DAYS = ("2023-07-01", "2023-07-02")
TODAY = date(2023, 7, 3)
DAY = timedelta(days=1)

# Where the lines of the first day lie, and the lines of a correction, which has as many bytes.
LINES = f"oltp/order_items/date={DAYS[0]}"
CORRECTION = f"{ITEMS}\n1,1,5,3,10.00,\n".encode()


def fill(lake: Lake) -> Lake:
    for number, day in enumerate(DAYS, start=1):
        lake.export("orders", day, f"{number},7,1,{day} 10:00:00,placed,{day} 10:00:00,I")
        lake.export("order_items", day, f"{number},1,5,2,10.00,")
        lake.export("products", day, "5,Shoe,Shoes,B,10.00,2023-07-01 00:00:00")
    lake.run(*DAYS)
    return lake


@pytest.fixture
def filled(lake: Lake) -> Lake:
    return fill(lake)


@pytest.fixture(scope="module")
def filled_once_on_aws(aws_address: str, tmp_path_factory: pytest.TempPathFactory) -> tuple[Settings, dict[str, bytes]]:
    """The same lake on AWS, and all that lies in its bucket."""
    with pytest.MonkeyPatch.context() as patch:
        to_aws(patch, aws_address, tmp_path_factory.mktemp("cache"))
        settings = new_aws_lake()
        patch.setenv("STAR_GLUE_PREFIX", settings.glue_prefix)
        storage = fill(AwsLake(settings.lake)).warehouse.storage
        return settings, {one.path: storage.read(one.path)[0] for one in storage.walk("")}


@pytest.fixture
def filled_on_aws(
    aws: Callable[..., Settings],
    filled_once_on_aws: tuple[Settings, dict[str, bytes]],
    monkeypatch: pytest.MonkeyPatch,
) -> Iterator[Lake]:
    """It, for one test; then its bucket holds again what it held, and its catalog serves that."""
    settings, objects = filled_once_on_aws
    monkeypatch.setenv("STAR_GLUE_PREFIX", settings.glue_prefix)
    yield AwsLake(settings.lake)
    lake = AwsLake(settings.lake)
    storage = lake.warehouse.storage
    present = {one.path: one.etag.strip('"') for one in storage.walk("")}
    storage.delete([path for path in present if path not in objects])
    for path, content in objects.items():
        if present.get(path) != hashlib.md5(content).hexdigest():
            storage.write(path, content)
    mend(storage, lake.warehouse.catalog, lake.warehouse.entries())


# One worker fills it.
on_aws = pytest.mark.xdist_group("retire on aws")


@pytest.fixture(params=["local", pytest.param("aws", marks=on_aws)])
def anywhere(request: pytest.FixtureRequest) -> Lake:
    """The same lake in a folder and on S3."""
    found: Lake = request.getfixturevalue("filled" if request.param == "local" else "filled_on_aws")
    return found


def stored(lake: Lake, folder: str) -> dict[str, Stored]:
    """What lies in a folder, by name."""
    return {found.path.removeprefix(f"{folder}/"): found for found in lake.warehouse.storage.walk(folder)}


def right_before(
    lake: Lake, monkeypatch: pytest.MonkeyPatch, method: str, path: str, others: Callable[[], object]
) -> None:
    """Others do something right before the storage's method is called for a path, the first time."""
    storage = lake.warehouse.storage
    called, original = [], getattr(storage, method)

    def late(given: str, *arguments: Any) -> Any:
        if given == path and not called:
            called.append(given)
            others()
        return original(given, *arguments)

    monkeypatch.setattr(storage, method, late)


def corrected(lake: Lake) -> bool:
    """Whether a run publishes the correction."""
    again = lake.again()
    again.run(*DAYS)
    return bool(again.sales()[0][-1] == "30.0000")


def test_a_retired_day_is_not_a_day_without_an_export(filled: Lake) -> None:
    """A run must not empty the tables because their raw files went."""
    before, live = filled.sales(), filled.live()
    done = retire(filled.warehouse, DAY, TODAY)
    assert (done.days, done.kept) == (3, ())
    assert sorted(file.name for file in filled.folder("orders", DAYS[0]).iterdir()) == ["_SUCCESS", "_retired"]
    filled.again().run(*DAYS)
    assert filled.sales() == before
    assert filled.live() == live


def test_the_tables_are_rebuilt_from_what_is_staged(filled: Lake) -> None:
    """Without the star and without the states, from the staged versions alone."""
    before = filled.sales()
    retire(filled.warehouse, timedelta(days=0), TODAY)
    shutil.rmtree(filled.root / "olap")
    for folder in (filled.root / "staging").glob("*/_[siu]*"):
        shutil.rmtree(folder)
    filled.again().run(*DAYS)
    assert filled.sales() == before


def test_a_day_that_staging_cannot_stand_for_is_kept_with_the_reason(filled: Lake) -> None:
    """Deleting the only copy of anything is not retention."""
    filled.export("orders", DAYS[0], "1,7,1,2023-07-01 10:00:00,placed,2023-07-02 10:00:00,U")
    filled.export("products", "2023-06-30", "5,Shoe,Shoes,B,10.00,2023-07-01 00:00:00")
    done = retire(filled.warehouse, timedelta(days=1), TODAY)
    assert done.kept == (
        "orders 2023-07-01: its files have changed since they were staged",
        "products 2023-06-30: it is not staged",
    )
    assert (filled.folder("orders", DAYS[0]) / "orders.csv").exists()


def test_a_new_export_of_a_retired_day_replaces_it(filled: Lake) -> None:
    """A correction of last year's day is still a correction."""
    retire(filled.warehouse, timedelta(days=1), TODAY)
    (filled.folder("order_items", DAYS[0]) / "again.csv").write_text(
        "order_id,line_number,product_id,quantity,unit_price,discount\n1,1,5,3,10.00,\n"
    )
    filled.run(*DAYS)
    assert filled.sales()[0][-1] == "30.0000"


def test_a_changed_declaration_leaves_retired_days_as_they_are_and_says_so(filled: Lake) -> None:
    """It can no longer be reproduced, so nobody should believe that it was."""
    retire(filled.warehouse, timedelta(days=1), TODAY)
    wider = replace(products, columns={**products.columns, "weight": Column("int64", optional=True)})
    changed = Star(
        [orders, order_items, wider], [dim_product], [replace(fact_sales, references={"product_id": dim_product})]
    )
    (outcome,) = filled.again(changed).refresh("products", DAYS[0])
    assert outcome.status == "unchanged"
    assert "cannot be staged again, because its raw files were retired" in outcome.note


def test_a_killed_retirement_is_finished_by_the_next(filled: Lake) -> None:
    """Half of the files gone must not look like a smaller export."""
    filled.write(
        "orders", DAYS[0], {"a.csv": (filled.folder("orders", DAYS[0]) / "orders.csv").read_bytes(), "b.csv": b""}
    )
    filled.run(*DAYS)
    before = filled.sales()
    folder, kept = filled.folder("orders", DAYS[0]), filled.root / "kept"
    shutil.copytree(folder, kept)
    retire(filled.warehouse, timedelta(days=1), TODAY)
    shutil.copy2(kept / "b.csv", folder)  # as if the run had died before this one
    filled.again().run(*DAYS)
    assert filled.sales() == before
    retire(filled.warehouse, timedelta(days=1), TODAY)
    assert not (folder / "b.csv").exists()


def test_what_would_be_retired_is_told_without_deleting(filled: Lake) -> None:
    """What a person is asked about before it happens must be what happens."""
    filled.export("products", "2023-06-30", "5,Shoe,Shoes,B,10.00,2023-07-01 00:00:00")
    present = stored(filled, "oltp")
    found = retirable(filled.warehouse, DAY, TODAY)
    assert stored(filled, "oltp") == present
    assert [(old.source.name, old.day) for old in found.days] == [(name, DAYS[0]) for name in filled.star.sources]
    assert found.kept == ("products 2023-06-30: it is not staged",)
    done = delete_listed(filled.warehouse, found)
    assert (done.days, done.bytes, done.kept) == (3, found.size, ())
    assert sum(one.size for one in present.values()) - found.size == sum(
        one.size for name, one in stored(filled, "oltp").items() if "_retired" not in name
    )


# What is put there meanwhile


@pytest.mark.parametrize("name", ["order_items.csv", "again.csv"])
@pytest.mark.parametrize(
    ("method", "path"),
    [("write", f"{LINES}/_retired"), ("delete_if", f"{LINES}/order_items.csv")],
    ids=["before it is marked", "before it is deleted"],
)
def test_a_correction_that_is_dropped_meanwhile_stays(
    anywhere: Lake, monkeypatch: pytest.MonkeyPatch, name: str, method: str, path: str
) -> None:
    """It was never read, so nothing stands for it. It may have the same name, and as many bytes."""
    storage = anywhere.warehouse.storage
    right_before(anywhere, monkeypatch, method, path, lambda: storage.write(f"{LINES}/{name}", CORRECTION))
    done = retire(anywhere.warehouse, DAY, TODAY)
    assert storage.read(f"{LINES}/{name}")[0] == CORRECTION
    if name == "order_items.csv":
        assert done.kept == (
            f"order_items {DAYS[0]}: {LINES}/order_items.csv was replaced while it was being retired, and stays",
        )
        assert "_retired" not in stored(anywhere, LINES), "nothing of the day was retired"
    assert corrected(anywhere)


def test_a_correction_that_is_dropped_while_a_person_is_asked_stays(anywhere: Lake) -> None:
    """Between the list and the answer may lie a lunch."""
    found = retirable(anywhere.warehouse, DAY, TODAY)
    anywhere.warehouse.storage.write(f"{LINES}/again.csv", CORRECTION)
    done = delete_listed(anywhere.warehouse, found)
    assert done.kept == (f"order_items {DAYS[0]}: its files have changed since they were looked at",)
    assert sorted(stored(anywhere, LINES)) == ["_SUCCESS", "again.csv", "order_items.csv"]


def test_a_version_that_is_published_while_a_person_is_asked_is_looked_at_anew(filled: Lake) -> None:
    """It was not compared with the raw files, nor with its checksums."""
    found = retirable(filled.warehouse, DAY, TODAY)
    filled.again(compression="snappy").run(*DAYS, tables=["order_items"])
    done = delete_listed(filled.warehouse, found)
    assert done.kept == (f"order_items {DAYS[0]}: another version of it has been published since it was looked at",)
    assert "order_items.csv" in stored(filled, LINES)


def test_a_day_of_which_a_file_is_replaced_midway_is_told(filled: Lake, monkeypatch: pytest.MonkeyPatch) -> None:
    """The correction alone is the day's export then, so somebody has to know."""
    rows = (filled.folder("order_items", DAYS[0]) / "order_items.csv").read_bytes()
    filled.write("order_items", DAYS[0], {"a.csv": rows, "b.csv": f"{ITEMS}\n", "c.csv": f"{ITEMS}\n"})
    filled.run(*DAYS)
    file, storage = f"{LINES}/b.csv", filled.warehouse.storage
    right_before(filled, monkeypatch, "delete_if", file, lambda: storage.write(file, CORRECTION))
    done = retire(filled.warehouse, DAY, TODAY)
    assert done.kept == (
        f"order_items {DAYS[0]}: {LINES}/b.csv was replaced while it was being retired, and stays; "
        "1 other file was deleted before, so export the whole day again",
    )
    assert sorted(stored(filled, LINES)) == ["_SUCCESS", "_retired", "b.csv", "c.csv"]
    assert corrected(filled)


def test_what_is_no_data_is_not_deleted(filled: Lake) -> None:
    """Nothing was staged of it, so nothing stands for it."""
    filled.warehouse.storage.write(f"{LINES}/_notes/why.txt", b"late")
    filled.warehouse.storage.write(f"{LINES}/_late", b"")
    retire(filled.warehouse, DAY, TODAY)
    assert sorted(stored(filled, LINES)) == ["_SUCCESS", "_late", "_notes/why.txt", "_retired"]


# What stands for them


def staged(lake: Lake, pattern: str) -> Any:
    (found,) = (lake.root / "staging/orders" / f"date={DAYS[0]}").rglob(pattern)
    return found


DAMAGES: dict[str, tuple[str, Callable[[Any], object], str]] = {
    "a lost file": ("part-*.parquet", lambda file: file.unlink(), "is gone; restore it first"),
    "a damaged file": (
        "part-*.parquet",
        lambda file: file.write_bytes(file.read_bytes()[:-1] + b"?"),
        "has another checksum; restore it first",
    ),
    "lost rejects": ("_rejects.parquet", lambda file: file.unlink(), "is gone; restore it first"),
    "a lost manifest": ("_manifest.json", lambda file: file.unlink(), "has no manifest"),
}


@pytest.mark.parametrize("name", DAMAGES)
def test_raw_files_stay_where_what_is_to_stand_for_them_is_not_whole(make_lake: Any, name: str) -> None:
    """The raw files are then the last copy of these rows."""
    lenient = replace(orders, max_rejects=0.9)
    lake = make_lake(Star([lenient, replace(order_items, part_of=lenient)], [], []))
    lake.export("orders", DAYS[0], f"1,7,1,{DAYS[0]} 10:00:00,placed,,I", "x,7,1,,placed,,I")
    lake.refresh("orders", DAYS[0])
    pattern, damage, reason = DAMAGES[name]
    damage(staged(lake, pattern))
    done = retire(lake.again().warehouse, DAY, TODAY)
    assert done.days == 0
    (kept,) = done.kept
    assert kept.startswith(f"orders {DAYS[0]}: ")
    assert kept.endswith(reason)
    assert "orders.csv" in stored(lake, f"oltp/orders/date={DAYS[0]}")


@on_aws
def test_a_lost_object_is_not_taken_for_whole_because_of_a_local_copy(filled_on_aws: Any) -> None:
    """This machine has read it, so it has a copy of it; nobody else has."""
    storage = filled_on_aws.warehouse.storage
    version = filled_on_aws.manifest("orders", DAYS[0]).version
    path = f"staging/orders/date={DAYS[0]}/v={version}/part-00000.parquet"
    (copy,) = storage.local([path])
    storage.client().delete_object(Bucket=storage.bucket, Key=storage.key(path))
    assert Path(copy).exists()
    (kept,) = retire(filled_on_aws.warehouse, DAY, TODAY).kept
    assert "is gone" in kept


def test_a_lake_that_was_copied_can_be_retired(filled: Lake) -> None:
    """Every file has another ETag there; what it holds is the same."""
    shutil.copytree(filled.root, filled.root.parent / "copy")
    copy = Lake(filled.root.parent / "copy")
    done = retire(copy.warehouse, DAY, TODAY)
    assert (done.days, done.kept) == (3, ())


# Killed


@pytest.mark.parametrize("deleted", [0, 1, 2])
def test_a_retirement_that_is_killed_anywhere_is_finished(filled: Lake, fork: Any, deleted: int) -> None:
    """Whatever it had come to, the tables stay as they are, and the next one does the rest."""
    rows = (filled.folder("order_items", DAYS[0]) / "order_items.csv").read_bytes()
    filled.write("order_items", DAYS[0], {"a.csv": rows, "b.csv": f"{ITEMS}\n"})
    filled.run(*DAYS)
    sales, live = filled.sales(), filled.live()

    def killed() -> None:
        storage, count = filled.warehouse.storage, iter(range(10))
        original = storage.delete_if

        def dying(path: str, etag: str) -> bool:
            if path.startswith(LINES) and next(count) == deleted:
                os.kill(os.getpid(), signal.SIGKILL)
            done = original(path, etag)
            if path == f"{LINES}/b.csv":
                os.kill(os.getpid(), signal.SIGKILL)
            return done

        storage.delete_if = dying  # type: ignore[method-assign]
        retire(filled.warehouse, DAY, TODAY)

    assert fork(killed)() == -signal.SIGKILL
    left = sorted(stored(filled, LINES))
    assert left == ["_SUCCESS", "_retired", *["a.csv", "b.csv"][deleted:]]
    again = filled.again()
    again.run(*DAYS)
    assert (again.sales(), again.live()) == (sales, live)
    done = retire(again.warehouse, DAY, TODAY)
    assert done.kept == ()
    assert sorted(stored(again, LINES)) == ["_SUCCESS", "_retired"]
    assert [name for name in stored(again, "oltp") if DAYS[0] in name and name.endswith(".csv")] == []


@pytest.mark.parametrize("name", ["b.csv", "c.csv"])
def test_a_correction_of_a_day_whose_retirement_was_killed_is_not_lost(filled: Lake, name: str) -> None:
    """By its size alone it would be taken for the file that was to be deleted."""
    content = (filled.folder("order_items", DAYS[0]) / "order_items.csv").read_bytes()
    filled.write("order_items", DAYS[0], {"a.csv": f"{ITEMS}\n", "b.csv": content})
    filled.run(*DAYS)
    kept = filled.root / "kept"
    shutil.copytree(filled.folder("order_items", DAYS[0]), kept)
    retire(filled.warehouse, DAY, TODAY)
    shutil.copy2(kept / "b.csv", filled.folder("order_items", DAYS[0]))  # as if it had died before this one
    assert len(CORRECTION) == len(content)
    (filled.folder("order_items", DAYS[0]) / name).write_bytes(CORRECTION)
    done = retire(filled.warehouse, DAY, TODAY)
    assert done.kept == (f"order_items {DAYS[0]}: its files have changed since they were staged",)
    assert (filled.folder("order_items", DAYS[0]) / name).read_bytes() == CORRECTION
    if name == "b.csv":
        assert corrected(filled)


def test_a_marker_of_earlier_releases_is_understood(filled: Lake) -> None:
    """It lists paths and sizes; what else is told of them is in the manifest."""
    folder, kept = filled.folder("orders", DAYS[0]), filled.root / "kept"
    shutil.copytree(folder, kept)
    sales, size = filled.sales(), (folder / "orders.csv").stat().st_size
    retire(filled.warehouse, DAY, TODAY)
    (folder / "_retired").write_text(json.dumps([[f"oltp/orders/date={DAYS[0]}/orders.csv", size]]))
    shutil.copy2(kept / "orders.csv", folder)
    again = filled.again()
    again.run(*DAYS)
    assert again.sales() == sales
    assert retire(again.warehouse, DAY, TODAY).days == 1
    (folder / "orders.csv").write_bytes(b"x" * size)
    assert retire(again.warehouse, DAY, TODAY).days == 0
    assert (folder / "orders.csv").exists()


def test_a_person_is_forgotten_in_retired_days_too(make_lake) -> None:
    """Retention must not make a person immortal."""
    lake = make_lake(retail)
    lake.export("customers", DAYS[0], "7,Ada Byron,ada@example.org,Miami,FL,vip,2023-01-01,2023-07-01")
    lake.export("orders", DAYS[0], f"1,7,1,{DAYS[0]} 10:00:00,placed,,I")
    lake.export("order_items", DAYS[0], "1,1,5,2,10.00,")
    lake.export("products", DAYS[0], "5,Shoe,Shoes,B,10.00,2023-07-01 00:00:00")
    lake.export("stores", DAYS[0], "1,A,Miami,FL,S,2020-01-01,2023-07-01")
    lake.run(DAYS[0])
    retire(lake.warehouse, timedelta(days=1), TODAY)
    found = forget(lake.warehouse, "dim_customer", "7")
    assert found["staging/customers"] == 1
    assert lake.rows("SELECT customer_id, revenue::VARCHAR FROM fact_sales") == [(-1, "20.0000")]
    assert lake.rows("SELECT count(*) FROM customers") == [(0,)]
