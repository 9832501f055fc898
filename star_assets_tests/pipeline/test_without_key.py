"""Rows that nothing tells apart: each counts, and is the same row whatever file it comes in."""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal

import pytest
from ibis.expr.types import Table

from star_assets.model import Column, Measure, Source, Star, fact
from star_assets.model.errors import BadDeclaration
from star_assets.star import order_items, orders

from .conftest import Lake, MakeLake
from .test_winning_rows import D1, D2, D3, export, line, order

COLUMNS = {"invoice": "string", "at": "timestamp", "item": "string", "amount": "decimal(18,2)"}
tills = Source("tills", key=None, columns=COLUMNS)
HEADER = "invoice,at,item,amount"
TWICE = f"A1,{D1} 10:00:00,tent,19.99"


def sales(tills: Table) -> Table:
    """One row per line rung up."""
    return tills


def star_of(source: Source, key: str = "row_id") -> Star:
    table = fact(key=key, date="at", references={}, measures=[Measure("amount", "sum")])(sales)
    return Star([source], [], [replace(table, name="sales")])


def rung_up(lake: Lake, day: str, *rows: str, files: int = 1) -> None:
    content = [rows[number::files] for number in range(files)]
    lake.write("tills", day, {f"{number}.csv": "\n".join([HEADER, *some]) for number, some in enumerate(content)})


def sold(lake: Lake) -> list[tuple[str, ...]]:
    return lake.rows("SELECT row_id, invoice, amount::VARCHAR FROM sales ORDER BY ALL")


def test_every_row_counts(make_lake: MakeLake) -> None:
    """Two people buy the same tent in one minute, and a till that numbers no lines says so twice."""
    lake = make_lake(star_of(tills))
    rung_up(lake, D1, TWICE, f"A2,{D1} 11:00:00,saw,5", TWICE)
    lake.run(D1)
    found = sold(lake)
    assert [row[1:] for row in found if row[1] == "A1"] == [("A1", "19.99")] * 2
    assert len({row[0] for row in found}) == 3
    assert all(row[0].startswith(f"{D1}-") for row in found)
    assert lake.manifest("tills", D1).facts["identical_rows"] == 0
    account = lake.warehouse.reconcile("sales", [D1])
    assert account.differing == []
    assert account.days[D1]["fact"] == {"rows": 3, "amount": Decimal("44.98")}


def test_a_row_is_the_same_in_whatever_file_and_order_it_comes(make_lake: MakeLake) -> None:
    """Files that are renamed, split or sorted otherwise must change no sale's key."""
    rows = [TWICE, f"A2,{D1} 11:00:00,saw,5", TWICE, f"A3,{D1} 11:00:00,,", f'A3,{D1} 11:00:00,"",']
    lake = make_lake(star_of(tills))
    rung_up(lake, D1, *rows)
    lake.run(D1)
    before = sold(lake)
    rung_up(lake, D1, *reversed(rows), files=2)
    lake.run(D1)
    assert sold(lake) == before
    assert len({row[0] for row in before}) == 5


def test_an_export_that_is_repeated_replaces_its_day(make_lake: MakeLake) -> None:
    """What the same till exports on another day is another sale."""
    lake = make_lake(star_of(tills))
    rung_up(lake, D1, TWICE, TWICE)
    rung_up(lake, D2, TWICE)
    lake.run(D1, D2)
    assert len(sold(lake)) == 3
    rung_up(lake, D1, TWICE)
    lake.run(D1, D2)
    assert [row[0][:10] for row in sold(lake)] == [D1, D2]


def test_lines_that_come_complete_need_no_key(make_lake: MakeLake) -> None:
    """A corrected order replaces its lines, identical ones among them."""
    items = Source("order_items", key=None, part_of=orders, columns=order_items.columns)

    def sales(orders: Table, order_items: Table) -> Table:
        rows = orders.join(order_items, "order_id")
        return rows.select("row_id", "ordered_at", "quantity")

    table = fact(key="row_id", date="ordered_at", references={}, measures=[Measure("quantity", "sum")])(sales)
    lake = make_lake(Star([orders, items], [], [replace(table, name="sales")]))
    export(lake, D1, [order(1, "10")], [line(1), line(1), line(1, number=2)])
    lake.run(D1)
    assert lake.rows("SELECT count(*), sum(quantity) FROM sales") == [(3, 3)]
    export(lake, D2, [order(1, "11")], [line(1, quantity=5), line(1, quantity=5)])
    lake.run(D1, D2)
    assert lake.rows("SELECT count(*), sum(quantity) FROM sales") == [(2, 10)]
    account = lake.warehouse.reconcile("sales", [D1, D2])
    assert account.differing == []
    assert account.days[D1]["superseded"]["rows"] == -3


def test_a_column_of_the_name_of_the_key_is_carried_along_under_another(make_lake: MakeLake) -> None:
    lake = make_lake(star_of(tills))
    lake.write("tills", D1, {"a.csv": f"{HEADER},row_id\n{TWICE},7\n"})
    lake.run(D1)
    assert lake.rows("SELECT raw_row_id, row_id = '7' FROM tills") == [("7", False)]


@pytest.mark.parametrize(
    "refused",
    [
        {"version": "at"},
        {"deleted": "item = 'x'"},
        {"lines": "changed"},
        {"exports": "snapshots"},
        {"duplicates": "reject"},
    ],
    ids=lambda refused: next(iter(refused)),
)
def test_what_needs_a_key_is_refused_without_one(refused: dict[str, str]) -> None:
    with pytest.raises(BadDeclaration, match=f"has key=None, and {next(iter(refused))}"):
        Source("tills", key=None, columns=COLUMNS, **refused)  # type: ignore[arg-type]


def test_a_row_without_a_key_has_no_lines() -> None:
    with pytest.raises(BadDeclaration, match="part of tills, which has no key"):
        Source("lines", key="line", part_of=tills, columns={"line": "int64"})


def test_a_moment_can_be_a_part_of_a_key(make_lake: MakeLake) -> None:
    """A till numbers its receipts anew every day: what tells them apart is the moment."""
    lake = make_lake(star_of(replace(tills, key=("invoice", "at")), key="invoice"))
    rung_up(lake, D1, f"A1,{D1} 10:00:00.001,saw,5.00", f"A2,{D1} 10:00:00,saw,5.00")
    rung_up(lake, D2, f"A1,{D1} 10:00:00.001,saw,6.00", f"A3,{D2} 10:00:00,saw,5.00")
    lake.run(D1, D2)
    lake.again(star_of(replace(tills, key=("invoice", "at")), key="invoice")).run(D1, D2)
    assert lake.rows("SELECT sum(amount)::VARCHAR FROM sales") == [("16.00",)]


# Duplicates


def test_what_collapses_is_counted_with_its_money(make_lake: MakeLake) -> None:
    """A flat file without line numbers lost 22,296.73, and reconciliation called that superseded."""
    lake = make_lake(star_of(replace(tills, key="invoice"), key="invoice"))
    rung_up(lake, D1, TWICE, TWICE, TWICE, f"A1,{D1} 10:00:00,saw,5.00", f"A2,{D1} 10:00:00,saw,5.00")
    rung_up(lake, D2, f"A2,{D1} 10:00:00,saw,6.00")
    lake.run(D1, D2)
    facts = lake.manifest("tills", D1).facts
    assert (facts["identical_rows"], facts["repeated_keys"]) == (2, 1)
    account = lake.warehouse.reconcile("sales", [D1, D2])
    assert account.differing == []
    found = {step: (amounts["rows"], amounts.get("amount")) for step, amounts in account.days[D1].items()}
    # By content: a saw is less than a tent, and 5.00 less than 19.99.
    assert found["duplicate"] == (-3, Decimal("-44.98"))
    assert found["superseded"] == (-1, Decimal("-5.00"))


def test_a_line_that_is_exported_twice_is_a_duplicate_of_whatever_order(lake: Lake) -> None:
    """Deleted, superseded, without a header: the second one of the two is a duplicate first."""
    export(lake, D1, [order(1, "10"), order(2, "10")], [line(1), line(1), line(2), line(2), line(3), line(3)])
    export(lake, D2, [order(1, "11")], [line(1)])
    export(lake, D3, ["2,,,,,2023-07-09 11:00:00,D"], [])
    lake.run(D1, D2, D3)
    found = lake.warehouse.reconcile("fact_sales", [D1]).days[D1]
    causes = {step: amounts["rows"] for step, amounts in found.items() if amounts["rows"] < 0}
    assert causes == {"duplicate": -3, "superseded": -1, "deleted": -1, "headerless": -1}


REJECTING = replace(tills, key="invoice", duplicates="reject", max_rejects=1.0)


def test_duplicates_can_be_rejected(make_lake: MakeLake) -> None:
    """Of identical rows the first stays. Which of several that differ is right, nobody knows, so none does."""
    lake = make_lake(star_of(REJECTING, key="invoice"))
    other = f"A2,{D1} 11:00:00,saw,5.00"
    first = [HEADER, TWICE, other, TWICE, f"A4,{D1} 12:00:00,net,1.00"]
    second = [HEADER, TWICE, f"A2,{D1} 11:00:00,saw,6.00", f"A3,{D1} 11:00:00,saw,x"]
    lake.write("tills", D1, {"a.csv": "\n".join(first), "b.csv": "\n".join(second)})
    lake.run(D1)
    assert [row[0] for row in lake.rows("SELECT invoice FROM tills ORDER BY 1")] == ["A1", "A4"]
    found = {(file[-5:], line): (reason, raw) for file, line, reason, raw in lake.rejects("tills", D1)}
    a = f"oltp/tills/date={D1}/a.csv"
    assert found == {
        ("a.csv", 3): ("expected one row of its invoice, found several that differ", other),
        ("a.csv", 4): (f"expected one row of its invoice, found the same row on line 2 of {a}", TWICE),
        ("b.csv", 2): (f"expected one row of its invoice, found the same row on line 2 of {a}", TWICE),
        ("b.csv", 3): ("expected one row of its invoice, found several that differ", second[2]),
        ("b.csv", 4): ("column amount: 'x' is not a number with up to 2 decimals", second[3]),
    }
    facts = lake.manifest("tills", D1).facts
    assert (facts["rows_in"], facts["rejected"], facts["identical_rows"], facts["repeated_keys"]) == (7, 5, 0, 0)


def test_rows_of_several_versions_are_no_duplicates(make_lake: MakeLake) -> None:
    columns = {**COLUMNS, "changed": Column("timestamp", optional=True)}
    source = replace(REJECTING, columns=columns, version="changed", max_rejects=0)
    lake = make_lake(star_of(source, key="invoice"))
    rows = [f"{TWICE},{D1} 1{hour}:00:00" for hour in range(3)]
    lake.write("tills", D1, {"a.csv": "\n".join([f"{HEADER},changed", *rows])})
    lake.run(D1)
    assert lake.rows("SELECT count(*) FROM tills") == [(3,)]


def test_objects_on_one_line_are_told_apart(make_lake: MakeLake) -> None:
    lake = make_lake(star_of(REJECTING, key="invoice"))
    one = f'{{"invoice": "A1", "at": "{D1} 10:00", "item": "x", "amount": 1}}'
    lake.write("tills", D1, {"a.jsonl": one + one + "\n"})
    lake.run(D1)
    assert lake.rows("SELECT invoice FROM tills") == [("A1",)]
    assert len(lake.rejects("tills", D1)) == 1


def test_how_duplicates_are_treated_stages_a_source_again(make_lake: MakeLake) -> None:
    lake = make_lake(star_of(replace(tills, key="invoice"), key="invoice"))
    rung_up(lake, D1, TWICE, TWICE)
    lake.run(D1)
    rejecting = lake.again(star_of(REJECTING, key="invoice"))
    assert rejecting.statuses("tills", D1) == ["published"]
    assert rejecting.manifest("tills", D1).facts["rejected"] == 1
