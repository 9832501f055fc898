"""One large day of sales, built by an engine in whatever order of rows, and the bytes that a question reads of it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import IO, Any

import duckdb
import pyarrow.parquet as pq

from star_assets.engines.engine import Engine, ExportInput, FactInput, RawInput, StagedInput, Workplace
from star_assets.exports.formats.opening import inspect_file
from star_assets.model import Star
from star_assets.settings import Settings
from star_assets.star import retail

from ..workplaces import workplace

DAY = "2023-07-01"

# What a question about one store's products reads; the day is the partition.
COLUMNS = ["store_id", "product_id", "revenue"]


def write_day(folder: Path, lines: int, stores: int, lines_of_order: int = 3) -> dict[str, Path]:
    """A day's exports of orders and their lines, as CSV; the stores take turns."""
    orders = lines // lines_of_order
    texts = {
        "orders": f"""SELECT i AS order_id, hash(i) % 5000 AS customer_id, 1 + hash(i, 's') % {stores} AS store_id,
            '{DAY} 10:00:00' AS ordered_at, 'placed' AS status, NULL AS updated_at, 'I' AS op
            FROM range({orders}) r(i)""",
        "order_items": f"""SELECT i // {lines_of_order} AS order_id, 1 + i % {lines_of_order} AS line_number,
            1 + hash(i, 'p') % 5000 AS product_id, 1 + hash(i, 'q') % 4 AS quantity,
            (1 + hash(i, 'u') % 20000 / 100)::DECIMAL(9, 2) AS unit_price, NULL AS discount
            FROM range({orders * lines_of_order}) r(i)""",
    }
    files = {source: folder / f"{source}.csv" for source in texts}
    for source, select in texts.items():
        duckdb.execute(f"COPY ({select}) TO '{files[source]}' (HEADER)")
    return files


def build_day(make: Callable[[Workplace], Engine], exports: dict[str, Path], folder: Path, **declared: Any) -> Path:
    """The day's file of fact_sales, whose declaration is the retail star's but for `declared`."""
    fact = replace(retail.facts["fact_sales"], **declared)
    star = Star([*retail.sources.values()], [*retail.dimensions.values()], [fact])
    engine = make(workplace(star, Settings(threads=2)))
    staged = {}
    for source, raw in exports.items():
        target = folder / source
        target.mkdir(parents=True)
        given = ExportInput(DAY, (RawInput(raw, raw.name, inspect_file(raw, raw.name, star.sources[source])),))
        (day,) = engine.stage(star.sources[source], [given], target)
        staged[source] = (StagedInput(DAY, (str(day.file),)),)
    return engine.build_fact(star.facts["fact_sales"], FactInput((DAY,), staged), folder)[DAY].path


class _Counted:
    """A file that counts the bytes that are read of it."""

    def __init__(self, file: IO[bytes]) -> None:
        self.file, self.bytes = file, 0

    def read(self, size: int = -1) -> bytes:
        found = self.file.read(size)
        self.bytes += len(found)
        return found

    def __getattr__(self, name: str) -> Any:
        return getattr(self.file, name)


def bytes_read(file: Path, store: int, columns: list[str] = COLUMNS) -> int:
    """The bytes that PyArrow fetches to answer for one store: the footer, and the row groups that may hold it."""
    with file.open("rb") as opened:
        counted = _Counted(opened)
        found = pq.read_table(counted, columns=columns, filters=[("store_id", "=", store)])
        assert found.num_rows > 0
        return counted.bytes
