"""Every damage is found by one look, named with its place and its remedy, and mended by another, or told as lost."""

from __future__ import annotations

import hashlib
import shutil
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import pytest

from star_assets.keeping.rebuild import Mended, rebuild
from star_assets.keeping.retire import retire
from star_assets.keeping.verify import verify
from star_assets.lake.ledger import read_ledger
from star_assets.lake.versions import Partition
from star_assets.model import Star
from star_assets.model.errors import LedgerUnreadable
from star_assets.star import dim_product, fact_sales, order_items, orders, products
from star_assets_tests.pipeline.conftest import Lake, MakeLake

DAYS = ("2023-07-01", "2023-07-02")
FACT = Partition("olap", "fact_sales", DAYS[0])
STAGED = Partition("staging", "orders", DAYS[0])
PRODUCT = Partition("olap", "dim_product")
INDEX = Partition("staging", "orders/_index_ordered_at", "2023-07")
STATE = Partition("staging", "products/_state")


# What the fact's first date holds.
WORTH = "fact_sales 2023-07-01 (2 rows, quantity 3, discount 0.0000, revenue 22.5000)"

# Half of a day's products may be rejects, so that there are some.
STAR = Star(
    sources=[orders, order_items, replace(products, max_rejects=0.5)],
    dimensions=[dim_product],
    facts=[replace(fact_sales, references={"product_id": dim_product})],
)


def fill(lake: Lake, *days: str) -> Lake:
    for number, day in enumerate(days or DAYS, start=1):
        lake.export("orders", day, f"{number},7,1,{day} 10:00:00,placed,{day} 10:00:00,I")
        lake.export("order_items", day, f"{number},1,5,2,10.00,", f"{number},2,6,1,2.50,")
        lake.export("products", day, "5,Shoe,Shoes,B,10.00,2023-07-01 00:00:00", "bad,,,,,")
    lake.run(*days or DAYS)
    return lake


@pytest.fixture(scope="module")
def filled_once(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return fill(Lake(tmp_path_factory.mktemp("filled"), STAR)).root


@pytest.fixture
def filled(filled_once: Path, tmp_path: Path) -> Lake:
    """A copy of its own."""
    return Lake(Path(shutil.copytree(filled_once, tmp_path / "lake")), STAR)


@pytest.fixture(params=["local", "aws"])
def anywhere(request: pytest.FixtureRequest) -> Lake:
    """The same in a folder and on S3."""
    make: MakeLake = request.getfixturevalue("make_lake" if request.param == "local" else "make_aws_lake")
    return fill(make(STAR))


# What befalls a lake


def live(lake: Lake, partition: Partition) -> str:
    entry = read_ledger(lake.warehouse.storage, partition.ledger)[0].day(partition.key).live
    assert entry is not None
    return entry.version


def file_of(lake: Lake, partition: Partition, name: str = "part-00000.parquet") -> str:
    return f"{partition.version_folder(live(lake, partition))}/{name}"


def remove(lake: Lake, path: str) -> None:
    lake.warehouse.storage.delete([path])


def overwrite(lake: Lake, path: str, change: Callable[[bytes], bytes]) -> None:
    storage = lake.warehouse.storage
    content, _ = storage.read(path)
    storage.delete([path])
    storage.write(path, change(content))


def cut(content: bytes) -> bytes:
    return content[:100]


def flipped(content: bytes) -> bytes:
    """One bit of the data is another one."""
    return content[:40] + bytes([content[40] ^ 1]) + content[41:]


def emptied(content: bytes) -> bytes:
    return b""


# By name: what is done, where it shows, what was expected, and what is found.
Befalls = Callable[[Lake], None]
DAMAGES: dict[str, tuple[Befalls, Partition, str, str]] = {
    "a fact's file removed": (lambda lake: remove(lake, file_of(lake, FACT)), FACT, "2 rows in", "nothing"),
    "a fact's file cut off": (lambda lake: overwrite(lake, file_of(lake, FACT), cut), FACT, "2 rows in", "100 bytes"),
    "a bit flipped": (lambda lake: overwrite(lake, file_of(lake, FACT), flipped), FACT, "SHA-256", "SHA-256"),
    "a fact's manifest removed": (
        lambda lake: remove(lake, file_of(lake, FACT, "_manifest.json")),
        FACT,
        "the manifest",
        "nothing",
    ),
    "a fact's manifest emptied": (
        lambda lake: overwrite(lake, file_of(lake, FACT, "_manifest.json"), emptied),
        FACT,
        "the manifest",
        "an empty file",
    ),
    "a staged file removed": (lambda lake: remove(lake, file_of(lake, STAGED)), STAGED, "1 row in", "nothing"),
    "rejects removed": (
        lambda lake: remove(lake, file_of(lake, Partition("staging", "products", DAYS[0]), "_rejects.parquet")),
        Partition("staging", "products", DAYS[0]),
        "its rejects: 1 row",
        "nothing",
    ),
    "a dimension removed": (lambda lake: remove(lake, file_of(lake, PRODUCT)), PRODUCT, "3 rows in", "nothing"),
    "the key index removed": (lambda lake: remove(lake, file_of(lake, INDEX)), INDEX, "2 rows in", "nothing"),
    "a state with a bit flipped": (
        lambda lake: overwrite(lake, file_of(lake, STATE), flipped),
        STATE,
        "SHA-256",
        "SHA-256",
    ),
    "a state's manifest corrupt": (
        lambda lake: overwrite(lake, file_of(lake, STATE, "_manifest.json"), cut),
        STATE,
        "the manifest",
        "100 bytes that are no manifest",
    ),
    "a fact's ledger emptied": (lambda lake: overwrite(lake, FACT.ledger, emptied), FACT, "a ledger", "an empty file"),
    "a fact's ledger cut off": (lambda lake: overwrite(lake, FACT.ledger, cut), FACT, "a ledger", "100 bytes that"),
    "a fact's ledger removed": (lambda lake: remove(lake, FACT.ledger), FACT, "the ledger of what", "nothing"),
    "a source's ledger cut off": (lambda lake: overwrite(lake, STAGED.ledger, cut), STAGED, "a ledger", "100 bytes"),
    "a dimension's ledger cut off": (
        lambda lake: overwrite(lake, PRODUCT.ledger, cut),
        PRODUCT,
        "a ledger",
        "100 bytes that",
    ),
    "a book's ledger cut off": (lambda lake: overwrite(lake, STATE.ledger, cut), STATE, "a ledger", "100 bytes that"),
    "a partition dropped from the catalog": (
        lambda lake: lake.warehouse.catalog.drop_partitions("olap", "fact_sales", [(DAYS[0],)]),
        FACT,
        "/olap/fact_sales/date=2023-07-01/v=",
        "nothing",
    ),
    "a partition that points at nothing": (
        lambda lake: pointed_away(lake),
        FACT,
        "/olap/fact_sales/date=2023-07-01/v=",
        "nowhere (version ",
    ),
}

# What shows in the bytes of a file, or within its folder, alone.
HIDDEN = {"a bit flipped", "a state with a bit flipped", "rejects removed", "a state's manifest corrupt"}


def pointed_away(lake: Lake) -> None:
    catalog = lake.warehouse.catalog
    entries = [one for one in catalog.partitions("olap", "fact_sales") if one.values == (DAYS[0],)]
    catalog.put_partitions("olap", "fact_sales", [replace(one, location=f"{one.location}nowhere") for one in entries])


def contents(lake: Lake) -> dict[str, str]:
    """All that lies in the lake, but what processes spool."""
    storage = lake.warehouse.storage
    return {
        one.path: hashlib.sha256(storage.read(one.path)[0]).hexdigest()
        for one in storage.walk("")
        if not one.path.startswith("_scratch")
    }


def repaired(lake: Lake) -> list[Mended]:
    """What `star-assets repair` does."""
    found = [*rebuild(lake.again().warehouse)]
    lake.again().warehouse.mend(list(lake.star.tables))
    return found


@pytest.mark.parametrize("name", DAMAGES)
def test_each_damage_is_found_named_and_mended(filled: Lake, name: str) -> None:
    """Without it nobody notices until a query fails, or answers wrongly."""
    before = filled.sales()
    assert verify(filled.again().warehouse).damages == ()
    befalls, place, expected, found = DAMAGES[name]
    befalls(filled)
    lies_there = contents(filled)
    (damage,) = verify(filled.again().warehouse).damages
    assert contents(filled) == lies_there
    assert (damage.table, damage.partition) == (f"{place.database}.{place.table}", place)
    assert expected in damage.expected
    assert found in damage.found
    assert "star-assets repair" in damage.remedy
    assert damage.is_repairable
    assert len(verify(filled.again().warehouse, quick=True).damages) == (name not in HIDDEN)
    assert [one.error for one in repaired(filled) if one.error] == []
    assert verify(filled.again().warehouse).damages == ()
    assert filled.sales() == before
    filled.again().run(*DAYS)
    assert filled.sales() == before
    assert verify(filled.again().warehouse).damages == ()


def test_several_damages_at_once_are_mended_here_and_on_s3(anywhere: Lake) -> None:
    """On S3 a copy on this machine must not hide what the bucket has lost."""
    before = anywhere.sales()
    for name in (
        "a bit flipped",
        "a staged file removed",
        "a dimension removed",
        "the key index removed",
        "a state's manifest corrupt",
    ):
        DAMAGES[name][0](anywhere)
    overwrite(anywhere, Partition("staging", "order_items", DAYS[0]).ledger, cut)
    assert len(verify(anywhere.again().warehouse).damages) == 6
    assert [one.error for one in repaired(anywhere) if one.error] == []
    assert verify(anywhere.again().warehouse).damages == ()
    assert anywhere.again().sales() == before


# What cannot be mended


def test_a_lost_staged_day_is_told_in_rows_and_money(filled: Lake) -> None:
    """Nothing may be said to be repaired that is not; and what was built of it is still there."""
    before = {path: found for path, found in contents(filled).items() if path.startswith("olap/")}
    file = file_of(filled, STAGED)
    content, _ = filled.warehouse.storage.read(file)
    remove(filled, file)
    shutil.move(filled.folder("orders", DAYS[0]), filled.root / "backup")
    (damage,) = verify(filled.again().warehouse).damages
    assert not damage.is_repairable
    assert damage.remedy.startswith(f"Lost: 1 row. The raw export, {filled.folder('orders', DAYS[0])}, is gone.")
    assert f"What was built of it stays: {WORTH}." in damage.remedy
    (told,) = repaired(filled)
    assert damage.remedy in told.error
    assert contents(filled).items() >= before.items()
    assert verify(filled.again().warehouse).damages == (damage,)
    shutil.move(filled.root / "backup", filled.folder("orders", DAYS[0]))
    assert [one.done for one in repaired(filled)] == ["staged again"]
    assert verify(filled.again().warehouse).damages == ()
    assert content == filled.warehouse.storage.read(file_of(filled, STAGED))[0]


def test_a_loss_can_be_accepted(filled: Lake) -> None:
    """A run of the day by name publishes what is there: nothing, and the fact's date follows."""
    remove(filled, file_of(filled, STAGED))
    filled.withdraw("orders", DAYS[0])
    assert filled.again().statuses("orders", DAYS[0]) == ["published"]
    filled.again().run(*DAYS)
    assert verify(filled.again().warehouse).damages == ()
    assert {row[0] for row in filled.sales()} == {DAYS[1]}


def test_a_date_that_needs_a_lost_day_is_told_with_its_money(filled: Lake) -> None:
    """To build it of less would be a wrong figure, quietly."""
    for partition in (STAGED, FACT):
        remove(filled, file_of(filled, partition))
    filled.withdraw("orders", DAYS[0])
    staged, fact = verify(filled.again().warehouse).damages
    assert (staged.is_repairable, fact.is_repairable) == (False, False)
    assert fact.remedy == f"Lost: {WORTH}. It needs orders 2023-07-01, which is lost too."
    assert [bool(one.error) for one in repaired(filled)] == [True, True]


def test_a_retired_day_that_is_lost_is_told_as_such(filled: Lake) -> None:
    """Its raw files were deleted because staging stood for them."""
    retire(filled.warehouse, timedelta(days=1), date(2023, 7, 3))
    remove(filled, file_of(filled, STAGED))
    (damage,) = verify(filled.again().warehouse).damages
    assert not damage.is_repairable
    assert "was retired" in damage.remedy
    assert "without its marker _retired" in damage.remedy


def test_the_ledger_of_retired_days_is_made_again_without_the_catalog(filled: Lake) -> None:
    """Nothing else says any more what was staged, and nothing could stage it again."""
    before = filled.sales()
    retire(filled.warehouse, timedelta(days=1), date(2023, 7, 3))
    overwrite(filled, STAGED.ledger, emptied)
    filled.warehouse.catalog.drop_table("staging", "orders")
    assert [one.error for one in repaired(filled) if one.error] == []
    assert verify(filled.again().warehouse).damages == ()
    filled.again().run(*DAYS)
    assert filled.sales() == before


def test_what_somebody_went_back_to_is_not_built_again_by_itself(filled: Lake) -> None:
    """It would undo the rollback."""
    filled.export("orders", DAYS[0], f"1,7,1,{DAYS[0]} 10:00:00,cancelled,{DAYS[0]} 11:00:00,U")
    filled.run(*DAYS)
    filled.warehouse.rollback("fact_sales", DAYS[0], None)
    remove(filled, file_of(filled, FACT))
    (damage,) = verify(filled.again().warehouse).damages
    assert not damage.is_repairable
    assert "star-assets rollback fact_sales --day 2023-07-01" in damage.remedy
    assert [bool(one.error) for one in repaired(filled)] == [True]


def test_a_catalog_that_cannot_be_read_is_one_damage(filled: Lake) -> None:
    """The rest of the lake is looked at all the same."""
    (filled.root / "_catalog" / "catalog.sqlite").write_bytes(b"no database, but as long as its header is" * 100)
    remove(filled, file_of(filled, FACT))
    catalog, fact = verify(filled.again().warehouse).damages
    assert (catalog.what, catalog.is_repairable) == ("catalog", False)
    assert "Remove it, and `star-assets repair`" in catalog.remedy
    assert fact.is_repairable


# While others work


def test_what_is_published_meanwhile_is_no_damage(filled: Lake, monkeypatch: pytest.MonkeyPatch) -> None:
    """A listing is older than the ledgers that it is held against."""
    warehouse = filled.again().warehouse
    walk, done = warehouse.storage.walk, list[str]()

    def late(prefix: str) -> Iterator[Any]:
        listed = list(walk(prefix))
        if prefix == "olap/fact_sales" and not done:
            done.append(prefix)
            filled.export("orders", DAYS[0], f"1,7,1,{DAYS[0]} 10:00:00,shipped,{DAYS[0]} 12:00:00,U")
            filled.export("order_items", DAYS[0], "1,1,5,7,10.00,")
            filled.again().run(*DAYS)
        return iter(listed)

    monkeypatch.setattr(warehouse.storage, "walk", late)
    assert verify(warehouse).damages == ()
    assert done


def test_a_repair_that_was_killed_is_finished_by_the_next(filled: Lake, monkeypatch: pytest.MonkeyPatch) -> None:
    """It leaves what was live as it was, and still damaged."""
    before = filled.sales()
    for name in ("a bit flipped", "a dimension removed", "the key index removed"):
        DAMAGES[name][0](filled)
    killed = filled.again().warehouse
    monkeypatch.setattr(killed, "refresh", lambda *_: (_ for _ in ()).throw(KeyboardInterrupt))
    with pytest.raises(KeyboardInterrupt):
        list(rebuild(killed))
    assert {one.partition for one in verify(filled.again().warehouse).damages} == {PRODUCT, FACT}
    assert [one.error for one in repaired(filled) if one.error] == []
    assert verify(filled.again().warehouse).damages == ()
    assert filled.sales() == before


def test_nobody_can_go_back_to_what_was_damaged(filled: Lake) -> None:
    """`rollback` without a version takes the one before the live one."""
    remove(filled, file_of(filled, FACT))
    repaired(filled)
    day = read_ledger(filled.warehouse.storage, FACT.ledger)[0].day(DAYS[0])
    assert day.past == ()


def test_facts_are_published_after_a_dimensions_ledger_was_made_again(filled: Lake) -> None:
    """Months are fenced by the sequence of the ledger that is lost: a lower one would close them for good."""
    storage = filled.warehouse.storage
    ledger, etag = read_ledger(storage, FACT.ledger)
    storage.swap(FACT.ledger, ledger.fenced("dim_product", 41).to_json(), etag)
    overwrite(filled, PRODUCT.ledger, cut)
    with pytest.raises(LedgerUnreadable):
        filled.again().refresh("dim_product", DAYS[0])
    assert [one.error for one in repaired(filled) if one.error] == []
    assert read_ledger(storage, PRODUCT.ledger)[0].sequence > 41
    filled.export("order_items", DAYS[0], "1,1,9,4,10.00,")
    filled.again().run(*DAYS)
    assert [row[2:4] for row in filled.sales() if row[0] == DAYS[0]] == [(9, 4)]


# What it costs


def test_a_quick_look_asks_for_listings_and_ledgers_alone(make_aws_lake: MakeLake) -> None:
    """A request a file would take minutes of a lake of years."""
    lake = fill(make_aws_lake(STAR))
    few = requests(lake)
    assert few["GetObject"] == few["ledgers"]
    days = [f"2023-07-{number:02}" for number in range(1, 5)]
    fill(lake, *days)
    assert requests(lake) == few


def requests(lake: Lake) -> dict[str, int]:
    """What a quick look sends to S3, by operation; and how many ledgers there are."""
    warehouse, found = lake.again().warehouse, dict[str, int]()
    storage: Any = warehouse.storage

    def count(model: Any, **_: Any) -> None:
        found[model.name] = found.get(model.name, 0) + 1

    storage.client().meta.events.register("before-call.s3", count)
    assert verify(warehouse, quick=True).damages == ()
    return {**found, "ledgers": sum("/_pointers/" in one.path for one in storage.walk(""))}
