"""Provisional sales: what tills ring up is sold until an export has the receipt, and never both.

Random interleavings of all this are in test_any_order.
"""

from __future__ import annotations

import gzip
import json
import tarfile
from dataclasses import replace
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from star_assets.lake.catalog import NULL
from star_assets.model import Star
from star_assets.model.errors import UnknownPartition
from star_assets.pipeline.account import STAGED
from star_assets.rules.accounts import BY_EXPORT, CONFLICTING, DUPLICATE
from star_assets.star import dim_product, fact_sales, order_items, orders, products
from star_assets.star.facts import sales_from_tills
from star_assets.star.sources import pos_sales

from .conftest import Lake, MakeLake

FIRST, SECOND, THIRD = "2023-07-01", "2023-07-02", "2023-07-03"

tills = Star(
    sources=[orders, order_items, pos_sales, products],
    dimensions=[dim_product],
    facts=[replace(fact_sales, references={"product_id": dim_product})],
    provisional=[sales_from_tills],
)


def event(event_id: str, order_id: Any, day: str = FIRST, **changed: Any) -> dict[str, Any]:
    """A sale of two tents at 2.50, as a till tells it."""
    usual = {"event_type": "sale", "line_number": 1, "store_id": 3, "product_id": 7, "customer_id": None}
    money = {"quantity": 2, "unit_price": "2.50", "discount": None}
    return {"event_id": event_id, "order_id": order_id, **usual, "sold_at": f"{day}T12:00:00Z", **money, **changed}


def arrive(lake: Lake, day: str, hour: str, name: str, *events: dict[str, Any] | str, by: str = "\n") -> None:
    """One more object in an hour's folder, as Firehose writes it; without a delimiter, all events are in one line."""
    texts = [text if isinstance(text, str) else json.dumps(text) for text in events]
    folder = lake.folder("pos_sales", day) / f"hour={hour}"
    folder.mkdir(parents=True, exist_ok=True)
    (folder / name).write_bytes(gzip.compress(by.join(texts).encode()))


def order(order_id: int, day: str = FIRST, status: str = "shipped", op: str = "I") -> str:
    return f"{order_id},,3,{day} 12:00:00,{status},{day} 12:00:00,{op}"


def export(lake: Lake, day: str, *headers: str, items: tuple[str, ...] = ()) -> None:
    lake.export("orders", day, *headers)
    lake.export("order_items", day, *items)
    lake.export("products", day)


def bring_up_to_date(lake: Lake) -> None:
    """Refresh whatever is out of date, as the sensors do; nothing may fail."""
    for table in [*lake.star.tables, *lake.star.dimensions]:
        days = lake.warehouse.out_of_date(table).days
        assert [str(outcome.error) for outcome in lake.refresh(table, *days) if outcome.error] == []
    assert not any(lake.warehouse.out_of_date(fact).days for fact in lake.star.facts)


def sold(lake: Lake) -> list[tuple[str, str, str, bool]]:
    found = lake.rows("SELECT date, sale_id, revenue::VARCHAR, is_provisional FROM fact_sales ORDER BY ALL")
    days = lake.warehouse.account_days("fact_sales")
    assert lake.warehouse.reconcile("fact_sales", days).differing == []
    return found  # type: ignore[return-value]


def step(lake: Lake, name: str) -> tuple[int, Decimal]:
    """The rows and the revenue of one step of the account over all days."""
    totals = lake.warehouse.reconcile("fact_sales", lake.warehouse.account_days("fact_sales")).totals()[name]
    return totals["rows"], totals["revenue"]


@pytest.fixture
def lake(make_lake: MakeLake) -> Lake:
    return make_lake(tills)


def test_a_sale_is_provisional_until_its_order_is_exported(lake: Lake) -> None:
    """The whole of it: tills alone, at least once, late; the export; its withdrawal. To the cent all along."""
    arrive(lake, FIRST, "12", "a", event("a", 1), event("b", 2, quantity=1))
    bring_up_to_date(lake)
    assert sold(lake) == [(FIRST, "provisional:a", "5.0000", True), (FIRST, "provisional:b", "2.5000", True)]
    assert lake.rows("SELECT product_id, member_kind FROM dim_product ORDER BY 1") == [(-1, "unknown"), (7, "inferred")]
    (told,) = lake.warehouse.remarks("fact_sales", lake.warehouse.out_of_date("fact_sales"))
    assert FIRST in told
    assert "Exports of order_items and orders have yet to come" in told

    # The hour's folder grows; the same event comes again, a day later; one is voided; another one has b's id.
    arrive(lake, FIRST, "12", "b", event("void", 1, event_type="void", quantity=-2))
    arrive(lake, SECOND, "01", "c", event("a", 1), event("late", 3), event("b", 2, quantity=3), by="")
    bring_up_to_date(lake)
    assert sold(lake) == [
        (FIRST, "provisional:a", "5.0000", True),
        (FIRST, "provisional:b", "7.5000", True),
        (FIRST, "provisional:late", "5.0000", True),
        (FIRST, "provisional:void", "-5.0000", True),
    ]
    assert step(lake, DUPLICATE) == (-1, Decimal("-5.0000"))
    assert step(lake, CONFLICTING) == (-1, Decimal("-2.5000"))

    # Order 1 has another number of lines and another date than its receipt; order 3 is cancelled.
    lines = ("1,1,7,1,2.50,", "1,2,7,1,2.50,", "3,1,7,2,2.50,")
    export(lake, SECOND, order(1, SECOND), order(3, status="cancelled"), items=lines)
    bring_up_to_date(lake)
    final = [(SECOND, "1-1", "2.5000", False), (SECOND, "1-2", "2.5000", False)]
    assert sold(lake) == [(FIRST, "provisional:b", "7.5000", True), *final]
    assert step(lake, BY_EXPORT) == (-3, Decimal("-5.0000"))
    assert step(lake, STAGED)[1] == Decimal("29.5000") - Decimal("4.5000") + Decimal("5.0000")

    # A tombstone speaks of its receipt too.
    export(lake, THIRD, f"2,,,,,{THIRD} 12:00:00,D")
    bring_up_to_date(lake)
    assert sold(lake) == final

    # What is withdrawn says nothing any more.
    export(lake, THIRD)
    export(lake, SECOND)
    bring_up_to_date(lake)
    assert [sale for _, sale, *_ in sold(lake)] == [f"provisional:{name}" for name in ("a", "b", "late", "void")]


def test_what_is_rejected_or_not_whole_supersedes_nothing(lake: Lake) -> None:
    arrive(lake, FIRST, "12", "a", event("a", 1), event("b", 2))
    bring_up_to_date(lake)
    before = sold(lake)
    lake.write(
        "orders", FIRST, {"orders.csv": f"order_id,customer_id,store_id,ordered_at,status,updated_at\n{order(1)}"}
    )
    (lake.folder("orders", FIRST) / "_SUCCESS").unlink()
    lake.export("order_items", FIRST)
    lake.refresh("orders", FIRST)
    lake.refresh("fact_sales", FIRST)
    assert sold(lake) == before
    # Of a thousand rows and more one may be bad: it is no word of its receipt.
    good = [order(number) for number in range(100, 1200)]
    export(lake, FIRST, order(1, "no day"), *good)
    bring_up_to_date(lake)
    assert lake.manifest("orders", FIRST).facts["rejected"] == 1
    assert sold(lake) == before


def test_an_order_whose_lines_have_not_come_leaves_its_receipt_as_it_is(lake: Lake) -> None:
    """Or a sale would be gone from both until they do."""
    arrive(lake, FIRST, "12", "a", event("a", 1))
    bring_up_to_date(lake)
    lake.export("orders", SECOND, order(1, SECOND))
    lake.refresh("orders", SECOND)
    lake.refresh("fact_sales", FIRST, SECOND)
    assert [sale for _, sale, *_ in lake.sales()] == ["provisional:a"]
    assert FIRST in lake.warehouse.out_of_date("fact_sales").waiting


def test_bad_events_are_rejected_and_nothing_else_is_held_back(lake: Lake) -> None:
    later = [event("next year", 8, "2030-01-01"), event("long ago", 9, "1970-01-01")]
    bad = [event("no receipt", None), event("no moment", 5, sold_at=None), event("text", "seven")]
    arrive(lake, FIRST, "12", "a", event("a", 1), *bad, *later, '{"event_id": "half", "order_')
    arrive(lake, FIRST, "24", "b", event("in no hour", 6))
    (lake.folder("pos_sales", FIRST) / "stray.gz").write_bytes(b"")
    bring_up_to_date(lake)
    assert [sale for _, sale, *_ in lake.sales()] == ["provisional:a"]
    reasons = [reason for _, _, reason, _ in lake.rejects("pos_sales", FIRST)]
    assert len(reasons) == 4
    assert any("column order_id: no value, and it is the receipt, the key of orders" in reason for reason in reasons)
    found = lake.warehouse.out_of_date("pos_sales")
    assert [(stray.path.rpartition(FIRST)[2], stray.expected) for stray in found.strays] == [
        ("/hour=24/", "a folder hour=HH, from 00 to 23"),
        ("/stray.gz", "a folder hour=HH, from 00 to 23"),
    ]
    (told,) = [
        one for one in lake.warehouse.remarks("fact_sales", lake.warehouse.out_of_date("fact_sales")) if "2030" in one
    ]
    assert "1970-01-01" in told


def test_a_lake_without_a_stream_is_as_before(lake: Lake) -> None:
    export(lake, FIRST, order(1), items=("1,1,7,2,2.50,",))
    lake.run_as_is(FIRST, tables=["orders", "order_items", "products", *lake.star.dimensions, "fact_sales"])
    bring_up_to_date(lake)
    assert sold(lake) == [(FIRST, "1-1", "5.0000", False)]
    assert lake.warehouse.out_of_date("pos_sales").days == {}
    assert not any("pos_sales" in table for table in lake.live() if "_used" not in table)


def test_receipts_that_stay_provisional_are_found_with_their_money(lake: Lake) -> None:
    noon = datetime(2023, 7, 1, 12, tzinfo=UTC)
    voided = [event("c", 2), event("d", 2, event_type="void", quantity=-2)]
    arrive(lake, FIRST, "12", "a", event("a", 1), event("b", 1, product_id=8), *voided, event("e", 3, SECOND))
    bring_up_to_date(lake)
    assert lake.warehouse.provisional_receipts("fact_sales", noon) == []
    (found,) = lake.warehouse.provisional_receipts("fact_sales", noon.replace(hour=13))
    assert (found["order_id"], found["rows"], found["revenue"]) == (1, 2, Decimal("10.0000"))
    # Members that the rows of a receipt do not share are not those of the receipt.
    assert found["product_id"] is None


def test_the_date_that_loses_a_receipt_is_published_first(lake: Lake) -> None:
    """A reader of both dates may miss the sale between two swaps, and never sees it twice."""
    arrive(lake, FIRST, "12", "a", event("a", 1), event("b", 2, SECOND))
    bring_up_to_date(lake)
    export(lake, SECOND, order(1, SECOND), items=("1,1,7,2,2.50,",))
    lake.run_as_is(SECOND, tables=["orders", "order_items", "products", *lake.star.dimensions])
    seen = []
    for outcome in lake.warehouse.refresh("fact_sales", [SECOND, FIRST]):
        seen.append((outcome.day, [sale for _, sale, *_ in lake.sales()]))
    assert seen == [(FIRST, ["provisional:b"]), (SECOND, ["1-1", "provisional:b"])]

    # Who asks for the other date alone gets both, in this order.
    export(lake, THIRD, order(2, THIRD), items=("2,1,7,2,2.50,",))
    lake.run_as_is(THIRD, tables=["orders", "order_items", "products", *lake.star.dimensions])
    assert [outcome.day for outcome in lake.refresh("fact_sales", THIRD)] == [THIRD]
    assert [sale for _, sale, *_ in sold(lake)] == ["1-1", "2-1"]


def test_an_hour_that_grows_is_staged_again_and_no_other(lake: Lake) -> None:
    arrive(lake, FIRST, "12", "a", event("a", 1))
    arrive(lake, FIRST, "13", "b", event("b", 2))
    bring_up_to_date(lake)
    before = lake.warehouse.staged(pos_sales)
    assert list(before) == [f"{FIRST}T12", f"{FIRST}T13"]
    arrive(lake, FIRST, "13", "c", event("c", 3))
    bring_up_to_date(lake)
    after = lake.warehouse.staged(pos_sales)
    assert [hour for hour in after if after[hour] != before[hour]] == [f"{FIRST}T13"]
    served = lake.warehouse.catalog.partitions("staging", "pos_sales")
    assert [(*one.values, one.parameters["rows"]) for one in served] == [(FIRST, "12", "1"), (FIRST, "13", "2")]
    assert lake.manifest("pos_sales", FIRST).rows == 3


def test_one_hour_goes_back_to_its_earlier_version(lake: Lake) -> None:
    arrive(lake, FIRST, "12", "a", event("a", 1))
    arrive(lake, FIRST, "13", "b", event("b", 2))
    bring_up_to_date(lake)
    arrive(lake, FIRST, "13", "c", event("c", 3))
    bring_up_to_date(lake)
    with pytest.raises(UnknownPartition, match=f"expected an hour: {FIRST}T12, {FIRST}T13"):
        lake.warehouse.rollback("pos_sales", FIRST, None)
    lake.warehouse.rollback("pos_sales", f"{FIRST}T13", None)
    lake.refresh("fact_sales", FIRST)
    assert [sale for _, sale, *_ in lake.sales()] == ["provisional:a", "provisional:b"]
    due = lake.warehouse.out_of_date("pos_sales")
    assert due.rolled_back == {FIRST}


def test_days_that_were_staged_as_one_export_are_read_and_give_way_to_their_hours(tmp_path: Path) -> None:
    """`days_of_tills.tar.gz` is a lake as it was before hours were exports, with two days; the first is retired.

    The raw files of the first are gone, so its version is the only copy and stays. The
    second is staged by hours, which take the place of the day in the same swap.
    """
    with tarfile.open(Path(__file__).parent / "days_of_tills.tar.gz") as packed:
        packed.extractall(tmp_path, filter="data")
    lake = Lake(tmp_path / "days-of-tills", tills)
    lake.warehouse.mend(list(lake.star.tables))
    of_days = sold(lake)
    assert len(of_days) == 4 and list(lake.warehouse.staged(pos_sales)) == [FIRST, SECOND]
    bring_up_to_date(lake)
    assert list(lake.warehouse.staged(pos_sales)) == [FIRST, f"{SECOND}T12", f"{SECOND}T13"]
    assert sold(lake) == of_days
    assert lake.rows("SELECT count(*) FROM pos_sales") == [(4,)]

    # A retired day that is asked for by name keeps its version.
    assert lake.statuses("pos_sales", FIRST) == ["unchanged"]
    arrive(lake, SECOND, "13", "c", event("c", 3))
    bring_up_to_date(lake)
    assert len(sold(lake)) == 5
    (found,) = [one for one in lake.warehouse.catalog.partitions("staging", "pos_sales") if one.values[0] == FIRST]
    assert found.values == (FIRST, NULL)
