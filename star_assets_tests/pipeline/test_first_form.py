"""Lakes of the first form, with a pointer a day: read as they are, and carried over month by month.

`first_form.tar.gz` is such a lake of the small shop, as the code of its time wrote
it: nine days in two months, a correction of an old date, a late product, a history,
a superseded member, a date that was rolled back, three retired days.
"""

from __future__ import annotations

import tarfile
from dataclasses import replace
from pathlib import Path

import pytest

from star_assets.lake.ledger import Ledger, read_ledger
from star_assets.lake.versions import Partition, read_manifest
from star_assets.model.errors import NewerLedger
from star_assets.pipeline.out_of_date import OutOfDate

from .conftest import Lake

ROLLED_BACK, NEW = "2023-07-03", "2023-08-03"


@pytest.fixture
def kept(tmp_path: Path) -> Lake:
    """The lake, unpacked to another place than it was made in; its catalog holds full paths, so it is mended."""
    with tarfile.open(Path(__file__).parent / "first_form.tar.gz") as packed:
        packed.extractall(tmp_path, filter="data")
    lake = Lake(tmp_path / "first-form")
    lake.warehouse.mend(list(lake.star.tables))
    return lake


def run(lake: Lake) -> dict[str, list[str]]:
    """What `star-assets run` publishes."""
    found = {}
    for table in lake.star.tables:
        lake.warehouse.catch_up(table)
        due = lake.warehouse.out_of_date(table)
        outcomes = lake.warehouse.refresh(table, [day for day in due.days if day not in due.rolled_back])
        found[table] = [outcome.day for outcome in outcomes if outcome.status == "published"]
    return {table: days for table, days in found.items() if days}


def test_nothing_is_due_or_frozen_and_a_run_publishes_nothing(kept: Lake) -> None:
    """An upgrade that built everything again would cost a night, and void what analysts have cached.

    Days that were staged from no folder, as products were, are missing now.
    """
    assert kept.warehouse.out_of_date("products").missing
    for table in kept.star.tables:
        found = kept.warehouse.out_of_date(table)
        rolled_back = table == "fact_sales"
        assert list(found.days) == ([ROLLED_BACK] if rolled_back else [])
        assert replace(found, missing=()) == OutOfDate(
            found.days, rolled_back=frozenset([ROLLED_BACK] if rolled_back else [])
        )
    before = {name: version for name, version in kept.live().items() if "/_" not in name}
    assert run(kept.again()) == {}
    assert {name: version for name, version in kept.live().items() if "/_" not in name} == before


def test_one_more_day_folds_one_export(kept: Lake) -> None:
    """The books go on from where they were."""
    kept.export("orders", NEW, f"99,10,5,{NEW} 10:00:00,placed,{NEW} 12:00:00,I")
    kept.export("order_items", NEW, "99,1,100,1,10,")
    kept.export("products", NEW)
    found = run(kept.again())
    assert found["fact_sales"] == [NEW]
    storage, live = kept.warehouse.storage, kept.live()
    books = [("products/_state", None), ("products/_versions", None), ("order_items/_used_product_id", None)]
    for table, day in [*books, ("orders/_index_ordered_at", "2023-08")]:
        partition = Partition("staging", table, day)
        folded = read_manifest(storage, partition, live[f"{table} {partition.name}"]).facts["folded"]
        assert folded == 1, table


def test_the_first_write_to_a_month_carries_its_days_over(kept: Lake) -> None:
    """And no other month; the day pointers stay, and count no more."""
    before = kept.warehouse.look("olap", "fact_sales").days
    kept.run(ROLLED_BACK, tables=["fact_sales"])
    folder = kept.root / "olap" / "fact_sales" / "_pointers"
    assert [file.name for file in folder.glob("2023-*.json")] == ["2023-07.json"]
    ledger, _ = read_ledger(kept.warehouse.storage, Partition("olap", "fact_sales", ROLLED_BACK).ledger)
    assert ledger.day(ROLLED_BACK).live != before[ROLLED_BACK].live
    others = {day: found for day, found in before.items() if day.startswith("2023-07") and day != ROLLED_BACK}
    assert {day: ledger.day(day) for day in others} == others
    (folder / f"date={ROLLED_BACK}.json").unlink()
    assert kept.again().warehouse.out_of_date("fact_sales").days == {}


def test_what_vacuum_and_rollback_need_is_there(kept: Lake) -> None:
    """Past versions are those of the pointers."""
    name = "fact_sales date=2023-07-02"
    before = kept.live()[name]
    kept.warehouse.rollback("fact_sales", "2023-07-02", None)
    assert kept.live()[name] < before
    kept.warehouse.rollback("fact_sales", "2023-07-02", before)
    assert kept.live()[name] == before
    assert kept.warehouse.vacuum().waiting > 0


def test_a_ledger_of_a_newer_form_is_refused_by_name(kept: Lake) -> None:
    """Code that does not know what it says must not write beside it."""
    partition = Partition("olap", "fact_sales", ROLLED_BACK)
    content = Ledger().to_json().replace(b'"format": 1', b'"format": 2')
    kept.warehouse.storage.write(partition.ledger, content)
    (outcome,) = kept.again().refresh("fact_sales", ROLLED_BACK)
    assert isinstance(outcome.error, NewerLedger)
    assert str(outcome.error).startswith(f"{kept.root}/{partition.ledger}: a newer version of star_assets")
