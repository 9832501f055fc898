"""What becomes of bad events, as docs/streams.md has it: each is told, and none is lost.

Not here: what Firehose and a gateway refuse (test_firehose, test_gateway).
"""

from __future__ import annotations

import gzip
import json
from collections.abc import Iterator
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import pytest

from star_assets.athena.embedded import EmbeddedAthena
from star_assets.pipeline.rejects import rejected_rows
from star_assets.pipeline.warehouse import Warehouse
from star_assets.samples.retailer import write_exports
from star_assets.settings import Settings
from star_assets.star import retail

from ..conftest import FIRST

DAY = "2023-07-02"

# One worker makes the lake.
pytestmark = pytest.mark.xdist_group("bad-events")

NEXT_YEAR = f"{date.today() + timedelta(days=366)}"


def event(event_id: str, **values: Any) -> bytes:
    usual = {
        "event_id": event_id,
        "event_type": "sale",
        "order_id": 900_000 + len(event_id),
        "line_number": 1,
        "store_id": 1,
        "product_id": 3,
        "customer_id": None,
        "sold_at": f"{DAY}T12:00:00Z",
        "quantity": 1,
        "unit_price": "10.00",
        "discount": None,
    }
    return json.dumps({**usual, **values}).encode()


class Tills:
    """A lake with one day of exports, and objects of events."""

    def __init__(self, root: Path) -> None:
        self.root = root
        write_exports(root, FIRST, 1, orders_per_day=20)
        self.warehouse = Warehouse(retail, Settings(lake=str(root), start_date=FIRST))

    def put(self, hour: str, name: str, content: bytes) -> Path:
        file = self.root / "oltp" / "pos_sales" / f"date={DAY}" / f"hour={hour}" / f"{name}.jsonl.gz"
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_bytes(content)
        return file

    def run(self) -> dict[str, str]:
        """What failed, by table."""
        failed = {}
        for table in retail.tables:
            due = self.warehouse.out_of_date(table).days
            for outcome in self.warehouse.refresh(table, due, undo_rollbacks=False):
                if outcome.error:
                    failed[table] = str(outcome.error)
        return failed

    def sales(self) -> dict[str, tuple[str, int]]:
        """The business date and the store of each event in the fact."""
        sql = "SELECT sale_id, date, store_id FROM fact_sales WHERE is_provisional"
        rows = EmbeddedAthena(self.warehouse.storage, self.warehouse.catalog).query(sql).table.to_pylist()
        return {row["sale_id"].removeprefix("provisional:"): (row["date"], row["store_id"]) for row in rows}


@pytest.fixture(scope="module")
def tills(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Tills]:
    """A lake into which one object of each kind was delivered, and then built."""
    made = Tills(tmp_path_factory.mktemp("bad") / "lake")
    last_order = int((made.root / f"oltp/orders/date={FIRST}/orders.csv").read_text().splitlines()[-1].split(",")[0])
    half = event("half")
    objects = {
        "09": event("good") + b"\n",
        "10": event("before") + b"\n" + half[: len(half) // 2],
        "11": event("one") + event("two"),
        "12": b"\n".join(
            [
                event("next_year", sold_at=f"{NEXT_YEAR}T12:00:00Z"),
                event("1970", sold_at="1970-01-01T00:00:00Z"),
                event("store", store_id=999),
                event("no_receipt", order_id=None),
                event("large", note="x" * 10_000_000),
                event("exported", order_id=last_order),
            ]
        ),
        "24": event("never"),
    }
    for hour, content in objects.items():
        made.put(hour, "object", gzip.compress(content))
    assert made.run() == {}
    yield made


def test_good_events_beside_bad_ones_are_sales(tills: Tills) -> None:
    """Half an object, several in a line, ten megabytes; and a store that no export describes."""
    sales = tills.sales()
    assert {name: sales[name] for name in ("good", "before", "one", "two", "large")} == dict.fromkeys(
        ("good", "before", "one", "two", "large"), (DAY, 1)
    )
    assert sales["store"] == (DAY, 999)


def test_what_is_no_event_is_rejected_with_the_reason(tills: Tills) -> None:
    found = rejected_rows(tills.warehouse, [retail.sources["pos_sales"]], lambda day: day == DAY).to_pylist()
    rejects = {row["file"].partition("hour=")[2]: row for row in found}
    assert rejects.keys() == {"10/object.jsonl.gz", "12/object.jsonl.gz"}
    assert "expected a JSON object" in rejects["10/object.jsonl.gz"]["reason"]
    assert rejects["10/object.jsonl.gz"]["line"] == 2
    assert "order_id: no value" in rejects["12/object.jsonl.gz"]["reason"]


def test_events_of_impossible_dates_are_staged_and_told(tills: Tills) -> None:
    assert not {"1970", "next_year"} & tills.sales().keys()
    found = tills.warehouse.out_of_date("fact_sales")
    told = " ".join(tills.warehouse.remarks("fact_sales", found))
    assert f"2 rows are in no partition, because of their dates: 1970-01-01, {NEXT_YEAR}" in told


def test_an_hour_that_no_day_has_is_told(tills: Tills) -> None:
    assert "never" not in tills.sales()
    found = tills.warehouse.out_of_date("pos_sales")
    assert any("hour=24" in remark for remark in tills.warehouse.remarks("pos_sales", found))


def test_an_event_that_comes_after_its_receipts_export_is_superseded(tills: Tills) -> None:
    assert "exported" not in tills.sales()


def test_every_raw_event_is_accounted_for(tills: Tills) -> None:
    account = tills.warehouse.reconcile("fact_sales", [DAY, str(FIRST)])
    assert account.differing == []
    assert account.days[DAY]["raw"]["rows"] == 11


def test_a_gzip_that_ends_early_leaves_what_was_live(tills: Tills) -> None:
    """And when it is taken away, what came beside it is a sale."""
    before = tills.sales()
    events = b"\n".join(event(f"cut {number}", discount=f"0.{number}") for number in range(1000))
    cut = tills.put("13", "cut", gzip.compress(events)[:-500])
    tills.put("13", "other", gzip.compress(event("other")))
    assert "the gzip stream ends early" in tills.run()["pos_sales"]
    assert tills.sales() == before
    cut.unlink()
    assert tills.run() == {}
    assert tills.sales().keys() == before.keys() | {"other"}
