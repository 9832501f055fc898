"""What is out of date: told without building anything, and always what a refresh then builds."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from datetime import date, timedelta

import pytest
from hypothesis import given, settings

from star_assets.keeping.retire import retire
from star_assets.lake.local_storage import LocalStorage
from star_assets.pipeline.out_of_date import OutOfDate, remarks, rows_outside
from star_assets.star import fact_sales, orders

from .conftest import reads
from .retailers import DAYS as FOUR_DAYS
from .retailers import FEW, SEEDS, arrive, history, shop

D1, D2, D3 = DAYS = ["2023-07-01", "2023-07-02", "2023-07-03"]


def order(number: int, sold: str, exported: str, status: str = "placed") -> str:
    return f"{number},10,5,{sold} 10:00:00,{status},{exported} 12:00:00,I"


def line(number: int) -> str:
    return f"{number},1,100,1,10,"


def bring_up_to_date(lake) -> dict[str, list[str]]:
    """What `star-assets run` does: refresh what is out of date, table by table. The days of each table."""
    found: dict[str, list[str]] = {}
    for table in lake.star.tables:
        days = list(lake.warehouse.out_of_date(table).days)
        lake.run(*days, tables=[table])
        if days:
            found[table] = days
    return found


@pytest.fixture
def filled(lake):
    """Three days with one order each, all of it published."""
    for number, day in enumerate(DAYS, 1):
        lake.export("orders", day, order(number, day, day))
        lake.export("order_items", day, line(number))
    lake.export("products", D1, "100,Tent,Outdoor,Acme,19.99,2023-07-01 00:00:00")
    lake.export("products", D3)
    bring_up_to_date(lake)
    return lake


@pytest.mark.parametrize("lines", ["complete", "changed"])
@settings(FEW, max_examples=2)
@given(seed=SEEDS)
def test_what_is_out_of_date_is_what_a_refresh_publishes(make_lake, lines: str, seed: int) -> None:
    """Two answers to one question: were they to differ, a date would be forgotten, or built for ever."""
    arrived = history(lines, seed)
    lake = make_lake(shop(lines))
    for group in arrived.groups:
        # A withdrawal is told, and left to people.
        arrive(lake, arrived.contents, [arrival for arrival in group if arrival[2] is not None])
        for source in lake.star.sources:
            lake.run(*lake.warehouse.out_of_date(source).days, tables=[source])
        for table in ("dim_product", "dim_product_history", "fact_sales"):
            told = lake.again().warehouse.out_of_date(table)
            asked = sorted({*told.days, *FOUR_DAYS})
            outcomes = lake.refresh(table, *asked)
            if table == "fact_sales":
                assert {o.day for o in outcomes if o.status == "published"} == set(told.days)
                assert {o.day for o in outcomes if o.status == "failed"} >= set(told.waiting)
            else:
                assert bool(told.days) == any(o.status == "published" for o in outcomes)
            assert not lake.warehouse.out_of_date(table).days


def test_nothing_is_out_of_date_once_all_was_refreshed(filled) -> None:
    """And another process sees the same."""
    assert bring_up_to_date(filled.again()) == {}
    assert {table: days for table, days in filled.live().items() if table.startswith("fact")}


def test_a_correction_concerns_its_business_date_alone(filled) -> None:
    """Exported on day 3, sold on day 1: nobody else knows that day 1 has to be built."""
    filled.export("orders", D3, order(3, D3, D3), order(1, D1, D3, "cancelled"))
    filled.export("order_items", D3, line(3), line(1))
    found = bring_up_to_date(filled)
    assert found["orders"] == found["order_items"] == [D3]
    assert found["fact_sales"] == [D1, D3]
    assert [sale[0] for sale in filled.sales()] == [D2, D3]


def test_a_date_whose_rows_all_moved_becomes_an_empty_one(filled) -> None:
    """The sale would be there twice otherwise."""
    filled.export("orders", D3, order(3, D3, D3), order(1, D2, D3))
    filled.export("order_items", D3, line(3), line(1))
    assert bring_up_to_date(filled)["fact_sales"] == DAYS
    assert filled.manifest("fact_sales", D1).rows == 0
    assert [sale[:2] for sale in filled.sales()] == [(D2, "1-1"), (D2, "2-1"), (D3, "3-1")]


def test_a_sale_after_the_last_export_day_has_its_partition(filled) -> None:
    """Shops that close after midnight, in a zone west of the export's."""
    later = "2023-07-09"
    filled.export("orders", D3, order(3, later, D3))
    assert bring_up_to_date(filled)["fact_sales"] == [D3, later]
    assert [sale[0] for sale in filled.sales()] == [D1, D2, later]
    filled.export("orders", D3, order(3, D3, D3))
    assert bring_up_to_date(filled)["fact_sales"] == [D3, later], "nothing of that day is known any more"
    assert filled.manifest("fact_sales", later).rows == 0
    assert bring_up_to_date(filled) == {}


@pytest.mark.parametrize("where", ["2023-06-30", "1970-01-01", str(date.today() + timedelta(days=30))])
def test_rows_of_dates_that_are_no_partitions_are_told(filled, where: str) -> None:
    """They are in no table; a user who is not told believes the totals."""
    filled.export("orders", D2, order(2, D2, D2), order(8, where, D2), order(9, where, D2))
    filled.export("order_items", D2, line(2), line(8), line(9))
    bring_up_to_date(filled)
    found = filled.warehouse.out_of_date("fact_sales")
    assert (list(found.days), found.outside) == ([], (where,))
    assert rows_outside(filled.warehouse, fact_sales, found.outside) == 2
    (told,) = remarks(filled.warehouse, filled.star.table("fact_sales"), found)
    assert f"2 rows are in no partition, because of their dates: {where}" in told


def test_a_corrected_date_is_told_no_more(filled) -> None:
    """Its key once had that date; a warning for ever would be read by nobody."""
    filled.export("orders", D2, order(2, "1970-01-01", D2))
    bring_up_to_date(filled)
    filled.export("orders", D3, order(3, D3, D3), order(2, D2, D3))
    filled.export("order_items", D3, line(3), line(2))
    bring_up_to_date(filled)
    found = filled.warehouse.out_of_date("fact_sales")
    assert remarks(filled.warehouse, filled.star.table("fact_sales"), found) == []
    assert [sale[0] for sale in filled.sales()] == DAYS


def test_a_date_waits_for_the_lines_of_its_orders(filled) -> None:
    """Half a day is not built; it is not forgotten either."""
    filled.export("orders", "2023-07-04", order(2, D2, "2023-07-04"))
    bring_up_to_date(filled)
    found = filled.warehouse.out_of_date("fact_sales")
    assert (list(found.days), list(found.waiting)) == ([], [D2])
    assert "order_items 2023-07-04" in str(found.waiting[D2])
    filled.export("order_items", "2023-07-04", line(2))
    assert bring_up_to_date(filled)["fact_sales"] == [D2, "2023-07-04"]


def test_exports_that_vanished_stay_until_their_day_is_refreshed(filled) -> None:
    """A raw zone that was cleaned up must not empty the tables."""
    before = filled.sales()
    for source in ("orders", "order_items"):
        filled.withdraw(source, D2)
    found = filled.warehouse.out_of_date("orders")
    assert (list(found.days), found.withdrawn) == ([], (D2,))
    assert "`star-assets run orders --from 2023-07-02 --to 2023-07-02` withdraws" in " ".join(
        remarks(filled.warehouse, filled.star.table("orders"), found)
    )
    assert bring_up_to_date(filled) == {}
    assert filled.sales() == before
    filled.run(D2, tables=["orders", "order_items"])
    assert filled.warehouse.out_of_date("orders").withdrawn == ()
    assert bring_up_to_date(filled)["fact_sales"] == [D2]
    assert [sale[0] for sale in filled.sales()] == [D1, D3]


def test_a_source_that_exports_nothing_holds_up_nothing(lake) -> None:
    """Products that nobody describes are inferred; a shop need not export them to see its sales."""
    lake.export("orders", D1, order(1, D1, D1))
    lake.export("order_items", D1, line(1))
    bring_up_to_date(lake)
    assert len(lake.sales()) == 1
    assert bring_up_to_date(lake) == {}


def test_exports_before_the_start_date_are_told(filled) -> None:
    filled.export("orders", "2023-06-30", order(7, "2023-06-30", "2023-06-30"))
    found = filled.warehouse.out_of_date("orders")
    assert (list(found.days), found.outside) == ([], ("2023-06-30",))
    assert "1 export is from before STAR_START_DATE" in remarks(filled.warehouse, filled.star.table("orders"), found)[0]


def test_a_copied_raw_zone_is_not_out_of_date(filled) -> None:
    """Other times and the same content, as after a move to another disk: `status` must not cry wolf."""
    file = filled.folder("orders", D1) / "orders.csv"
    content = file.read_bytes()
    file.unlink()
    file.write_bytes(content)
    assert list(filled.warehouse.out_of_date("orders").days) == []
    file.write_bytes(content.replace(b"placed", b"packed"))
    assert list(filled.warehouse.out_of_date("orders").days) == [D1]


def test_changed_code_makes_exports_out_of_date(filled) -> None:
    """The files are the same, what is read from them is not."""
    changed = filled.again(compression="snappy")
    assert list(changed.warehouse.out_of_date("orders").days) == DAYS
    assert list(changed.warehouse.out_of_date("dim_product").days) == [D3]
    assert list(changed.warehouse.out_of_date("fact_sales").days) == DAYS


def test_a_rollback_is_told_from_a_change(filled) -> None:
    """Whoever went back on purpose must not find it undone by a sensor; what changes back and forth is no rollback."""
    warehouse = filled.warehouse
    filled.export("order_items", D2, "2,1,100,7,10,")
    bring_up_to_date(filled)
    warehouse.rollback("fact_sales", D2, None)
    found = warehouse.out_of_date("fact_sales")
    assert list(found.days) == [D2] and found.rolled_back == {D2}
    filled.export("order_items", D2, "2,1,100,9,10,")
    filled.run(D2, tables=["order_items"])
    assert warehouse.out_of_date("fact_sales").rolled_back == set(), "the inputs are others now"
    bring_up_to_date(filled)
    filled.export("order_items", D2, "2,1,100,7,10,")
    filled.run(D2, tables=["order_items"])
    found = warehouse.out_of_date("fact_sales")
    assert list(found.days) == [D2] and found.rolled_back == set()


class CountingStorage(LocalStorage):
    """A local lake that remembers what was read."""

    def __init__(self, *arguments: object) -> None:
        super().__init__(*arguments)  # type: ignore[arg-type]
        self.read_paths: list[str] = []

    def read(self, path: str) -> tuple[bytes, str]:
        self.read_paths.append(path)
        return super().read(path)

    def taken(self) -> Iterator[str]:
        """The paths that were read since the last call."""
        while self.read_paths:
            yield self.read_paths.pop(0)


def test_who_asks_again_reads_only_what_changed(filled) -> None:
    """A sensor asks every minute; on a lake of a thousand days it must not read a thousand pointers."""
    lake = filled.again()
    lake.warehouse.storage = storage = CountingStorage(lake.root)
    for table in lake.star.tables:
        lake.warehouse.out_of_date(table)
    cold = list(storage.taken())
    assert [path for path in cold if "/fact_sales/" in path and "/_" not in path.partition("fact_sales")[2][:2]] == []
    assert cold.count("olap/fact_sales/_pointers/2023-07.json") == 1
    for table in lake.star.tables:
        lake.warehouse.out_of_date(table)
    assert list(storage.taken()) == []
    filled.export("order_items", D2, "2,1,100,7,10,")
    filled.run(D2, tables=["order_items"])
    assert list(lake.warehouse.out_of_date("fact_sales").days) == [D2]
    assert list(storage.taken()) == ["staging/order_items/_pointers/2023-07.json"]


def test_a_look_reads_no_manifest_of_a_day_and_writes_nothing(filled) -> None:
    """Ten years of days are 3,650 manifests; and whoever only looks must not need the right to write."""
    lake = filled.again()
    lake.warehouse.storage = storage = CountingStorage(lake.root)
    filled.export("order_items", D2, "2,1,100,7,10,")
    filled.run(D2, tables=["order_items"])
    before = {path: path.stat().st_mtime_ns for path in filled.root.rglob("*")}
    found = {table: list(lake.warehouse.out_of_date(table).days) for table in lake.star.tables}
    assert {table: days for table, days in found.items() if days} == {"fact_sales": [D2]}
    manifests = [path for path in storage.taken() if path.endswith("_manifest.json")]
    assert [path for path in manifests if "/_" not in path.rpartition("/v=")[0]] == []
    assert {path: path.stat().st_mtime_ns for path in filled.root.rglob("*")} == before


def test_a_lost_version_of_an_export_is_staged_again(filled) -> None:
    (folder,) = filled.root.rglob(f"v={filled.manifest('orders', D2).version}")
    shutil.rmtree(folder)
    outcomes = filled.again().refresh("orders", *DAYS)
    assert [outcome.day for outcome in outcomes if outcome.status == "published"] == [D2]


def test_retired_exports_are_neither_out_of_date_nor_withdrawn(filled) -> None:
    """Their files were deleted on purpose; what another declaration made of them is told."""
    retire(filled.warehouse, timedelta(days=1), date.fromisoformat("2023-07-05"))
    assert bring_up_to_date(filled.again()) == {}
    assert filled.warehouse.out_of_date("orders") == OutOfDate()
    found = filled.again(compression="snappy").warehouse.out_of_date("orders")
    assert (list(found.days), found.frozen) == ([], (D1, D2, D3))
    assert "3 days are as an earlier declaration staged it" in remarks(filled.warehouse, orders, found)[0]


def test_a_date_reads_the_exports_that_it_needs_and_no_others(filled, monkeypatch: pytest.MonkeyPatch) -> None:
    """Counted where files are opened: a date of a lake of years must not read years."""
    filled.export("orders", D3, order(3, D3, D3), order(1, D1, D3))
    filled.export("order_items", D3, line(3), line(1))
    filled.run(D3, tables=["orders", "order_items", "products", "dim_product", "dim_product_history"])
    # The key index is brought up to date first: an export that was replaced is indexed again with its month.
    filled.again().warehouse.catch_up("fact_sales")
    assert list(filled.again().warehouse.out_of_date("fact_sales").days) == [D1, D3]
    read = reads(monkeypatch, lambda path: "/v=" in path and "/_" not in path)
    filled.again().run(D1, tables=["fact_sales"])
    staged = {tuple(path.split("/")[1:3]) for path in read if path.startswith("staging/")}
    assert staged == {(source, f"date={day}") for source in ("orders", "order_items") for day in (D1, D3)}
