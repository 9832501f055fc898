"""Unknown and inferred members: no inner join loses a cent."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import ibis
import pyarrow as pa
import pytest
from ibis.expr.types import Table

from star_assets.model import Source, dimension, fact
from star_assets.model.members import with_members, without_nulls

orders = Source("orders", "order_id", {"order_id": "int64", "shop": "string", "at": "timestamp"}, event_time="at")


@dimension(key="shop", inferred_from=[orders])
def dim_shop(shops: Table) -> Table:
    """Shops."""
    return shops


@fact(key="order_id", date="at", references={"shop": dim_shop})
def fact_orders(orders: Table) -> Table:
    """Orders."""
    return orders


def rows(table: Table) -> list[dict[str, Any]]:
    return ibis.duckdb.connect().to_pyarrow(table).to_pylist()  # type: ignore[no-any-return]


def described(shop: str, city: str | None, area: int) -> Table:
    schema = pa.schema({"shop": pa.string(), "city": pa.string(), "area": pa.int64()})
    return ibis.memtable(pa.Table.from_pylist([{"shop": shop, "city": city, "area": area}], schema))


def used(*keys: str | None) -> Table:
    return ibis.memtable(pa.table({"shop": pa.array(keys, pa.string())}))


def test_a_described_member_stays_as_it_is() -> None:
    found = rows(with_members(dim_shop, described("a", None, 5), used("a", "-1")))
    assert {"shop": "a", "city": None, "area": 5, "member_kind": "described"} in found


def test_a_key_that_no_export_describes_becomes_an_inferred_member() -> None:
    """Without it the sales of that shop vanish from every join."""
    found = rows(with_members(dim_shop, described("a", "Miami", 5), used("a", "b", "b", "-1")))
    assert [row for row in found if row["member_kind"] == "inferred"] == [
        {"shop": "b", "city": "Unknown", "area": None, "member_kind": "inferred"}
    ]


def test_there_is_one_unknown_member() -> None:
    found = rows(with_members(dim_shop, described("a", "Miami", 5), used("a", None, "-1", "-1")))
    assert [row for row in found if row["member_kind"] == "unknown"] == [
        {"shop": "-1", "city": "Unknown", "area": None, "member_kind": "unknown"}
    ]
    assert len(found) == 2


@pytest.mark.parametrize(
    ("type_", "key"),
    [(pa.int32(), -1), (pa.int64(), -1), (pa.string(), "-1")],
    ids=str,
)
def test_null_keys_point_to_the_unknown_member_of_their_type(type_: pa.DataType, key: object) -> None:
    given = ibis.memtable(pa.table({"order_id": pa.array([1], pa.int64()), "shop": pa.array([None], type_)}))
    assert [row["shop"] for row in rows(without_nulls(fact_orders, given))] == [key]


def test_an_inner_join_keeps_all_revenue() -> None:
    """Described, inferred and NULL keys: the sum over the join is the sum of the fact."""
    sold = ibis.memtable(
        pa.table(
            {
                "order_id": pa.array([1, 2, 3, 4], pa.int64()),
                "shop": pa.array(["a", "b", None, "a"], pa.string()),
                "revenue": pa.array([Decimal("1.10"), Decimal("2.20"), Decimal("3.30"), Decimal("-0.10")]),
            }
        )
    )
    sales = without_nulls(fact_orders, sold)
    members = with_members(dim_shop, described("a", "Miami", 5), sales.select("shop").union(used("-1")))
    by_kind = {
        row["member_kind"]: row["revenue"]
        for row in rows(sales.join(members, "shop").group_by("member_kind").agg(revenue=ibis._.revenue.sum()))
    }
    assert by_kind == {"described": Decimal("1.00"), "inferred": Decimal("2.20"), "unknown": Decimal("3.30")}
