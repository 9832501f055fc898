"""A person can be forgotten: no file of the lake names them any more, and no cent of their sales is lost."""

from __future__ import annotations

import gzip
from pathlib import Path

import pyarrow.parquet as pq
import pytest

from star_assets.keeping.forget import forget
from star_assets.model.errors import CannotForget
from star_assets.star import retail
from star_assets_tests.pipeline.conftest import CUSTOMERS, ORDERS

DAYS = ("2023-07-01", "2023-07-02")
ADA = "7,Ada Byron,ada@example.org,Miami,FL,vip,2023-01-01 00:00:00,2023-07-0{day} 00:00:00"
STORE = (
    '{"store_id": 1, "store_name": "A", "city": "Miami", "state": "FL", "region": "S", "opened_on": null, '
    '"updated_at": null, "x": 1.10}'
)
OTHER = STORE.replace('"store_id": 1', '"store_id": 2')
BOB = '8,"Bob, the other",bob@example.org,Miami,FL,vip,2023-01-01 00:00:00,2023-07-0{day} 00:00:00'


@pytest.fixture
def shop(make_lake):
    """Two days of a shop with two customers; one record of the first cannot be read, and day 1 was staged twice."""
    lake = make_lake(retail)
    for number, day in enumerate(DAYS, start=1):
        people = [CUSTOMERS, ADA.format(day=number), BOB.format(day=number)]
        broken = [f'"7"x,Ada,ada@example.org,Miami,FL,vip,{day} 00:00:00,', *[BOB.format(day=number)] * 2000]
        lake.write("customers", day, {"c.csv.gz": gzip.compress("\n".join([*people, *broken, ""]).encode())})
        lake.export("orders", day, f"{number},7,1,{day} 10:00:00,placed,{day} 10:00:00,I", f"1{number},8,1,{day},,,I")
        lake.export("order_items", day, f"{number},1,1,2,10.00,", f"1{number},1,1,1,1.00,")
        lake.export("products", day, "1,Shoe,Shoes,B,10.00,2023-07-01 00:00:00")
        lake.write("stores", day, {"s.json": f"[{STORE}]"})
    return lake


def staged(lake):
    lake.star = retail
    lake.run(*DAYS)
    again = lake.again(compression="snappy")
    again.run(*DAYS)  # every table has an earlier version too
    return again


def everything(root: Path) -> str:
    """Every byte of the lake that can be read as text, and every value of its Parquet files."""
    found = []
    for file in sorted(root.rglob("*")):
        if file.suffix == ".parquet":
            found.append(str(pq.read_table(file).to_pydict()))
        elif file.suffix == ".gz":
            found.append(gzip.decompress(file.read_bytes()).decode())
        elif file.is_file():
            found.append(file.read_bytes().decode("latin-1"))
    return "\n".join(found)


def test_nothing_in_the_lake_names_a_forgotten_customer(shop) -> None:
    """Raw files, staged rows, rejects, states, dimensions, manifests and old versions, whatever their format."""
    lake = staged(shop)
    assert "ada@example.org" in everything(lake.root)
    found = forget(lake.warehouse, "dim_customer", "7")
    left = everything(lake.root)
    assert "ada@example.org" not in left
    assert "Ada" not in left
    assert lake.rows("SELECT count(*) FROM orders WHERE customer_id = 7") == [(0,)]
    assert lake.rows("SELECT count(*) FROM dim_customer WHERE customer_id = 7") == [(0,)]
    assert found["oltp/customers"] == 4
    assert found["oltp/orders"] == 2
    assert found["staging/customers: rejects"] == 4  # two days, each in two versions
    assert found["staging/customers"] == 4
    assert found["olap/dim_customer"] == 2


def test_their_sales_stay_under_the_unknown_member(shop) -> None:
    """Forgetting a person must not change a figure."""
    lake = staged(shop)
    before = lake.rows("SELECT date, sum(revenue), count(*) FROM fact_sales GROUP BY date ORDER BY date")
    forget(lake.warehouse, "dim_customer", "7")
    assert lake.rows("SELECT date, sum(revenue), count(*) FROM fact_sales GROUP BY date ORDER BY date") == before
    assert lake.rows("SELECT DISTINCT customer_id FROM fact_sales ORDER BY 1") == [(-1,), (8,)]
    joined = lake.rows("SELECT sum(revenue) FROM fact_sales JOIN dim_customer USING (customer_id)")
    assert joined == lake.rows("SELECT sum(revenue) FROM fact_sales")


def test_everybody_else_stays_byte_for_byte(shop) -> None:
    """Records of others keep their quotes and their order."""
    lake = staged(shop)
    forget(lake.warehouse, "dim_customer", "7")
    people = gzip.decompress((lake.folder("customers", DAYS[0]) / "c.csv.gz").read_bytes()).decode().splitlines()
    assert people == [CUSTOMERS, *[BOB.format(day=1)] * 2001]
    orders = (lake.folder("orders", DAYS[0]) / "orders.csv").read_text().splitlines()
    assert orders == [
        ORDERS,
        "1,,1,2023-07-01 10:00:00,placed,2023-07-01 10:00:00,I",
        "11,8,1,2023-07-01,,,I",
    ]


def test_forgetting_twice_finds_nothing_more(shop) -> None:
    """A killed run is finished by the next one; a finished one has nothing to do."""
    lake = staged(shop)
    forget(lake.warehouse, "dim_customer", "7")
    live = lake.live()
    assert forget(lake.warehouse, "dim_customer", "7") == {}
    assert {name: lake.live()[name] for name in live if "_" not in name} == {
        name: version for name, version in live.items() if "_" not in name
    }


def test_a_member_of_a_source_in_json_is_forgotten_too(shop) -> None:
    """Numbers of the objects that stay keep their digits."""
    shop.write("stores", DAYS[0], {"s.json": f"[{STORE}, {OTHER}]"})
    shop.write("stores", DAYS[1], {"s.jsonl": f"{STORE}\n{OTHER}\n"})
    lake = staged(shop)
    forget(lake.warehouse, "dim_store", "1")
    kept = [file.read_text() for day in DAYS for file in lake.folder("stores", day).glob("s.*")]
    assert kept == [f"[\n{OTHER}\n]\n", f"{OTHER}\n"]
    assert lake.rows("SELECT DISTINCT store_id FROM fact_sales") == [(-1,)]


@pytest.mark.parametrize(
    ("table", "key", "problem"),
    [
        ("fact_sales", "1-1", "expected a dimension"),
        ("dim_customer", "Ada", "is a whole number, found 'Ada'"),
        ("dim_customer", "-1", "the key of the Unknown member"),
    ],
)
def test_what_cannot_be_forgotten_is_refused(make_lake, table: str, key: str, problem: str) -> None:
    """Nothing is touched before the request makes sense."""
    with pytest.raises(CannotForget, match=problem):
        forget(make_lake(retail).warehouse, table, key)
