"""Streams and provisional rows as they are declared: what a star that is loaded may rely on."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from typing import Any

import ibis
import pytest
from ibis.expr.types import Table

from star_assets.model import Source, Star, business_date, provisional
from star_assets.model.errors import BadDeclaration
from star_assets.star import fact_sales, order_items, orders, products, retail
from star_assets.star.facts import sales_from_tills
from star_assets.star.sources import pos_sales

SALES = replace(fact_sales, references={})


def star(transform: Callable[..., Table], **changed: Any) -> Star:
    """The retail star's sources with another function of provisional rows."""
    declared = {"until": orders, "receipt": "order_id", "closes_after": "36h", **changed}
    function = provisional(SALES, **declared)(transform)
    return Star([orders, order_items, pos_sales, products], [], [SALES], provisional=[function])


def rows(pos_sales: Table, **changed: Any) -> Table:
    found = sales_from_tills.transform(pos_sales)
    return found.mutate(**changed) if changed else found


def refused(make: Callable[[], object]) -> str:
    with pytest.raises(BadDeclaration) as refusal:
        make()
    return str(refusal.value)


def test_the_fact_says_which_rows_are_provisional() -> None:
    fact = retail.facts["fact_sales"]
    (found,) = (field for field in retail.fields(fact) if field.name == "is_provisional")
    assert (str(found.type), bool(found.description)) == ("boolean", True)
    assert fact.provisional is not None
    assert fact.provisional.closes_after == timedelta(hours=36)
    assert retail.receipt(fact) == ("order_id",)


def test_a_fact_without_such_a_function_is_as_it_was() -> None:
    plain = Star([orders, order_items], [], [SALES])
    assert "is_provisional" not in {field.name for field in plain.fields(plain.facts["fact_sales"])}
    assert plain.stream(plain.facts["fact_sales"]) is None


def test_members_are_inferred_from_events_without_being_asked() -> None:
    inferred = retail.inferred_from(retail.dimensions["dim_store"])
    assert [(column.source.name, column.column) for column in inferred] == [
        ("orders", "store_id"),
        ("pos_sales", "store_id"),
    ]


def test_lineage_names_both_origins() -> None:
    origins = retail.lineage(retail.facts["fact_sales"])["quantity"]
    assert origins == {("order_items", "quantity"), ("pos_sales", "quantity")}


def lacks(pos_sales: Table) -> Table:
    return rows(pos_sales).drop("revenue")


def other_type(pos_sales: Table) -> Table:
    return rows(pos_sales, quantity=pos_sales.quantity.cast("int32"))


def no_receipt(pos_sales: Table) -> Table:
    return rows(pos_sales, order_id=pos_sales.order_id + 1)


def other_date(pos_sales: Table) -> Table:
    return rows(pos_sales, sold_at=pos_sales.sold_at + ibis.interval(hours=1))


def two_origins(pos_sales: Table) -> Table:
    at = (pos_sales.quantity > 0).ifelse(pos_sales.sold_at, pos_sales.sold_at.truncate("D"))
    return rows(pos_sales, sold_at=at, sale_date=business_date(pos_sales.sold_at))


def together(pos_sales: Table) -> Table:
    return rows(pos_sales).distinct()


def joined(pos_sales: Table, orders: Table) -> Table:
    return rows(pos_sales.anti_join(orders, "order_id"))


def final_alone(products: Table) -> Table:
    return products


@pytest.mark.parametrize(
    ("transform", "problem"),
    [
        (lacks, "returns no revenue"),
        (other_type, "quantity as int32, in fact_sales int64"),
        (no_receipt, "no column that is the receipt pos_sales.order_id"),
        (other_date, "computed from pos_sales.sold_at"),
        (two_origins, "comes from 2 source columns, expected one"),
        (together, "does not work row by row"),
        (joined, "reads orders, which decides what is final"),
        (final_alone, "reads 0 sources that arrive continuously"),
        (lambda pos_sales, elsewhere: pos_sales, "reads 'elsewhere'"),
        (lambda pos_sales: None, "returns a NoneType"),
    ],
)
def test_a_function_that_does_not_give_the_facts_rows_is_refused(transform: Callable[..., Table], problem: str) -> None:
    """When the star is loaded, before anything is published."""
    assert problem in refused(lambda: star(transform))


@pytest.mark.parametrize(
    ("changed", "problem"),
    [
        ({"until": order_items}, "until is order_items, and the rows of fact_sales come from orders"),
        ({"receipt": "event_id"}, "the receipt 'event_id' is string, and orders.order_id is int64"),
        ({"receipt": ("order_id", "line_number")}, "and orders has the key order_id"),
        ({"receipt": "ticket"}, "no column of pos_sales"),
        ({"closes_after": "soon"}, "closes_after is 'soon'"),
    ],
)
def test_a_declaration_that_does_not_fit_is_refused(changed: dict[str, Any], problem: str) -> None:
    assert problem in refused(lambda: star(sales_from_tills.transform, **changed))


def test_the_key_must_be_a_text_so_that_provisional_keys_are_told_apart() -> None:
    numbered = replace(SALES, transform=lambda orders, order_items: _numbered(SALES.transform(orders, order_items)))
    function = provisional(numbered, until=orders, receipt="order_id", closes_after="2d")(
        lambda pos_sales: _numbered(rows(pos_sales))
    )
    sources = [orders, order_items, pos_sales]
    assert "whose key 'sale_id' is int64" in refused(lambda: Star(sources, [], [numbered], provisional=[function]))


def _numbered(table: Table) -> Table:
    return table.mutate(sale_id=table.order_id)


@pytest.mark.parametrize(
    ("changed", "problem"),
    [
        ({"event_time": None}, "lacks a key or an event_time"),
        ({"key": None}, "lacks a key or an event_time"),
        ({"version": "sold_at"}, "has version"),
        ({"deleted": "event_type = 'void'"}, "has deleted"),
        ({"exports": "snapshots"}, 'has exports="snapshots"'),
        ({"arrives": "often"}, "arrives is 'often'"),
    ],
)
def test_events_add_up_and_none_edits_another(changed: dict[str, Any], problem: str) -> None:
    assert problem in refused(lambda: replace(pos_sales, **changed))


def test_a_stream_is_never_missing() -> None:
    """Nobody sells on Christmas."""
    source = Source(
        "taps", key="id", event_time="at", arrives="continuously", columns={"id": "string", "at": "timestamp"}
    )
    assert not source.expects("2023-07-01")
    assert not source.waits_for("2023-07-01")


def test_two_functions_of_one_fact_are_refused() -> None:
    functions = [sales_from_tills, replace(sales_from_tills, name="again")]
    make = lambda: Star([orders, order_items, pos_sales], [], [SALES], provisional=functions)  # noqa: E731
    assert "as sales_from_tills does" in refused(make)
