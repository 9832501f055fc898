"""The sample retailer: the same exports every time, with what real ones hold."""

from __future__ import annotations

import csv
import gzip
import io
import json
import re
from collections import defaultdict
from datetime import date
from pathlib import Path

import pytest

from star_assets.exports.grammar import pattern
from star_assets.model import Type
from star_assets.model.errors import BadSetting
from star_assets.samples.catalogue import LATE_BY_DAYS, LATE_PRODUCT, NEVER_DESCRIBED
from star_assets.samples.retailer import TYPED_ON, TYPED_QUANTITY, write_exports
from star_assets.star import retail

FIRST = date(2023, 7, 1)
DAYS = 14

Row = dict[str, str]


@pytest.fixture(scope="module")
def lake(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("lake")
    write_exports(folder, FIRST, DAYS, orders_per_day=300)
    return folder


def contents(folder: Path) -> dict[str, bytes]:
    return {str(file.relative_to(folder)): file.read_bytes() for file in folder.rglob("*") if file.is_file()}


def times(folder: Path) -> dict[Path, int]:
    return {file: file.stat().st_mtime_ns for file in folder.rglob("*")}


def rows_of(file: Path) -> list[Row]:
    content = gzip.decompress(file.read_bytes()) if file.suffix == ".gz" else file.read_bytes()
    if ".json" in file.name:
        parsed = json.loads(content) if file.suffix == ".json" else [json.loads(line) for line in content.splitlines()]
        return [{name: "" if value is None else str(value) for name, value in row.items()} for row in parsed]
    return list(csv.DictReader(io.StringIO(content.decode(), newline="")))


def read(lake: Path, source: str) -> dict[str, list[Row]]:
    """A source's rows by export day."""
    found: defaultdict[str, list[Row]] = defaultdict(list)
    for file in sorted((lake / "oltp" / source).rglob("*.*")):
        found[file.parent.name.removeprefix("date=")] += rows_of(file)
    return found


def every(lake: Path, source: str) -> list[Row]:
    return [row for rows in read(lake, source).values() for row in rows]


@pytest.mark.parametrize("source", [name for name, source in retail.sources.items() if not source.is_stream])
def test_each_source_has_a_whole_export_each_day(lake: Path, source: str) -> None:
    """The pipeline waits for the marker: a day without one would never be staged."""
    days = sorted((lake / "oltp" / source).iterdir())
    assert len(days) == DAYS
    assert all((day / "_SUCCESS").exists() and len(list(day.iterdir())) > 1 for day in days)


def test_it_returns_the_number_of_rows(tmp_path: Path) -> None:
    rows = write_exports(tmp_path, FIRST, 2, orders_per_day=20)
    assert rows == sum(len(every(tmp_path, source)) for source in retail.sources)


def test_more_days_leave_the_first_ones_alone(tmp_path: Path) -> None:
    """A lake that grows by a day must not find its past changed."""
    write_exports(tmp_path / "short", FIRST, 3, orders_per_day=20)
    write_exports(tmp_path / "long", FIRST, 5, orders_per_day=20)
    short, long = contents(tmp_path / "short"), contents(tmp_path / "long")
    assert short.items() < long.items()


def test_running_again_changes_nothing(tmp_path: Path) -> None:
    """A touched file would be seen as a new export and staged again."""
    write_exports(tmp_path, FIRST, 2, orders_per_day=20)
    before = times(tmp_path)
    write_exports(tmp_path, FIRST, 2, orders_per_day=20)
    assert times(tmp_path) == before


def test_another_seed_is_another_retailer(tmp_path: Path) -> None:
    write_exports(tmp_path / "a", FIRST, 1, orders_per_day=20, seed=1)
    write_exports(tmp_path / "b", FIRST, 1, orders_per_day=20, seed=2)
    assert contents(tmp_path / "a") != contents(tmp_path / "b")


def test_an_interrupted_export_is_completed(tmp_path: Path) -> None:
    """A kill between two files leaves an export without marker; the next run must mend it."""
    write_exports(tmp_path, FIRST, 1, orders_per_day=20)
    whole = contents(tmp_path)
    broken = tmp_path / "oltp" / "orders" / f"date={FIRST}"
    (broken / "_SUCCESS").unlink()
    (broken / "orders.csv").write_text("order_id")
    write_exports(tmp_path, FIRST, 1, orders_per_day=20)
    assert contents(tmp_path) == whole


@pytest.mark.parametrize("orders_per_day", [1, 3])
def test_the_smallest_retailer_exports_too(tmp_path: Path, orders_per_day: int) -> None:
    """From its very first day, with hardly a customer."""
    assert write_exports(tmp_path, date(2015, 3, 2), 10, orders_per_day=orders_per_day) > 10
    placed = [row["order_id"] for row in every(tmp_path, "orders") if row["op"] == "I"]
    assert len(set(placed)) == len(placed)


def test_days_before_the_first_store_are_refused(tmp_path: Path) -> None:
    with pytest.raises(BadSetting, match="2015-03-02 or later"):
        write_exports(tmp_path, date(2015, 3, 1), 1)
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize("source", retail.sources.values(), ids=lambda source: source.name)
def test_every_value_is_valid(lake: Path, source) -> None:  # type: ignore[no-untyped-def]
    """What is rejected is one line, of a later day."""
    for row in every(lake, source.name):
        for name, column in source.declared.items():
            valid = pattern(Type.parse(column.type))
            assert not row[name] or valid is None or re.fullmatch(valid, row[name]), (name, row)
        if row.get("op") != "D":
            assert all(row[name] for name in source.required_values), row


@pytest.mark.parametrize("orders_per_day, typed", [(500, 1), (200, 0)])
def test_one_line_of_a_large_export_is_no_valid_one(tmp_path: Path, orders_per_day: int, typed: int) -> None:
    """The demo has a reject to look at; in a small export it would be too many, and the day would be refused."""
    write_exports(tmp_path, TYPED_ON, 1, orders_per_day=orders_per_day)
    lines = every(tmp_path, "order_items")
    assert sum(line["quantity"] == TYPED_QUANTITY for line in lines) == typed
    assert typed <= len(lines) * retail.sources["order_items"].max_rejects


def test_an_exported_order_comes_with_all_its_lines(lake: Path) -> None:
    """`lines="complete"`: a header without its lines would lose sales, a line without header too."""
    headers, lines = read(lake, "orders"), read(lake, "order_items")
    for day in headers:
        exported = {row["order_id"] for row in headers[day] if row["op"] != "D"}
        assert exported == {row["order_id"] for row in lines[day]}


def test_an_order_is_exported_once_a_day_with_a_growing_version(lake: Path) -> None:
    versions: dict[str, str] = {}
    for rows in read(lake, "orders").values():
        assert len({row["order_id"] for row in rows}) == len(rows)
        for row in rows:
            assert row["updated_at"] > versions.get(row["order_id"], "")
            versions[row["order_id"]] = row["updated_at"]


def test_orders_have_the_lives_that_real_ones_have(lake: Path) -> None:
    """The shares that the demo's pipeline has to handle: cancellations, returns, guests, late ones."""
    exports = read(lake, "orders")
    last = {row["order_id"]: row for rows in exports.values() for row in rows}
    late = [r for day, rows in exports.items() for r in rows if r["op"] == "I" and r["ordered_at"][:10] != day]

    def share(rows: int) -> float:
        return rows / len(last)

    assert 0.02 < share(sum(row["status"] == "cancelled" for row in last.values())) < 0.04
    assert 0.01 < share(sum(row["status"] == "returned" for row in last.values())) < 0.03
    assert 0.003 < share(sum(not row["status"] and row["op"] != "D" for row in last.values())) < 0.02
    assert 0.05 < share(sum(not row["customer_id"] for row in last.values())) < 0.11
    assert 0.005 < share(len(late)) < 0.03
    assert any(row["op"] == "D" for row in last.values())


def test_returns_are_negative_and_only_they(lake: Path) -> None:
    returned = {row["order_id"] for row in every(lake, "orders") if row["status"] == "returned"}
    for line in every(lake, "order_items"):
        assert (int(line["quantity"]) < 0) == (line["order_id"] in returned)


def test_some_corrections_change_a_quantity_and_some_drop_a_line(lake: Path) -> None:
    """Both must rebuild the date they concern, days later."""
    seen: dict[str, dict[str, str]] = {}
    changed = dropped = 0
    for lines in read(lake, "order_items").values():
        orders: defaultdict[str, dict[str, str]] = defaultdict(dict)
        for line in lines:
            orders[line["order_id"]][line["line_number"]] = line["quantity"]
        for order, now in orders.items():
            before = seen.get(order, now)
            dropped += len(now) < len(before)
            changed += any(now[number] != before[number] for number in now)
        seen.update(orders)
    assert changed
    assert dropped


def test_one_product_is_described_late_and_one_never(lake: Path) -> None:
    """Inferred members: one is replaced by its description, one stays."""
    sold = {line["product_id"] for line in every(lake, "order_items")}
    described = {day: {row["product_id"] for row in rows} for day, rows in read(lake, "products").items()}
    assert {str(LATE_PRODUCT), str(NEVER_DESCRIBED)} <= sold
    assert [str(LATE_PRODUCT) in products for products in described.values()] == [
        number >= LATE_BY_DAYS for number in range(DAYS)
    ]
    assert not any(str(NEVER_DESCRIBED) in products for products in described.values())


def test_customers_hold_what_naive_readers_break_on(lake: Path) -> None:
    """Quoted commas, a newline in a field, text beyond ASCII, an undeclared column."""
    customers = every(lake, "customers")
    assert any("," in row["customer_name"] for row in customers)
    assert any("\n" in row["delivery_note"] for row in customers)
    assert any(not row["customer_name"].isascii() for row in customers)
    assert "delivery_note" not in retail.sources["customers"].declared


def test_customers_and_prices_change(lake: Path) -> None:
    customers, products = every(lake, "customers"), every(lake, "products")
    assert len({row["customer_id"] for row in customers}) < len(customers)
    assert len({(row["product_id"], row["list_price"]) for row in products}) > len(
        {row["product_id"] for row in products}
    )


def test_every_buyer_is_a_known_customer_by_then(lake: Path) -> None:
    known: set[str] = set()
    customers = read(lake, "customers")
    for day, orders in read(lake, "orders").items():
        known |= {row["customer_id"] for row in customers[day]}
        assert {row["customer_id"] for row in orders} - {""} <= known


def test_a_stores_manager_has_the_address_of_a_role(lake: Path) -> None:
    """Reports show a store's sales to that address; it is nobody's own."""
    rows = every(lake, "stores")
    assert rows
    assert {row["manager_email"] for row in rows} == {f"store-{row['store_id']}@example.com" for row in rows}
