"""What differs between a lake, as readers see it, and the oracle: sales, members, and what members were when."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import Any

import pyarrow.parquet as pq

from star_assets.pipeline.warehouse import Warehouse

from .conftest import Lake
from .oracle import Oracle

SALES = (
    "SELECT f.date, sale_id, f.product_id, quantity, revenue::VARCHAR, h.category FROM fact_sales f "
    "JOIN dim_product_history h USING (product_sk)"
)
MEMBERS = "SELECT product_id, product_name, category, brand, country, member_kind FROM"

BEGIN, END = datetime(1900, 1, 1), datetime(9999, 12, 30)
SHIFTS = (timedelta(0), timedelta(seconds=1), timedelta(seconds=-1))


def differences(lake: Lake, oracle: Oracle) -> list[str]:
    """Every fact row with its product's category then, every member, every interval that is not as the oracle says."""
    members = oracle.members()
    return [
        *_differing("sale", lake.rows(SALES), oracle.sales()),
        *_differing("member", lake.rows(f"{MEMBERS} dim_product"), members),
        *_differing("member today", lake.rows(f"{MEMBERS} dim_product_history WHERE is_current"), members),
        *(f"category of a product then: expected {found}" for found in _differing_intervals(lake, oracle)),
    ]


def _differing(what: str, found: list[tuple[Any, ...]], expected: list[tuple[Any, ...]]) -> Iterator[str]:
    yield from (f"{what}: expected {row}, and lacked it" for row in (Counter(expected) - Counter(found)).elements())
    yield from (f"{what}: found {row}, too much" for row in (Counter(found) - Counter(expected)).elements())


def _differing_intervals(lake: Lake, oracle: Oracle) -> list[tuple[Any, ...]]:
    """The (product, moment, category) by which the history is not what the oracle says, at each of its edges."""
    found = lake.rows("SELECT product_id, valid_from, valid_to, category FROM dim_product_history WHERE product_id > 0")
    edges = {(key, edge + shift) for key, since, until, _ in found for edge in (since, until) for shift in SHIFTS}
    probes = sorted((key, moment) for key, moment in edges if BEGIN <= moment < END)
    said = {
        (key, moment): category
        for key, since, until, category in found
        for probe, moment in probes
        if probe == key and since <= moment < until
    }
    expected = zip(probes, oracle.categories(probes), strict=True) if probes else []
    # A deleted product that nothing uses has no interval any more.
    return [(*probe, category) for probe, category in expected if said.get(probe, "Unknown") != category]


def live_rows(warehouse: Warehouse, table: str, day: str) -> list[str]:
    """The rows of a table's live version, of a day where it has days, as text and in order."""
    manifest = warehouse.live_manifest(table, day)
    assert manifest is not None
    folder = warehouse.partitions(table, day)[-1].version_folder(manifest.version)
    (file,) = warehouse.storage.local([f"{folder}/{manifest.files[0].name}"])
    return sorted(map(str, pq.read_table(file).to_pylist()))
