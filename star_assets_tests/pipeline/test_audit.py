"""The audit: what a version says of itself, and the rules that keep a bad one off the market."""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal

import ibis
import pytest
from ibis.expr.types import Table

from star_assets.model import Measure, Star
from star_assets.model.errors import AuditFailed
from star_assets.star import dim_product, fact_sales, order_items, orders, products

DAYS = D1, D2, D3 = ["2023-07-01", "2023-07-02", "2023-07-03"]

# The day on which the functions below go wrong.
BAD = "DATE '2023-07-02'"


@pytest.fixture
def filled(lake):
    for number, day in enumerate(DAYS, 1):
        lake.export("orders", day, f"{number},10,5,{day} 10:00:00,placed,{day} 10:00:00,I")
        lake.export("order_items", day, f"{number},1,100,2,10,1", f"{number},2,100,3,10,")
    lake.run(*DAYS)
    return lake


def changed_fact(change, **declared) -> Star:
    """The shop, with `change` applied to the fact's rows of the second day."""

    def fact_with_a_mistake(orders: Table, order_items: Table) -> Table:
        rows = fact_sales.transform(orders, order_items)
        bad = rows.sale_date == ibis.date(D2)
        return change(rows, bad)

    plain = replace(dim_product, history=())
    fact = replace(fact_sales, transform=fact_with_a_mistake, references={"product_id": plain}, **declared)
    return Star([orders, order_items, products], [plain], [fact])


def repeated(rows: Table, bad) -> Table:
    return rows.mutate(sale_id=bad.ifelse("same", rows.sale_id))


def without_key(rows: Table, bad) -> Table:
    return rows.mutate(sale_id=bad.ifelse(ibis.null("string"), rows.sale_id))


def negative(rows: Table, bad) -> Table:
    return rows.mutate(unit_price=bad.ifelse(-rows.unit_price, rows.unit_price).cast("decimal(18,4)"))


def unknown_product(rows: Table, bad) -> Table:
    return rows.mutate(product_id=bad.ifelse(4711, rows.product_id).cast("int64"))


RULES = {
    "key unique": (repeated, "sale_id: rows whose key occurs again: expected 0 of 2, found 1"),
    "key not null": (without_key, "sale_id: rows without a key: expected 0 of 2, found 2"),
    "unit_price in bounds": (negative, "unit_price: rows below 0: expected 0 of 2, found 2"),
    "product_id in dim_product": (
        unknown_product,
        "product_id: rows whose member dim_product lacks: expected 0 of 2, found 2",
    ),
}


@pytest.mark.parametrize("rule", RULES)
def test_a_day_that_breaks_a_rule_is_not_published(filled, rule: str) -> None:
    """Its old version stays, the failed one is kept, and the other days of the range are published."""
    change, told = RULES[rule]
    before = filled.live()
    changed = filled.again(changed_fact(change))
    outcomes = {outcome.day: outcome for outcome in changed.refresh("fact_sales", *DAYS)}
    assert {day: o.status for day, o in outcomes.items()} == {D1: "published", D2: "failed", D3: "published"}
    error = outcomes[D2].error
    assert isinstance(error, AuditFailed)
    assert (error.table, error.partition, list(error.failures)) == ("fact_sales", f"date={D2}", [told])
    assert [check.name for check in outcomes[D2].checks if not check.passed] == [rule]
    assert [check.passed for check in outcomes[D1].checks] == [True] * len(outcomes[D1].checks)
    kept = error.kept
    assert changed.rows(f"SELECT count(*) FROM read_parquet('{kept}/part-*.parquet')") == [(2,)]
    assert changed.live()[f"fact_sales date={D2}"] == before[f"fact_sales date={D2}"]
    assert len(changed.sales()) == 6


def test_a_function_that_fails_on_one_day_spares_the_others(filled) -> None:
    """A value that overflows is no reason to keep the rest of the quarter back."""

    def overflow(rows: Table, bad) -> Table:
        return rows.mutate(quantity=rows.quantity * bad.ifelse(2**62, 1).cast("int64"))

    changed = filled.again(changed_fact(overflow))
    outcomes = {outcome.day: outcome for outcome in changed.refresh("fact_sales", *DAYS)}
    assert {day: o.status for day, o in outcomes.items()} == {D1: "published", D2: "failed", D3: "published"}
    assert "DuckDB failed while building a fact" in str(outcomes[D2].error)
    assert len(changed.sales()) == 6


def test_a_dimension_with_a_key_twice_is_not_published(filled) -> None:
    """Every sale of that product would count twice."""

    def twice(products: Table) -> Table:
        rows = products.drop("updated_at")
        return rows.union(rows.mutate(product_name=ibis.literal("again")))

    filled.export("products", D1, "100,Tent,a,b,1,2023-07-01 00:00:00")
    filled.run(*DAYS)
    star = Star([orders, order_items, products], [replace(dim_product, transform=twice, history=())], [])
    (outcome,) = filled.again(star).refresh("dim_product", D1)
    assert isinstance(outcome.error, AuditFailed)
    assert list(outcome.error.failures) == ["product_id: expected 3 different keys, 1 occur again"]
    assert filled.rows("SELECT product_name FROM dim_product WHERE product_id = 100") == [("Tent",)]


def test_a_broken_reference_is_published_once_the_dimension_has_the_member(filled) -> None:
    """A failed audit leaves nothing behind that a later run would trip over."""
    changed = filled.again(changed_fact(unknown_product))
    assert changed.statuses("fact_sales", D2) == ["failed"]
    changed.export("products", D1, "4711,Late,a,b,1,2023-07-01 00:00:00")
    changed.run(*DAYS)
    assert changed.rows("SELECT DISTINCT product_id FROM fact_sales WHERE date = '2023-07-02'") == [(4711,)]


def test_a_version_tells_what_it_was_made_of(filled) -> None:
    """What Dagster shows, and what somebody reads who asks where a figure came from."""
    filled.export("orders", D3, f"2,10,5,{D2} 10:00:00,shipped,{D3} 10:00:00,U")
    filled.export("order_items", D3, "2,1,100,7,10,1")
    (outcome,) = filled.refresh("orders", D3)
    assert outcome.manifest is not None
    facts = outcome.manifest.facts
    assert (facts["rows_in"], facts["rejected"], facts["files"]) == (1, 0, 1)
    filled.run(*DAYS)
    manifest = filled.manifest("fact_sales", D2)
    assert manifest.facts["exports"] == [D2, D3]
    audited = {name: state["version"] for name, state in manifest.facts["audited_against"].items()}
    assert audited == {name: filled.manifest(name, D1).version for name in ("dim_product", "dim_product_history")}
    assert {m: Decimal(v) for m, v in manifest.facts["sums"].items()} == {"quantity": 7, "discount": 1, "revenue": 69}
    assert set(manifest.facts["checks"].values()) == {True}
    assert manifest.inputs["exports"].keys() == {"orders", "order_items"}
    assert manifest.statistics["quantity"] == {"nulls": 0, "min": "7", "max": "7"}
    assert dict(manifest.schema)["revenue"] == "decimal(18,4)"


def test_checks_say_expected_and_found(filled) -> None:
    changed = filled.again(changed_fact(lambda rows, bad: rows.mutate(order_id=rows.order_id + 0)))
    outcome = changed.refresh("fact_sales", D1)[0]
    assert outcome.passed
    assert {check.name: check.description for check in outcome.checks} == {
        "key not null": "in all 2 rows sale_id is set",
        "key unique": "in all 2 rows sale_id is unique",
        "business date": f"in all 2 rows sold_at is on {D1}",
        "unit_price in bounds": "in all 2 rows unit_price is not below 0",
        "product_id in dim_product": "in all 2 rows product_id is a member of dim_product",
    }


def test_reconciliation_finds_a_day_that_is_behind_its_sources(filled) -> None:
    """It reads what the catalog serves, and adds the sources up again."""
    assert filled.warehouse.reconcile("fact_sales", DAYS).differing == []
    filled.export("order_items", D2, "2,1,100,20,10,1")
    filled.run(*DAYS, tables=["order_items"])
    found = filled.warehouse.reconcile("fact_sales", DAYS)
    assert found.differing == [D2]
    assert found.totals()["staged"] == {"rows": 5, "quantity": 30, "discount": 3, "revenue": 297}
    assert found.totals()["fact"] == {"rows": 6, "quantity": 15, "discount": 3, "revenue": 147}
    assert found.totals()["unexplained"] == {"rows": 1, "quantity": -15, "discount": 0, "revenue": -150}


def test_a_fact_without_sums_reconciles_by_its_rows(filled) -> None:
    star = changed_fact(lambda rows, bad: rows, measures=(Measure("unit_price", "avg"),), ratios=())
    lake = filled.again(star)
    lake.run(*DAYS)
    assert lake.warehouse.reconcile("fact_sales", DAYS).totals()["fact"] == {"rows": 6}
