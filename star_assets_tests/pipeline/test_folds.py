"""Folded states and the key index: computed step by step, equal to a computation from nothing."""

from __future__ import annotations

import shutil
from collections.abc import Sequence
from random import Random

import duckdb
import pytest

from star_assets.books.states import States
from star_assets.engines.engine import StagedInput
from star_assets.pipeline.fold import CHECKPOINTS, source_state, used_keys
from star_assets.pipeline.key_index import KeyIndex
from star_assets.star import order_items, orders, products
from star_assets.star.sources import pos_sales

from .test_tills import arrive, event, tills

DAYS = [f"2023-{month:02}-{day:02}" for month in (7, 8) for day in (1, 2, 3, 30)]


def folded(lake, source=products) -> tuple[int, list[tuple[object, ...]]]:
    """How many exports the present state folded in, and its rows."""
    warehouse = lake.warehouse
    state = source_state(warehouse, source, warehouse.look("staging", source.name), keep=True)
    return state.manifest.facts["folded"], rows_of(warehouse.book_file(state))


def rows_of(file: str) -> list[tuple[object, ...]]:
    return duckdb.execute("FROM read_parquet(?, hive_partitioning = false) ORDER BY ALL", [file]).fetchall()


def product(number: int, name: str, day: str = "2023-07-01") -> str:
    return f"{number},{name},a,b,1,{day} 00:00:00"


def from_nothing(lake, make_lake) -> list[tuple[object, ...]]:
    """The state of a lake that got all of this lake's exports at once."""
    other = make_lake()
    for day in DAYS:
        if lake.folder("products", day).exists():
            other.write("products", day, {"p.csv": (lake.folder("products", day) / "products.csv").read_text()})
    other.run(*DAYS, tables=["products"])
    return folded(other)[1]


def test_a_new_export_folds_into_the_last_state(lake, make_lake) -> None:
    """A day must cost a day, not all of history."""
    for number, day in enumerate(DAYS):
        lake.export("products", day, product(1, f"v{number}"), product(number + 2, "new", "2023-08-01"))
        lake.run(day, tables=["products"])
        folds, rows = folded(lake)
        assert folds == 1
    assert len(rows) == len(DAYS) + 1
    assert rows == from_nothing(lake, make_lake)


def test_a_replaced_export_is_folded_again(lake, make_lake) -> None:
    """What the old one said must leave no trace; earlier states are where it goes on from."""
    for day in DAYS[:4]:
        lake.export("products", day, product(1, day), product(int(day[-2:]) + 10, "own"))
        lake.run(day, tables=["products"])
        folded(lake)
    lake.export("products", DAYS[2], product(1, "changed", "2023-07-09"))
    lake.run(*DAYS[:4], tables=["products"])
    folds, rows = folded(lake)
    assert folds == 2  # on the state of the first two days
    assert rows == from_nothing(lake, make_lake)
    assert [row[1] for row in rows if row[0] == 1] == ["changed"]


def test_a_withdrawn_export_leaves_the_state(lake, make_lake) -> None:
    for day in DAYS[:3]:
        lake.export("products", day, product(1, day, day), product(int(day[-2:]) + 10, "own"))
        lake.run(day, tables=["products"])
        folded(lake)
    lake.withdraw("products", DAYS[2])
    lake.run(*DAYS[:3], tables=["products"])
    assert folded(lake)[1] == from_nothing(lake, make_lake)
    assert [row[0] for row in folded(lake)[1]] == [1, 11, 12]


def test_who_looked_long_ago_replaces_no_newer_state(lake) -> None:
    """Two processes fold at once; the slower one must not bring back what was exported before."""
    day = DAYS[0]
    lake.export("products", day, product(1, "old"))
    lake.run(day, tables=["products"])
    slow = lake.again().warehouse
    seen = slow.look("staging", "products")
    lake.export("products", day, product(1, "new"))
    lake.run(day, tables=["products"])
    newest = source_state(lake.warehouse, products, lake.warehouse.look("staging", "products"), keep=True)
    state = source_state(slow, products, seen, keep=True)
    assert [row[1] for row in rows_of(slow.book_file(state))] == ["old"], "what it saw is what it works with"
    assert lake.live()["products/_state live"] == newest.manifest.version


def test_new_columns_do_not_change_who_wins(lake, make_lake) -> None:
    """Rows of equal version and export differ by content, also in columns that came later."""
    header = "product_id,product_name,category,brand,list_price,updated_at"
    lake.export("products", DAYS[0], product(1, "first"))
    lake.run(DAYS[0], tables=["products"])
    folded(lake)
    rows = [f"1,first,a,b,1,2023-07-01 00:00:00,{value}" for value in ("x", "z", "y")]
    lake.write("products", DAYS[1], {"products.csv": "\n".join([f"{header},aisle", *rows])})
    lake.run(DAYS[1], tables=["products"])
    ((_, row),) = [(state[0], state) for state in folded(lake)[1]]
    assert "z" in row
    assert [row] == from_nothing(lake, make_lake)


def test_used_keys_are_every_value_ever_exported(lake) -> None:
    lake.export("order_items", DAYS[0], "1,1,7,1,1,", "1,2,,1,1,", "2,1,7,1,1,")
    lake.export("order_items", DAYS[1], "1,1,8,1,1,")
    lake.run(*DAYS[:2], tables=["order_items"])
    warehouse = lake.warehouse
    staged = warehouse.look("staging", "order_items")
    used = used_keys(warehouse, order_items["product_id"], "product_id", staged, keep=True)
    assert rows_of(warehouse.book_file(used)) == [(7,), (8,)]


def index_of(lake) -> KeyIndex:
    return KeyIndex(lake.warehouse, orders["ordered_at"], lake.warehouse.look("staging", "orders"), keep=True)


@pytest.mark.parametrize("seed", range(3))
def test_the_key_index_equals_a_search_through_everything(lake, seed: int) -> None:
    """An export that the index forgets is revenue on the wrong date; one too many is a rebuild for nothing."""
    rng = Random(seed)
    live: dict[str, list[tuple[int, str | None]]] = {}
    for _ in range(3):
        for day in rng.sample(DAYS, 5):
            live[day] = [(rng.randrange(8), rng.choice([*DAYS, None])) for _ in range(3)]
            lake.export("orders", day, *(f"{n},,,{d} 10:00:00,,,U" if d else f"{n},,,,,,D" for n, d in live[day]))
        lake.run(*live, tables=["orders"])
        index = index_of(lake)
        dates = {key: {d for rows in live.values() for k, d in rows if k == key and d} for key in range(8)}
        exports = {key: {day for day, rows in live.items() for k, _ in rows if k == key} for key in range(8)}
        expected = {d: sorted(set().union(*(exports[k] for k in dates if d in dates[k]))) for d in DAYS}
        assert index.exports_by_date() == {d: found for d, found in expected.items() if found}


def test_the_index_knows_the_years_that_facts_reach_into(lake) -> None:
    lake.export("orders", DAYS[0], "1,,,2019-05-05 10:00:00,,,I", "2,,,2031-05-05 10:00:00,,,I", "3,,,,,,D")
    lake.run(DAYS[0], tables=["orders"])
    assert index_of(lake).years() == (2019, 2031)


def test_a_state_whose_files_somebody_removed_is_folded_anew(lake) -> None:
    """Books can always be made again; nobody should have to be told of it."""
    lake.export("products", DAYS[0], product(1, "only"))
    lake.run(DAYS[0], tables=["products"])
    _, rows = folded(lake)
    for version in (lake.root / "staging" / "products" / "_state").glob("v=*"):
        shutil.rmtree(version)
    assert folded(lake.again()) == (1, rows)


def test_a_batch_of_a_stream_folds_the_last_hours_alone(make_lake, monkeypatch: pytest.MonkeyPatch) -> None:
    """However many hours there are, and however often the newest one grows."""
    lake, read = make_lake(tills), list[str]()
    fold = States.fold_keys

    def counted(self: States, column: object, key: str, base: object, exports: Sequence[StagedInput], *given) -> None:
        read.extend(export.day for export in exports)
        fold(self, column, key, base, exports, *given)

    monkeypatch.setattr(States, "fold_keys", counted)

    def used() -> list[tuple[object, ...]]:
        warehouse = lake.warehouse
        book = used_keys(warehouse, pos_sales["product_id"], "product_id", warehouse.look("staging", "pos_sales"), True)
        return rows_of(warehouse.book_file(book))

    for number, day in enumerate(("2023-07-30", "2023-07-31", "2023-08-01")):
        for hour in range(5):
            arrive(lake, day, f"{hour:02}", "a", event(f"{day}{hour}", 1, product_id=10 * number + hour))
        lake.refresh("pos_sales", day)
        used()
    for batch in range(CHECKPOINTS + 3):
        read.clear()
        arrive(lake, "2023-08-01", "04", f"batch{batch}", event(f"batch{batch}", 2, product_id=100 + batch))
        lake.refresh("pos_sales", "2023-08-01")
        used()
        assert set(read) <= {"2023-08-01T03", "2023-08-01T04"}
    # An hour that was closed changes: nothing of its earlier version is left.
    arrive(lake, "2023-07-30", "01", "a", event("other", 1, product_id=7))
    lake.refresh("pos_sales", "2023-07-30")
    products_used = {10 * number + hour for number in range(3) for hour in range(5)} | set(range(100, 108))
    assert [key for (key,) in used()] == sorted(products_used - {1} | {7})
