"""What a day of tills must have come to, from the raw files and the events alone, in plain Python.

Not here: how the day went (soak).
"""

from __future__ import annotations

import csv
import gzip
import json
from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping, Sequence
from decimal import Decimal
from pathlib import Path
from typing import Any

from star_assets.athena.embedded import EmbeddedAthena
from star_assets.pipeline.rejects import rejected_rows
from star_assets.pipeline.warehouse import Warehouse
from star_assets.samples.tills import Sent
from star_assets.star import retail

Row = tuple[str, str, Decimal, Decimal]
"""A row of the fact: its key, business date, quantity and revenue."""

Line = tuple[str, Decimal, Decimal]
"""A final row: its key, quantity and revenue."""

Lines = frozenset[Line]
"""All final rows of a receipt."""


def judge(lake: Path, warehouse: Warehouse, coming: Sequence[Sent]) -> Iterator[str]:
    """Whatever is wrong: events that were lost, rejects without their event, rows, and an account that has a gap."""
    rung = {one.event.event_id for one in coming}
    raw = Counter(raw_events(lake))
    if lost := rung - raw.keys():
        yield f"{len(lost)} events are nowhere in the lake, such as {sorted(lost)[:3]}"
    if raw.keys() - rung:
        yield "the lake has events that nobody rang up"
    bad = {one.event.event_id for one in coming if one.event.order_id is None}
    rejects = rejected_rows(warehouse, [retail.sources["pos_sales"]], lambda _: True).to_pylist()
    rejected = {json.loads(row["raw"])["event_id"] for row in rejects if row["staged"] and row["reason"]}
    if rejected != bad:
        yield f"{len(rejected)} events are rejected, and {len(bad)} have no receipt"
    expected, found = Counter(oracle(lake, coming)), Counter(rows(warehouse))
    for problem, difference in (("lacks", expected - found), ("has beyond that", found - expected)):
        if difference:
            money = sum(row[3] * count for row, count in difference.items())
            yield f"the fact {problem} {difference.total()} rows of {money}, such as {[*difference][:3]}"
    account = warehouse.reconcile("fact_sales", warehouse.account_days("fact_sales"))
    for day in account.differing:
        yield f"the account of {day} has a gap: {account.days[day]}"


def seen_wrong(seen: Sequence[Mapping[str, Any]]) -> Iterator[str]:
    """What a reader may never see in rows of a date: a key twice, or a receipt both provisional and final."""
    twice = [key for key, count in Counter(row["sale_id"] for row in seen).items() if count > 1]
    if twice:
        yield f"{len(twice)} keys were seen twice"
    origins = defaultdict[int, set[bool]](set)
    for row in seen:
        origins[row["order_id"]].add(row["is_provisional"])
    if mixed := [order for order, kinds in origins.items() if len(kinds) > 1]:
        yield f"{len(mixed)} receipts were seen from tills and from exports at once"


def final_wrong(seen: Sequence[Mapping[str, Any]], exported: Mapping[str, set[Lines]]) -> Iterator[str]:
    """Whether a receipt's final rows of a date are all that one export tells of it, to the cent."""
    final = defaultdict[str, set[Line]](set)
    for row in seen:
        if not row["is_provisional"]:
            final[str(row["order_id"])].add((row["sale_id"], Decimal(row["quantity"]), row["revenue"]))
    if other := [order for order, lines in final.items() if lines not in exported.get(order, set())]:
        yield f"{len(other)} final receipts are not what any export tells, such as {other[0]}"


def exported_lines(lake: Path) -> dict[str, set[Lines]]:
    """The lines of each order, as each export of it tells them."""
    found = defaultdict[str, set[Lines]](set)
    for order, _, lines in exports(lake):
        found[order["order_id"]].add(frozenset(line(order, one) for one in lines))
    return found


def raw_events(lake: Path) -> Iterator[str]:
    """The id of each event in the raw files, as often as it is there."""
    for file in (lake / "oltp" / "pos_sales").rglob("*.gz"):
        for line in gzip.decompress(file.read_bytes()).splitlines():
            yield json.loads(line)["event_id"]


def rows(warehouse: Warehouse) -> Iterator[Row]:
    """The rows of the fact."""
    sql = "SELECT sale_id, date, quantity, revenue FROM fact_sales"
    for row in EmbeddedAthena(warehouse.storage, warehouse.catalog).query(sql).table.to_pylist():
        yield row["sale_id"], row["date"], Decimal(row["quantity"]), row["revenue"]


def oracle(lake: Path, coming: Sequence[Sent]) -> Iterator[Row]:
    """The rows that the fact must have: of each order's newest export, and of events whose receipt has none."""
    newest: dict[str, tuple[tuple[str, str], dict[str, Any], list[dict[str, Any]]]] = {}
    for order, day, lines in exports(lake):
        version = (order["updated_at"], day)
        if order["order_id"] not in newest or newest[order["order_id"]][0] < version:
            newest[order["order_id"]] = version, order, lines
    for _, order, lines in newest.values():
        if order["op"] != "D" and order["status"] != "cancelled":
            for sale, quantity, revenue in (line(order, one) for one in lines):
                yield sale, order["ordered_at"][:10], quantity, revenue
    for event in {one.event for one in coming}:
        if event.order_id is not None and str(event.order_id) not in newest:
            revenue = event.quantity * event.unit_price - (event.discount or 0)
            yield f"provisional:{event.event_id}", event.sold_at[:10], Decimal(event.quantity), revenue


def exports(lake: Path) -> Iterator[tuple[dict[str, Any], str, list[dict[str, Any]]]]:
    """Each export of each order: the order, the day's folder, and the order's lines there."""
    lines = defaultdict[tuple[str, str], list[dict[str, Any]]](list)
    for file in (lake / "oltp" / "order_items").rglob("*.gz"):
        for record in records(gzip.decompress(file.read_bytes())):
            lines[file.parent.name, record["order_id"]].append(record)
    for file in (lake / "oltp" / "orders").rglob("*.csv"):
        for order in records(file.read_bytes()):
            yield order, file.parent.name, lines[file.parent.name, order["order_id"]]


def line(order: Mapping[str, Any], record: Mapping[str, Any]) -> Line:
    """A line as the fact has it."""
    quantity = Decimal(record["quantity"])
    revenue = quantity * Decimal(record["unit_price"]) - Decimal(record["discount"] or 0)
    return f"{order['order_id']}-{record['line_number']}", quantity, revenue


def records(content: bytes) -> Iterator[dict[str, Any]]:
    """The records of a CSV file."""
    yield from csv.DictReader(content.decode().splitlines())
